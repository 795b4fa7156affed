import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { layOut, type Checkout } from './rigs/project-checkout.ts';
import { copyTools, UPSTREAM } from './rigs/project-tools.ts';
import { sha256 } from './rigs/stand-in-project.ts';

const tools = copyTools();
afterAll(() => tools.remove());

const FILES = {
  'src/Main.mo': [
    'import Shelf "lib/Shelf";',
    'persistent actor {',
    '  var shelf : Shelf.Shelf = { books = 0 };',
    '  /// Adds one.',
    '  public func add() : async Nat { let unused = 1; assert shelf.books < 9; shelf := Shelf.more(shelf); shelf.books };',
    '}',
  ].join('\n'),
  'src/lib/Shelf.mo':
    'module { public type Shelf = { books : Nat }; public func more(s : Shelf) : Shelf { { books = s.books + 1 } } }',
  'test/Shelf.test.mo':
    '// @testmode wasi\nimport Shelf "../src/lib/Shelf";\nassert Shelf.more({ books = 1 }).books == 2;\n',
};

/** What upstream's unmodified commands do with the compiler itself, and with the wrapper in its place. */
test('ic-mops build, check and test: the second run needs no compiler, and all is as without the wrapper', async () => {
  const [plain, wrapped] = [open('moc'), open('moccache-moc')];
  for (const command of [['build', '--verbose'], ['check', 'src/Main.mo'], ['test']]) {
    const expected = await plain.mops(command);
    expect(expected.code, expected.stderr).toBe(0);
    expect(await wrapped.mops(command), command.join(' ')).toEqual(expected);
    const starts = wrapped.starts();
    expect(starts).toBe(plain.starts());
    expect(starts).toBeGreaterThan(0);
    if (command[0] === 'build') wrapped.forgetOutputs();
    expect(await wrapped.mops(command), `${command.join(' ')}, again`).toEqual(expected);
    expect(wrapped.starts()).toBe(starts);
  }
  expect(Object.keys(plain.outputs())).toEqual(['main.did', 'main.most', 'main.wasm']);
  expect(wrapped.outputs()).toEqual(plain.outputs());
});

interface Place {
  mops(args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  /** Of the real compiler, so far. */
  starts(): number;
  /** SHA-256 by name. */
  outputs(): Readonly<Record<string, string>>;
  forgetOutputs(): void;
}

/** A project whose compiler is either of two executables beside each other. */
function open(pin: 'moc' | 'moccache-moc'): Place {
  const checkout = layOut(tools, {
    files: {
      ...FILES,
      'mops.toml': [
        '[toolchain]',
        `moc = "./tools/${pin}"`,
        'wasmtime = "99.0.0"',
        '[canisters]',
        'main = "src/Main.mo"',
        '',
      ].join('\n'),
    },
  });
  onTestFinished(() => checkout.remove());
  const { top, root } = checkout;
  const count = join(top, 'starts');
  const out = join(root, '.mops/.build');
  const moc = join(root, 'tools/moc');
  putScript(moc, [
    `# moccache-compiler-input: ${tools.mocJs}`,
    `echo "$@" >> "${count}"`,
    `exec "${process.execPath}" "${tools.mocJs}" "$@"`,
  ]);
  putScript(join(root, 'tools/moccache-moc'), [`exec "${process.execPath}" "${tools.wrapper}" "$@"`]);
  putScript(join(checkout.environment.XDG_CACHE_HOME ?? '', 'mops/wasmtime/99.0.0/wasmtime'), ['echo ran']);
  return {
    mops: (args) => run(checkout, args, { MOCCACHE_MOC: moc }),
    starts: () => (existsSync(count) ? readFileSync(count, 'utf8').trimEnd().split('\n').length : 0),
    outputs: () =>
      Object.fromEntries(
        readdirSync(out)
          .filter((name) => !name.startsWith('.'))
          .map((name) => [name, sha256(readFileSync(join(out, name)))]),
      ),
    forgetOutputs: () => rmSync(out, { recursive: true }),
  };
}

function putScript(path: string, lines: readonly string[]): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
}

/** What was said, without what differs from run to run: times, the project's place, the compiler's name. */
function run(
  { root, environment }: Checkout,
  args: readonly string[],
  more: Readonly<Record<string, string>>,
): ReturnType<Place['mops']> {
  const told = (text: string) =>
    text
      .replaceAll(root, '')
      .replaceAll('moccache-moc', 'moc')
      .replace(/\d+\.\d+ ?s\b/g, 'TIME');
  return new Promise((done) => {
    execFile(
      process.execPath,
      [UPSTREAM, ...args],
      { cwd: root, env: { ...environment, ...more } },
      (error, stdout, stderr) => {
        done({ code: typeof error?.code === 'number' ? error.code : 0, stdout: told(stdout), stderr: told(stderr) });
      },
    );
  });
}

import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  processExists,
  scene,
  until,
  WRAPPER,
  type Ended,
  type RunOptions,
  type Scene,
} from './rigs/stand-in-project.ts';

const COMPILE = ['-c', '--idl', '--stable-types', '-o', 'out/a.wasm', 'src/A.mo'];

describe('what it understands', () => {
  test('is compiled once, and leaves and says what the compiler itself does', async () => {
    const at = open({
      'src/A.mo': 'import Lib "./Lib";\n// stand-in: warn mind this\n// stand-in: print hello\nactor { }\n',
    });
    const direct = await at.direct(COMPILE);
    const files = at.scene.files(at.out);
    expect(Object.keys(files)).toEqual(['a.did', 'a.most', 'a.wasm']);

    for (const round of ['run', 'hit']) {
      rmSync(at.out, { recursive: true });
      mkdirSync(at.out);
      expect(await at.wrapped(COMPILE), round).toEqual(direct);
      expect(at.scene.files(at.out), round).toEqual(files);
    }
    expect(at.scene.starts()).toHaveLength(2);
    expect(at.scene.litter()).toEqual([]);
  });

  test('is compiled again after an edit, and answered again after its undoing', async () => {
    const at = open();
    await at.wrapped(COMPILE);
    const before = at.scene.files(at.out);
    at.scene.put({ 'src/Lib.mo': 'module { public let x = 1 }\n' });
    await at.wrapped(COMPILE);
    expect(at.scene.files(at.out)['a.wasm']).not.toBe(before['a.wasm']);
    at.scene.put({ 'src/Lib.mo': 'module { }\n' });
    await at.wrapped(COMPILE);
    expect(at.scene.files(at.out)).toEqual(before);
    expect(at.scene.starts()).toHaveLength(2);
  });

  test('is shared by output folders, names and joined flags', async () => {
    const at = open();
    mkdirSync(join(at.scene.root, 'elsewhere'));
    await at.wrapped(COMPILE);
    await at.wrapped(['-c', '--idl', '--stable-types', '-o', join(at.scene.root, 'elsewhere/b.wasm'), 'src/A.mo']);
    expect(Object.values(at.scene.files(join(at.scene.root, 'elsewhere')))).toEqual(
      Object.values(at.scene.files(at.out)),
    );
    expect(at.scene.starts()).toHaveLength(1);
  });

  test('leaves alone what the call does not write', async () => {
    const at = open();
    writeFileSync(join(at.out, 'a.did'), 'of an earlier build');
    await at.wrapped(['-c', '-o', 'out/a.wasm', 'src/A.mo']);
    await at.wrapped(['-c', '-o', 'out/a.wasm', 'src/A.mo']);
    expect(readFileSync(join(at.out, 'a.did'), 'utf8')).toBe('of an earlier build');
    expect(readdirSync(at.out).sort()).toEqual(['a.did', 'a.wasm']);
    expect(at.scene.starts()).toHaveLength(1);
  });

  test('sees nothing that is not in the key', async () => {
    const at = open({ 'src/A.mo': '// stand-in: see secret.txt\nactor { }\n', 'secret.txt': 'x' });
    expect((await at.wrapped(COMPILE)).stdout).toBe('secret.txt: not there\n');
  });

  test('a check is answered too, with what was said', async () => {
    const at = open({ 'src/A.mo': '// stand-in: warn mind this\nactor { }\n' });
    const first = await at.wrapped(['--check', 'src/A.mo']);
    expect(first).toEqual({ code: 0, stdout: '', stderr: expect.stringContaining('mind this') as string });
    expect(await at.wrapped(['--check', 'src/A.mo'])).toEqual(first);
    expect(at.scene.starts()).toHaveLength(1);
  });

  test('a rejected program is rejected again without a compile', async () => {
    const at = open({ 'src/A.mo': '// stand-in: exit 1\nactor { }\n' });
    const first = await at.wrapped(COMPILE);
    expect(first).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining('M0050') as string });
    expect(await at.wrapped(COMPILE)).toEqual(first);
    expect(at.scene.starts()).toHaveLength(1);
    expect(readdirSync(at.out)).toEqual([]);
    at.scene.put({ 'src/A.mo': 'actor { }\n' });
    expect((await at.wrapped(COMPILE)).code).toBe(0);
  });

  test.each([
    ['a crash', '// stand-in: exit 2\n', 2],
    ['a kill', '// stand-in: die SIGKILL\n', 137],
    ['a missing import', 'import Gone "./Gone";\n', 1],
  ])('%s is never kept', async (_, line, code) => {
    const at = open({ 'src/A.mo': `${line}actor { }\n` });
    const direct = await at.direct(COMPILE);
    expect(direct.code).toBe(code);
    for (const round of [1, 2]) {
      const before = at.scene.starts().length;
      expect(await at.wrapped(COMPILE), String(round)).toEqual(direct);
      expect(at.scene.starts().length).toBeGreaterThan(before);
    }
  });

  test('a compiler that names the folder in which it ran is asked in the real one', async () => {
    const at = open({ 'src/A.mo': '// stand-in: env PWD\nactor { }\n' });
    const script = '#!/bin/sh\n# moccache-compiler-input: ./moc\necho "in $(pwd)"\nexec "$(dirname "$0")/moc" "$@"\n';
    writeFileSync(join(at.scene.root, 'tells'), script, { mode: 0o755 });
    const env = { MOCCACHE_MOC: join(at.scene.root, 'tells') };
    expect((await at.wrapped(COMPILE, { env })).stdout).toContain(`in ${at.scene.root}\n`);
  });
});

describe('what it does not answer is run as it is', () => {
  test.each([
    { what: 'the interpreter', args: ['-r', 'src/A.mo'] },
    { what: 'a session', args: ['-i'] },
    { what: 'a question', args: ['--version'] },
    { what: 'an unknown flag', args: [...COMPILE, '--brand-new', 'a b', ''] },
    { what: 'a missing output folder', args: ['-c', '-o', 'nowhere/a.wasm', 'src/A.mo'] },
    { what: 'a missing file', args: ['--check', 'src/Gone.mo'] },
    { what: 'a missing package', args: ['--check', 'src/A.mo', '--package', 'gone', 'gone/src'] },
    { what: 'a request for a trace', args: COMPILE, env: { OCAMLRUNPARAM: 'b' } },
    { what: 'a run time system of its own', args: COMPILE, env: { MOC_RELEASE_RTS: 'rts.wasm' } },
    { what: 'a cache that is off', args: COMPILE, env: { MOCCACHE_DISABLE: '1' } },
  ])('$what', async ({ args, env }) => {
    const at = open();
    putSpy(at.scene);
    const options = { env: { MOCCACHE_MOC: join(at.scene.root, 'spy'), ...env } };
    const direct = await at.direct(args, { ...options, command: [join(at.scene.root, 'spy')] });
    expect(direct.code).toBe(7);
    expect(await at.wrapped(args, options)).toEqual(direct);
  });

  test('an output that is a link is written through, as the compiler does', async () => {
    const at = open();
    writeFileSync(join(at.scene.root, 'target.wasm'), '');
    symlinkSync('../target.wasm', join(at.out, 'a.wasm'));
    await at.wrapped(COMPILE);
    expect(statSync(join(at.scene.root, 'target.wasm')).size).toBeGreaterThan(0);
  });

  test('a signal reaches the compiler, and the end is the same', async () => {
    const at = open();
    const running = at.start([...COMPILE, '--brand-new'], { env: { STAND_IN: 'hold' } });
    await until(() => at.scene.starts().length === 1, running);
    running.child.kill('SIGTERM');
    expect((await running.ended).code).toBe(143);
    expect(at.scene.starts().filter(processExists)).toEqual([]);
  });
});

describe('at once and in trouble', () => {
  test.each([
    ['a program', 'actor { }\n', 0],
    ['a wrong program', '// stand-in: exit 1\n', 1],
  ])('of 8 calls for %s one compiles', async (_, text, code) => {
    const at = open({ 'src/A.mo': text });
    const outs = Array.from({ length: 8 }, (_, index) => join(at.scene.root, `out${index}`));
    for (const out of outs) mkdirSync(out);
    const ends = await Promise.all(outs.map((out) => at.wrapped(['-c', '-o', join(out, 'a.wasm'), 'src/A.mo'])));
    expect(new Set(ends.map((end) => JSON.stringify(end))).size).toBe(1);
    expect(ends[0]?.code).toBe(code);
    expect(new Set(outs.map((out) => at.scene.files(out)['a.wasm'])).size).toBe(1);
    expect(at.scene.starts()).toHaveLength(1);
    expect(at.scene.litter()).toEqual([]);
  });

  test('stopped in a compile, it stops the compiler, leaves nothing, and ends by the signal', async () => {
    const at = open();
    const running = at.start(COMPILE, { env: { STAND_IN: 'hold' } });
    await until(() => at.scene.starts().length === 1, running);
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
    expect(at.scene.starts().filter(processExists)).toEqual([]);
    expect(at.scene.litter()).toEqual([]);
    expect(readdirSync(at.out)).toEqual([]);
  });

  test('killed in a compile, it keeps nobody from the next', async () => {
    const at = open();
    const running = at.start(COMPILE, { env: { STAND_IN: 'hold' } });
    await until(() => at.scene.starts().length === 1, running);
    running.child.kill('SIGKILL');
    await running.ended;
    expect((await at.wrapped(COMPILE)).code).toBe(0);
    expect(Object.keys(at.scene.files(at.out))).toEqual(['a.did', 'a.most', 'a.wasm']);
  });

  test('whatever happened to the store, the bytes are right', async () => {
    const at = open({ 'src/A.mo': '// stand-in: warn mind this\nactor { }\n' });
    const direct = await at.direct(COMPILE);
    const files = at.scene.files(at.out);
    await at.wrapped(COMPILE);
    for (const damage of [cutResults, flipBlobs, fillWithFolders]) {
      damage(at.scene.store);
      rmSync(at.out, { recursive: true });
      mkdirSync(at.out);
      expect(await at.wrapped(COMPILE), damage.name).toEqual(direct);
      expect(at.scene.files(at.out), damage.name).toEqual(files);
    }
  });

  test.each([
    ['read-only by the user', { MOCCACHE_READONLY: '1' }],
    ['where no folder can be made', { MOCCACHE_DIR: '/proc/nowhere' }],
    ['not a store at all', { MOCCACHE_DIR: import.meta.dirname }],
    ['of a nonsensical configuration', { MOCCACHE_LEASE_WAIT: 'soon' }],
  ])("a cache %s is in nobody's way", async (_, env) => {
    const at = open();
    const direct = await at.direct(COMPILE);
    expect(await at.wrapped(COMPILE, { env })).toEqual(direct);
  });

  test('a cache that is read-only, by the environment or by builds.toml, answers', async () => {
    const at = open();
    await at.wrapped(COMPILE);
    await at.wrapped(COMPILE, { env: { MOCCACHE_READONLY: '1' } });
    const config = join(at.scene.base, 'config/mops');
    mkdirSync(config, { recursive: true });
    writeFileSync(join(config, 'builds.toml'), 'readonly = true\n');
    await at.wrapped(COMPILE);
    expect(at.scene.starts()).toHaveLength(1);
  });
});

describe('the real compiler', () => {
  test('is what --setup recorded, until a variable says otherwise', async () => {
    const at = open();
    const unset = { env: { MOCCACHE_MOC: undefined } };
    const without = await at.wrapped(COMPILE, unset);
    expect(without.code).toBe(127);
    expect(without.stderr).toContain('moccache-moc --setup PATH');

    expect((await at.wrapped(['--setup', './moc'], unset)).stdout).toBe(
      `moccache-moc stands for ${at.scene.root}/moc\n`,
    );
    expect((await at.wrapped(COMPILE, { ...unset, cwd: at.scene.root })).code).toBe(0);
    putSpy(at.scene);
    expect((await at.wrapped(['-i'], { env: { MOCCACHE_MOC: join(at.scene.root, 'spy') } })).code).toBe(7);
  });

  test('is found on PATH by --setup, the wrapper itself left out', async () => {
    const at = open();
    const bins = ['first', 'second'].map((name) => join(at.scene.root, name));
    for (const bin of bins) mkdirSync(bin);
    symlinkSync(WRAPPER, join(bins[0] ?? '', 'moc'));
    symlinkSync(join(at.scene.root, 'moc'), join(bins[1] ?? '', 'moc'));
    const PATH = [...bins, process.env.PATH ?? ''].join(':');
    expect((await at.wrapped(['--setup'], { env: { PATH } })).stdout).toContain(join(bins[1] ?? '', 'moc'));
  });

  test('is not looked for in the project, not even without a home', async () => {
    const at = open({ '.config/mops/moccache-moc': '/bin/true\n' });
    const env = { MOCCACHE_MOC: undefined, HOME: undefined, XDG_CONFIG_HOME: undefined, XDG_CACHE_HOME: undefined };
    expect((await at.wrapped(['-i'], { env })).code).toBe(127);
  });

  test.each([
    ['the wrapper itself', () => WRAPPER],
    ['a script that starts the wrapper', (at: Scene) => putLoop(at)],
    ['not there', () => '/nowhere/moc'],
    ['no program', (at: Scene) => join(at.root, 'mops.toml')],
  ])('%s: it says so and ends', async (_, compilerOf) => {
    const at = open();
    const end = await at.wrapped(['-i'], { env: { MOCCACHE_MOC: compilerOf(at.scene) } });
    expect(end.code).toBeGreaterThanOrEqual(126);
    expect(end.stderr).toMatch(/^moccache-moc: .+\n$/);
  });
});

interface Place {
  readonly scene: Scene;
  readonly out: string;
  start(args: readonly string[], options?: RunOptions): ReturnType<Scene['start']>;
  wrapped(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** The compiler without the wrapper. */
  direct(args: readonly string[], options?: RunOptions): Promise<Ended>;
}

function open(files: Parameters<typeof scene>[0] = {}): Place {
  const at = scene(files);
  const compiler = join(at.root, 'moc');
  const out = join(at.root, 'out');
  mkdirSync(out);
  const start: Place['start'] = (args, options = {}) =>
    at.start(args, {
      command: [process.execPath, WRAPPER],
      ...options,
      env: { MOCCACHE_MOC: compiler, ...options.env },
    });
  return {
    ...{ scene: at, out, start },
    wrapped: (args, options) => start(args, options).ended,
    direct: (args, options) => at.start(args, { command: [compiler], ...options }).ended,
  };
}

/** A compiler that tells how it was started. */
function putSpy(at: Scene): void {
  const script = `#!/usr/bin/env node
    const { MOCCACHE_MOC, MOCCACHE_IN_WRAPPER, ...env } = process.env;
    console.log(JSON.stringify([process.argv.slice(2), process.cwd(), env]));
    console.error('and this');
    process.exit(7);
  `;
  writeFileSync(join(at.root, 'spy'), script, { mode: 0o755 });
}

function putLoop(at: Scene): string {
  const path = join(at.root, 'loop');
  writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${WRAPPER}" "$@"\n`, { mode: 0o755 });
  return path;
}

function cutResults(store: string): void {
  for (const path of filesIn(join(store, 'ac'))) writeFileSync(path, readFileSync(path).subarray(0, 40));
}

function flipBlobs(store: string): void {
  for (const path of filesIn(join(store, 'cas'))) {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    chmodSync(path, 0o600);
    writeFileSync(path, bytes);
  }
}

function fillWithFolders(store: string): void {
  for (const path of filesIn(join(store, 'cas'))) {
    rmSync(path);
    mkdirSync(path);
  }
}

function filesIn(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

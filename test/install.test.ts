import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findIcMops, type IcMops } from '../src/build/ic-mops.ts';
import { findCompiler, installMissing, tellingLines, type Resolve } from '../src/build/install.ts';
import { BuildError, type BuildEvent, type Failure } from '../src/build/outcome.ts';
import { resolvePackages } from '../src/build/packages.ts';
import { readProject } from '../src/build/project.ts';
import { openCache } from '../src/cache/cache.ts';
import { mopsToml, openScene, writeAll, type Scene } from './rigs/packages-scene.ts';

const NODE = process.execPath;
const REPOSITORY = join(import.meta.dirname, '..');

function scene(options: Parameters<typeof openScene>[0] = {}): Scene {
  const opened = openScene(options);
  onTestFinished(() => opened.remove());
  return opened;
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof BuildError) return error.failure;
  throw new Error('no BuildError', { cause: error });
}

/** A package folder that passes for ic-mops; its script is the given text. */
function writeIcMops(dir: string, version = '2.9.0', script = ''): string {
  const bin = { mops: 'dist/mops.js', 'ic-mops': 'dist/mops.js' };
  writeAll(dir, { 'package.json': JSON.stringify({ name: 'ic-mops', version, bin }), 'dist/mops.js': script });
  chmodSync(join(dir, 'dist/mops.js'), 0o755);
  return dir;
}

/** A stand-in for ic-mops that appends its arguments and its CI variable to a log, and then does what is given. */
function standIn(opened: Scene, deed: string, version = '2.9.0') {
  const log = join(opened.root, 'runs.log');
  const dir = writeIcMops(
    join(opened.root, '..', 'ic-mops'),
    version,
    `const fs = require('node:fs');
     const line = JSON.stringify([process.cwd(), process.env.CI ?? null, ...process.argv.slice(2)]);
     fs.appendFileSync(${JSON.stringify(log)}, line + '\\n');
     ${deed}`,
  );
  const icMops: IcMops = { command: [NODE, join(dir, 'dist/mops.js')], packageDir: dir, version };
  const runs = () => {
    const text = readFileSync(log, 'utf8').trim();
    return text.split('\n').map((line) => JSON.parse(line) as (string | null)[]);
  };
  return { icMops, runs };
}

test('ic-mops is found as Node finds packages, from the first folder that has it', () => {
  const { root } = scene();
  const inProject = writeIcMops(join(root, 'node_modules/ic-mops'), '3.1.0');
  const ours = join(root, '../ours');
  writeIcMops(join(ours, 'node_modules/ic-mops'), '2.9.0');
  mkdirSync(join(root, 'src/deep'), { recursive: true });
  expect(findIcMops({ from: [join(root, 'src/deep'), ours], node: NODE })).toEqual({
    command: [NODE, join(inProject, 'dist/mops.js')],
    packageDir: inProject,
    version: '3.1.0',
  });
  expect(findIcMops({ from: [join(root, '../elsewhere'), ours], node: NODE })?.version).toBe('2.9.0');
});

test('the ic-mops of this repository is found from its root', () => {
  const found = findIcMops({ from: [REPOSITORY], node: NODE });
  expect(found).toMatchObject({ packageDir: join(REPOSITORY, 'node_modules/ic-mops') });
  const manifest = readFileSync(join(found?.packageDir ?? '', 'package.json'), 'utf8');
  expect(found?.version).toBe((JSON.parse(manifest) as { version: string }).version);
});

test.each([
  ['is another package', '{ "name": "other", "version": "1.0.0", "bin": "x" }'],
  ['has no version', '{ "name": "ic-mops", "bin": "x" }'],
  ['has no executable', '{ "name": "ic-mops", "version": "1.0.0" }'],
  ['has a broken package.json', '{'],
])('a folder called ic-mops that %s is passed over', (_, manifest) => {
  const { root } = scene({ files: { 'node_modules/ic-mops/package.json': manifest } });
  expect(findIcMops({ from: [root], node: NODE })).toBeUndefined();
});

test('on PATH a link into the package counts, under either name, and `mops` of another package never', () => {
  const { root } = scene();
  const top = dirname(root);
  const packageDir = writeIcMops(join(top, 'lib/ic-mops'));
  const ours = join(top, 'lib/moccache');
  writeAll(ours, { 'package.json': '{ "name": "moccache", "version": "1.0.0" }', 'dist/mops.cjs': '' });
  for (const [link, target] of [
    ['first/mops', join(ours, 'dist/mops.cjs')],
    ['second/mops', join(packageDir, 'dist/mops.js')],
    ['third/ic-mops', join(packageDir, 'dist/mops.js')],
  ] as const) {
    mkdirSync(dirname(join(top, link)), { recursive: true });
    symlinkSync(target, join(top, link));
  }
  const on = (...folders: string[]) =>
    findIcMops({ from: [root], path: folders.map((name) => join(top, name)).join(':'), node: NODE });
  expect(on('first')).toBeUndefined();
  expect(on('absent', 'first', 'second')).toMatchObject({ packageDir, version: '2.9.0' });
  expect(on('third')).toMatchObject({ packageDir });
});

test('a launcher on PATH that lies in no package is run as it is', () => {
  const { root } = scene({ files: { '../bin/ic-mops': '#!/bin/sh\n', '../bin/mops': '#!/bin/sh\n' } });
  const bin = join(dirname(root), 'bin');
  expect(findIcMops({ from: [root], path: bin, node: NODE })).toEqual({ command: [join(bin, 'ic-mops')] });
  rmSync(join(bin, 'ic-mops'));
  expect(findIcMops({ from: [root], path: bin, node: NODE })).toBeUndefined();
});

const NEEDS_A = { 'mops.toml': mopsToml({ dependencies: { a: '1.0.0', b: '1.0.0' } }) };

/** Puts both packages where upstream would. */
function installing({ globalCacheDir }: Scene): string {
  return `for (const id of ['a@1.0.0', 'b@1.0.0']) {
    const dir = ${JSON.stringify(globalCacheDir)} + '/packages/' + id;
    fs.mkdirSync(dir + '/src', { recursive: true });
    fs.writeFileSync(dir + '/mops.toml', '');
  }`;
}

function resolver({ root, globalCacheDir }: Scene) {
  return () => resolvePackages(readProject(join(root, 'mops.toml')), { globalCacheDir, mopsEnv: undefined });
}

test('nothing is run where nothing is missing', async () => {
  const opened = scene({ installed: { 'a@1.0.0': {}, 'b@1.0.0': {} }, files: NEEDS_A });
  const { root, environment } = opened;
  const found = await resolver(opened)();
  const icMops = { command: [join(root, 'never')] };
  expect(await installMissing(found, resolver(opened), { root, environment, icMops })).toBe(found);
});

test.each([
  ['2.9.0', ['install', '--no-toolchain', '--lock', 'ignore']],
  ['3.1.0', ['install', '--no-toolchain']],
])('what is missing is installed by ic-mops %s, once, in the project', async (version, args) => {
  const opened = scene({ files: NEEDS_A });
  const { root, environment } = opened;
  const { icMops, runs } = standIn(opened, installing(opened), version);
  const events: BuildEvent[] = [];
  const found = await resolver(opened)();
  expect(found.missing.map(({ id }) => id)).toEqual(['a@1.0.0', 'b@1.0.0']);
  const onEvent = (event: BuildEvent) => void events.push(event);
  const after = await installMissing(found, resolver(opened), { root, environment, icMops, onEvent });
  expect(after).toMatchObject({ missing: [], packages: [{ dir: '.mops/a@1.0.0/src' }, { dir: '.mops/b@1.0.0/src' }] });
  expect(runs()).toEqual([[root, null, ...args]]);
  expect(events).toEqual([{ kind: 'installing', what: 'a@1.0.0, b@1.0.0', command: [...icMops.command, ...args] }]);
});

test('an install that fails and yet brings what was missing is good enough', async () => {
  const opened = scene({ files: NEEDS_A });
  const { root, environment } = opened;
  const { icMops } = standIn(opened, `${installing(opened)} process.exit(1);`);
  const after = await installMissing(await resolver(opened)(), resolver(opened), { root, environment, icMops });
  expect(after.missing).toEqual([]);
});

test('an install that does not help is a failure with package, folder, and what was printed last', async () => {
  const opened = scene({ files: NEEDS_A });
  const { root, environment } = opened;
  const { icMops } = standIn(opened, `console.error('\\u001b[31mno such package\\u001b[39m'); process.exit(3);`);
  const found = await resolver(opened)();
  expect(await failureOf(installMissing(found, resolver(opened), { root, environment, icMops }))).toEqual({
    kind: 'package-missing',
    name: 'a',
    id: 'a@1.0.0',
    dir: '.mops/a@1.0.0',
    detail: 'no such package\nit ended with exit code 3\nalso missing: b@1.0.0',
  });
});

test('without ic-mops, or with one that cannot be run, the failure says so', async () => {
  const opened = scene({ files: NEEDS_A });
  const { root, environment } = opened;
  const found = await resolver(opened)();
  const without = { root, environment, icMops: undefined };
  expect(await failureOf(installMissing(found, resolver(opened), without))).toMatchObject({
    kind: 'package-missing',
    detail: expect.stringContaining('was not found') as string,
  });
  const broken = { root, environment, icMops: { command: [join(root, 'absent')] } };
  expect(await failureOf(installMissing(found, resolver(opened), broken))).toMatchObject({
    detail: expect.stringContaining('could not be run') as string,
  });
});

test('the real ic-mops without a network leaves mops.toml and shell start-up files alone and tells why', async () => {
  const opened = scene({ files: NEEDS_A });
  const home = opened.environment.HOME ?? '';
  writeFileSync(join(home, '.bashrc'), '# mine\n'); // what it would edit under CI if it were let
  const icMops = findIcMops({ from: [REPOSITORY], node: NODE });
  const environment = { ...opened.environment, CI: '1' };
  const found = await resolver(opened)();
  const failure = await failureOf(installMissing(found, resolver(opened), { root: opened.root, environment, icMops }));
  expect(failure).toMatchObject({ kind: 'package-missing', id: 'a@1.0.0' });
  expect(failure).toMatchObject({
    detail: expect.stringMatching(/fetch failed[^]*it ended with exit code 1/) as string,
  });
  expect(readFileSync(join(opened.root, 'mops.toml'), 'utf8')).toBe(NEEDS_A['mops.toml']);
  expect(readFileSync(join(home, '.bashrc'), 'utf8')).toBe('# mine\n');
});

test('of two builds that miss the same, one installs and the other waits for it', async () => {
  const opened = scene({ files: NEEDS_A });
  const { root, environment } = opened;
  // The first to come stays until the second is known to wait.
  const gate = join(root, 'gate');
  const { icMops, runs } = standIn(
    opened,
    `const timer = setInterval(() => {
       if (!fs.existsSync(${JSON.stringify(gate)})) return;
       clearInterval(timer);
       ${installing(opened)}
     }, 5);`,
  );
  const found = await resolver(opened)();
  const started = [1, 2].map(() => {
    const cache = openCache({
      dir: join(opened.globalCacheDir, 'builds'),
      mode: 'read-write',
      leaseWaitMs: 60_000,
      onEvent: (event) => {
        if (event.kind === 'lease-wait') writeFileSync(gate, '');
      },
    });
    return installMissing(found, resolver(opened), { root, environment, icMops, cache });
  });
  for (const after of await Promise.all(started)) expect(after.missing).toEqual([]);
  expect(runs()).toHaveLength(1);
});

test('of two builds that miss what the global cache has, one copies it', async () => {
  const opened = scene({ files: NEEDS_A, cached: { 'a@1.0.0': {}, 'b@1.0.0': {} } });
  const { root, environment, globalCacheDir } = opened;
  const project = readProject(join(root, 'mops.toml'));
  let copies = 0;
  const resolve: Resolve = (how) => {
    if (how === 'copy') copies += 1;
    return resolvePackages(project, { globalCacheDir, mopsEnv: undefined, lookOnly: how === 'look' });
  };
  const found = await resolve('look');
  expect(found.missing.map(({ id }) => id)).toEqual(['a@1.0.0', 'b@1.0.0']);
  expect(existsSync(join(root, '.mops'))).toBe(false);
  const cache = openCache({ dir: join(globalCacheDir, 'builds'), mode: 'read-write', leaseWaitMs: 60_000 });
  const icMops = { command: [join(root, 'never')] };
  const both = await Promise.all(
    [1, 2].map(() => installMissing(found, resolve, { root, environment, icMops, cache })),
  );
  expect(both.map(({ missing }) => missing)).toEqual([[], []]);
  expect(copies).toBe(1);
});

test('a build that is cancelled ends the install', async () => {
  const opened = scene({ files: NEEDS_A });
  const { root, environment } = opened;
  const { icMops } = standIn(opened, 'setInterval(() => {}, 1000);');
  const stop = new AbortController();
  const options = { root, environment, icMops, signal: stop.signal, onEvent: () => setImmediate(() => stop.abort()) };
  const found = await resolver(opened)();
  expect(await failureOf(installMissing(found, resolver(opened), options))).toEqual({ kind: 'cancelled' });
});

test.each([
  ['the end of plain output', 'one\n\ntwo\r\nthree\n', ['one', 'two', 'three']],
  [
    'at most eight lines',
    Array.from({ length: 20 }, (_, index) => `line ${index}`).join('\n'),
    [12, 13, 14, 15, 16, 17, 18, 19].map((index) => `line ${index}`),
  ],
  [
    'the headlines of stack traces, each once',
    'Error: first\n    at a (b.js:1)\n  TypeError: second\n    at c\nError: first\n  cause: {\n  }\n}\nNode.js v20\n',
    ['Error: first', 'TypeError: second'],
  ],
])('of what ic-mops prints, %s is told', (_, output, lines) => {
  expect(tellingLines(output)).toEqual(lines);
});

function compilerOptions(opened: Scene, pin: string, icMops?: IcMops) {
  const { root, environment, toolchainsDir } = opened;
  return { pin, root, environment, toolchainsDir, icMops };
}

test.each(['./moc', './tools/../moc', '../other/moc'])('the pin %s is meant from the project root', async (pin) => {
  const opened = scene({ files: { moc: '', '../other/moc': '' } });
  const path = join(opened.root, pin);
  chmodSync(path, 0o755);
  expect(await findCompiler(compilerOptions(opened, pin))).toBe(path);
  expect(await findCompiler(compilerOptions(opened, path))).toBe(path);
});

test('a version is looked for among the toolchains', async () => {
  const opened = scene();
  writeAll(opened.toolchainsDir, { 'moc/1.10.1/moc': '' });
  const path = join(opened.toolchainsDir, 'moc/1.10.1/moc');
  chmodSync(path, 0o755);
  expect(await findCompiler(compilerOptions(opened, '1.10.1'))).toBe(path);
});

test.each([
  ['absent', () => undefined, 'there is no such file'],
  ['a folder', (path: string) => mkdirSync(path), 'it is not a file'],
  ['not executable', (path: string) => writeFileSync(path, '', { mode: 0o644 }), 'it is not executable'],
])('a pinned compiler that is %s is missing, and nothing is fetched for it', async (_, prepare, detail) => {
  const opened = scene();
  const path = join(opened.root, 'moc');
  prepare(path);
  const icMops = { command: [join(opened.root, 'never')] };
  expect(await failureOf(findCompiler(compilerOptions(opened, './moc', icMops)))).toEqual({
    kind: 'compiler-missing',
    pin: './moc',
    path,
    detail,
  });
});

test('a version that is not there is fetched by ic-mops, with CI hidden from it', async () => {
  const opened = scene({ files: { 'mops.toml': '' } });
  const dir = join(opened.toolchainsDir, 'moc/1.10.1');
  const { icMops, runs } = standIn(
    opened,
    `fs.mkdirSync(${JSON.stringify(dir)}, { recursive: true });
     fs.writeFileSync(${JSON.stringify(join(dir, 'moc'))}, '', { mode: 0o755 });`,
  );
  const options = compilerOptions(opened, '1.10.1', icMops);
  const environment = { ...opened.environment, CI: '1' };
  const path = await findCompiler({ ...options, environment });
  expect([basename(dirname(path)), basename(path)]).toEqual(['1.10.1', 'moc']);
  expect(runs()).toEqual([[opened.root, null, 'toolchain', 'bin', 'moc']]);
});

test('a version that cannot be fetched is missing, with what ic-mops said', async () => {
  const opened = scene({ files: { 'mops.toml': '' } });
  const { icMops } = standIn(opened, `console.error('ERROR 404 of a release'); process.exit(1);`);
  const path = join(opened.toolchainsDir, 'moc/9.9.9/moc');
  expect(await failureOf(findCompiler(compilerOptions(opened, '9.9.9', icMops)))).toEqual({
    kind: 'compiler-missing',
    pin: '9.9.9',
    path,
    detail: 'ERROR 404 of a release\nit ended with exit code 1',
  });
  expect(await failureOf(findCompiler(compilerOptions(opened, '9.9.9')))).toMatchObject({
    detail: 'ic-mops, which fetches compilers, was not found',
  });
});

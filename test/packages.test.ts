import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { BuildError, type Failure } from '../src/build/outcome.ts';
import { resolvePackages, type Resolution } from '../src/build/packages.ts';
import { readProject } from '../src/build/project.ts';
import { bundleRig } from './rigs/packages-bundle.ts';
import {
  lockText,
  mopsToml,
  openScene,
  sha256,
  upstreamPackages,
  type Declared,
  type Scene,
} from './rigs/packages-scene.ts';
import { filesOf, scenarios } from './rigs/packages-scenarios.ts';

function scene(options: Parameters<typeof openScene>[0]): Scene {
  const opened = openScene(options);
  onTestFinished(() => opened.remove());
  return opened;
}

interface Asked {
  readonly mopsEnv?: string | undefined;
  readonly locked?: boolean;
}

async function resolveIn({ root, globalCacheDir }: Scene, { mopsEnv, ...rest }: Asked = {}): Promise<Resolution> {
  return await resolvePackages(readProject(join(root, 'mops.toml')), { globalCacheDir, mopsEnv, ...rest });
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof BuildError) return error.failure;
  throw new Error('no BuildError', { cause: error });
}

const linesOf = ({ packages }: Resolution) => packages.map(({ name, dir }) => `${name} ${dir}`);

test.each(scenarios)('$title', async (scenario) => {
  const opened = scene({ installed: scenario.installed, files: filesOf(scenario) });
  const resolution = await resolveIn(opened, { mopsEnv: scenario.mopsEnv });
  expect(resolution.missing).toEqual([]);
  expect(linesOf(resolution)).toEqual(scenario.expected);
});

const shared = scenarios.filter(({ otherBefore3 }) => otherBefore3 === undefined);
test.each(shared)('ic-mops passes the same packages to the compiler: $title', async (scenario) => {
  const opened = scene({ installed: scenario.installed, files: filesOf(scenario) });
  const env = scenario.mopsEnv === undefined ? {} : { MOPS_ENV: scenario.mopsEnv };
  const packages = await upstreamPackages(opened, env);
  expect(packages.map(({ name, dir }) => `${name} ${dir}`)).toEqual(scenario.expected);
});

const DECLARED: Declared = { dependencies: { a: '1.0.0', g: 'https://github.com/x/y#main@0123abc', l: './l' } };
const DEPS = { a: '1.0.0', g: 'https://github.com/x/y#main@0123abc', l: './l' };
const GITHUB = { g: { resolved: '0123abcdef', hash: 'e'.repeat(64) } };
const LOCAL_HASH = sha256(JSON.stringify([['./l', { b: '2.0.0' }]]));
const GOOD = { github: GITHUB, localDepsHash: LOCAL_HASH, deps: { ...DEPS, b: '2.0.0' } };

function lockedScene(lock: string | undefined): Scene {
  return scene({
    installed: { 'a@1.0.0': {}, 'b@2.0.0': {}, '_github/g#main@0123abc': {} },
    files: {
      'mops.toml': mopsToml(DECLARED),
      'l/mops.toml': '[dependencies]\nb = "2.0.0"\n',
      'l/src/lib.mo': '',
      ...(lock === undefined ? {} : { 'mops.lock': lock }),
    },
  });
}

function goodLock(change: Readonly<Record<string, unknown>> = {}, deps: Readonly<Record<string, string>> = GOOD.deps) {
  return lockText(DECLARED, deps, { github: GITHUB, localDepsHash: LOCAL_HASH, ...change });
}

test('a lock that upstream takes for good is used', async () => {
  const resolution = await resolveIn(lockedScene(goodLock()), { locked: true });
  expect(resolution.source).toBe('lock');
  expect(resolution).not.toHaveProperty('lockDefect');
});

const damaged = 'it is not a lock file of mops, or is damaged';
const otherLocal = 'the mops.toml of a local dependency, or MOPS_ENV, has changed since it was written';
test.each<[string, string | undefined, string]>([
  ['absent', undefined, 'there is none'],
  ['no JSON', '{', damaged],
  ['an array', '[]', damaged],
  ['without a version', '{}', damaged],
  [
    'of version 2',
    '{ "version": 2, "mopsTomlDepsHash": "x", "hashes": {} }',
    'it has version 2; only version 3 can be used',
  ],
  ['of version 9', '{ "version": 9 }', 'it has version 9; only version 3 can be used'],
  ['without hashes', goodLock({ hashes: undefined }), damaged],
  ['with an empty hash', goodLock({ hashes: { 'a@1.0.0': { 'a@1.0.0/x': '' } } }), damaged],
  ['with an empty dependency', goodLock({ deps: { ...GOOD.deps, a: '' } }), damaged],
  ['with a number for the hash of local packages', goodLock({ localDepsHash: 5 }), damaged],
  [
    'of other dependencies',
    goodLock({ mopsTomlDepsHash: sha256('other') }),
    'the dependencies in mops.toml have changed since it was written',
  ],
  ['of other local packages', goodLock({ localDepsHash: sha256('other') }), otherLocal],
  ['without the hash of local packages', goodLock({ localDepsHash: undefined }), otherLocal],
  ['with an absolute path', goodLock({}, { ...GOOD.deps, l: '/somewhere/l' }), 'it has an absolute path for l'],
  [
    'with another version than declared',
    goodLock({}, { ...GOOD.deps, a: '1.0.1' }),
    'mops.toml wants a = "1.0.0", and it has "1.0.1"',
  ],
  [
    'without a declared dependency',
    goodLock({}, { g: DEPS.g, l: DEPS.l }),
    'mops.toml wants a = "1.0.0", and it has none',
  ],
  [
    'without the hashes of a package',
    goodLock({ hashes: { 'a@1.0.0': { 'a@1.0.0/x': 'f' } } }),
    'it has no file hashes for b@2.0.0',
  ],
  [
    'with hashes of a package too many',
    goodLock({ hashes: { 'a@1.0.0': {}, 'b@2.0.0': {}, 'c@3.0.0': {} } }),
    'it has file hashes for c@3.0.0, but no such package',
  ],
  ['without the GitHub commits', goodLock({ github: undefined }), 'it does not say which commit g is'],
  ['without a GitHub hash', goodLock({ github: { g: { resolved: '0123abc' } } }), 'it does not say which commit g is'],
  [
    'with another GitHub commit than declared',
    goodLock({ github: { g: { resolved: 'fedcba', hash: 'e' } } }),
    'it has another commit of g than mops.toml',
  ],
])('a lock %s is passed over, and refused with --locked', async (_, lock, defect) => {
  const opened = lockedScene(lock);
  const resolution = await resolveIn(opened);
  expect(resolution).toMatchObject({ source: 'resolved', lockDefect: defect, missing: [] });
  expect(linesOf(resolution)).toEqual([
    'a .mops/a@1.0.0/src',
    'b .mops/b@2.0.0/src',
    'g .mops/_github/g#main@0123abc/src',
    'l l/src',
  ]);
  const file = join(opened.root, 'mops.lock');
  expect(await failureOf(resolveIn(opened, { locked: true }))).toEqual({ kind: 'bad-lock', file, defect });
});

test('a local package with a new dependency makes the lock stale', async () => {
  const opened = lockedScene(goodLock());
  opened.write({ 'l/mops.toml': '[dependencies]\nb = "2.0.0"\na = "1.0.0"\n' });
  expect(await resolveIn(opened)).toMatchObject({ source: 'resolved', lockDefect: otherLocal });
});

test('the hash of local packages covers folders without a manifest and manifests that cannot be read', async () => {
  const declared: Declared = { dependencies: { bare: '../bare', bad: './bad' } };
  const localDepsHash = sha256(
    JSON.stringify([
      ['../bare', null],
      ['./bad', 'unreadable'],
    ]),
  );
  const opened = scene({
    files: {
      'mops.toml': mopsToml(declared),
      'mops.lock': lockText(declared, { bare: '../bare', bad: './bad' }, { localDepsHash }),
      'bad/mops.toml': '[dependencies]\nx = 5\n',
      '../bare/lib.mo': '',
    },
  });
  const file = join(opened.root, 'bad', 'mops.toml');
  // The lock is taken for good: what fails is the look for the package's sources, not the resolution.
  expect(await failureOf(resolveIn(opened, { locked: true }))).toMatchObject({ kind: 'bad-config', file, line: 2 });
});

test('a lock of another MOPS_ENV is passed over', async () => {
  const declared: Declared = { dependencies: { env: './envs/{MOPS_ENV}' } };
  const localDepsHash = sha256(JSON.stringify([['./envs/local', null]]));
  const opened = scene({
    files: {
      'mops.toml': mopsToml(declared),
      'mops.lock': lockText(declared, { env: './envs/local' }, { localDepsHash }),
      'envs/local/lib.mo': '',
      'envs/prod/lib.mo': '',
    },
  });
  expect(await resolveIn(opened)).toMatchObject({ source: 'lock', packages: [{ name: 'env', dir: 'envs/local' }] });
  expect(await resolveIn(opened, { mopsEnv: 'prod' })).toMatchObject({
    source: 'resolved',
    packages: [{ name: 'env', dir: 'envs/prod' }],
  });
});

test('a lock that is no file is refused with the reason', async () => {
  const opened = lockedScene(undefined);
  mkdirSync(join(opened.root, 'mops.lock'));
  const file = join(opened.root, 'mops.lock');
  expect(await failureOf(resolveIn(opened))).toEqual({ kind: 'bad-lock', file, defect: 'it cannot be read (EISDIR)' });
});

test('a stale lock stands in for the manifests of versions that are not installed', async () => {
  const before: Declared = { dependencies: { a: '1.0.0' } };
  const graph = { 'a@1.0.0': { c: '1.0.0' }, 'b@1.0.0': { c: '1.1.0' }, 'c@1.0.0': { x: '1.0.0' }, 'c@1.1.0': {} };
  const opened = scene({
    inProject: { 'a@1.0.0': {}, 'b@1.0.0': {}, 'c@1.1.0': {} },
    files: {
      'mops.toml': mopsToml({ dependencies: { a: '1.0.0', b: '1.0.0' } }),
      'mops.lock': lockText(before, { a: '1.0.0', c: '1.0.0' }, { graph: { ...graph, 'x@1.0.0': {} } }),
    },
  });
  const resolution = await resolveIn(opened);
  expect(resolution).toMatchObject({ source: 'resolved', missing: [] });
  expect(linesOf(resolution)).toEqual(['a .mops/a@1.0.0/src', 'b .mops/b@1.0.0/src', 'c .mops/c@1.1.0/src']);
});

test('packages in .mops are enough, manifests included, when the global cache is empty', async () => {
  const opened = scene({
    inProject: { 'a@1.0.0': { dependencies: { b: '1.0.0' } }, 'b@1.0.0': {} },
    files: { 'mops.toml': mopsToml({ dependencies: { a: '1.0.0' } }) },
  });
  expect(linesOf(await resolveIn(opened))).toEqual(['a .mops/a@1.0.0/src', 'b .mops/b@1.0.0/src']);
});

test('a manifest that is nowhere is missing, and nothing is guessed behind it', async () => {
  const opened = scene({
    installed: { 'a@1.0.0': { dependencies: { b: '1.0.0' } } },
    files: { 'mops.toml': mopsToml({ dependencies: { a: '1.0.0' } }) },
  });
  expect(await resolveIn(opened)).toMatchObject({
    packages: [],
    missing: [{ name: 'b', id: 'b@1.0.0', dir: '.mops/b@1.0.0' }],
  });
});

test('a locked package that is nowhere is missing', async () => {
  const opened = lockedScene(goodLock());
  for (const base of [join(opened.root, '.mops'), join(opened.globalCacheDir, 'packages')]) {
    rmSync(join(base, 'b@2.0.0'), { recursive: true });
    rmSync(join(base, '_github'), { recursive: true });
  }
  expect((await resolveIn(opened)).missing).toEqual([
    { name: 'g', id: DEPS.g, dir: '.mops/_github/g#main@0123abc' },
    { name: 'b', id: 'b@2.0.0', dir: '.mops/b@2.0.0' },
  ]);
});

test('two majors of one package are a conflict that names who wants them', async () => {
  const opened = scene({
    installed: {
      'a@1.0.0': { dependencies: { s: '1.4.0', t: '1.0.0' } },
      'b@1.0.0': { dependencies: { s: '2.0.0', t: '1.1.0' } },
      's@1.4.0': {},
      's@2.0.0': {},
      't@1.0.0': {},
      't@1.1.0': {},
    },
    files: { 'mops.toml': mopsToml({ dependencies: { a: '1.0.0', b: '1.0.0' } }) },
  });
  expect((await resolveIn(opened)).conflicts).toEqual([
    {
      kind: 'major-conflict',
      name: 's',
      versions: [
        { version: '1.4.0', by: 'a@1.0.0' },
        { version: '2.0.0', by: 'b@1.0.0' },
      ],
      resolved: '2.0.0',
    },
  ]);
});

test('a conflict names the root where the project has no name', async () => {
  const opened = scene({
    installed: { 'a@1.0.0': { dependencies: { s: '1.0.0' } }, 's@1.0.0': {}, 's@0.9.0': {} },
    files: { 'mops.toml': mopsToml({ dependencies: { a: '1.0.0', s: '0.9.0' } }) },
  });
  const [conflict] = (await resolveIn(opened)).conflicts;
  expect(conflict).toMatchObject({ resolved: '0.9.0', versions: [{ by: 'a@1.0.0' }, { by: '<root>' }] });
});

test('a broken manifest is reported with its file', async () => {
  const opened = scene({
    installed: { 'a@1.0.0': {} },
    files: { 'mops.toml': mopsToml({ dependencies: { a: '1.0.0' } }), '.mops/a@1.0.0/mops.toml': '[package\n' },
  });
  const file = join(opened.root, '.mops/a@1.0.0/mops.toml');
  expect(await failureOf(resolveIn(opened))).toMatchObject({ kind: 'bad-toml', file, line: 1 });
});

test('what is in the global cache only is copied into .mops whole', async () => {
  const opened = scene({
    cached: { 'a@1.0.0': { baseDir: 'lib' }, '_github/g#main': {} },
    files: { 'mops.toml': mopsToml({ dependencies: { a: '1.0.0', g: 'https://github.com/x/y#main' } }) },
  });
  expect(linesOf(await resolveIn(opened))).toEqual(['a .mops/a@1.0.0/lib', 'g .mops/_github/g#main/src']);
  expect(readFileSync(join(opened.root, '.mops/a@1.0.0/lib/lib.mo'), 'utf8')).toBe('module {}');
  expect(readdirSync(join(opened.root, '.mops')).sort()).toEqual(['_github', 'a@1.0.0']);
  expect(readdirSync(join(opened.root, '.mops/_github'))).toEqual(['g#main']);
  expect(statSync(join(opened.root, '.mops/a@1.0.0')).mode & 0o777).toBe(0o700);
});

test('what is in .mops is left alone, edits included', async () => {
  const opened = scene({
    installed: { 'a@1.0.0': {} },
    files: {
      'mops.toml': mopsToml({ dependencies: { a: '1.0.0' } }),
      '.mops/a@1.0.0/src/lib.mo': 'module { /* mine */ }',
    },
  });
  await resolveIn(opened);
  expect(readFileSync(join(opened.root, '.mops/a@1.0.0/src/lib.mo'), 'utf8')).toContain('mine');
});

test('a name that would lead out of .mops is not copied there', async () => {
  const opened = scene({
    cached: { '../../out@1.0.0': {} },
    files: { 'mops.toml': mopsToml({ dependencies: { '../../out': '1.0.0' } }) },
  });
  expect((await resolveIn(opened)).missing).toHaveLength(1);
  expect(existsSync(join(opened.root, '..', 'out@1.0.0'))).toBe(false);
});

test('a project folder that takes no packages is reported', async () => {
  const opened = scene({
    cached: { 'a@1.0.0': {} },
    files: { 'mops.toml': mopsToml({ dependencies: { a: '1.0.0' } }), '.mops': 'a file' },
  });
  const path = join(opened.root, '.mops/a@1.0.0');
  expect(await failureOf(resolveIn(opened))).toEqual({ kind: 'output-unwritable', path, code: 'EEXIST' });
});

let rig: ReturnType<typeof bundleRig>;
beforeAll(() => {
  rig = bundleRig('packages-resolver.ts');
});
afterAll(() => rig.remove());

const BIG_FILES = 1200;

/** A package that takes long enough to copy for others to come in between. */
function bigScene(): Scene {
  const opened = scene({
    cached: { 'big@1.0.0': {} },
    files: { 'mops.toml': mopsToml({ dependencies: { big: '1.0.0' } }), '.mops/.keep': '' },
  });
  const dir = join(opened.globalCacheDir, 'packages/big@1.0.0/src');
  rmSync(join(dir, 'lib.mo'));
  for (let index = 0; index < BIG_FILES; index++)
    writeFileSync(join(dir, `F${index}.mo`), `module { let x = ${index} }`);
  return opened;
}

/** A process that resolves when it is told to go. */
async function startResolver(opened: Scene) {
  const child = spawn(process.execPath, [rig.file, opened.root, opened.globalCacheDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: opened.environment,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const end = once(child, 'close');
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child.stdout, 'data');
  return { child, go: () => child.stdin.write('go\n'), end, output: async () => (await end, output) };
}

/** Comes back when a copy is on its way: some of the files are somewhere in `.mops`, and not yet all. */
async function copyBegun({ root }: Scene): Promise<void> {
  const mops = join(root, '.mops');
  for (;;) {
    const sources = readdirSync(mops).map((name) => join(mops, name, 'src'));
    if (sources.some((dir) => existsSync(dir) && readdirSync(dir).length > 20)) return;
    await new Promise((next) => setImmediate(next));
  }
}

test('processes that come while a package is being copied all get it whole', async () => {
  const opened = bigScene();
  const [first, ...others] = await Promise.all([1, 2, 3].map(() => startResolver(opened)));
  first?.go();
  await copyBegun(opened);
  for (const { go } of others) go();
  for (const resolver of [first, ...others]) {
    expect(await resolver?.output()).toBe(`ready\nbig .mops/big@1.0.0/src ${BIG_FILES}`);
  }
  expect(readdirSync(join(opened.root, '.mops')).sort()).toEqual(['.keep', 'big@1.0.0']);
});

test('a process that is killed while it copies leaves no package that looks whole and is not', async () => {
  const opened = bigScene();
  const { child, go, end } = await startResolver(opened);
  go();
  await copyBegun(opened);
  child.kill('SIGKILL');
  await end;
  const big = join(opened.root, '.mops/big@1.0.0');
  if (existsSync(big)) expect(readdirSync(join(big, 'src'))).toHaveLength(BIG_FILES);
  await resolveIn(opened);
  expect(readdirSync(join(big, 'src'))).toHaveLength(BIG_FILES);
});

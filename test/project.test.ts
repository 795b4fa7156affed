import fc from 'fast-check';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import { expect, onTestFinished, test } from 'vitest';
import { githubRefOf } from '../src/build/dependency.ts';
import { judgeLock } from '../src/build/lockfile.ts';
import { mopsDirs } from '../src/build/mops-dirs.ts';
import { BuildError, type Failure } from '../src/build/outcome.ts';
import { findProject, parseProject, readManifest, readProject, readProjectAround } from '../src/build/project.ts';

const FILE = '/p/mops.toml';

function failureOf(work: () => unknown): Failure {
  try {
    work();
  } catch (error) {
    if (error instanceof BuildError) return error.failure;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function tempDir(): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'moccache-project-')));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test('a mops.toml with everything becomes a project', () => {
  const project = parseProject(
    `
[package]
name = "shop"
version = "1.2.3"

[toolchain]
moc = "1.10.1"
wasm-opt = "131"
pocket-ic = "9.0.3"
lintoko = "0.7.0"

[dependencies]
core = "2.5.0"
"core@1" = "1.0.0"
json = "https://github.com/a/json#main@abc"
lib = "./lib"
up = "../up"
abs = "/abs"

[dev-dependencies]
test = "1.0.0"

[moc]
args = ["--release"]

[build]
outputDir = "out"
args = ["-W=M0236"]
check-wasm = true

[canisters]
short = "src/Short.mo"

[canisters.backend]
type = "motoko"
main = "src/Main.mo"
candid = "backend.did"
initArg = "(5)"
args = ["--actor-idl", "idl"]
wasmMemoryLimit = 1_000_000

[canisters.backend.migrations]
chain = "migrations"
next = "next"
check-limit = 3
build-limit = 5

[optimize]
level = "Oz"
keep-names = false
args = ["--strip-dwarf"]
`,
    FILE,
  );
  expect(project).toEqual({
    file: FILE,
    root: '/p',
    packageName: 'shop',
    packageVersion: '1.2.3',
    toolchain: { moc: '1.10.1', wasmOpt: '131', pocketIc: '9.0.3' },
    dependencies: [
      { kind: 'registry', name: 'core', version: '2.5.0' },
      { kind: 'registry', name: 'core@1', version: '1.0.0' },
      { kind: 'github', name: 'json', url: 'https://github.com/a/json#main@abc' },
      { kind: 'local', name: 'lib', path: './lib' },
      { kind: 'local', name: 'up', path: '../up' },
      { kind: 'local', name: 'abs', path: '/abs' },
    ],
    devDependencies: [{ kind: 'registry', name: 'test', version: '1.0.0' }],
    mocArgs: ['--release'],
    build: { outputDir: 'out', args: ['-W=M0236'], checkWasm: true, checkDeploy: false },
    canisters: [
      { name: 'short', main: 'src/Short.mo', args: [] },
      {
        name: 'backend',
        main: 'src/Main.mo',
        candid: 'backend.did',
        initArg: '(5)',
        args: ['--actor-idl', 'idl'],
        migrations: { chain: 'migrations', next: 'next', buildLimit: 5 },
        wasmMemoryLimit: 1_000_000,
      },
    ],
    optimize: { level: 'Oz', keepNames: false, args: ['--strip-dwarf'] },
  });
});

test('an empty mops.toml is a project without anything', () => {
  expect(parseProject('', FILE)).toEqual({
    file: FILE,
    root: '/p',
    canisters: [],
    build: { args: [], checkWasm: false, checkDeploy: false },
    mocArgs: [],
    toolchain: {},
    dependencies: [],
    devDependencies: [],
  });
});

test('an [optimize] section without anything asks for -O3 with names', () => {
  expect(parseProject('[optimize]', FILE).optimize).toEqual({ level: 'O3', keepNames: true, args: [] });
});

test.each([
  ['unknown sections and keys', '[x]\ny = 1\n[build]\nz = 2'],
  ['sections that are no tables', 'moc = "0.14"\nbuild = 5\ntoolchain = []\noptimize = true\ncanisters = 1'],
  ['a canister that is no table', '[canisters]\na = 5'],
  ['a canister without a main', '[canisters.a]\ncandid = "a.did"'],
  ['empty strings where a path may be', '[build]\noutputDir = ""\n[canisters.a]\nmain = ""\ncandid = ""\ninitArg = ""'],
  ['a package whose name is no string', '[package]\nname = 5\nversion = 1.0'],
  ['a byte order mark', '\uFEFF[canisters]'],
  ['Windows line ends', '[canisters]\r\na = "a.mo"\r\n'],
])('as in upstream, %s are no error', (_, text) => {
  expect(() => parseProject(text, FILE)).not.toThrow();
});

test('a canister without a main is known and has none', () => {
  const { canisters } = parseProject('[canisters]\na = 5\nb = ""\nc = { args = ["x"] }', FILE);
  expect(canisters.map(({ name, main }) => [name, main])).toEqual([
    ['a', undefined],
    ['b', undefined],
    ['c', undefined],
  ]);
});

test('numbers and booleans in args become text, as upstream passes them', () => {
  const { mocArgs } = parseProject('[moc]\nargs = ["--max-stable-pages", 100, true, 1.5]', FILE);
  expect(mocArgs).toEqual(['--max-stable-pages', '100', 'true', '1.5']);
});

/** What is wrong with one canister, which is no error before that one is to be built. */
function mistakeIn(text: string): Failure | undefined {
  return parseProject(text, FILE).canisters.flatMap(({ mistake }) => mistake ?? [])[0];
}

const STRINGS = 'an array of strings';
const STRING = 'a string';
const DEPENDENCY = 'a version, a path or a GitHub URL, as a string';
const LEVEL = 'one of O0 O1 O2 O3 O4 Os Oz';
const POSITIVE = 'a positive integer';

test.each<[text: string, key: string, expected: string, line: number]>([
  ['[dependencies]\n\ncore = 5', 'dependencies.core', DEPENDENCY, 3],
  ['[dependencies]\ncore = ""', 'dependencies.core', DEPENDENCY, 2],
  ['[dependencies]\n"core@1" = { version = "1" }', 'dependencies.core@1', DEPENDENCY, 2],
  ['[dev-dependencies]\ntest = true', 'dev-dependencies.test', DEPENDENCY, 2],
  ['dependencies = "core"', 'dependencies', 'a table', 1],
  ['[moc]\nargs = "--release"', 'moc.args', STRINGS, 2],
  ['moc.args = "--release"', 'moc.args', STRINGS, 1],
  ['[build]\nargs = 5', 'build.args', STRINGS, 2],
  ['[build]\n# out\noutputDir = 5', 'build.outputDir', STRING, 3],
  ['[toolchain]\nmoc = 1.10', 'toolchain.moc', STRING, 2],
  ['[toolchain]\nwasm-opt = 131', 'toolchain.wasm-opt', STRING, 2],
  ['[canisters.a]\nmain = 5', 'canisters.a.main', STRING, 2],
  ['[canisters]\na = { main = 5 }', 'canisters.a.main', STRING, 2],
  ['[canisters.a]\nargs = "x"', 'canisters.a.args', STRINGS, 2],
  ['[canisters.a]\nargs = [["x"]]', 'canisters.a.args', STRINGS, 2],
  ['[canisters.a]\nargs = ["\\u0000"]', 'canisters.a.args', 'an array of strings without NUL characters', 2],
  ['[canisters.a]\nmain = "x"\n[canisters."b c"]\nargs = {}', 'canisters.b c.args', STRINGS, 4],
  ['[canisters.a]\ncandid = []', 'canisters.a.candid', STRING, 2],
  ['[canisters.a]\ninitArg = 5', 'canisters.a.initArg', STRING, 2],
  ['[canisters.a]\nwasmMemoryLimit = 0', 'canisters.a.wasmMemoryLimit', POSITIVE, 2],
  ['[canisters.a]\nwasmMemoryLimit = 1.5', 'canisters.a.wasmMemoryLimit', POSITIVE, 2],
  ['[canisters.a]\nwasmMemoryLimit = "4GiB"', 'canisters.a.wasmMemoryLimit', POSITIVE, 2],
  [
    '[canisters.a]\n[canisters.a.migrations]\nnext = "n"',
    'canisters.a.migrations.chain',
    'the folder of the migrations, as a string',
    2,
  ],
  ['[canisters.a]\nmigrations = "m"', 'canisters.a.migrations.chain', 'the folder of the migrations, as a string', 2],
  ['[canisters.a.migrations]\nchain = "m"\nbuild-limit = -1', 'canisters.a.migrations.build-limit', POSITIVE, 3],
  ['[canisters.a.migrations]\nchain = "m"\ncheck-limit = "3"', 'canisters.a.migrations.check-limit', POSITIVE, 3],
  ['[optimize]\nlevel = "O9"', 'optimize.level', LEVEL, 2],
  ['[optimize]\nlevel = 3', 'optimize.level', LEVEL, 2],
  ['[optimize]\nargs = "-g"', 'optimize.args', STRINGS, 2],
])('%j: %s must be %s (line %d)', (text, key, expected, line) => {
  const isOfCanister = key.startsWith('canisters.') && !key.endsWith('.wasmMemoryLimit');
  const failure = isOfCanister ? mistakeIn(text) : failureOf(() => parseProject(text, FILE));
  expect(failure).toEqual({ kind: 'bad-config', file: FILE, line, key, expected });
});

test.each(['', 'a/b', '../a', 'a\\\\b', '.a', '..', 'a\\u0000', 'a\\nb', 'a\\u007f', 'a\\u0085'])(
  'a canister cannot be called "%s"',
  (name) => {
    expect(mistakeIn(`[canisters]\n"${name}" = "a.mo"`)).toEqual({
      kind: 'bad-canister-name',
      file: FILE,
      name: JSON.parse(`"${name}"`) as string,
    });
  },
);

test.each(['a', 'A-1_b', 'a.b', 'a..b', 'a b', 'кошка', '猫', '5'])('a canister can be called "%s"', (name) => {
  expect(parseProject(`[canisters]\n"${name}" = "a.mo"`, FILE).canisters).toEqual([{ name, main: 'a.mo', args: [] }]);
});

test('a syntax error is reported with its line', () => {
  expect(failureOf(() => parseProject('[a]\nb = 1\nc = = 2\n', FILE))).toEqual({
    kind: 'bad-toml',
    file: FILE,
    line: 3,
    message: 'invalid value',
  });
});

test('the nearest mops.toml upwards is the project, and above it nobody looks', () => {
  const dir = tempDir();
  mkdirSync(join(dir, 'a/b/c'), { recursive: true });
  expect(findProject(join(dir, 'a/b/c'))).toBeUndefined();
  writeFileSync(join(dir, 'mops.toml'), '');
  expect(findProject(join(dir, 'a/b/c'))).toBe(join(dir, 'mops.toml'));
  writeFileSync(join(dir, 'a/mops.toml'), '');
  expect(findProject(join(dir, 'a/b/c'))).toBe(join(dir, 'a/mops.toml'));
  expect(readProjectAround(join(dir, 'a/b')).root).toBe(join(dir, 'a'));
});

test('no mops.toml anywhere above is a failure that says where the search began', () => {
  const from = tempDir();
  expect(failureOf(() => readProjectAround(from))).toEqual({ kind: 'no-project', from });
});

test('a mops.toml that cannot be read is a failure that says why', () => {
  const file = join(tempDir(), 'mops.toml');
  mkdirSync(file);
  expect(failureOf(() => readProject(file))).toEqual({ kind: 'bad-toml', file, message: 'cannot be read (EISDIR)' });
});

test('a manifest has what those need who depend on the package', () => {
  const file = join(tempDir(), 'mops.toml');
  expect(readManifest(file)).toBeUndefined();
  expect(readManifest(join(file, 'mops.toml'))).toBeUndefined();
  writeFileSync(file, '[package]\nname = "a"\nbaseDir = "lib"\n[dependencies]\nb = "1"\n[dev-dependencies]\nc = "1"\n');
  expect(readManifest(file)).toEqual({
    name: 'a',
    baseDir: 'lib',
    dependencies: [{ kind: 'registry', name: 'b', version: '1' }],
  });
  writeFileSync(file, '[package]\nbaseDir = 5');
  expect(failureOf(() => readManifest(file))).toMatchObject({ kind: 'bad-config', key: 'package.baseDir', line: 2 });
});

test.each<[NodeJS.Platform, Record<string, string>, cache: string, toolchains: string, config: string]>([
  ['linux', { HOME: '/h' }, '/h/.cache/mops', '/h/.cache/mops', '/h/.config/mops'],
  ['darwin', { HOME: '/h' }, '/h/Library/Caches/mops', '/h/Library/Caches/mops', '/h/Library/Application Support/mops'],
  ['win32', { LOCALAPPDATA: 'C:\\L' }, 'C:\\L\\mops\\cache', 'C:\\L\\mops\\cache', 'C:\\L\\mops\\config'],
  ['linux', { HOME: '/h', XDG_CACHE_HOME: '/c', XDG_CONFIG_HOME: '/k' }, '/c/mops', '/c/mops', '/k/mops'],
  ['darwin', { HOME: '/h', XDG_CACHE_HOME: '/c' }, '/c/mops', '/c/mops', '/h/Library/Application Support/mops'],
  ['linux', { HOME: '/h', XDG_CACHE_HOME: '' }, '/h/.cache/mops', '/h/.cache/mops', '/h/.config/mops'],
  ['linux', { HOME: '/h', MOPS_NETWORK: 'ic' }, '/h/.cache/mops', '/h/.cache/mops', '/h/.config/mops'],
  ['linux', { HOME: '/h', MOPS_NETWORK: 'staging' }, '/h/.cache/mops/staging', '/h/.cache/mops', '/h/.config/mops'],
  ['linux', {}, '.cache/mops', '.cache/mops', '.config/mops'],
])('on %s with %j the global cache is %s', (platform, env, cache, toolchains, config) => {
  expect(mopsDirs({ platform, env })).toEqual({ cache, toolchains, config });
});

const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.array(fc.string()),
    fc.array(tie('value')),
    fc.dictionary(fc.constantFrom('main', 'args', 'candid', 'migrations', 'chain', 'name', 'level', 'x'), tie('value')),
  ),
})).value;

test('whatever a mops.toml holds, it becomes a project or a failure', () => {
  const sections = [
    'canisters',
    'build',
    'moc',
    'toolchain',
    'optimize',
    'dependencies',
    'dev-dependencies',
    'package',
  ];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...sections), value), (table) => {
      try {
        parseProject(stringify(table), FILE);
      } catch (error) {
        expect(error).toBeInstanceOf(BuildError);
      }
    }),
    { numRuns: 2000 },
  );
});

test('whatever a mops.lock holds, it is judged', () => {
  const project = parseProject('', FILE);
  const emptyHash = '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'; // of `{}`
  const lock = fc.record(
    {
      version: fc.constantFrom(1, 2, 3, 3, 3, 4, '3'),
      mopsTomlDepsHash: fc.constantFrom(emptyHash, emptyHash, emptyHash, 5, ''),
      deps: fc.oneof(
        fc.dictionary(
          fc.string(),
          fc.oneof(
            fc.string(),
            fc.string().map((url) => `https://github.com/${url}`),
          ),
        ),
        fc.json(),
      ),
      hashes: fc.oneof(fc.constant({}), fc.dictionary(fc.string(), fc.dictionary(fc.string(), fc.string()))),
      github: fc.oneof(fc.constant(undefined), fc.dictionary(fc.string(), fc.jsonValue())),
      graph: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const surroundings = { project, mopsEnv: 'local', manifestAt: () => undefined };
  fc.assert(
    fc.property(
      fc.oneof(
        lock.map((found) => JSON.stringify(found)),
        fc.json(),
        fc.string(),
      ),
      (text) => {
        expect(['usable', 'unusable']).toContain(judgeLock(text, surroundings).kind);
      },
    ),
    { numRuns: 2000 },
  );
});

test('any GitHub URL has a branch', () => {
  fc.assert(
    fc.property(fc.string(), (rest) => {
      expect(githubRefOf(`https://github.com/${rest}`).branch).not.toBe('');
    }),
  );
});

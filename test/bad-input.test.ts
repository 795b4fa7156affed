import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { CANISTER_A, MOPS, scene, tomlOf, type RunOptions, type Scene } from './rigs/stand-in-project.ts';

/** Something wrong, after a good build. */
interface Row {
  readonly what: string;
  /** Files of the project, put in place of the good ones. */
  readonly files?: Readonly<Record<string, string | Uint8Array | undefined>>;
  /** What else to break; gives back how to mend it. */
  readonly breaking?: (on: Scene) => () => void;
  readonly args?: readonly string[];
  readonly env?: (on: Scene) => Readonly<Record<string, string>>;
  readonly cwd?: (on: Scene) => string;
  readonly code: number;
  /** Parts of what the user is told on stderr. ROOT stands for the project's folder. */
  readonly says: readonly (string | RegExp)[];
}

const JS = join(dirname(MOPS), 'moc-js.cjs');

const CONFIGURATION: readonly Row[] = [
  {
    what: 'no mops.toml here or above',
    cwd: (on) => on.env.HOME ?? '',
    code: 1,
    says: ['no mops.toml in ', 'mops init'],
  },
  {
    what: 'a mops.toml that is no TOML',
    files: { 'mops.toml': '[canisters]\na = "src/A.mo\n' },
    code: 1,
    says: ['ROOT/mops.toml:2: not valid TOML'],
  },
  {
    what: 'a mops.toml that is a folder',
    breaking: (on) => {
      on.put({ 'mops.toml': undefined });
      mkdirSync(join(on.root, 'mops.toml'));
      return () => on.put({ 'mops.toml': undefined });
    },
    code: 1,
    says: ['ROOT/mops.toml: cannot be read (EISDIR)'],
  },
  {
    what: 'a dependency that is no string',
    files: { 'mops.toml': tomlOf({ a: 'src/A.mo' }, '[dependencies]\ncore = 5') },
    code: 1,
    says: ['ROOT/mops.toml:7: dependencies.core must be a version, a path or a GitHub URL'],
  },
  {
    what: 'args of [moc] that are no array',
    files: { 'mops.toml': tomlOf({ a: 'src/A.mo' }, '[moc]\nargs = "--release"') },
    code: 1,
    says: ['ROOT/mops.toml:7: moc.args must be an array of strings'],
  },
  {
    what: 'args of [build] that are no array',
    files: { 'mops.toml': tomlOf({ a: 'src/A.mo' }, '[build]\nargs = { release = true }') },
    code: 1,
    says: ['ROOT/mops.toml:7: build.args must be an array of strings'],
  },
  {
    what: 'args of a canister that are no array',
    files: { 'mops.toml': tomlOf({}, '[canisters.a]\nmain = "src/A.mo"\nargs = "--release"') },
    code: 1,
    says: [/ROOT\/mops\.toml:\d+: canisters\.a\.args must be an array of strings/],
  },
  {
    what: 'a canister that is no string and no table',
    files: { 'mops.toml': '[toolchain]\nmoc = "./moc"\n[canisters]\na = 5\n' },
    code: 1,
    says: ['ROOT/mops.toml', 'canister a', 'main'],
  },
  {
    what: 'no canister at all',
    files: { 'mops.toml': '[toolchain]\nmoc = "./moc"\n' },
    code: 1,
    says: ['ROOT/mops.toml: no canister to build', '[canisters]'],
  },
  { what: 'an unknown canister', args: ['b', 'a', 'c'], code: 1, says: ['"b", "c"', 'it has: a'] },
  {
    what: 'a canister without main',
    files: { 'mops.toml': tomlOf({}, '[canisters.a]\nargs = []') },
    code: 1,
    says: ['ROOT/mops.toml', 'canister a has no main', 'main = '],
  },
  {
    what: 'a main file that is not there',
    files: { 'src/A.mo': undefined },
    code: 1,
    says: ['src/A.mo: no such file', 'canister a', 'mops.toml'],
  },
  {
    what: 'a main that is a folder',
    files: { 'mops.toml': tomlOf({ a: 'src' }) },
    code: 1,
    says: ['src', 'canister a', 'mops.toml'],
  },
  {
    what: 'no compiler pinned',
    files: { 'mops.toml': '[canisters]\na = "src/A.mo"\n' },
    code: 1,
    says: ['ROOT/mops.toml: no compiler is pinned', 'mops toolchain use moc', 'moc = "./'],
  },
  {
    what: '[optimize] without a wasm-opt',
    files: { 'mops.toml': tomlOf({ a: 'src/A.mo' }, '[optimize]\nlevel = "O3"') },
    code: 1,
    says: ['ROOT/mops.toml: [optimize] needs wasm-opt', 'mops toolchain use wasm-opt <version>', '--no-optimize'],
  },
  {
    what: 'a wasm-opt that is not there',
    files: { 'mops.toml': tomlOf({ a: 'src/A.mo' }, '[optimize]').replace('moc =', 'wasm-opt = "./w"\nmoc =') },
    code: 1,
    says: ['ROOT/w: no wasm-opt to be had here', '[toolchain] wasm-opt = "./w"', '--no-optimize'],
  },
  {
    what: 'a version of wasm-opt that is not on this machine, beside an ic-mops that knows none',
    files: { 'mops.toml': tomlOf({ a: 'src/A.mo' }, '[optimize]').replace('moc =', 'wasm-opt = "131"\nmoc =') },
    code: 1,
    says: [
      'wasm-opt/131/bin/wasm-opt: no wasm-opt to be had here',
      'ic-mops 2.9.0 does not know wasm-opt',
      '--no-optimize',
    ],
  },
  {
    what: 'a chain of migrations that is not there',
    files: {
      'mops.toml': tomlOf({}, '[canisters.a]\nmain = "src/A.mo"\nmigrations = { chain = "m", next = "n" }'),
    },
    code: 1,
    says: ['ROOT/mops.toml: [canisters.a.migrations]: no folder m', 'correct chain'],
  },
  {
    what: 'check-deploy',
    args: ['--check-deploy'],
    code: 1,
    says: ['ic-mops 2.9.0 cannot check deploys, as --check-deploy asks for', '--no-check-deploy'],
  },
  ...['../a', 'x/y', '..', '.a', 'a\\b', '', 'a\u0000b'].map((name): Row => {
    const escaped = JSON.stringify(name);
    return {
      what: `a canister named ${escaped}`,
      files: { 'mops.toml': `[toolchain]\nmoc = "./moc"\n[canisters]\n${escaped} = "src/A.mo"\n` },
      code: 1,
      says: ['ROOT/mops.toml', escaped, 'cannot be a canister', 'use a name'],
    };
  }),
];

const USAGE: readonly Row[] = [
  { what: 'an unknown option', args: ['--nope'], code: 1, says: ["unknown option '--nope'", 'build --help'] },
  { what: '-o without a value', args: ['-o'], code: 1, says: ['--output', 'build --help'] },
  ...['0', '-1', 'two', '1.5', ''].map((jobs): Row => ({
    what: `--jobs=${jobs}`,
    args: [`--jobs=${jobs}`],
    code: 1,
    says: ['--jobs', 'whole number', 'build --help'],
  })),
  { what: '--rebuild without a cache', args: ['--rebuild', '--no-cache'], code: 1, says: ['--rebuild', '--no-cache'] },
];

const PROGRAMS: readonly Row[] = [
  {
    what: 'an import that leads nowhere',
    files: { 'src/A.mo': '\nimport Lost "./Lost";\nactor { }\n' },
    code: 1,
    says: ['src/A.mo:2.1: import error', 'src/A.mo:2: no file for "./Lost"', 'moc rejects a (exit code 1)'],
  },
  {
    what: 'an import of an unknown package',
    files: { 'src/A.mo': 'import Map "mo:lost/Map";\nactor { }\n' },
    code: 1,
    says: ['src/A.mo:1: no file for "mo:lost/Map"'],
  },
  {
    what: 'a program that the compiler rejects',
    files: { 'src/A.mo': '// stand-in: print to stdout\n// stand-in: exit 1\n' },
    code: 1,
    says: ['src/A.mo:2.1-2.19: type error [M0050]', 'to stdout', 'moc rejects a (exit code 1)'],
  },
  {
    what: 'a compiler that ends with 2',
    files: { 'src/A.mo': '// stand-in: exit 2\n' },
    code: 2,
    says: ['src/A.mo:1.1', 'exit code 2'],
  },
  {
    what: 'a compiler that is killed',
    files: { 'src/A.mo': '// stand-in: warn so far so good\n// stand-in: die SIGKILL\n' },
    code: 1,
    says: ['so far so good\nerror: the compiler of a was killed by SIGKILL', 'memory'],
  },
  {
    what: 'a compiler that ends well and writes no wasm',
    files: { 'src/A.mo': '// stand-in: without wasm\n' },
    code: 1,
    says: ['no wasm for a'],
  },
  {
    what: 'a compiler that ends well and writes no Candid',
    files: { 'src/A.mo': '// stand-in: without did\n' },
    code: 1,
    says: ['no did for a'],
  },
  {
    what: 'a compiler that writes something that is no wasm',
    files: { 'src/A.mo': '// stand-in: garbage wasm\n' },
    code: 1,
    says: ['for a is not valid', 'pinned moc'],
  },
  {
    what: 'a compiler that writes a broken wasm',
    files: { 'src/A.mo': '// stand-in: broken\n' },
    code: 1,
    says: ['for a is not valid', 'pinned moc'],
  },
  {
    what: 'a compiler that makes a folder in place of the wasm',
    files: { 'src/A.mo': '// stand-in: folder wasm\n' },
    code: 1,
    says: ['no wasm for a'],
  },
  {
    what: 'a Candid file that is not there',
    files: { 'mops.toml': tomlOf({}, '[canisters.a]\nmain = "src/A.mo"\ncandid = "a.did"') },
    code: 1,
    says: ['a.did: no such file', 'canister a', 'mops.toml'],
  },
  {
    what: 'a Candid file that promises more',
    files: {
      'mops.toml': tomlOf({}, '[canisters.a]\nmain = "src/A.mo"\ncandid = "a.did"'),
      'a.did': 'service : { more : () -> () }',
    },
    code: 1,
    says: ['a.did', 'a does not offer'],
  },
  {
    what: 'a Candid file that is no Candid',
    files: {
      'mops.toml': tomlOf({}, '[canisters.a]\nmain = "src/A.mo"\ncandid = "a.did"'),
      'a.did': 'servise',
    },
    code: 1,
    says: ['a.did: not a Candid file', 'canister a', 'mops.toml'],
  },
  {
    what: 'a package that is not installed and cannot be',
    files: { 'mops.toml': tomlOf({ a: 'src/A.mo' }, '[dependencies]\ncore = "2.5.0"') },
    code: 1,
    says: ['package core (core@2.5.0) is not installed', 'mops install'],
  },
  {
    what: 'a local package that is not there',
    files: { 'mops.toml': tomlOf({ a: 'src/A.mo' }, '[dependencies]\nlib = "./lib"') },
    code: 1,
    says: ['no folder lib', 'moc rejects a'],
  },
  {
    what: '--locked without a mops.lock',
    args: ['--locked'],
    code: 1,
    says: ['mops.lock', 'mops install'],
  },
];

const COMPILERS: readonly Row[] = [
  {
    what: 'a compiler that is not there',
    files: { 'mops.toml': tomlOf({ a: 'src/A.mo' }).replace('./moc', './bin/moc') },
    code: 1,
    says: ['ROOT/bin/moc', '[toolchain] moc = "./bin/moc"', 'mops toolchain use moc'],
  },
  {
    what: 'a compiler that is not executable',
    breaking: (on) => {
      chmodSync(join(on.root, 'moc'), 0o644);
      return () => chmodSync(join(on.root, 'moc'), 0o755);
    },
    code: 1,
    says: ['ROOT/moc', 'not executable'],
  },
  {
    what: 'a compiler that is a folder',
    files: { 'mops.toml': tomlOf({ a: 'src/A.mo' }).replace('./moc', './src') },
    code: 1,
    says: ['ROOT/src', 'not a file'],
  },
  {
    what: 'a compiler that is a file of zeros',
    files: { 'mops.toml': tomlOf({ a: 'src/A.mo' }).replace('./moc', './odd') },
    breaking: (on) => {
      writeFileSync(join(on.root, 'odd'), '\0\0\0\0', { mode: 0o755 });
      return () => undefined;
    },
    code: 1,
    says: [/ROOT\/odd: cannot be run|no wasm for a/], // some systems give it to a shell, for which it is an empty script
  },
  {
    what: 'a script whose interpreter is not there',
    files: { 'mops.toml': tomlOf({ a: 'src/A.mo' }).replace('./moc', './odd') },
    breaking: (on) => {
      writeFileSync(join(on.root, 'odd'), '#!/no/such/interpreter\n', { mode: 0o755 });
      return () => undefined;
    },
    code: 1,
    says: ['ROOT/odd: cannot be run', 'its first line', '[toolchain] moc'],
  },
  {
    what: 'a pinned version that is not installed and cannot be',
    files: { 'mops.toml': tomlOf({ a: 'src/A.mo' }).replace('./moc', '1.10.1') },
    code: 1,
    says: ['moc/1.10.1/moc', '"1.10.1"'],
  },
  {
    what: 'a script that names a file which is not there',
    files: { 'mops.toml': tomlOf({ a: 'src/A.mo' }).replace('./moc', './odd') },
    breaking: (on) => {
      writeFileSync(join(on.root, 'odd'), '#!/bin/sh\n# moccache-compiler-input: ./lost\n', { mode: 0o755 });
      return () => undefined;
    },
    code: 1,
    says: ['ROOT/lost', 'cannot be run', '[toolchain] moc'],
  },
  {
    what: 'moc-js and a source that is not UTF-8',
    files: {
      'mops.toml': tomlOf({ a: 'src/A.mo' }).replace('./moc', JS),
      'src/A.mo': Buffer.from('// caf\xe9\nactor { }\n', 'latin1'),
    },
    code: 1,
    says: ['src/A.mo', 'UTF-8', 'moc rejects a'],
  },
  {
    what: 'moc-js and a source with a byte order mark',
    files: { 'mops.toml': tomlOf({ a: 'src/A.mo' }).replace('./moc', JS), 'src/A.mo': '\ufeffactor { }\n' },
    code: 1,
    says: ['src/A.mo:1', 'moc rejects a'],
  },
  {
    what: 'moc-js and imports in a circle',
    files: {
      'mops.toml': tomlOf({ a: 'src/A.mo' }).replace('./moc', JS),
      'src/Lib.mo': 'import Lib "./Lib2";\nmodule { }\n',
      'src/Lib2.mo': 'import Lib "./Lib";\nmodule { }\n',
    },
    code: 1,
    says: ['src/Lib', 'moc rejects a'],
  },
];

const OUTPUTS: readonly Row[] = [
  {
    what: 'an output folder that is a file',
    args: ['-o', 'moc'],
    code: 1,
    says: ['ROOT/moc: cannot be written (a file is in the way', '--output'],
  },
  {
    what: 'an output folder below a file',
    args: ['-o', 'moc/below'],
    code: 1,
    says: ['ROOT/moc/below: cannot be written (a file is in the way', '--output'],
  },
  {
    what: 'an output folder that is a link to nowhere',
    args: ['-o', 'link'],
    breaking: (on) => {
      symlinkSync('nowhere/at/all', join(on.root, 'link'));
      return () => rmSync(join(on.root, 'link'));
    },
    code: 1,
    says: ['ROOT/link', '--output'],
  },
];

const SETTINGS: readonly Row[] = [
  ...['ten', '5 parsecs', '-1', '1e3'].map((wait): Row => ({
    what: `MOCCACHE_LEASE_WAIT=${wait}`,
    env: () => ({ MOCCACHE_LEASE_WAIT: wait }),
    code: 1,
    says: ['MOCCACHE_LEASE_WAIT', 'a time such as 90s or 10m', wait],
  })),
  ...[
    ['= what', 'builds.toml:1: not valid TOML'],
    ['dir = 5', 'builds.toml: dir must be'],
    ['lease-wait = "soon"', 'builds.toml: lease-wait must be a time'],
    ['readonly = "yes"', 'builds.toml: readonly must be true or false'],
  ].map(([text = '', says = '']): Row => ({
    what: `a builds.toml with ${text}`,
    breaking: (on) => {
      const dir = join(on.base, 'config', 'mops');
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, 'builds.toml'), `${text}\n`);
      return () => rmSync(join(dir, 'builds.toml'));
    },
    code: 1,
    says: [says],
  })),
];

const PLACES: readonly Row[] = [
  {
    what: 'MOPS_CWD that is not there',
    env: (on) => ({ MOPS_CWD: join(on.base, 'lost') }),
    code: 1,
    says: ['lost: no such folder', 'unset it'],
  },
  {
    what: 'MOPS_CWD that is a file',
    cwd: (on) => on.base,
    env: (on) => ({ MOPS_CWD: join(on.base, 'package.json') }),
    code: 1,
    says: ['package.json: no such folder', 'unset it'],
  },
  {
    what: 'a builds.toml that is a folder',
    breaking: (on) => {
      const file = join(on.base, 'config', 'mops', 'builds.toml');
      mkdirSync(file, { recursive: true });
      return () => rmSync(file, { recursive: true });
    },
    code: 1,
    says: ['builds.toml: cannot be read (EISDIR)'],
  },
];

const GOOD = { 'mops.toml': tomlOf({ a: 'src/A.mo' }), ...CANISTER_A };

test.each([...CONFIGURATION, ...USAGE, ...PROGRAMS, ...COMPILERS, ...OUTPUTS, ...SETTINGS, ...PLACES])(
  '$what: told in words, nothing lost, and the next good build works',
  async (row) => {
    const on = scene();
    expect((await on.mops(['build'])).code).toBe(0);
    const before = on.files();
    expect(Object.keys(before)).toEqual(['.a.buildlock', 'a.did', 'a.most', 'a.wasm']);

    on.put(row.files ?? {});
    const mend = row.breaking?.(on);
    const options: RunOptions = {
      ...(row.cwd === undefined ? {} : { cwd: row.cwd(on) }),
      ...(row.env === undefined ? {} : { env: row.env(on) }),
    };
    const end = await on.mops(['build', ...(row.args ?? [])], options);
    expect.soft(end.code).toBe(row.code);
    for (const part of row.says) {
      if (typeof part === 'string') expect.soft(end.stderr).toContain(part.replace('ROOT', on.root));
      else expect.soft(end.stderr.replaceAll(on.root, 'ROOT')).toMatch(part);
    }
    expect.soft(end.stdout).not.toContain('✓');
    expect.soft(on.files()).toEqual(before);
    expect.soft(on.litter()).toEqual([]);

    mend?.();
    on.put(GOOD);
    expect((await on.mops(['build'])).code).toBe(0);
    expect(on.files()).toEqual(before);
  },
);

test('a current folder that was deleted is told, and nothing else happens', async () => {
  const on = scene();
  const script = `mkdir gone && cd gone && rmdir ../gone && exec "${process.execPath}" "${MOPS}" build`;
  const end = await on.start(['-c', script], { command: ['sh'] }).ended;
  expect([end.code, end.stdout]).toEqual([1, '']);
  expect(end.stderr).toContain('the current folder does not exist any more');
});

test("without a home, a builds.toml in the project is not taken for the user's", async () => {
  const on = scene({ '.config/mops/builds.toml': 'dir = "poisoned"\nlease-wait = "soon"' });
  const env = { HOME: undefined, XDG_CONFIG_HOME: undefined };
  expect((await on.mops(['build'], { env })).code).toBe(0);
  expect(Object.keys(on.files(join(on.root, 'poisoned')))).toEqual([]);
  expect(Object.keys(on.files(on.store))).toContain('version');
});

test('a folder in the place of an output is left alone, and so are the other outputs', async () => {
  const on = scene();
  await on.mops(['build']);
  const whole = on.files();
  rmSync(join(on.out, 'a.wasm'));
  mkdirSync(join(on.out, 'a.wasm'));
  writeFileSync(join(on.out, 'a.wasm', 'mine'), 'precious');
  on.put({ 'src/Lib.mo': 'module { /* other */ }' });
  const before = on.files();

  const end = await on.mops(['build']);
  expect(end.code).toBe(1);
  expect(end.stderr).toContain(`${on.out}: cannot be written (a folder is in the way, EISDIR)`);
  expect(on.files()).toEqual(before);
  expect(on.litter()).toEqual([]);

  rmSync(join(on.out, 'a.wasm'), { recursive: true });
  on.put(CANISTER_A);
  expect((await on.mops(['build'])).code).toBe(0);
  expect(on.files()).toEqual(whole);
});

// The superuser may write anywhere, so what follows is done by another user where the tests run as one.
const uid = process.getuid?.() === 0 ? 65_534 : undefined;
const asUser = uid === undefined ? {} : { uid };
const own = (dir: string) => {
  if (uid !== undefined) execFileSync('chown', ['-R', String(uid), dir]);
};

test('an output folder without permission to write: told, nothing lost, and the next good build works', async () => {
  const on = scene();
  own(on.base);
  expect((await on.mops(['build'], asUser)).code).toBe(0);
  const before = on.files();
  on.put({ 'src/Lib.mo': 'module { /* other */ }' });
  chmodSync(on.out, 0o555);

  const end = await on.mops(['build'], asUser);
  expect(end.code).toBe(1);
  expect(end.stderr).toContain(on.out);
  expect(end.stderr).toContain('no permission');
  expect(end.stderr).toContain('--output');
  expect(on.files()).toEqual(before);

  chmodSync(on.out, 0o755);
  on.put(CANISTER_A);
  expect((await on.mops(['build'], asUser)).code).toBe(0);
  expect(on.files()).toEqual(before);
});

test('a source without permission to read is told by its path', async () => {
  const on = scene();
  own(on.base);
  chmodSync(join(on.root, 'src/Lib.mo'), 0o000);
  const end = await on.mops(['build'], asUser);
  expect(end.code).toBe(1);
  expect(end.stderr).toContain('src/Lib.mo');
  expect(on.files()).toEqual({});
});

interface Unusable {
  readonly what: string;
  readonly put: (dir: string) => void;
  /** What must be there afterwards as before. */
  readonly kept?: string;
}

const UNUSABLE: readonly Unusable[] = [
  {
    what: 'a file',
    put: (dir) => {
      writeFileSync(dir, 'precious');
    },
    kept: '',
  },
  {
    what: "somebody else's folder",
    put: (dir) => {
      mkdirSync(dir);
      writeFileSync(join(dir, 'thesis.txt'), 'precious');
    },
    kept: 'thesis.txt',
  },
  {
    what: 'a folder that cannot be written to',
    put: (dir) => {
      mkdirSync(dir, { mode: 0o555 });
    },
  },
  {
    what: 'a link to nowhere',
    put: (dir) => {
      symlinkSync('nowhere', dir);
    },
  },
  {
    what: 'below a file',
    put: (dir) => {
      rmSync(dirname(dir), { recursive: true });
      writeFileSync(dirname(dir), '');
    },
  },
];

test.each(UNUSABLE)('a cache that is $what is warned of, and the build goes on without it', async ({ put, kept }) => {
  const on = scene();
  const dir = join(on.base, 'elsewhere', 'cache');
  mkdirSync(dirname(dir));
  put(dir);
  own(on.base);
  const env = { MOCCACHE_DIR: dir };
  for (const round of [1, 2]) {
    const end = await on.mops(['build'], { env, ...asUser });
    expect(end.stderr).toMatch(/^warning: the cache cannot be used/m);
    expect(end.stderr.match(/^warning: /gm)).toHaveLength(1);
    expect(end.code).toBe(0);
    expect(end.stdout).toContain('✓ Built 1 canister');
    expect(on.starts()).toHaveLength(round);
  }
  expect(Object.keys(on.files())).toEqual(['.a.buildlock', 'a.did', 'a.most', 'a.wasm']);
  if (kept !== undefined) expect(readFileSync(join(dir, kept), 'utf8')).toBe('precious');
});

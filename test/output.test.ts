import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CANISTER_A, MOCCACHE, MOPS, scene, sha256, tomlOf, until, type Scene } from './rigs/stand-in-project.ts';

const WARNINGS = [
  '// stand-in: warn unused identifier: größe',
  '// stand-in: warn two  spaces, a tab\tand "quotes"',
  '// stand-in: print to stdout',
  'actor { }',
  '',
].join('\n');
const SAID = [
  'src/A.mo:1.1-1.42: warning [M0194], unused identifier: größe',
  'src/A.mo:2.1-2.49: warning [M0194], two  spaces, a tab\tand "quotes"',
  'to stdout',
  '',
].join('\n');

interface Json {
  readonly schema: number;
  readonly ok: boolean;
  readonly durationMs: number;
  readonly canisters: readonly Readonly<Record<string, unknown>>[];
  readonly events: readonly Readonly<Record<string, unknown>>[];
  readonly failure?: Readonly<Record<string, unknown>>;
}

/** Builds with --json, of which nothing else may be printed anywhere. */
async function buildJson(on: Scene, args: readonly string[] = [], env = {}): Promise<Json> {
  const end = await on.mops(['build', '--json', ...args], { env });
  expect(end.stderr).toBe('');
  const json = JSON.parse(end.stdout) as Json;
  expect([json.schema, json.ok]).toEqual([1, end.code === 0]);
  expect(Number.isSafeInteger(json.durationMs)).toBe(true);
  return json;
}

test('warnings are counted where they are not shown, also on a hit', async () => {
  const on = scene({ 'src/A.mo': WARNINGS });
  const first = await on.mops(['build']);
  expect(first.stderr).toMatch(/^ {2}a {2}compiled: .*, 2 warnings \(--verbose shows them\)\n$/);
  const second = await on.mops(['build']);
  expect(second.stderr).toMatch(/^ {2}a {2}hit.*, 2 warnings \(--verbose shows them\)\n$/);
});

test('--verbose shows what the compiler said, byte for byte, also on a hit', async () => {
  const on = scene({ 'src/A.mo': WARNINGS });
  const first = await on.mops(['build', '--verbose']);
  const second = await on.mops(['build', '--verbose']);
  expect(first.stderr).toContain(`\n${SAID}  a  compiled: `);
  expect(second.stderr.startsWith(`${SAID}  a  hit`)).toBe(true);
  expect((await buildJson(on)).canisters[0]?.diagnostics).toBe(SAID);
  expect(on.starts()).toHaveLength(1);
});

test('stdout has the lines that scripts know, and nothing else, with every option', async () => {
  const on = scene({ 'src/A.mo': WARNINGS });
  for (const args of [[], ['--verbose'], ['--explain'], ['--no-cache'], ['--rebuild'], ['--keep-going', '-j', '1']]) {
    const { stdout } = await on.mops(['build', ...args]);
    expect(stdout).toBe('build canister a\n\n✓ Built 1 canister successfully\n');
  }
});

test('--json tells of a compile, then of a hit', async () => {
  const on = scene();
  const built = await buildJson(on);
  const artifacts = Object.fromEntries(
    ['did', 'most', 'wasm'].map((name) => {
      const path = join(on.out, `a.${name}`);
      const bytes = readFileSync(path);
      return [name, { path, digest: sha256(bytes), sizeBytes: bytes.length }];
    }),
  );
  const common = {
    canister: 'a',
    waited: false,
    key: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
    compileKey: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
    durationMs: expect.any(Number) as unknown,
    compileMs: expect.any(Number) as unknown,
    diagnostics: '',
    artifacts,
  };
  expect(built.canisters).toEqual([
    { ...common, outcome: 'built', cause: 'absent', stage: 'compile', files: 'written' },
  ]);
  expect(built.events).toEqual([]);

  const hit = await buildJson(on);
  expect(hit.canisters).toEqual([{ ...common, outcome: 'hit', tier: 'local', files: 'unchanged' }]);
  expect(hit.canisters[0]?.key).toBe(built.canisters[0]?.key);
  expect(hit.canisters[0]?.compileMs).toBe(built.canisters[0]?.compileMs);
  rmSync(join(on.out, 'a.wasm'));
  expect((await buildJson(on)).canisters[0]).toMatchObject({ outcome: 'hit', files: 'written' });
});

test('--json tells why the cache had no answer', async () => {
  const on = scene();
  const causeOf = async (args: readonly string[] = [], env = {}) => {
    const [canister] = (await buildJson(on, args, env)).canisters;
    return [canister?.outcome, canister?.cause, canister?.stage, typeof canister?.key];
  };
  expect(await causeOf(['--no-cache'])).toEqual(['built', 'disabled', 'compile', 'string']);
  expect(await causeOf([], { MOCCACHE_DISABLE: '1' })).toEqual(['built', 'disabled', 'compile', 'string']);
  expect(await causeOf()).toEqual(['built', 'absent', 'compile', 'string']);
  expect(await causeOf(['--rebuild'])).toEqual(['built', 'forced', 'compile', 'string']);
  expect(await causeOf(['--', '--frobnicate'])).toEqual(['built', 'uncacheable', 'compile', 'undefined']);
  on.put({ 'mops.toml': tomlOf({}, `[canisters.a]\nmain = "src/A.mo"\ninitArg = '("x")'`) });
  expect(await causeOf()).toEqual(['built', 'absent', 'finish', 'string']);
});

test('--json tells of failures: of a canister, and of the whole', async () => {
  const on = scene({
    'mops.toml': tomlOf({ a: 'src/A.mo', b: 'src/B.mo' }),
    'src/B.mo': '// stand-in: exit 2\nimport X "./Lost";\n',
  });
  const failed = await buildJson(on);
  expect(failed.canisters.map(({ outcome }) => outcome)).toEqual(['built', 'failed']);
  expect(failed.canisters[1]?.failure).toEqual({
    kind: 'rejected',
    canister: 'b',
    exitCode: 1,
    stdout: '',
    stderr: 'src/B.mo:2.1: import error [M0009], nothing at src/Lost\n',
    missing: [{ importer: 'src/B.mo', line: 2, target: './Lost' }],
    message: expect.stringContaining('src/B.mo:2: no file for "./Lost"') as unknown,
  });
  on.put({ 'mops.toml': '[canisters' });
  const bad = await buildJson(on);
  expect(bad.canisters).toEqual([]);
  expect(bad.failure).toMatchObject({ kind: 'bad-toml', file: join(on.root, 'mops.toml'), line: 1 });
});

test('--json of an interrupted build says that it failed', async () => {
  const on = scene();
  const env = { STAND_IN: 'hold', STAND_IN_HOLD: join(on.base, 'never') };
  const build = on.start(['build', '--json'], { env });
  await until(() => on.starts().length === 1, build);
  build.child.kill('SIGINT');
  const end = await build.ended;
  expect(end.code).toBe(130);
  expect(JSON.parse(end.stdout)).toMatchObject({ ok: false, canisters: [], failure: { kind: 'cancelled' } });
});

test('--json and MOCCACHE_LOG have the events, as objects', async () => {
  const on = scene({ 'mops.toml': tomlOf({ a: 'src/A.mo' }, '[build]\nargs = ["--idl"]') });
  const log = join(on.base, 'events.jsonl');
  const json = await buildJson(on, [], { MOCCACHE_LOG: log });
  expect(json.events).toEqual([{ kind: 'managed-flag', canister: 'a', flag: '--idl' }]);
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
  const kinds = lines.map((line) => JSON.parse(line) as { kind?: string; outcome?: string; at: string });
  expect(kinds.map(({ kind, outcome }) => kind ?? outcome)).toEqual([
    'canister-started',
    'managed-flag',
    'compiling',
    'compiled',
    'built',
  ]);
  for (const { at } of kinds) expect(new Date(at).toISOString()).toBe(at);
  const unwritable = await on.mops(['build'], { env: { MOCCACHE_LOG: join(on.base, 'no', 'such', 'folder') } });
  expect(unwritable.code).toBe(0);
});

test('flags that the build sets itself are warned of, once each', async () => {
  const on = scene({ 'mops.toml': tomlOf({ a: 'src/A.mo' }, '[build]\nargs = ["--idl", "--idl", "-c"]') });
  for (const said of ['compiled', 'hit']) {
    const { stderr } = await on.mops(['build', '--', '--stable-types']);
    expect(stderr.match(/^warning: a: \S+ in args/gm)).toEqual(
      ['--idl', '-c', '--stable-types'].map((flag) => `warning: a: ${flag} in args`),
    );
    expect(stderr).toContain(said);
  }
});

const TOML = tomlOf({}, '[canisters.a]\nmain = "src/A.mo"\n');

const EXPLANATIONS: readonly {
  readonly change: string;
  readonly files?: Readonly<Record<string, string | undefined>>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly says: readonly RegExp[];
}[] = [
  {
    change: 'an edit',
    files: { 'src/Lib.mo': 'module { /**/ }' },
    says: [/^src\/Lib\.mo: edited \(\w+ to \w+\), imported by src\/A\.mo$/],
  },
  {
    change: 'a new import',
    files: { 'src/A.mo': 'import Lib "./Lib";\nimport New "./New";\nactor { }\n', 'src/New.mo': 'module { }' },
    says: [/^src\/A\.mo: edited/, /^src\/New\.mo: added/],
  },
  {
    change: 'an import less',
    files: { 'src/A.mo': 'actor { }\n' },
    says: [/^src\/A\.mo: edited/, /^src\/Lib\.mo: no longer used/],
  },
  { change: 'a flag', args: ['--', '--release'], says: [/^flags: --release added$/] },
  { change: 'a variable', env: { MOC_UNLOCK_PRIM: '1' }, says: [/^variable MOC_UNLOCK_PRIM: added/] },
  {
    change: 'another main',
    files: { 'mops.toml': TOML.replace('src/A.mo', 'src/B.mo'), 'src/B.mo': 'actor { }' },
    says: [/^main: src\/A\.mo to src\/B\.mo$/, /^src\/B\.mo: added/, /^src\/A\.mo: no longer used/, /^src\/Lib/],
  },
  {
    change: 'an initArg',
    files: { 'mops.toml': `${TOML}initArg = '("x")'\n` },
    says: [/^initArg: added/],
  },
  {
    change: 'a package',
    files: { 'mops.toml': `${TOML}[dependencies]\nlib = "./lib"\n`, 'lib/src/lib.mo': 'module { }' },
    says: [/^package lib: added, lib/],
  },
];

test.each(EXPLANATIONS)('--explain names $change, and nothing else', async ({ files, args, env, says }) => {
  const on = scene({ 'mops.toml': TOML });
  const first = await on.mops(['build', '--explain']);
  expect(first.stderr).toContain('    no earlier build of it is known here\n');
  expect((await on.mops(['build', '--explain'])).stderr).not.toMatch(/^ {4}/m);
  on.put(files ?? {});
  const { stderr } = await on.mops(['build', '--explain', ...(args ?? [])], env === undefined ? {} : { env });
  const lines = stderr.split('\n').flatMap((line) => /^ {4}(.*)$/.exec(line)?.[1] ?? []);
  expect(lines).toHaveLength(says.length);
  says.forEach((pattern, index) => expect(lines[index]).toMatch(pattern));
});

test('--explain compares with the build before, not with the first', async () => {
  const on = scene();
  await on.mops(['build']);
  on.put({ 'src/Lib.mo': 'module { /* 2 */ }' });
  await on.mops(['build']);
  on.put({ 'src/A.mo': 'import Lib "./Lib";\nactor { /* 2 */ }' });
  const { stderr } = await on.mops(['build', '--explain']);
  expect(stderr.match(/^ {4}.*$/gm)).toEqual([expect.stringMatching(/^ {4}src\/A\.mo: edited/)]);
});

test('colours are for terminals, and for those who ask', async () => {
  const on = scene();
  const coloured = async (env: Readonly<Record<string, string>>) => {
    const { stdout, stderr } = await on.mops(['build'], { env });

    return [stdout, stderr].map((text) => text.includes('['));
  };
  expect(await coloured({})).toEqual([false, false]);
  expect(await coloured({ FORCE_COLOR: '1' })).toEqual([true, true]);
  expect(await coloured({ FORCE_COLOR: '1', NO_COLOR: '1' })).toEqual([false, false]);
});

const terminal = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;
if (!terminal) console.log('skipped: no program `script` that makes a terminal');

test.skipIf(!terminal)(
  'on a terminal it shows that it compiles and how far it may be, and cleans up after that',
  async () => {
    const on = scene();
    const onTerminal = (env: Readonly<Record<string, string>>) => {
      const line = `stty rows 24 cols 80; "${process.execPath}" "${MOPS}" build`;
      return on.start(['-qec', line, '/dev/null'], { command: ['script'], env: { TERM: 'xterm', ...env } });
    };
    const go = join(on.base, 'go');
    const first = onTerminal({ STAND_IN: 'hold', STAND_IN_HOLD: go });
    await until(() => /compiling \d/.test(first.said()), first);
    on.put({ '../go': '' });
    const end = await first.ended;
    expect(end.code).toBe(0);
    expect(end.stdout).toContain('\u001b[34mbuild canister\u001b[39m \u001b[1ma\u001b[22m');
    expect(end.stdout).toContain('\u001b[32m✓ Built 1 canister successfully\u001b[39m');
    expect(end.stdout.lastIndexOf('\u001b[?25h')).toBeGreaterThan(end.stdout.lastIndexOf('\u001b[?25l'));

    rmSync(go);
    on.put({ 'src/Lib.mo': 'module { /* edited */ }' });
    const second = onTerminal({ STAND_IN: 'hold', STAND_IN_HOLD: go });
    await until(() => /took .* last time/.test(second.said()), second);
    on.put({ '../go': '' });
    expect((await second.ended).code).toBe(0);

    const plain = await onTerminal({ NO_COLOR: '1' }).ended;
    expect(plain.stdout).toMatch(
      /^build canister a\r\n {2}a {2}hit, files up to date: .*\r\n\r\n✓ Built 1 canister successfully\r\n$/,
    );
    expect(existsSync(join(on.out, 'a.wasm'))).toBe(true);
  },
);

test('moccache answers for itself, and so do the commands that are ours', async () => {
  const on = scene();
  const moccache = (args: readonly string[]) => on.mops(args, { command: [process.execPath, MOCCACHE] });
  expect((await moccache(['--help'])).stdout).toContain('moccache: a build cache for Motoko canisters');
  expect((await moccache([])).stdout).toContain('moccache build');
  expect((await moccache(['--version'])).stdout).toMatch(/^moccache \d+\.\d+\.\d+\n$/);
  for (const command of ['build', 'cache']) {
    const { stdout, code } = await on.mops([command, '--help']);
    expect([stdout.startsWith(`moccache ${command}`), code]).toEqual([true, 0]);
  }
  expect((await moccache(['build'])).stdout).toContain('✓ Built 1 canister');
  on.put(CANISTER_A);
});

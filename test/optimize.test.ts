import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { analysed, putAnalyser } from './rigs/stand-in-ic-mops.ts';
import { scene, tomlOf, type Ended, type RunOptions, type Scene } from './rigs/stand-in-project.ts';

const STAND_IN = join(import.meta.dirname, 'rigs', 'stand-in-wasm-opt.cjs');

/** A mops.toml that pins a wasm-opt. */
function toml(optimize: string, canisters: Readonly<Record<string, string>> = { a: 'src/A.mo' }, pin = './wasm-opt') {
  return tomlOf(canisters, `\n[optimize]\n${optimize}\n`).replace('moc =', `wasm-opt = "${pin}"\nmoc =`);
}

interface Optimizing extends Scene {
  /** What wasm-opt was told at each start so far. */
  optimizings(): readonly string[];
  /** Builds with --json, of canister `a` alone. */
  build(args?: readonly string[], options?: RunOptions): Promise<Canister>;
}

interface Canister {
  readonly outcome: string;
  readonly stage?: string;
  readonly cause?: string;
  readonly uncacheable?: string;
  readonly key?: string;
  readonly optimizeKey?: string;
  readonly artifacts?: { readonly wasm: { readonly digest: string } };
  readonly failure?: { readonly kind: string; readonly message: string };
}

/** A scene whose canisters are optimized by the stand-in. */
function optimizing(mopsToml: string, files: Readonly<Record<string, string>> = {}): Optimizing {
  const on = scene({ 'mops.toml': mopsToml, ...files });
  const countFile = join(on.base, 'optimizings');
  const env = { OPTIMIZER_COUNT_FILE: countFile };
  putOptimizer(join(on.root, 'wasm-opt'));
  const start: Scene['start'] = (args, options) => on.start(args, { ...options, env: { ...env, ...options?.env } });
  const mops: Scene['mops'] = (args, options) => start(args, options).ended;
  return {
    ...on,
    ...{ start, mops },
    optimizings: () => (existsSync(countFile) ? readFileSync(countFile, 'utf8').trim().split('\n') : []).map(flagsOf),
    build: async (args = [], options = {}) => canisterOf(await mops(['build', 'a', '--json', ...args], options)),
  };
}

function flagsOf(line: string): string {
  return line.slice(line.indexOf(' ') + 1);
}

function canisterOf({ stdout, stderr }: Ended): Canister {
  expect(stderr).toBe('');
  const [canister] = (JSON.parse(stdout) as { readonly canisters: readonly Canister[] }).canisters;
  if (canister === undefined) throw new Error(stdout);
  return canister;
}

function putOptimizer(path: string, more = ''): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, readFileSync(STAND_IN, 'utf8') + more, { mode: 0o755 });
}

/** The text of the section that the stand-in adds. */
function sectionIn(on: Scene): string {
  return /optimized([ -~]*)/.exec(readFileSync(join(on.out, 'a.wasm'), 'latin1'))?.[1] ?? 'not optimized';
}

test('what was optimized once is a hit after that, with the lines that upstream prints', async () => {
  const on = optimizing(toml('level = "Oz"\nargs = ["--all-features", "-tnh"]'));
  const line = 'Optimized a.wasm (wasm-opt ./wasm-opt -Oz -g --all-features -tnh)';
  const first = await on.mops(['build']);
  expect(first.stdout).toBe(`build canister a\n${line}\n\n✓ Built 1 canister successfully\n`);
  const files = on.files();
  const second = await on.mops(['build']);
  expect(second.stdout).toBe(first.stdout);
  expect(second.stderr).toMatch(/^ {2}a {2}hit, files up to date/);
  expect(on.files()).toEqual(files);
  expect(on.optimizings()).toEqual(['-Oz -g --all-features -tnh']);
  expect(on.starts()).toHaveLength(1);
  expect(on.litter()).toEqual([]);
});

test('another level, another wasm-opt and another initArg each run what they must, and --explain says why', async () => {
  const on = optimizing(toml(''));
  const stages: unknown[] = [];
  const rows: string[] = [];
  const edit = async (files: Readonly<Record<string, string>>, more = '') => {
    on.put(files);
    if (more !== '') putOptimizer(join(on.root, 'wasm-opt'), more);
    const next = JSON.parse((await on.mops(['cache', 'explain', 'a', '--json'])).stdout) as {
      next: { answer: string };
    };
    const { stdout, stderr } = await on.mops(['build', '--explain', '--verbose']);
    const { optimizeKey } = await on.build();
    const history = await on.mops(['cache', 'explain', 'a']);
    rows.push(...stderr.split('\n').filter((row) => row.startsWith('    ') && !row.includes('.mops/.build')));
    const told = /^it was last (\w+) here/m.exec(history.stdout)?.[1];
    stages.push([next.next.answer, told, on.starts().length, on.optimizings().length]);
    expect(stdout).toContain('Optimized a.wasm');
    return optimizeKey;
  };
  const keys = [await edit({})];
  keys.push(await edit({ 'mops.toml': toml('level = "Os"\nkeep-names = false') }));
  keys.push(await edit({}, '// newer\n'));
  const withArg = toml('level = "Os"\nkeep-names = false', {}).replace(
    '[canisters]',
    '[canisters.a]\nmain = "src/A.mo"\ninitArg = "(1)"',
  );
  keys.push(await edit({ 'mops.toml': withArg }));
  expect(stages).toEqual([
    ['compile', 'compiled', 1, 1],
    ['optimize', 'optimized', 1, 2],
    ['optimize', 'optimized', 1, 3],
    ['finish', 'finished', 1, 4],
  ]);
  expect(rows.map((row) => row.trim().replace(/\b[0-9a-f]{12}\b/g, '#'))).toEqual([
    'no earlier build of it is known here',
    'flags of the optimizer: -Os added, -O3 -g removed',
    'optimizer: wasm-opt as before, but with other bytes (# to #)',
    'initArg: added (#)',
  ]);
  expect(new Set(keys).size).toBe(4);
  const compared = await on.mops(['cache', 'explain', keys[0] ?? '', keys[1] ?? '']);
  expect(compared.stdout).toContain('(optimize, a in ');
  expect(compared.stdout).toContain('flags of the optimizer: -Os added, -O3 -g removed');
});

test('--no-optimize gives the wasm as it was finished, compiles nothing for it, and [optimize] hits again after it', async () => {
  const on = optimizing(toml(''));
  const optimized = await on.build();
  const plain = await on.build(['--no-optimize']);
  expect(plain).toMatchObject({ outcome: 'hit', key: optimized.key });
  expect(plain.optimizeKey).toBeUndefined();
  expect(sectionIn(on)).toBe('not optimized');
  expect(await on.build()).toMatchObject({ outcome: 'hit', optimizeKey: optimized.optimizeKey });
  expect(sectionIn(on)).toMatch(/^[0-9a-f]{64}$/);
  on.put({ 'mops.toml': tomlOf({ a: 'src/A.mo' }) });
  const explained = await on.mops(['cache', 'explain', 'a']);
  expect(explained.stdout).toContain('optimizer: wasm-opt to none');
  expect([on.starts().length, on.optimizings().length]).toEqual([1, 1]);
});

test.each([
  ['fails', '--fail', 'optimizer-rejects', /^Fatal: told to fail\nwasm-opt fails on a \(exit code 3\)/],
  ['is killed', '--die', 'optimizer-unusable', /wasm-opt: .*it was killed by SIGKILL/],
  ['writes nothing', '--nothing', 'optimizer-unusable', /wasm-opt: .*wrote no wasm/],
  ['writes no wasm', '--garbage', 'optimizer-unusable', /wasm-opt: .*wrote no wasm/],
])('where wasm-opt %s the files stay as they were, and it is said', async (_, flag, kind, message) => {
  const on = optimizing(toml(''));
  await on.build();
  const files = on.files();
  on.put({ 'mops.toml': toml(`args = ["${flag}"]`), 'src/Lib.mo': 'module { /* edited */ }\n' });
  const { outcome, failure } = await on.build();
  expect([outcome, failure?.kind]).toEqual(['failed', kind]);
  expect(failure?.message).toMatch(message);
  expect(failure?.message).toContain('--no-optimize');
  expect(on.files()).toEqual(files);
  on.put({ 'mops.toml': toml('') });
  expect(await on.build()).toMatchObject({ outcome: 'built', stage: 'optimize' });
  expect(on.starts()).toHaveLength(2); // what failed had been compiled, and that was kept
  expect(on.litter()).toEqual([]);
});

test('wasm-opt works in a folder that holds the wasm and nothing else', async () => {
  const on = optimizing(toml('args = ["--look"]'));
  await on.build();
  expect(sectionIn(on)).toBe('canister.wasm');
});

test('where an argument may name a file wasm-opt runs in the project each time, and nothing else does', async () => {
  const on = optimizing(toml('args = ["--pass-arg=x@@src/list", "--look"]'), { 'src/list': 'f g' });
  const first = await on.build();
  expect(first).toMatchObject({ outcome: 'built', stage: 'compile', cause: 'absent' });
  expect(first.optimizeKey).toBeUndefined();
  expect(sectionIn(on)).toContain('mops.toml');
  const second = await on.build();
  expect(second).toMatchObject({ outcome: 'built', stage: 'optimize', cause: 'uncacheable' });
  expect(second.uncacheable).toBe('[optimize] args: --pass-arg=x@@src/list may name a file');
  expect((await on.mops(['cache', 'explain', 'a'])).stdout).toContain('every build runs wasm-opt on it');
  expect([on.starts().length, on.optimizings().length]).toEqual([1, 2]);
});

test('a version is taken from where mops keeps it', async () => {
  const on = optimizing(toml('', { a: 'src/A.mo' }, '131'));
  putOptimizer(join(on.env.XDG_CACHE_HOME ?? '', 'mops', 'wasm-opt', '131', 'bin', 'wasm-opt'));
  const { stdout } = await on.mops(['build']);
  expect(stdout).toContain('Optimized a.wasm (wasm-opt 131 -O3 -g)\n');
});

test('of builds that start at once, one optimizes; canisters with the same finished wasm share it', async () => {
  const on = optimizing(toml('', { a: 'src/A.mo', b: 'src/A.mo' }));
  const ends = await Promise.all([1, 2, 3, 4].map((number) => on.mops(['build', '-o', `out${number}`])));
  expect(ends.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  expect([on.starts().length, on.optimizings().length]).toEqual([1, 1]);
  const wasm = [1, 2, 3, 4].flatMap((number) => {
    const files = on.files(join(on.root, `out${number}`));
    return [files['a.wasm'], files['b.wasm']];
  });
  expect(new Set(wasm).size).toBe(1);
});

test('a damaged optimized wasm is made anew, and so is a damaged finished one when it is needed', async () => {
  const on = optimizing(toml(''));
  const { artifacts } = await on.build();
  const plain = await on.build(['--no-optimize']);
  const right = artifacts?.wasm.digest ?? '';
  const hurt = (digest = '') => {
    const file = join(on.store, 'cas', digest.slice(0, 2), digest);
    chmodSync(file, 0o644);
    writeFileSync(file, 'damaged');
  };
  hurt(right);
  const healed = await on.build();
  expect(healed).toMatchObject({ outcome: 'built', stage: 'optimize', cause: 'damaged' });
  expect(healed.artifacts?.wasm.digest).toBe(right);
  hurt(plain.artifacts?.wasm.digest);
  hurt(right);
  on.put({ '.mops/.build/a.wasm': undefined });
  const again = await on.build();
  expect(again).toMatchObject({ outcome: 'built', stage: 'finish' });
  expect(again.artifacts?.wasm.digest).toBe(right);
  expect(on.starts()).toHaveLength(1);
});

test('a finished wasm that is made anew while the optimized one is in the cache is not taken for it', async () => {
  const on = optimizing(`${toml('')}\n[build]\ncheck-wasm = true\n`);
  putAnalyser(on);
  const { key, artifacts } = await on.build();
  expect(analysed(on)).toEqual(['optimized']);
  for (const path of Object.keys(on.files(on.store))) {
    if (path.includes(key ?? '') || readFileSync(join(on.store, path), 'utf8').includes('complexity'))
      on.put({ [`../cache/mops/builds/${path}`]: undefined });
  }
  const again = await on.build();
  expect(again).toMatchObject({ outcome: 'built', stage: 'finish', artifacts });
  expect(analysed(on)).toEqual(['optimized', 'optimized']);
});

test('--rebuild optimizes again, and fails where the bytes differ', async () => {
  const on = optimizing(toml('args = ["--look"]'));
  await on.build();
  expect(await on.build(['--rebuild'])).toMatchObject({ outcome: 'built', cause: 'forced' });
  on.put({ 'mops.toml': toml('args = ["--random"]') });
  await on.build();
  const { failure } = await on.build(['--rebuild']);
  expect(failure?.kind).toBe('rebuild-differs');
  expect(failure?.message).toContain('another wasm');
  expect(on.optimizings()).toHaveLength(4);
});

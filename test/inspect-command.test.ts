import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seal } from '../src/cache/sealed.ts';
import { actionKeyOf } from '../src/cache/digest.ts';
import { scene, sha256, tomlOf, type Scene } from './rigs/stand-in-project.ts';

interface Inspected {
  readonly key: string;
  readonly stage: string;
  readonly document: string;
  readonly rows: readonly (readonly unknown[])[];
  readonly artifacts: readonly { readonly name: string; readonly digest: string; readonly bytes: string }[];
  readonly lastUsedMs: number;
  readonly createdMs: number;
}

const built = async (on: Scene) => {
  const { stdout } = await on.mops(['build', '--json', '--', '--release']);
  const { canisters } = JSON.parse(stdout) as { canisters: readonly { key: string; compileKey: string }[] };
  return canisters[0] ?? { key: '', compileKey: '' };
};

const inspect = async (on: Scene, ...args: readonly string[]) => {
  const end = await on.mops(['cache', 'inspect', ...args]);
  expect(end.code, end.stderr).toBe(0);
  return end.stdout;
};

const inspectJson = async (on: Scene, key: string) => JSON.parse(await inspect(on, key, '--json')) as Inspected;

test('a compile: its compiler, flags, files and artifacts, and whose it is; nothing is touched', async () => {
  const on = scene();
  const { key, compileKey } = await built(on);
  const before = on.files(on.base);
  const text = await inspect(on, compileKey.slice(0, 8).toUpperCase());
  expect(text.replace(/\d+(?:\.\d)? (?:ms|s)\b/, 'TIME').replace(/\([0-9-]+ [0-9:]+ UTC\)/, '(THEN)')).toBe(
    [
      compileKey,
      '  stage        compile: the run of the compiler',
      `  canister     a, last built in ${on.root}`,
      `  its finish   ${key}`,
      `  compiler     moc (${sha256(readFileSync(join(on.root, 'moc'))).slice(0, 12)})`,
      '  main         src/A.mo',
      '  flags        --release',
      `  files        ${sha256(readFileSync(join(on.root, 'src/A.mo'))).slice(0, 12)}  src/A.mo`,
      `               ${sha256(readFileSync(join(on.root, 'src/Lib.mo'))).slice(0, 12)}  src/Lib.mo`,
      ...artifactsIn(on, compileKey),
      '  made         less than a minute ago (THEN), in TIME',
      '  last used    less than a minute ago',
      '',
    ].join('\n'),
  );
  const finish = await inspect(on, key);
  expect(finish).toContain(`\n  its compile  ${compileKey}\n`);
  expect(finish).toMatch(
    /\n {2}finisher {5}ic-mops \d\S* \([0-9a-f]{12}\)\n {2}from {9}[0-9a-f]{12} {2}the compiler's wasm\n/,
  );
  expect(on.files(on.base)).toEqual(before);
});

/** The lines of the artifacts, from the stored result itself. */
function artifactsIn(on: Scene, key: string): readonly string[] {
  const result = readFileSync(join(on.store, 'ac', key.slice(0, 2), key), 'utf8');
  const rows = [...result.matchAll(/^artifact (\S+) (\S+) \S+ (\d+)$/gm)].map(([, name = '', digest, size]) => {
    return { name, digest, size: `${size ?? ''} B` };
  });
  const width = Math.max(...rows.map(({ size }) => size.length));
  return rows.map(({ name, digest, size }, index) => {
    const title = index === 0 ? 'gave' : '';
    return `  ${title.padEnd(13)}${name.padEnd(9)}  ${size.padStart(width)}  ${digest ?? ''}`;
  });
}

test('the JSON has the document whole, and its digest is the key', async () => {
  const on = scene({ 'mops.toml': tomlOf({}, `[canisters.a]\nmain = "src/A.mo"\ninitArg = '(1)'`) });
  const { key, compileKey } = await built(on);
  for (const [wanted, stage, names] of [
    [key, 'finish', ['wasm']],
    [compileKey, 'compile', ['did', 'importers', 'most', 'stderr', 'stdout', 'wasm']],
  ] as const) {
    const json = await inspectJson(on, wanted);
    expect(json).toMatchObject({ schema: 1, ok: true, key: wanted, stage, record: { canister: 'a' } });
    expect(actionKeyOf(json.document)).toBe(wanted);
    expect(json.rows).toContainEqual(['stage', stage]);
    expect(json.artifacts.map(({ name, bytes }) => [name, bytes])).toEqual(names.map((name) => [name, 'whole']));
    expect(json.lastUsedMs).toBeGreaterThanOrEqual(json.createdMs);
  }
});

test('what is damaged or gone of it is said, and left to the next build', async () => {
  const on = scene();
  const { compileKey } = await built(on);
  const { artifacts } = await inspectJson(on, compileKey);
  const blob = (name: string) => {
    const digest = artifacts.find((artifact) => artifact.name === name)?.digest ?? '';
    return join(on.store, 'cas', digest.slice(0, 2), digest);
  };
  writeFileSync(blob('most'), 'nonsense');
  rmSync(blob('wasm'));
  const before = on.files(on.base);
  const text = await inspect(on, compileKey);
  expect(text).toMatch(/ most .* damaged\n/);
  expect(text).toMatch(/ wasm .* gone\n/);
  writeFileSync(join(on.store, 'ac', compileKey.slice(0, 2), compileKey), 'nonsense');
  const end = await on.mops(['cache', 'inspect', compileKey]);
  expect([end.code, end.stderr]).toEqual([1, expect.stringContaining('its result is damaged')]);
  expect(Object.keys(on.files(on.base))).toEqual(Object.keys(before));
});

test('what is no key, and what is too much, is refused, and nothing is touched', async () => {
  const on = scene();
  await built(on);
  const before = on.files(on.base);
  for (const [args, says] of [
    [['0'], /"0" is no key: 2 to 64 hexadecimal digits/],
    [['wxyz'], /"wxyz" is no key/],
    [['0'.repeat(65)], /is no key/],
    [['0'.repeat(64)], /no result under 0{64} in/],
    [[], /say which key/],
    [['ab', 'cd'], /"cd" is too much/],
    [['ab', '--nope'], /unknown option '--nope'/],
  ] as const) {
    const end = await on.mops(['cache', 'inspect', ...args]);
    expect([args, end.code, end.stdout, end.stderr]).toEqual([args, 1, '', expect.stringMatching(says)]);
  }
  expect(on.files(on.base)).toEqual(before);
});

test('a beginning that several keys have is answered with these', async () => {
  const on = scene();
  const { key } = await built(on);
  const twin = key.slice(0, 63) + (key.endsWith('0') ? '1' : '0');
  writeFileSync(join(on.store, 'ac', key.slice(0, 2), twin), 'whatever');
  const end = await on.mops(['cache', 'inspect', key.slice(0, 10)]);
  expect(end.code).toBe(1);
  expect(end.stderr.trimEnd().split('\n')).toEqual([
    `error: ${key.slice(0, 10)} is the beginning of 2 keys:`,
    ...[key, twin].sort().map((candidate) => `  ${candidate}`),
  ]);
  const json = await on.mops(['cache', 'inspect', key.slice(0, 10), '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({ schema: 1, ok: false, candidates: [key, twin].sort() });
});

test.each([
  ['another folder', (dir: string) => writeFileSync(join(dir, 'thesis.txt'), 'precious'), 'holds something else'],
  ['a newer store', (dir: string) => writeFileSync(join(dir, 'version'), newer()), 'was made by a newer version'],
])('%s is refused, and nothing in it is touched', async (_, put, says) => {
  const on = scene();
  const dir = join(on.base, 'other');
  mkdirSync(dir);
  put(dir);
  const before = on.files(on.base);
  const end = await on.mops(['cache', 'inspect', 'abcd'], { env: { MOCCACHE_DIR: dir } });
  expect([end.code, end.stderr]).toEqual([1, expect.stringContaining(says)]);
  expect(readdirSync(dir)).toHaveLength(1);
  expect(on.files(on.base)).toEqual(before);
});

function newer(): string {
  return seal('moccache store 99');
}

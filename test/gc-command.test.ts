import { existsSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { snapshotOf } from './rigs/cache-entries.ts';
import { scene, tomlOf, type Scene } from './rigs/stand-in-project.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Results and blobs, absolute. */
function kept(on: Scene): readonly string[] {
  return ['ac', 'cas'].flatMap((dir) => {
    if (!existsSync(join(on.store, dir))) return [];
    const entries = readdirSync(join(on.store, dir), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  });
}

function sizeOf(on: Scene): number {
  return kept(on).reduce((sum, path) => sum + statSync(path).size, 0);
}

/** Makes all that is stored so old. */
function age(on: Scene, ageMs: number): void {
  const at = (Date.now() - ageMs) / 1000;
  for (const path of kept(on)) utimesSync(path, at, at);
}

async function build(on: Scene, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const end = await on.mops(['build'], { env });
  expect(end.code, end.stderr).toBe(0);
  return end.stderr;
}

interface GcJson {
  readonly removed: { readonly results: readonly { readonly canister?: string; readonly why: string }[] };
  readonly after: { readonly sizeBytes: number };
  readonly [more: string]: unknown;
}

async function gc(on: Scene, ...args: readonly string[]): Promise<GcJson> {
  const end = await on.mops(['cache', 'gc', '--json', ...args]);
  expect(end.code, end.stdout + end.stderr).toBe(0);
  return JSON.parse(end.stdout) as GcJson;
}

const EDIT = { 'src/Lib.mo': 'module { /* edited */ }\n' };
const UNEDITED = { 'src/Lib.mo': 'module { }\n' };

test('what was not used for so long goes; the dry run lists it, changes nothing, and the next build compiles', async () => {
  const on = scene();
  await build(on);
  age(on, 40 * DAY_MS);
  on.put(EDIT);
  await build(on);
  const before = snapshotOf(on.store);
  const dry = await gc(on, '--dry-run');
  const text = await on.mops(['cache', 'gc', '--dry-run']);
  expect(snapshotOf(on.store)).toEqual(before);
  expect(text.stdout).toMatch(/^ +40 days ago {2}age {3}a +[0-9a-f]{16} {2}.*B\n/);
  expect(text.stdout).toContain('would free');
  const real = await gc(on);
  expect(real).toEqual({ ...dry, dryRun: false });
  expect(real).toMatchObject({
    schema: 1,
    ok: true,
    store: on.store,
    maxBytes: 5 * 1024 ** 3,
    maxAgeMs: 30 * DAY_MS,
    removed: { results: [0, 1].map(() => ({ canister: 'a', why: 'age' })) },
    after: { sizeBytes: sizeOf(on) },
  });
  expect(await build(on)).toContain('hit');
  on.put(UNEDITED);
  expect(await build(on)).toContain('compiled');
});

test('a size given by hand is kept to, least recently used first; one that is configured spares the work of today', async () => {
  const on = scene();
  await build(on);
  age(on, 2 * HOUR_MS);
  on.put(EDIT);
  await build(on);
  age(on, HOUR_MS);
  on.put(UNEDITED);
  await build(on); // a use, and no news
  const limit = String(sizeOf(on) - 1);
  const end = await on.mops(['cache', 'gc'], { env: { MOCCACHE_MAX_SIZE: limit } });
  expect(end.stdout).toContain('nothing to do');
  expect(end.stdout).toMatch(/note: that is 1 B above the limit .* all of it was used in the last 4 hours; raise MOCC/);
  const given = await on.mops(['cache', 'gc', '--max-size', limit]);
  expect(given.stdout).toMatch(/^freed [\s\S]*least recently used, to come below the limit[\s\S]*kept /);
  expect(sizeOf(on)).toBeLessThanOrEqual(Number(limit) * 0.9);
  expect(await build(on)).toContain('hit');
  on.put(EDIT);
  expect(await build(on)).not.toContain('hit'); // one of its two results was enough
});

test('after a build that compiled, a collection runs by itself, and the build does not wait for it', async () => {
  const on = scene();
  await build(on);
  const old = kept(on);
  age(on, 2 * DAY_MS);
  on.put(EDIT);
  const go = join(on.base, 'go');
  const hold = { NODE_OPTIONS: `--require ${join(import.meta.dirname, 'rigs/gc-hold.cjs')}`, HOLD_GC: go };
  await build(on, { ...hold, MOCCACHE_MAX_SIZE: '100' });
  const built = kept(on);
  expect(built).toEqual(expect.arrayContaining([...old]));
  writeFileSync(go, '');
  const results = old.filter((path) => path.includes('/ac/'));
  await gone(results);
  // It left a word for the next build that compiles: what is of today stayed, and is more than the limit.
  on.put({ 'src/Lib.mo': 'module { /* again */ }\n' });
  await noted(on);
  expect(await build(on)).toMatch(/note: the cache holds .* more than its limit/);
});

test('a build that hits, one that only reads and one with a young store start none', async () => {
  const on = scene();
  const never = { NODE_OPTIONS: `--require ${join(import.meta.dirname, 'rigs/gc-hold.cjs')}`, HOLD_GC: '/' };
  await build(on, never);
  age(on, 40 * DAY_MS);
  const limit = { MOCCACHE_MAX_SIZE: '100' };
  await build(on, limit);
  on.put(EDIT);
  await build(on, { ...limit, MOCCACHE_READONLY: '1' });
  await build(on, { ...limit, MOCCACHE_DISABLE: '1' });
  expect(readdirSync(join(on.store, 'lease'))).toEqual([]);
  expect((await gc(on, '--dry-run', '--max-age', '39d')).removed.results).toHaveLength(0); // the hit was a use
});

test('a blob on which a writer relies right before it is deleted is there again, whole', async () => {
  const on = scene();
  await build(on);
  age(on, 40 * DAY_MS);
  const blobs = () => kept(on).filter((path) => path.includes('/cas/'));
  const before = blobs().map((path) => [path, readFileSync(path, 'hex')]);
  const env = { NODE_OPTIONS: `--require ${join(import.meta.dirname, 'rigs/gc-between.cjs')}` };
  const end = await on.mops(['cache', 'gc', '--json'], { env });
  expect(JSON.parse(end.stdout)).toMatchObject({ removed: { blobs: [] }, spared: before.length });
  expect(blobs().map((path) => [path, readFileSync(path, 'hex')])).toEqual(before);
});

test('clean --builds takes one canister, or what is old, and leaves the rest', async () => {
  const on = scene({
    'mops.toml': tomlOf({ a: 'src/A.mo', b: 'src/B.mo' }),
    'src/B.mo': 'actor { }\n',
  });
  await build(on);
  const one = await on.mops(['cache', 'clean', '--builds', '--canister', 'b']);
  expect(one.stdout).toMatch(/^2 entries of b deleted, .* freed\n$/);
  expect(await build(on)).toMatch(/a +hit[\s\S]*b +compiled/);
  age(on, 10 * DAY_MS);
  on.put(EDIT);
  await on.mops(['build', 'a']);
  const old = await on.mops(['cache', 'clean', '--builds', '--older-than', '7d']);
  expect(old.stdout).toMatch(/^4 entries not used for 7 days deleted/);
  expect(await build(on)).toMatch(/a +hit[\s\S]*b +compiled/);
});

test('what is malformed or unknown is named, and nothing touched', async () => {
  const on = scene();
  await build(on);
  age(on, 40 * DAY_MS);
  const before = snapshotOf(on.store);
  for (const [args, says] of [
    [['gc', '--max-size', 'big'], '--max-size takes a size such as 5GiB, 500MB or 1000000, not "big"'],
    [['gc', '--max-age', '30'], '--max-age takes an age such as 30d, 12h or 45m, not "30"'],
    [['gc', 'now'], '"now" is too much after gc'],
    [['clean', '--builds', '--older-than', 'soon'], '--older-than takes an age'],
    [['clean', '--canister', 'a'], 'say --builds'],
    [['clean', '--builds', '--canister', 'nope'], 'no build of a canister "nope" is known here'],
  ] as const) {
    const end = await on.mops(['cache', ...args]);
    expect([end.code, end.stdout]).toEqual([1, '']);
    expect(end.stderr).toContain(says);
  }
  expect(snapshotOf(on.store)).toEqual(before);
});

test.each([
  [{ MOCCACHE_MAX_SIZE: 'big' }, 'MOCCACHE_MAX_SIZE'],
  [{ MOCCACHE_MAX_AGE: '30' }, 'MOCCACHE_MAX_AGE'],
])('a limit in the environment that is none is named: %j', async (env, says) => {
  const end = await scene().mops(['cache', 'gc', '--json'], { env });
  expect(end.code).toBe(1);
  expect(end.stdout).toContain(says);
});

test.each([
  ['gc', '--max-size', '0'],
  ['clean', '--builds', '--older-than', '0d'],
])('%s outside a store of ours touches nothing', async (...args) => {
  const on = scene();
  const dir = join(on.base, 'documents');
  on.put({ '../documents/ac/00/thesis.txt': 'precious', '../documents/thesis.txt': 'precious' });
  const before = snapshotOf(dir);
  const end = await on.mops(['cache', ...args], { env: { MOCCACHE_DIR: dir } });
  expect(end.code).toBe(1);
  expect(end.stderr).toContain(`${dir} holds something else than a build cache`);
  expect(snapshotOf(dir)).toEqual(before);
});

test('without a store there is nothing to do, and none is made', async () => {
  const on = scene();
  const end = await on.mops(['cache', 'gc']);
  expect([end.code, end.stdout]).toEqual([0, `${on.store}: there is no cache yet\n`]);
  expect(existsSync(on.store)).toBe(false);
});

/** Waits for what a process in the background is to bring about; the test's own limit ends it. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((next) => setTimeout(next, 5));
}

function gone(paths: readonly string[]): Promise<void> {
  return until(() => paths.every((path) => !existsSync(path)));
}

/** Until the collection has left its note, which is the last that it does. */
async function noted(on: Scene): Promise<void> {
  const notes = join(on.store, 'notes');
  const isNoted = (name: string) => /"overBytes":[1-9]/.test(snapshotOf(notes)[join(notes, name)] ?? '');
  await until(() => readdirSync(notes).some(isNoted));
}

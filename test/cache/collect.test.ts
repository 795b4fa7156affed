import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Census } from '../../src/cache/census.ts';
import { collect, type CollectOptions, type Collected } from '../../src/cache/collect.ts';
import { actionKeyOf, digestOf } from '../../src/cache/digest.ts';
import { IN_USE_MS, planEviction, type EvictionPolicy } from '../../src/cache/eviction.ts';
import { openLocalStore } from '../../src/cache/local-store.ts';
import { seal } from '../../src/cache/sealed.ts';
import { blobFile, entryOf, resultFile, snapshotOf } from '../rigs/cache-entries.ts';
import { tempDir } from '../rigs/cache-temp.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const POLICY: EvictionPolicy = { maxBytes: 1e9, maxAgeMs: 30 * DAY_MS, workingSetMs: 0 };

/** Stores an entry whose wasm is `wasm` (its name, where not given), last used and written some days ago. */
async function put(dir: string, name: string, days: number, wasm = name): Promise<void> {
  await openLocalStore(dir).put(name, await entryOf(name, { wasm: Buffer.from(wasm.padEnd(1_000)) }));
  for (const path of [resultFile(dir, name), blobOf(dir, wasm)]) age(path, days);
}

function blobOf(dir: string, wasm: string): string {
  return blobFile(dir, digestOf(wasm.padEnd(1_000)));
}

function age(path: string, days: number): void {
  const at = (Date.now() - days * DAY_MS) / 1000;
  utimesSync(path, at, at);
}

async function isHit(dir: string, name: string): Promise<boolean> {
  return (await openLocalStore(dir).get(actionKeyOf(name), ['wasm'])).kind === 'hit';
}

type Done = Extract<Collected, { kind: 'collected' }>;

/** Collects by age alone, unless told otherwise; `between` runs after the census and before the first deletion. */
async function collectIn(dir: string, more: Partial<CollectOptions> = {}, between?: () => void): Promise<Done> {
  const plan = (census: Census) => {
    between?.();
    return planEviction(census, POLICY, census.atMs);
  };
  const end = await collect({ dir, plan, dryRun: false, freshMs: IN_USE_MS, ...more });
  if (end.kind !== 'collected') throw new Error(end.kind);
  return end;
}

const pathsIn = (dir: string) => readdirSync(dir, { recursive: true, encoding: 'utf8' });
const filesIn = (dir: string) => pathsIn(dir).filter((path) => statSync(join(dir, path)).isFile());

test('an evicted entry is gone with its blobs and the empty folders; the others are hits', async () => {
  const dir = tempDir();
  await put(dir, 'kept', 1);
  const before = pathsIn(dir);
  await put(dir, 'old', 40);
  const end = await collectIn(dir);
  expect(end.removed.results.map(({ result }) => result.key)).toEqual([actionKeyOf('old')]);
  expect(await isHit(dir, 'kept')).toBe(true);
  expect(await isHit(dir, 'old')).toBe(false);
  // Folders by the first two digits may stay; there are 256 of them.
  expect(pathsIn(dir).filter((path) => !before.includes(path) && !/^lease$|\/[0-9a-f]{2}$/.test(path))).toEqual([]);
  const bytes = filesIn(dir).filter((path) => /^(?:ac|cas)\//.test(path));
  expect(end.keptBytes).toBe(bytes.reduce((sum, path) => sum + statSync(join(dir, path)).size, 0));
});

test('a blob that a kept entry shares stays', async () => {
  const dir = tempDir();
  await put(dir, 'old', 40, 'shared');
  await put(dir, 'kept', 1, 'shared');
  age(blobOf(dir, 'shared'), 40);
  await collectIn(dir);
  expect(await isHit(dir, 'kept')).toBe(true);
});

test('a dry run changes nothing and says what the real run then does', async () => {
  const dir = tempDir();
  for (const [index, name] of ['a', 'b', 'c'].entries()) await put(dir, name, 40 - index);
  await put(dir, 'kept', 1);
  writeFileSync(blobOf(dir, 'a').replace(/..$/, '00'), 'nobody names it');
  age(blobOf(dir, 'a').replace(/..$/, '00'), 1);
  const before = snapshotOf(dir);
  const dry = await collectIn(dir, { dryRun: true });
  expect(snapshotOf(dir)).toEqual(before);
  expect(dry.removed.results).toHaveLength(3);
  expect(dry.removed.loose).toHaveLength(1);
  const real = await collectIn(dir);
  expect(real.removed).toEqual(dry.removed);
  expect([real.freedBytes, real.keptBytes]).toEqual([dry.freedBytes, dry.keptBytes]);
  expect((await collectIn(dir)).freedBytes).toBe(0);
});

describe('what happens between the census and the deletion is seen', () => {
  test('an entry that is used stays whole', async () => {
    const dir = tempDir();
    await put(dir, 'old', 40);
    const end = await collectIn(dir, {}, () => age(resultFile(dir, 'old'), 0));
    expect(end.removed.results).toEqual([]);
    expect(end.sparedCount).toBe(2);
    expect(await isHit(dir, 'old')).toBe(true);
  });

  test('so does one on which somebody begins to work', async () => {
    const dir = tempDir();
    await put(dir, 'old', 40);
    const lock = join(dir, 'lease', `${actionKeyOf('old')}.lock`);
    await collectIn(dir, {}, () => mkdirSync(lock, { recursive: true }));
    expect(await isHit(dir, 'old')).toBe(true);
  });

  test('a blob that a writer finds in place stays, though its result is still on its way', async () => {
    const dir = tempDir();
    await put(dir, 'old', 40, 'shared');
    await collectIn(dir, {}, () => age(blobOf(dir, 'shared'), 0));
    expect(existsSync(resultFile(dir, 'old'))).toBe(false);
    expect(existsSync(blobOf(dir, 'shared'))).toBe(true);
  });

  test('a blob that a new result names stays, whatever its time says', async () => {
    const dir = tempDir();
    await put(dir, 'old', 40, 'shared');
    const result = resultFile(dir, 'new');
    await put(dir, 'new', 1, 'shared');
    const text = snapshotOf(dir)[result]?.replace(/^[\d.]+ /, '') ?? '';
    rmSync(result);
    age(blobOf(dir, 'shared'), 40);
    const end = await collectIn(dir, {}, () => {
      mkdirSync(join(result, '..'), { recursive: true });
      writeFileSync(result, text);
    });
    expect(end.removed.results).toHaveLength(1);
    expect(await isHit(dir, 'new')).toBe(true);
  });
});

test('a build that finds a blob gone stores it again', async () => {
  const dir = tempDir();
  await put(dir, 'a', 1);
  rmSync(blobOf(dir, 'a'));
  const found = await openLocalStore(dir).get(actionKeyOf('a'), ['wasm']);
  expect(found).toMatchObject({ kind: 'miss', cause: 'incomplete' });
  await put(dir, 'a', 0);
  expect(await isHit(dir, 'a')).toBe(true);
});

test('one collector at a time, and nobody waits', async () => {
  const dir = tempDir();
  await put(dir, 'old', 40);
  let inside: Collected | undefined;
  await collectIn(dir, {
    plan: async (census) => {
      inside = await collect({ dir, plan: () => planEviction(census, POLICY, census.atMs), dryRun: false, freshMs: 0 });
      return planEviction(census, POLICY, census.atMs);
    },
  });
  expect(inside).toMatchObject({ kind: 'busy', holder: { pid: process.pid } });
  expect((await collectIn(dir)).kind).toBe('collected');
});

test('a file that is no result, and one that is damaged, hold nothing up', async () => {
  const dir = tempDir();
  await put(dir, 'old', 40);
  await put(dir, 'damaged', 40);
  writeFileSync(resultFile(dir, 'damaged'), 'not a result');
  age(resultFile(dir, 'damaged'), 40);
  writeFileSync(join(dir, 'ac', 'README'), 'whose?');
  mkdirSync(resultFile(dir, 'folder'), { recursive: true });
  const end = await collectIn(dir);
  expect(end.removed.results).toHaveLength(2);
  expect(end.removed.loose).toHaveLength(1); // what the damaged one named
  expect(existsSync(join(dir, 'ac', 'README'))).toBe(true);
});

test('a pipe and a link to nowhere in the place of blobs are removed, and not waited for', async () => {
  const dir = tempDir();
  await put(dir, 'kept', 1);
  const [pipe, link] = [blobFile(dir, digestOf('pipe')), blobFile(dir, digestOf('link'))];
  for (const path of [pipe, link]) mkdirSync(join(path, '..'), { recursive: true });
  execFileSync('mkfifo', [pipe]);
  symlinkSync('nowhere', link);
  for (const path of [pipe, link]) lutimesSync(path, 0, 0);
  expect((await collectIn(dir)).removed.loose).toHaveLength(2);
  expect([pipe, link].filter((path) => lstatSync(path, { throwIfNoEntry: false }))).toEqual([]);
  expect(await isHit(dir, 'kept')).toBe(true);
});

test('leftovers: what was set aside, old notes and stamps, what killed processes left', async () => {
  const dir = tempDir();
  await put(dir, 'kept', 1);
  const name = digestOf('x');
  const dead = '999999999-00000000-1-abcdefabcdef';
  const old = [`damaged/1-${name}`, `notes/${name}`, `stamps/${name}`, `tmp/${dead}`, `sandbox/${dead}/src/A.mo`];
  const young = [`damaged/2-${name}`, `notes/${digestOf('y')}`, `stamps/${digestOf('y')}`];
  for (const path of [...old, ...young]) {
    mkdirSync(join(dir, path, '..'), { recursive: true });
    writeFileSync(join(dir, path), 'x');
  }
  for (const path of [...old, `sandbox/${dead}`]) age(join(dir, path), 40);
  await collectIn(dir);
  expect(old.filter((path) => existsSync(join(dir, path)))).toEqual([]);
  expect(young.filter((path) => existsSync(join(dir, path)))).toEqual(young);
});

test.each([
  ['there is nothing', (dir: string) => dir],
  ['the folder is empty', (dir: string) => mkdirSync(dir)],
])('where %s, nothing is made', async (_, prepare) => {
  const dir = join(tempDir(), 'store');
  prepare(dir);
  const plan = (census: Census) => planEviction(census, POLICY, 0);
  expect(await collect({ dir, plan, dryRun: false, freshMs: 0 })).toEqual({ kind: 'empty' });
  expect(existsSync(dir) ? readdirSync(dir) : []).toEqual([]);
});

test.each([
  ['that is not ours', 'somebody else', /holds something else/],
  ['of a newer version', seal('moccache store 2'), /newer version/],
])('a store %s is refused, and nothing in it touched', async (_, version, message) => {
  const dir = tempDir();
  await put(dir, 'old', 40);
  writeFileSync(join(dir, 'version'), version);
  const before = snapshotOf(dir);
  await expect(collectIn(dir)).rejects.toThrow(message);
  expect(snapshotOf(dir)).toEqual(before);
});

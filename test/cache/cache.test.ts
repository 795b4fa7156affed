import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openCache, type CacheEvent, type CacheOptions } from '../../src/cache/cache.ts';
import { actionKeyOf, digestOf } from '../../src/cache/digest.ts';
import { blobFile, bytesOf, digestsOf, heldBy } from '../rigs/cache-entries.ts';
import { tempDir } from '../rigs/cache-temp.ts';

const DOCUMENT = 'a document\n';
const KEY = actionKeyOf(DOCUMENT);
const ARTIFACTS = { wasm: bytesOf(3_000), did: bytesOf(40, 2) };
const FRESH = { document: DOCUMENT, artifacts: ARTIFACTS, costMs: 12.7 };
const NAMES = ['wasm', 'did'];

test('what was recorded is found, with what it is and what it took', async () => {
  const { cache, events } = scene();
  const entry = await cache.record(FRESH);
  const found = await cache.lookUp(KEY, NAMES);
  expect(heldBy(found)).toEqual(digestsOf(ARTIFACTS));
  expect(found).toMatchObject({ kind: 'hit', tier: 'local', entry: { result: entry.result } });
  expect(entry.result).toMatchObject({ key: KEY, costMs: 13 });
  expect(await cache.readDocument(KEY)).toBe(DOCUMENT);
  expect(events).toEqual([]);
});

test('a cache that is off answers nothing, stores nothing and touches nothing', async () => {
  const { dir, cache, events } = scene('off');
  const entry = await cache.record(FRESH);
  expect(entry.bytes).toBe(ARTIFACTS);
  expect(await cache.lookUp(KEY, NAMES)).toEqual({ kind: 'miss', cause: 'disabled' });
  expect(await cache.withLease(KEY, 'a', nothing, () => Promise.resolve(7))).toEqual({ value: 7, waited: false });
  cache.writeNote(digestOf('name'), 'text');
  expect([cache.readNote(digestOf('name')), cache.sandboxDir, cache.stampsDir]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect([existsSync(dir), events]).toEqual([false, []]);
});

test('a cache that is only read gives hits and stores nothing', async () => {
  const { dir, cache: writing } = scene();
  await writing.record(FRESH);
  const { cache, events } = scene('read-only', dir);
  expect(heldBy(await cache.lookUp(KEY, NAMES))).toEqual(digestsOf(ARTIFACTS));
  await cache.record({ ...FRESH, document: 'another\n' });
  expect(await cache.lookUp(actionKeyOf('another\n'), NAMES)).toEqual({ kind: 'miss', cause: 'absent' });
  expect(events).toEqual([]);
});

test('a cache that is only read makes no folder', async () => {
  const { dir, cache } = scene('read-only');
  expect(await cache.lookUp(KEY, NAMES)).toEqual({ kind: 'miss', cause: 'absent' });
  expect(existsSync(dir)).toBe(false);
});

test('damage is told, is a miss, and the next record heals it', async () => {
  const { dir, cache, events } = scene();
  await cache.record(FRESH);
  writeFileSync(blobFile(dir, digestOf(ARTIFACTS.wasm)), 'nonsense');
  expect(await cache.lookUp(KEY, NAMES)).toMatchObject({ kind: 'miss', cause: 'damaged' });
  expect(events).toEqual([{ kind: 'damaged', tier: 'local', key: KEY, what: 'wasm' }]);
  await cache.record(FRESH);
  expect(heldBy(await cache.lookUp(KEY, NAMES))).toEqual(digestsOf(ARTIFACTS));
});

test('a folder that is not ours is told once, and everything goes on without it', async () => {
  const dir = tempDir();
  writeFileSync(join(dir, 'thesis.tex'), '');
  const { cache, events } = scene('read-write', dir);
  expect(await cache.lookUp(KEY, NAMES)).toEqual({ kind: 'miss', cause: 'disabled' });
  await cache.record(FRESH);
  await cache.record(FRESH);
  expect(await cache.withLease(KEY, 'a', nothing, () => Promise.resolve(7))).toEqual({ value: 7, waited: false });
  cache.writeNote(digestOf('name'), 'text');
  expect(events).toMatchObject([{ kind: 'tier-down', tier: 'local', doing: 'open' }]);
  expect([readdirSync(dir), cache.sandboxDir, cache.stampsDir]).toEqual([['thesis.tex'], undefined, undefined]);
});

test('a folder that cannot be made is told once, and everything goes on without it', async () => {
  const file = join(tempDir(), 'file');
  writeFileSync(file, '');
  const { cache, events } = scene('read-write', join(file, 'builds'));
  await cache.lookUp(KEY, NAMES);
  await cache.record(FRESH);
  expect(await cache.withLease(KEY, 'a', nothing, () => Promise.resolve(7))).toEqual({ value: 7, waited: false });
  expect(events).toMatchObject([{ kind: 'tier-down', code: 'ENOTDIR' }]);
});

test('the folder may be deleted at any time', async () => {
  const { dir, cache, events } = scene();
  await cache.record(FRESH);
  rmSync(dir, { recursive: true });
  expect(await cache.lookUp(KEY, NAMES)).toEqual({ kind: 'miss', cause: 'absent' });
  const work = async () => {
    rmSync(dir, { recursive: true });
    await cache.record(FRESH);
    return 7;
  };
  expect(await cache.withLease(KEY, 'a', nothing, work)).toEqual({ value: 7, waited: false });
  expect(heldBy(await cache.lookUp(KEY, NAMES))).toEqual(digestsOf(ARTIFACTS));
  expect(heldBy(await scene('read-write', dir).cache.lookUp(KEY, NAMES))).toEqual(digestsOf(ARTIFACTS));
  expect(events).toEqual([]);
});

test('notes are kept, replaced, and never half read', () => {
  const { dir, cache } = scene();
  const name = digestOf('name');
  expect(cache.readNote(name)).toBeUndefined();
  cache.writeNote(name, 'one');
  cache.writeNote(name, 'two\nlines\n');
  expect(scene('read-write', dir).cache.readNote(name)).toBe('two\nlines\n');
  const file = join(dir, 'notes', name);
  writeFileSync(file, readFileSync(file).subarray(0, -3));
  expect(cache.readNote(name)).toBeUndefined();
});

test('the folder is for this user alone', () => {
  const { dir } = scene();
  expect(statSync(dir).mode & 0o777).toBe(0o700);
});

test('a mistake of ours is thrown, not told', async () => {
  const { cache } = scene();
  const oddName = { ...FRESH, artifacts: { 'a b': bytesOf(3) } };
  await expect(cache.record(oddName)).rejects.toThrow('not a name for an artifact');
});

function scene(mode: CacheOptions['mode'] = 'read-write', dir = join(tempDir(), 'builds')) {
  const events: CacheEvent[] = [];
  const cache = openCache({ dir, mode, leaseWaitMs: 5_000, onEvent: (event) => events.push(event) });
  return { dir, cache, events };
}

const nothing = (): Promise<undefined> => Promise.resolve(undefined);

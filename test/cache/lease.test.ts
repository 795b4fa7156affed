import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { actionKeyOf } from '../../src/cache/digest.ts';
import type { CacheEvent } from '../../src/cache/events.ts';
import { withLease, type LeaseOptions } from '../../src/cache/lease.ts';
import { tempDir } from '../rigs/cache-temp.ts';

const KEY = actionKeyOf('a document\n');

test('the work is done, and the lease is gone with it', async () => {
  const { options } = scene();
  const inside = () => Promise.resolve(readdirSync(options.dir).sort());
  const { value, waited } = await withLease(options, nothing, inside);
  expect([value, waited]).toEqual([[`${KEY}.lock`, `${KEY}.owner`], false]);
  expect(readdirSync(options.dir)).toEqual([]);
});

test('what somebody else finished between the look and the lease is taken', async () => {
  const { options } = scene();
  const end = await withLease(options, () => Promise.resolve('theirs'), unwanted);
  expect(end).toEqual({ value: 'theirs', waited: false });
});

test('within one process too, one of many works and the others have its answer', async () => {
  const { options } = scene();
  let answer: number | undefined;
  let runs = 0;
  const work = async () => {
    runs += 1;
    await new Promise((resolve) => setImmediate(resolve));
    return (answer = runs);
  };
  const ends = await Promise.all(
    Array.from({ length: 10 }, () => withLease(options, () => Promise.resolve(answer), work)),
  );
  expect(ends.map((end) => end.value)).toEqual(Array(10).fill(1));
  expect(ends.filter((end) => end.waited)).toHaveLength(9);
});

test('two keys do not wait for each other', async () => {
  const { options } = scene();
  const other = { ...options, key: actionKeyOf('another') };
  const { value } = await withLease(options, nothing, () => withLease(other, nothing, () => Promise.resolve(7)));
  expect(value).toEqual({ value: 7, waited: false });
});

test('what the work throws is thrown, and the lease is free', async () => {
  const { options } = scene();
  await expect(withLease(options, nothing, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(readdirSync(options.dir)).toEqual([]);
});

test('an abort ends the wait of one, not the work of the other', async () => {
  const { options } = scene();
  const abort = new AbortController();
  const { value } = await withLease(options, nothing, async () => {
    const waiting = withLease({ ...options, signal: abort.signal }, nothing, unwanted);
    setImmediate(() => abort.abort(new Error('enough')));
    await expect(waiting).rejects.toThrow('enough');
    return 7;
  });
  expect(value).toBe(7);
});

test('an abort before anything ends it at once', async () => {
  const { options } = scene();
  await expect(
    withLease({ ...options, signal: AbortSignal.abort(new Error('enough')) }, nothing, unwanted),
  ).rejects.toThrow('enough');
});

test('a wait that gets too long is told, and the work done beside the holder', async () => {
  const { options, events } = scene();
  const { value } = await withLease(options, nothing, () =>
    withLease({ ...options, waitMs: 30 }, nothing, () => Promise.resolve(7)),
  );
  expect(value).toEqual({ value: 7, waited: true });
  expect(events).toMatchObject([{ kind: 'lease-given-up', key: KEY, label: 'test' }]);
});

test.each<[string, string, (dir: string) => void]>([
  ['a file in the place of the folder', 'EEXIST', (dir) => writeFileSync(dir, '')],
  ['a folder in the place of the record', 'EISDIR', (dir) => mkdirSync(join(dir, `${KEY}.owner`), { recursive: true })],
])('with %s the work is done without a lease', async (_, code, spoil) => {
  const { options, events } = scene();
  spoil(options.dir);
  expect(await withLease(options, nothing, () => Promise.resolve(7))).toEqual({ value: 7, waited: false });
  expect(events).toMatchObject([{ kind: 'lease-down', code }]);
});

test("a file in the place of the lock is nobody's lock: the work is done without a lease", async () => {
  const { options, events } = scene();
  mkdirSync(options.dir);
  writeFileSync(join(options.dir, `${KEY}.lock`), '');
  const end = await withLease({ ...options, waitMs: 50 }, nothing, () => Promise.resolve(7));
  expect(end.value).toBe(7);
  expect(events.map((event) => event.kind)).toEqual(['lease-given-up']);
});

test('what was taken from us meanwhile is not released by us', async () => {
  const { options } = scene();
  const lock = join(options.dir, `${KEY}.lock`);
  await withLease(options, nothing, () => {
    rmdirSync(lock);
    rmSync(join(options.dir, `${KEY}.owner`));
    mkdirSync(lock); // somebody else's now
    return Promise.resolve();
  });
  expect(existsSync(lock)).toBe(true);
});

test('a folder deleted meanwhile is no trouble', async () => {
  const { options, events } = scene();
  const { value } = await withLease(options, nothing, () => {
    rmSync(options.dir, { recursive: true });
    return Promise.resolve(7);
  });
  expect([value, events]).toEqual([7, []]);
});

function scene() {
  const events: CacheEvent[] = [];
  const dir = join(tempDir(), 'lease');
  const options: LeaseOptions = {
    dir,
    key: KEY,
    label: 'test',
    waitMs: 20_000,
    onEvent: (event) => events.push(event),
  };
  return { options, events };
}

const nothing = (): Promise<undefined> => Promise.resolve(undefined);
const unwanted = (): Promise<never> => Promise.reject(new Error('the work was done after all'));

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openCache, type CacheEvent } from '../../src/cache/cache.ts';
import { actionKeyOf } from '../../src/cache/digest.ts';
import { bytesOf, digestsOf, heldBy, snapshotOf } from '../rigs/cache-entries.ts';
import { startWorker, startWorkers } from '../rigs/cache-processes.ts';
import { tempDir } from '../rigs/cache-temp.ts';
import type { Task } from '../rigs/cache-worker.ts';

const DOCUMENT = 'a document\n';
const FRESH = { document: DOCUMENT, artifacts: { wasm: bytesOf(200_000) }, costMs: 1 };

// The superuser may write anywhere, so permissions are tried as somebody else.
const isRoot = process.getuid?.() === 0;
const NOBODY = isRoot ? { uid: 65_534, gid: 65_534 } : {};

test('a store that may only be read gives hits, and says nothing', async () => {
  const { home, dir, task } = readable(tempDir());
  await scene(dir).cache.record(FRESH);
  lockDown(dir);
  const before = snapshotOf(dir);
  const worker = await startWorker(home, task(DOCUMENT), NOBODY);
  worker.say('go');
  expect((await worker.next('end')).outcome).toBe('hit');
  await expect(worker.next('event')).rejects.toThrow('ended without');
  expect(snapshotOf(dir)).toEqual(before);
});

test('a store that may not be written is told once, for the lease and all that follows, and the work is done', async () => {
  const { home, dir, task } = readable(tempDir());
  await scene(dir).cache.record(FRESH);
  lockDown(dir);
  const before = snapshotOf(dir);
  const worker = await startWorker(home, task('another document\n'), NOBODY);
  worker.say('go');
  expect((await worker.next('end')).outcome).toBe('built');
  const { event } = await worker.next('event');
  expect(event).toMatchObject({ kind: 'tier-down', doing: 'lease', code: 'EACCES' });
  await expect(worker.next('event')).rejects.toThrow('ended without');
  expect(snapshotOf(dir)).toEqual(before);
});

test('a store that may not even be looked into is told once, and the work is done', async () => {
  const { home, dir, task } = readable(tempDir());
  await scene(dir).cache.record(FRESH);
  chmodSync(dir, 0o000);
  onTestFinished(() => chmodSync(dir, 0o700));
  const worker = await startWorker(home, task(DOCUMENT), NOBODY);
  worker.say('go');
  expect((await worker.next('end')).outcome).toBe('built');
  expect((await worker.next('event')).event).toMatchObject({ kind: 'tier-down', code: 'EACCES' });
  await expect(worker.next('event')).rejects.toThrow('ended without');
});

test('with no file handle left nothing is thrown, and the work is done', async () => {
  const { home, dir } = readable(tempDir());
  const worker = await startWorker(home, { kind: 'no-handles', dir, document: DOCUMENT });
  worker.say('go');
  expect((await worker.next('end')).outcome).toBe('miss, worked');
  expect((await worker.next('event')).event).toMatchObject({ kind: 'tier-down', code: 'EMFILE' });
  expect(await worker.ended).toBe(0);
});

const mountable = canMount();
if (!mountable) console.log('skipped: a small file system cannot be mounted here, so a full disk cannot be tried');

test.skipIf(!mountable)(
  'a full disk is told once, leaves nothing torn, and is no trouble when it has room again',
  async () => {
    const { dir } = smallDisk('128k');
    const { cache, events } = scene(dir);
    const entry = await cache.record(FRESH);
    expect(entry.bytes).toBe(FRESH.artifacts);
    await cache.record({ ...FRESH, document: 'another\n' });
    expect(events).toMatchObject([{ kind: 'tier-down', doing: 'write', code: 'ENOSPC' }]);
    expect(await cache.lookUp(entry.result.key, ['wasm'])).toEqual({ kind: 'miss', cause: 'absent' });
    expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
    const small = { document: 'small\n', artifacts: { wasm: bytesOf(5_000) }, costMs: 1 };
    const later = scene(dir);
    await later.cache.record(small);
    expect(heldBy(await later.cache.lookUp(actionKeyOf('small\n'), ['wasm']))).toEqual(digestsOf(small.artifacts));
    expect(later.events).toEqual([]);
  },
);

test.skipIf(!mountable)(
  'on a disk that is full to the last byte a lease is told to be down, and the work is done',
  async () => {
    const { dir } = smallDisk('64k');
    const { cache, events } = scene(dir);
    expect(spawnSync('sh', ['-c', `cat /dev/zero > ${dir}/tmp/filler`]).status).not.toBe(0);
    const end = await cache.withLease(actionKeyOf(DOCUMENT), 'a', nothing, async () => {
      await cache.record(FRESH);
      return 7;
    });
    expect(end.value).toBe(7);
    expect(events).toMatchObject([{ kind: 'tier-down', doing: 'lease', code: 'ENOSPC' }]);
    expect(readdirSync(join(dir, 'lease'))).toEqual([]);
  },
);

test.skipIf(!mountable)('a disk that takes no more files says so, whichever file was the one too many', async () => {
  const artifacts = { ...FRESH.artifacts, did: bytesOf(300, 2), most: bytesOf(400, 3) };
  const told: string[] = [];
  for (let files = 3; files < 28; files += 1) {
    const { dir } = smallDisk(`1m,nr_inodes=${files}`);
    const { cache, events } = scene(dir);
    const entry = await cache.record({ ...FRESH, artifacts });
    const found = heldBy(await cache.lookUp(entry.result.key, Object.keys(artifacts)));
    if (events.length === 0) expect(found, `${files} files`).toEqual(digestsOf(artifacts));
    else expect(['absent', 'disabled'], `${files} files`).toContain(found);
    told.push(...events.map((event) => `${event.kind} ${'code' in event ? event.code : ''}`));
  }
  expect(told.length).toBeGreaterThan(10);
  expect(new Set(told)).toEqual(new Set(['tier-down ENOSPC']));
});

test.skipIf(!mountable)('a file system that cannot be written gives hits', async () => {
  const { mount, dir } = smallDisk('1m');
  await scene(dir).cache.record(FRESH);
  expect(spawnSync('mount', ['-o', 'remount,ro', mount]).status).toBe(0);
  const { cache, events } = scene(dir);
  expect(heldBy(await cache.lookUp(actionKeyOf(DOCUMENT), ['wasm']))).toEqual(digestsOf(FRESH.artifacts));
  await cache.record({ ...FRESH, document: 'another\n' });
  expect(events).toMatchObject([{ kind: 'tier-down', code: 'EROFS' }]);
});

test('with the folder deleted again and again all get their bytes, and the store works after', async () => {
  const { home, dir, task } = readable(tempDir());
  const documents = Array.from({ length: 6 }, (_, index) => `document ${index % 3}\n`);
  const workers = await startWorkers(home, documents.map(task));
  const over = new AbortController();
  const deleting = (async () => {
    while (!over.signal.aborted) {
      deleteQuietly(dir);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const ends = await Promise.all(workers.map((worker) => worker.next('end')));
  over.abort();
  await deleting;
  expect(ends.map((end) => end.outcome === 'built' || end.outcome === 'hit')).toEqual(documents.map(() => true));
  expect(await Promise.all(workers.map((worker) => worker.ended))).toEqual(documents.map(() => 0));
  const { cache, events } = scene(dir);
  await cache.record(FRESH);
  expect(heldBy(await cache.lookUp(actionKeyOf(DOCUMENT), ['wasm']))).toEqual(digestsOf(FRESH.artifacts));
  expect(events).toEqual([]);
});

function scene(dir: string) {
  const events: CacheEvent[] = [];
  const cache = openCache({ dir, mode: 'read-write', leaseWaitMs: 5_000, onEvent: (event) => events.push(event) });
  return { cache, events };
}

/** A home that another user's process can work in. */
function readable(home: string) {
  const dir = join(home, 'builds');
  const countFile = join(home, 'work/count');
  mkdirSync(join(home, 'work'));
  mkdirSync(join(home, 'tmp'));
  for (const path of [home, join(home, 'work'), join(home, 'tmp')]) chmodSync(path, 0o777);
  const task = (document: string): Task => ({
    kind: 'build',
    dir,
    document,
    countFile,
    leaseWaitMs: 5_000,
    work: 'quick',
  });
  return { home, dir, task };
}

/** Everybody may read, nobody may write. */
function lockDown(dir: string): void {
  spawnSync('chmod', ['-R', 'a+rX,a-w', dir]);
  onTestFinished(() => void spawnSync('chmod', ['-R', 'u+w', dir]));
}

function smallDisk(size: string) {
  const mount = tempDir();
  if (!mountTmpfs(mount, size)) throw new Error('the mount failed');
  onTestFinished(() => void spawnSync('umount', ['-l', mount]));
  return { mount, dir: join(mount, 'builds') };
}

function mountTmpfs(dir: string, size: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', dir]).status === 0;
}

function canMount(): boolean {
  if (!isRoot) return false;
  const dir = mkdtempSync(join(tmpdir(), 'cache-mount-'));
  const mounted = mountTmpfs(dir, '64k');
  if (mounted) spawnSync('umount', ['-l', dir]);
  rmdirSync(dir);
  return mounted;
}

function deleteQuietly(dir: string): void {
  try {
    if (existsSync(dir)) rmSync(dir, { recursive: true, force: true });
  } catch {
    // something was made in it meanwhile
  }
}

const nothing = (): Promise<undefined> => Promise.resolve(undefined);

import { lock } from 'proper-lockfile';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { withFileLock } from '../../src/cache/file-lock.ts';
import { parseOwnerRecord, writeOwnerRecord } from '../../src/cache/owner.ts';
import { startWorker, startWorkers } from '../rigs/cache-processes.ts';
import { tempDir } from '../rigs/cache-temp.ts';

const QUICK = { label: 'test', maxWaitMs: 200 };

test('the file is made, says who holds the lock, and is empty again after', async () => {
  const path = scene();
  const end = await withFileLock(path, QUICK, () => {
    expect(parseOwnerRecord(readFileSync(path, 'utf8'))?.owner).toMatchObject({ pid: process.pid, label: 'test' });
    return 7;
  });
  expect(end).toEqual({ kind: 'done', value: 7 });
  expect(readFileSync(path, 'utf8')).toBe('');
  expect(readdirSync(dirname(path))).toEqual(['.a.buildlock']);
});

test('after us, a program that locks the file with proper-lockfile gets in', async () => {
  const path = scene();
  await withFileLock(path, QUICK, () => 1);
  await (
    await lock(path, UPSTREAM)
  )();
});

test('while another process of ours holds it, proper-lockfile finds it locked', async () => {
  const path = scene();
  await holding(path);
  await expect(lock(path, UPSTREAM)).rejects.toMatchObject({ code: 'ELOCKED' });
});

test('while another program holds it we wait, say so, and get in when it lets go', async () => {
  const path = scene();
  writeFileSync(path, '');
  const release = await lock(path, UPSTREAM);
  let letGo: Promise<void> | undefined;
  const onWait = (holder: unknown) => {
    expect(holder).toBeUndefined(); // another program does not say who it is
    letGo = release();
  };
  expect(await withFileLock(path, { label: 'test', maxWaitMs: 30_000, onWait }, () => 1)).toMatchObject({ value: 1 });
  expect(letGo).toBeDefined();
  await letGo;
});

test('when the wait gets too long the lock is left to its holder', async () => {
  const path = scene();
  writeFileSync(path, '');
  const release = await lock(path, UPSTREAM);
  const end = await withFileLock(path, QUICK, () => 1);
  expect(end).toMatchObject({ kind: 'busy', holder: undefined });
  await release(); // rejects if it were gone
});

test('of many processes only one is inside at any time', async () => {
  const path = scene();
  const workers = await startWorkers(dirname(path), Array(8).fill(task(path, 'quick')));
  const ends = await Promise.all(workers.map((worker) => worker.next('end')));
  expect(ends.map((end) => end.outcome)).toEqual(Array(8).fill('done'));
  const lines = readFileSync(`${path}.log`, 'utf8').trimEnd().split('\n');
  expect(lines.filter((_, index) => index % 2 === 1)).toEqual(
    lines.filter((_, index) => index % 2 === 0).map((line) => line.replace('begin', 'end')),
  );
  expect(lines).toHaveLength(16);
});

test('the lock of a killed process of ours is taken over at once', async () => {
  const path = scene();
  const killed = await holding(path);
  killed.kill('SIGKILL');
  await killed.ended;
  expect(existsSync(`${path}.lock`)).toBe(true);
  const beganMs = performance.now();
  expect(await withFileLock(path, { label: 'test', maxWaitMs: 60_000 }, () => 1)).toEqual({ kind: 'done', value: 1 });
  expect(performance.now() - beganMs).toBeLessThan(1_000);
  expect(readFileSync(path, 'utf8')).toBe('');
});

test('a record left by a killed process does not condemn the lock that another program holds now', async () => {
  const path = scene();
  const killed = await holding(path);
  killed.kill('SIGKILL');
  await killed.ended;
  const record = readFileSync(path, 'utf8');
  await withFileLock(path, { label: 'test', maxWaitMs: 1_000 }, () => 1);
  writeFileSync(path, record);
  const release = await lock(path, UPSTREAM);
  expect(await withFileLock(path, QUICK, () => 1)).toMatchObject({ kind: 'busy', holder: undefined });
  await release();
});

test.each([
  [299, 'busy'],
  [301, 'done'],
])('a lock of another program that was last touched %i seconds ago: %s', async (ageS, kind) => {
  const path = scene();
  const then = new Date(Date.now() - ageS * 1_000);
  mkdirSync(`${path}.lock`);
  utimesSync(`${path}.lock`, then, then);
  expect((await withFileLock(path, QUICK, () => 1)).kind).toBe(kind);
});

test('a lock of ours on another host is not taken over while it may live', async () => {
  const path = scene();
  await withFileLock(path, QUICK, () => writeFileSync(`${path}.record`, readFileSync(path)));
  const record = parseOwnerRecord(readFileSync(`${path}.record`, 'utf8'));
  if (record === undefined) throw new Error('no record');
  mkdirSync(`${path}.lock`);
  const owner = { ...record.owner, host: 'elsewhere', pid: 2 ** 22 + 1 };
  writeFileSync(path, writeOwnerRecord({ ...record, owner }));
  expect((await withFileLock(path, QUICK, () => 1)).kind).toBe('busy');
});

test('a file reached by two ways has one lock', async () => {
  const path = scene();
  const link = join(tempDir(), 'link');
  symlinkSync(dirname(path), link);
  const end = await withFileLock(join(link, '.a.buildlock'), QUICK, () => existsSync(`${path}.lock`));
  expect(end).toEqual({ kind: 'done', value: true });
});

test('what the work throws is thrown, and the lock is free', async () => {
  const path = scene();
  const failing = () => {
    throw new Error('no');
  };
  await expect(withFileLock(path, QUICK, failing)).rejects.toThrow('no');
  expect((await withFileLock(path, QUICK, () => 1)).kind).toBe('done');
});

test('an abort ends the wait', async () => {
  const path = scene();
  await holding(path);
  const abort = new AbortController();
  const end = withFileLock(path, { label: 'test', maxWaitMs: 60_000, signal: abort.signal }, () => 1);
  abort.abort(new Error('enough'));
  await expect(end).rejects.toThrow('enough');
});

test("a folder that is not there is the system's error", async () => {
  await expect(withFileLock(join(tempDir(), 'none/.a.buildlock'), QUICK, () => 1)).rejects.toMatchObject({
    code: 'ENOENT',
  });
});

/** As upstream's build takes it. */
const UPSTREAM = { stale: 300_000 };

function scene(): string {
  return join(tempDir(), '.a.buildlock');
}

function task(path: string, work: 'quick' | 'hold') {
  return { kind: 'file-lock', path, maxWaitMs: 60_000, work } as const;
}

/** A process that is inside, and stays there. */
async function holding(path: string) {
  const worker = await startWorker(dirname(path), task(path, 'hold'));
  const begun = new Promise<void>((resolve) => {
    const watcher = watch(dirname(path), (_, name) => {
      if (name !== '.a.buildlock.log') return;
      watcher.close();
      resolve();
    });
  });
  worker.say('go');
  await begun;
  return worker;
}

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { actionKeyOf } from '../../src/cache/digest.ts';
import { withLease, type LeaseOptions } from '../../src/cache/lease.ts';
import { seeLock } from '../../src/cache/lock.ts';
import { ownerHere, writeOwnerRecord, type Owner } from '../../src/cache/owner.ts';
import { startWorker, startWorkers } from '../rigs/cache-processes.ts';
import { tempDir } from '../rigs/cache-temp.ts';
import { report } from '../rigs/report.ts';
import type { Task } from '../rigs/cache-worker.ts';

// Holders that cannot be seen from here. All of these wait for heartbeats, so they wait together.

test.concurrent('a lease held on another host is taken over when its beat has stopped', async ({ onTestFinished }) => {
  const options = leaseIn(tempDir(onTestFinished));
  forge(options, { host: 'elsewhere' });
  const tookMs = await timeToWork(options);
  expect(tookMs).toBeGreaterThan(10_000);
  expect(tookMs).toBeLessThan(15_000);
});

test.concurrent('a lease held on another host is waited for while it beats', async ({ onTestFinished }) => {
  const options = leaseIn(tempDir(onTestFinished));
  forge(options, { host: 'elsewhere' });
  const beat = setInterval(() => utimesSync(lockOf(options), new Date(0), new Date()), 2_000);
  onTestFinished(() => clearInterval(beat));
  const end = await withLease({ ...options, waitMs: 15_000 }, nothing, () =>
    Promise.resolve(existsSync(lockOf(options))),
  );
  expect(end).toEqual({ value: true, waited: true }); // beside the holder, whose lease is still there
});

test.concurrent('a clock a year behind does not make a living holder dead', async ({ onTestFinished }) => {
  const options = leaseIn(tempDir(onTestFinished));
  forge(options, { host: 'elsewhere' });
  const yearMs = 365 * 24 * 3_600_000;
  const beat = setInterval(() => utimesSync(lockOf(options), new Date(0), new Date(Date.now() - yearMs)), 2_000);
  onTestFinished(() => clearInterval(beat));
  const end = await withLease({ ...options, waitMs: 15_000 }, nothing, () =>
    Promise.resolve(existsSync(lockOf(options))),
  );
  expect(end.value).toBe(true);
});

test.concurrent.for<[string, number, number, number]>([
  ['of ours, killed before it could say so,', 0o1777, 900, 4_000],
  ['on a file system that does not keep our mark', 0o777, 11_000, 15_000],
])('a lease %s that says of nobody whose it is is taken over after a silence', async (row, { onTestFinished }) => {
  const [, mode, leastMs, mostMs] = row;
  const options = leaseIn(tempDir(onTestFinished));
  mkdirSync(options.dir);
  mkdirSync(lockOf(options), { mode });
  const tookMs = await timeToWork(options);
  expect(tookMs).toBeGreaterThan(leastMs);
  expect(tookMs).toBeLessThan(mostMs);
});

test.concurrent.for<[string, Partial<Owner>]>([
  ['a process that is gone', { pid: 2 ** 22 + 1 }],
  ['an earlier process with our id', { started: '1' }],
])('a lease of %s on this host is taken over at once', async ([, change], { onTestFinished }) => {
  const options = leaseIn(tempDir(onTestFinished));
  forge(options, change);
  expect(await timeToWork(options)).toBeLessThan(2_000);
});

test.concurrent(
  'a lease from before this host was started is not judged by process ids',
  async ({ onTestFinished }) => {
    const options = leaseIn(tempDir(onTestFinished));
    forge(options, { boot: 'an earlier one', pid: process.pid });
    expect(await timeToWork(options)).toBeGreaterThan(10_000);
  },
);

const CONTAINER = [
  '--uts',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
  'sh',
  '-c',
  'hostname other; exec "$@"',
  'sh',
];
const noContainer = spawnSync('unshare', [...CONTAINER, 'true']).status !== 0;
if (noContainer) console.log('skipped: no container can be made here (unshare --uts --pid is not permitted)');

test.skipIf(noContainer)('a killed holder in another container is noticed within 15 seconds', async () => {
  const home = tempDir();
  const countFile = join(home, 'count');
  const dir = join(home, 'builds');
  const task: Task = { kind: 'build', dir, document: 'a document\n', countFile, leaseWaitMs: 60_000, work: 'hold' };
  const holder = await startWorker(home, task, { execPath: 'unshare', execArgv: [...CONTAINER, process.execPath] });
  holder.say('go');
  await holder.next('working');
  expect(readFileSync(join(dir, 'lease', `${actionKeyOf('a document\n')}.owner`), 'utf8')).toContain('"other"');
  const [waiter] = await startWorkers(home, [{ ...task, work: 'quick' }]);
  expect((await waiter?.next('event'))?.event).toMatchObject({ kind: 'lease-wait', holder: { host: 'other' } });
  const killedMs = performance.now();
  holder.kill('SIGKILL');
  await waiter?.next('working');
  const tookMs = performance.now() - killedMs;
  const what = 'from SIGKILL of a holder in another container to the start of the next';
  report('A lease among containers', [{ what, found: `${tookMs.toFixed(0)} ms`, asked: 'at most 15 s' }]);
  expect(tookMs).toBeLessThan(15_000);
});

function leaseIn(dir: string): LeaseOptions {
  return {
    dir: join(dir, 'lease'),
    key: actionKeyOf('a document\n'),
    label: 'test',
    waitMs: 60_000,
    onEvent: () => undefined,
  };
}

function lockOf({ dir, key }: LeaseOptions): string {
  return join(dir, `${key}.lock`);
}

/** A lease as a process that is like this one but for `change` would hold it. */
function forge(options: LeaseOptions, change: Partial<Owner>): void {
  const lockDir = lockOf(options);
  const recordPath = lockDir.replace(/lock$/, 'owner');
  mkdirSync(lockDir, { recursive: true });
  const lockIdentity = seeLock({ lockDir, recordPath, recordKind: 'own' })?.identity ?? '';
  const owner = { ...ownerHere('forged', ''), ...change };
  writeFileSync(recordPath, writeOwnerRecord({ owner, lockIdentity }));
}

async function timeToWork(options: LeaseOptions): Promise<number> {
  const beganMs = performance.now();
  return (await withLease(options, nothing, () => Promise.resolve(performance.now() - beganMs))).value;
}

const nothing = (): Promise<undefined> => Promise.resolve(undefined);

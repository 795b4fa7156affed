import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { actionKeyOf } from '../../src/cache/digest.ts';
import { startWorker, startWorkers, type Worker } from '../rigs/cache-processes.ts';
import { tempDir } from '../rigs/cache-temp.ts';
import { quantileOf, report } from '../rigs/report.ts';
import type { Task } from '../rigs/cache-worker.ts';

const DOCUMENT = 'a document\n';
const KEY = actionKeyOf(DOCUMENT);

test.each([2, 8, 32])('%i processes that want the same thing at once do the work once', async (count) => {
  const { home, task, runs } = scene();
  const workers = await startWorkers(home, Array<Task>(count).fill(task('quick')));
  const ends = await Promise.all(workers.map((worker) => worker.next('end')));
  expect(runs()).toHaveLength(1);
  expect(ends.filter((end) => end.outcome === 'built')).toHaveLength(1);
  expect(ends.filter((end) => end.outcome === 'hit')).toHaveLength(count - 1);
  expect(new Set(ends.map((end) => end.digest)).size).toBe(1);
  expect(await Promise.all(workers.map((worker) => worker.ended))).toEqual(Array(count).fill(0));
  expect(leaseLitter(home)).toEqual([]);
});

test('those who waited are woken when the work is done', async () => {
  const { home, task } = scene();
  const { holder, waiters } = await startWaiting(home, task('hold'), task('quick'), 4);
  holder.say('finish');
  const done = await holder.next('end');
  const ends = await Promise.all(waiters.map((waiter) => waiter.next('end')));
  expect(ends.map((end) => [end.outcome, end.waited])).toEqual(Array(4).fill(['hit', true]));
  tell(
    'from the release to a waiter with its bytes',
    ends.map((end) => end.atMs - done.atMs),
  );
  expect(Math.min(...ends.map((end) => end.atMs - done.atMs))).toBeLessThan(250);
});

test('when the holder is killed, one of those who waited starts within 250 ms', async () => {
  const { home, task, runs } = scene();
  const { holder, waiters } = await startWaiting(home, task('hold'), task('hold'), 8);
  const tookMs: number[] = [];
  // One promise for each, made once: a second one would wait for a message that the first has taken.
  const left = new Map(waiters.map((worker) => [worker, starting(worker)]));
  for (let killed = holder; left.size > 0;) {
    const killedMs = performance.timeOrigin + performance.now();
    killed.kill('SIGKILL');
    const next = await Promise.race(left.values());
    tookMs.push(next.atMs - killedMs);
    left.delete(next.worker);
    killed = next.worker;
    if (left.size > 1) continue;
    killed.say('finish');
    const [last] = left.keys();
    expect(await last?.next('end')).toMatchObject({ outcome: 'hit', waited: true });
    break;
  }
  tell('from SIGKILL of the holder to the start of the next', tookMs);
  expect(quantileOf(tookMs, 0.5)).toBeLessThan(250);
  expect(runs()).toHaveLength(8); // the first one and one after each of seven kills
  expect(leaseLitter(home)).toEqual([]);
});

test('a lease left by a killed process is found dead at once by the next', async () => {
  const { home, task, runs } = scene();
  const killed = await startWorker(home, task('hold'));
  killed.say('go');
  await killed.next('working');
  killed.kill('SIGKILL');
  await killed.ended;
  expect(leaseLitter(home)).toContain(`${KEY}.lock`);
  const startedMs = performance.now();
  const [next] = await startWorkers(home, [task('quick')]);
  expect((await next?.next('end'))?.outcome).toBe('built');
  expect(performance.now() - startedMs).toBeLessThan(3_000); // a heartbeat would have to be missed for twelve seconds
  expect(runs()).toHaveLength(2);
  expect(leaseLitter(home)).toEqual([]);
});

test('the leases and bells of killed processes go with the next sweep, of whatever key', async () => {
  const { home, task } = scene();
  const killed = await startWorker(home, task('hold'));
  killed.say('go');
  await killed.next('working');
  killed.kill('SIGKILL');
  await killed.ended;
  const [next] = await startWorkers(home, [{ ...task('quick'), document: 'another document\n' }]);
  await next?.next('end');
  expect(leaseLitter(home)).toEqual([]);
});

test('a holder that is stopped is waited for, and when it goes on nobody has lost anything', async () => {
  const { home, task, runs } = scene();
  const holder = await startWorker(home, task('hold'));
  holder.say('go');
  await holder.next('working');
  holder.kill('SIGSTOP');
  const [waiter] = await startWorkers(home, [{ ...task('hold'), leaseWaitMs: 700 }]);
  if (waiter === undefined) throw new Error('no waiter');
  expect((await waiter.next('event')).event).toMatchObject({ kind: 'lease-given-up', key: KEY, label: 'worker' });
  await waiter.next('working');
  expect(leaseLitter(home)).toContain(`${KEY}.lock`); // working alone, without taking the stopped one's lease
  holder.kill('SIGCONT');
  holder.say('finish');
  expect((await holder.next('end')).outcome).toBe('built');
  waiter.say('finish');
  expect((await waiter.next('end')).outcome).toBe('built');
  expect(runs()).toHaveLength(2);
  expect(leaseLitter(home)).toEqual([]);
});

test('the wait is told once, with the holder, and not before two seconds', async () => {
  const { home, task } = scene();
  const holder = await startWorker(home, task('hold'));
  holder.say('go');
  await holder.next('working');
  const beganMs = performance.now();
  const [waiter] = await startWorkers(home, [task('quick')]);
  if (waiter === undefined) throw new Error('no waiter');
  const { event } = await waiter.next('event');
  expect(performance.now() - beganMs).toBeGreaterThan(1_900);
  expect(event).toMatchObject({ kind: 'lease-wait', label: 'worker', holder: { pid: holder.pid, label: 'worker' } });
  holder.say('finish');
  expect(await waiter.next('end')).toMatchObject({ outcome: 'hit', waited: true });
});

test('a failure is handed to those who waited for that very run, whole, and to nobody else', async () => {
  const { home, task, runs } = scene();
  const { holder, waiters } = await startWaiting(home, task('fail'), task('quick'), 3);
  holder.say('finish');
  expect((await holder.next('end')).outcome).toBe(`failed: no ${'x'.repeat(17)}`);
  const ends = await Promise.all(waiters.map((waiter) => waiter.next('end')));
  expect(ends.map((end) => end.outcome)).toEqual(Array(3).fill(`failed: told: no ${'x'.repeat(11)}`.slice(0, 28)));
  expect(runs()).toHaveLength(1);
  const [later] = await startWorkers(home, [task('quick')]);
  expect((await later?.next('end'))?.outcome).toBe('built');
});

test('a process ended by SIGTERM takes its lease with it', async () => {
  const { home, task } = scene();
  const holder = await startWorker(home, task('hold'));
  holder.say('go');
  await holder.next('working');
  expect(leaseLitter(home)).toContain(`${KEY}.lock`);
  holder.kill('SIGTERM');
  expect(await holder.ended).toBe('SIGTERM');
  expect(leaseLitter(home)).toEqual([]);
});

test('two processes that take two leases in opposite order both get through', async () => {
  const { home } = scene();
  const dir = join(home, 'builds');
  const tasks: Task[] = [
    { kind: 'nested', dir, documents: ['one', 'two'] },
    { kind: 'nested', dir, documents: ['two', 'one'] },
  ];
  const workers = await startWorkers(home, tasks);
  await Promise.all(workers.map((worker) => worker.next('working'))); // each holds its outer lease now
  workers.forEach((worker) => worker.say('finish'));
  const ends = await Promise.all(workers.map((worker) => worker.next('end')));
  expect(ends.map((end) => end.outcome)).toEqual(['through', 'through']);
  expect(await Promise.all(workers.map((worker) => worker.ended))).toEqual([0, 0]);
  expect(leaseLitter(home)).toEqual([]);
});

interface Scene {
  readonly home: string;
  readonly task: (work: 'quick' | 'hold' | 'fail') => Extract<Task, { kind: 'build' }>;
  /** The process ids of all runs. */
  readonly runs: () => readonly string[];
}

function scene(): Scene {
  const home = tempDir();
  const countFile = join(home, 'count');
  const dir = join(home, 'builds');
  return {
    home,
    task: (work) => ({ kind: 'build', dir, document: DOCUMENT, countFile, leaseWaitMs: 60_000, work }),
    runs: () => readFileSync(countFile, 'utf8').trimEnd().split('\n'),
  };
}

async function starting(worker: Worker): Promise<{ readonly worker: Worker; readonly atMs: number }> {
  return { worker, atMs: (await worker.next('working')).atMs };
}

/** A holder at work, and others that listen to it. */
async function startWaiting(home: string, held: Task, wanted: Task, count: number) {
  const holder = await startWorker(home, held);
  holder.say('go');
  await holder.next('working');
  const waiters: readonly Worker[] = await startWorkers(home, Array<Task>(count).fill(wanted));
  // Each has told of its wait by then, so each of them does wait.
  await Promise.all(waiters.map((waiter) => waiter.next('event')));
  return { holder, waiters };
}

function leaseLitter(home: string): readonly string[] {
  return ['builds/lease', ...readdirSync(join(home, 'tmp')).map((name) => `tmp/${name}`)]
    .filter((dir) => existsSync(join(home, dir)))
    .flatMap((dir) => readdirSync(join(home, dir)));
}

function tell(what: string, tookMs: readonly number[]): void {
  const [median, longest] = [quantileOf(tookMs, 0.5), Math.max(...tookMs)].map((ms) => `${ms.toFixed(0)} ms`);
  report('A lease among processes', [{ what, found: `median ${median}, longest ${longest}, n = ${tookMs.length}` }]);
}

import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { JOBS, type AnswerOf, type DataOf, type JobName } from './jobs.ts';

/** What a helper is told at its start, and what it says after each unit. */
export interface HelperOrder {
  readonly job: JobName;
  readonly data: DataOf<JobName>;
  readonly unitCount: number;
  /** One cell: the next unit that nobody has taken. */
  readonly next: Int32Array;
}
export type HelperWord = readonly [unit: number, answer: AnswerOf<JobName>];

export interface SharedWork<K extends JobName> {
  readonly job: K;
  readonly data: DataOf<K>;
  readonly unitCount: number;
  /** Asked after the first unit: whether it is so much work that a second thread, some 40 ms of start, pays. */
  readonly isLong: (first: AnswerOf<K>) => boolean;
  /** Asked before each unit; no more are begun then. */
  readonly isOff?: () => boolean;
  /** The helper's program; default: the one beside this file in dist/. */
  readonly helperFile?: string;
}

/**
 * Does units of a job in this thread and in a helper's, whoever is free taking the next. An answer for each unit; undefined
 * for those that were called off. Other work of this thread gets its turn between two units. What a helper leaves undone,
 * for whatever reason, is done here. Throws what the job throws.
 */
export async function doTogether<K extends JobName>(
  work: SharedWork<K>,
): Promise<readonly (AnswerOf<K> | undefined)[]> {
  const { job, data, unitCount, isLong, isOff, helperFile } = work;
  const next = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const answers = Array.from({ length: unitCount }, (): AnswerOf<K> | undefined => undefined);
  const doUnit = (await JOBS[job](data as never)) as (unit: number) => AnswerOf<K>;
  let helper: Helper | undefined;
  try {
    for (let unit = take(next); unit < unitCount && isOff?.() !== true; unit = take(next)) {
      const answer = doUnit(unit);
      answers[unit] = answer;
      if (unit === 0 && isLong(answer)) {
        const file = helperFile ?? new URL('./store-helper.cjs', import.meta.url);
        helper = startHelper(
          file,
          { job, data, unitCount, next },
          (word) => (answers[word[0]] = word[1] as AnswerOf<K>),
        );
      }
      await setImmediate();
    }
    Atomics.store(next, 0, unitCount); // where it was called off
    await helper?.ended;
    for (let unit = 0; unit < unitCount && isOff?.() !== true; unit += 1) answers[unit] ??= doUnit(unit);
  } finally {
    await helper?.stop();
  }
  return answers;
}

/** A unit that nobody else has. */
export function take(next: Int32Array): number {
  return Atomics.add(next, 0, 1);
}

interface Helper {
  /** Resolves when there is nothing left for it to do, also where it failed. */
  readonly ended: Promise<void>;
  stop(): Promise<unknown>;
}

function startHelper(file: string | URL, order: HelperOrder, onWord: (word: HelperWord) => void): Helper | undefined {
  try {
    const worker = new Worker(file, { workerData: order, execArgv: [] });
    worker.on('message', onWord);
    const ended = new Promise<void>((resolve) => {
      worker.on('error', () => resolve()); // its units are done here
      worker.on('exit', () => resolve());
    });
    return { ended, stop: async () => worker.terminate() };
  } catch {
    return undefined; // no threads, no memory
  }
}

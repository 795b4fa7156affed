import { parentPort, workerData } from 'node:worker_threads';
import { JOBS } from './jobs.ts';
import { take, type HelperOrder, type HelperWord } from './shared-work.ts';

/** The thread that shared-work.ts starts: takes units as long as there are any. What it throws ends it. */
async function help({ job, data, unitCount, next }: HelperOrder): Promise<void> {
  const doUnit = await JOBS[job](data as never);
  for (let unit = take(next); unit < unitCount; unit = take(next)) {
    const word: HelperWord = [unit, doUnit(unit)];
    parentPort?.postMessage(word);
  }
}

void help(workerData as HelperOrder);

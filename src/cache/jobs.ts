import { openCounting } from './count-folder.ts';
import { openRemoving } from './remove-files.ts';

/**
 * Jobs in units that any thread can do, one after the other and in any order. What a job is given and what it answers are
 * copied between threads: texts and arrays of numbers are cheap, objects are not.
 */
export const JOBS = { count: openCounting, remove: openRemoving };

export type JobName = keyof typeof JOBS;
export type DataOf<K extends JobName> = Parameters<(typeof JOBS)[K]>[0];
export type AnswerOf<K extends JobName> = ReturnType<Awaited<ReturnType<(typeof JOBS)[K]>>>;

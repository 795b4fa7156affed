import { statSync, utimesSync } from 'node:fs';

/*
 * When an entry was last used is the time at which its result's file was last modified: nothing grows by a use, and the
 * content vouches for itself whatever the time is. A blob's time says when somebody last relied on its being there.
 */

/** A use is noted when the last one noted is this old, in milliseconds: the usual hit looks at the time, and no more. */
const NOTED_EVERY_MS = 10_000;

/**
 * Notes that a result was used. `nowMs` is in milliseconds since the epoch. Never throws: what cannot be noted (another
 * user's file, a file gone meanwhile) counts as unused.
 */
export function touch(path: string, nowMs: number): void {
  try {
    // Also where the time lies in the future, from a clock that was wrong.
    if (Math.abs(nowMs - statSync(path).mtimeMs) > NOTED_EVERY_MS) utimesSync(path, nowMs / 1000, nowMs / 1000);
  } catch {
    // then not
  }
}

/** The same, however short the last time is ago: whoever is about to delete the file has to see it. */
export function touchNow(path: string, nowMs: number): void {
  try {
    utimesSync(path, nowMs / 1000, nowMs / 1000);
  } catch {
    // deleted just now: the writer looks once more when its result is published
  }
}

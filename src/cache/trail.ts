import { sep } from 'node:path';
import { writeFileAtomic } from './atomic-file.ts';
import { readTextNoWait } from './no-wait.ts';
import { liesOnSharedDisk } from './shared-disk.ts';
import { shortHashOf } from './short-hash.ts';
import type { Sight } from './sights.ts';

/*
 * A trail is what was looked at on the way to an answer, and the answer. Who asks the same question again and still sees
 * the same has the answer, without reading, hashing or parsing any of it.
 *
 * One file for each question, named by its hash: two that share it would take turns, for each trail names its own. It is
 * written twice over, and counts where both halves agree: to compare them is done before a checksum would be loaded, and
 * what an accident does to one half it does not do to the other.
 *
 *     file = trail trail
 *     trail = JSON of [FORMAT, question, sights, answer], LF
 */
const FORMAT = 2;

/** A trail that was left before. The answer is whatever was given to writeTrail. */
export interface Trail {
  readonly sights: readonly Sight[];
  readonly answer: unknown;
}

/** The trail of a question, where there is one and it is whole. Never throws. */
export function readTrail(trailsDir: string, question: string): Trail | undefined {
  try {
    const text = readTextNoWait(placeOf(trailsDir, question));
    const half = text.slice(0, text.length / 2);
    if (half !== text.slice(half.length)) return undefined;
    const [format, asked, sights, answer] = JSON.parse(half) as [number, string, Sight[], unknown];
    return format === FORMAT && asked === question ? { sights, answer } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Leaves a trail, in the place of the one before; none where a disk is shared, for its times are not to be relied on. Never
 * throws: without it the next one has to find its way.
 */
export function writeTrail(trailsDir: string, tmpDir: string, question: string, trail: Trail): void {
  if (liesOnSharedDisk(trail.sights)) return;
  try {
    const text = `${JSON.stringify([FORMAT, question, trail.sights, trail.answer])}\n`;
    writeFileAtomic(placeOf(trailsDir, question), text + text, tmpDir);
  } catch {
    // the store tells of its own trouble
  }
}

/** Not by join(), for the reason that storePathsOf has. */
function placeOf(trailsDir: string, question: string): string {
  return `${trailsDir}${sep}${shortHashOf(question)}`;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from './atomic-file.ts';
import { isStillSeen, type Sight } from './sights.ts';

/*
 * A trail is what was looked at on the way to an answer, and the answer. Who asks the same question again and still sees
 * the same has the answer, without reading, hashing or parsing any of it.
 *
 * One file for each question. Nothing here hashes with node:crypto: to load it takes as long as all the rest.
 *
 *     trail = JSON of [FORMAT, question, sights, answer], LF, sum of that, LF
 */
const FORMAT = 1;

/** A trail that was left before. The answer is whatever was given to writeTrail. */
export interface Trail {
  readonly sights: readonly Sight[];
  readonly answer: unknown;
}

/** The trail of a question, where there is one and it is whole. Never throws. */
export function readTrail(trailsDir: string, question: string): Trail | undefined {
  try {
    const bytes = readFileSync(join(trailsDir, nameOf(question)));
    const end = bytes.length - TAIL_LENGTH;
    if (bytes.toString('latin1', end) !== tailOf(bytes.subarray(0, end))) return undefined;
    const [format, asked, sights, answer] = JSON.parse(bytes.toString('utf8', 0, end)) as [
      number,
      string,
      Sight[],
      unknown,
    ];
    return format === FORMAT && asked === question ? { sights, answer } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether all that matters is as it was. `own` sights are not asked about. */
export function isStillTrue(trail: Trail): boolean {
  return trail.sights.every((sight) => sight[0] === 'own' || isStillSeen(sight));
}

/** Leaves a trail, in the place of the one before. Never throws: without it the next one has to find its way. */
export function writeTrail(trailsDir: string, tmpDir: string, question: string, trail: Trail): void {
  try {
    const text = JSON.stringify([FORMAT, question, trail.sights, trail.answer]);
    const path = join(trailsDir, nameOf(question));
    writeFileAtomic(path, text + tailOf(Buffer.from(text)), tmpDir);
  } catch {
    // the store tells of its own trouble
  }
}

const TAIL_LENGTH = 18;

function tailOf(bytes: Uint8Array): string {
  return `\n${sumOf(bytes)}\n`;
}

function nameOf(question: string): string {
  return sumOf(Buffer.from(question));
}

/**
 * 64 bits as hex digits that notice accidents (a bit flipped, an end torn off) and nothing more: two sums over words of
 * four bytes, of which each step can be undone, so that no single change is lost.
 */
export function sumOf(bytes: Uint8Array): string {
  const whole = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Uint32Array(whole.buffer, whole.byteOffset, whole.length >> 2);
  let a = 0x9e3779b9 ^ bytes.length;
  let b = 0x85ebca6b;
  for (const word of words) {
    a = Math.imul(a ^ word, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul((b + word) ^ (b >>> 13), 0xc2b2ae35);
  }
  for (let at = words.length * 4; at < whole.length; at += 1) {
    a = Math.imul(a ^ (whole[at] ?? 0), 0x01000193);
    b = Math.imul((b + (whole[at] ?? 0)) ^ (b >>> 13), 0xc2b2ae35);
  }
  return [a, b].map((sum) => (sum >>> 0).toString(16).padStart(8, '0')).join('');
}

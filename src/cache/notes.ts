import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from './atomic-file.ts';
import type { Digest } from './digest.ts';
import { seal, unseal } from './sealed.ts';

/** The text that was noted under the name, or undefined where there is none, or none that is whole. Never throws. */
export function readNote(notesDir: string, name: Digest): string | undefined {
  try {
    return unseal(readFileSync(join(notesDir, name), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Notes a text under a name, in the place of what was there. Never throws: a note that cannot be kept is not missed. */
export function writeNote(notesDir: string, tmpDir: string, name: Digest, text: string): void {
  try {
    writeFileAtomic(join(notesDir, name), seal(text), tmpDir);
  } catch {
    // the store tells of its own trouble
  }
}

import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { livenessOfName } from './process.ts';

/**
 * Removes from a folder what a dead process left under a name of its own (nameOfOurs), which `ownerNameOf` finds in a
 * file's name, or gives undefined for what is none of our business. Whether the processes of another host live cannot be
 * seen: theirs goes after a day. `nowMs` is in milliseconds since the epoch. Never throws.
 */
export function removeForsaken(dir: string, nowMs: number, ownerNameOf: (name: string) => string | undefined): void {
  for (const name of namesIn(dir)) {
    try {
      const ownerName = ownerNameOf(name);
      if (ownerName === undefined) continue;
      const path = join(dir, name);
      const liveness = livenessOfName(ownerName);
      const isForsaken = liveness === 'unclear' ? nowMs - lstatSync(path).mtimeMs > FORSAKEN_MS : liveness === 'dead';
      if (isForsaken) rmSync(path, { recursive: true, force: true });
    } catch {
      // gone already, or not ours to remove
    }
  }
}

/** The names in a folder; none where it cannot be read. */
export function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

const FORSAKEN_MS = 24 * 60 * 60 * 1000;

import { lstatSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from './leftovers.ts';
import { livenessOfName } from './process.ts';

export { namesIn } from './leftovers.ts';

/**
 * The names in a folder under which a dead process left something: `ownerNameOf` finds in them the name that a process
 * gave (nameOfOurs), or gives undefined for what is none of our business. Whether the processes of another host live
 * cannot be seen: theirs are forsaken after a day. `nowMs` is in milliseconds since the epoch. Never throws.
 */
export function forsakenIn(
  dir: string,
  nowMs: number,
  ownerNameOf: (name: string) => string | undefined,
): readonly string[] {
  return namesIn(dir).filter((name) => {
    const ownerName = ownerNameOf(name);
    if (ownerName === undefined) return false;
    const liveness = livenessOfName(ownerName);
    return liveness === 'unclear' ? isOld(join(dir, name), nowMs) : liveness === 'dead';
  });
}

/** Removes what forsakenIn finds. Never throws. */
export function removeForsaken(dir: string, nowMs: number, ownerNameOf: (name: string) => string | undefined): void {
  for (const name of forsakenIn(dir, nowMs, ownerNameOf)) {
    try {
      rmSync(join(dir, name), { recursive: true, force: true });
    } catch {
      // not ours to remove
    }
  }
}

const FORSAKEN_MS = 24 * 60 * 60 * 1000;

function isOld(path: string, nowMs: number): boolean {
  try {
    return nowMs - lstatSync(path).mtimeMs > FORSAKEN_MS;
  } catch {
    return false; // gone already
  }
}

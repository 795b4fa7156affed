import { lstatSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { breakForsaken } from './held-lock.ts';
import { namesIn } from './leftovers.ts';
import { parseOwnerRecord } from './owner.ts';
import { livenessOf, livenessOfName } from './process.ts';

/**
 * Removes the leases of killed processes, of whatever key: who builds one of them again finds it dead, but maybe nobody
 * ever does. `nowMs` is in milliseconds since the epoch. Never throws.
 */
export async function sweepLeases(dir: string, nowMs: number): Promise<void> {
  for (const name of namesIn(dir)) {
    try {
      await sweepOne(dir, name, nowMs);
    } catch {
      // gone already, or not ours to remove
    }
  }
}

// What is neither lock nor record is needed for a moment only: by those who break a lock, or who waited for its news.
const LITTER_MS = 60_000;

async function sweepOne(dir: string, name: string, nowMs: number): Promise<void> {
  const path = join(dir, name);
  if (name.endsWith('.lock')) {
    const place = { lockDir: path, recordPath: path.replace(/lock$/, 'owner'), recordKind: 'own' } as const;
    await breakForsaken(place);
  } else if (name.endsWith('.owner')) {
    const record = parseOwnerRecord(readFileSync(path, 'utf8'));
    if (record === undefined ? isOld(path, nowMs) : livenessOf(record.owner) === 'dead') rmSync(path, { force: true });
  } else if (livenessOfName(name) === 'dead' || isOld(path, nowMs)) {
    if (name.endsWith('.break')) rmdirSync(path);
    else rmSync(path, { recursive: true, force: true });
  }
}

function isOld(path: string, nowMs: number): boolean {
  return Math.abs(nowMs - lstatSync(path).mtimeMs) > LITTER_MS; // the clock may have been set back
}

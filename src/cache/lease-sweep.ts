import { lstatSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sweepBells } from './bell-place.ts';
import { breakLock } from './held-lock.ts';
import { seeLock } from './lock.ts';
import { livenessOf, parseOwnerRecord, processExists } from './owner.ts';

/**
 * Removes the leases of killed processes, of whatever key: who builds one of them again finds it dead, but maybe nobody
 * ever does. Does so once for each process and folder. Never throws.
 */
export async function sweepLeases(dir: string): Promise<void> {
  if (swept.has(dir)) return;
  swept.add(dir);
  await ignoringErrors(() => sweepBells((pid) => !processExists(pid)));
  await ignoringErrors(async () => {
    for (const name of readdirSync(dir)) await ignoringErrors(() => sweepOne(dir, name));
  });
}

const swept = new Set<string>();

// What is neither lock nor record lives for a moment only.
const LITTER_MS = 60_000;

async function sweepOne(dir: string, name: string): Promise<void> {
  const path = join(dir, name);
  if (name.endsWith('.lock')) {
    const place = { lockDir: path, recordPath: path.replace(/lock$/, 'owner'), recordKind: 'own' } as const;
    const seen = seeLock(place);
    if (seen?.owner !== undefined && livenessOf(seen.owner) === 'dead') await breakLock(place, seen);
  } else if (name.endsWith('.owner')) {
    const record = parseOwnerRecord(readFileSync(path, 'utf8'));
    if (record === undefined ? isOld(path) : livenessOf(record.owner) === 'dead') rmSync(path, { force: true });
  } else if (isOld(path)) {
    if (name.endsWith('.break')) rmdirSync(path);
    else rmSync(path, { force: true });
  }
}

function isOld(path: string): boolean {
  return Date.now() - lstatSync(path).mtimeMs > LITTER_MS;
}

async function ignoringErrors(work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch {
    // gone already, or not ours to remove
  }
}

import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeDir } from './make-dir.ts';

/**
 * Takes a damaged file out of the way, so that its place is free for a good one, and gives where it is now; undefined
 * where it is gone. The last few are kept in `damagedDir` for whoever wants to know what happened to them. Never throws:
 * what can neither be moved nor removed is found damaged again.
 */
export function setAside(path: string, damagedDir: string, name: string): string | undefined {
  const aside = join(damagedDir, `${Date.now()}-${name}`);
  try {
    makeDir(damagedDir);
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') removeQuietly(path); // else another process was faster
    return undefined;
  }
  dropOld(damagedDir);
  return aside;
}

function dropOld(damagedDir: string): void {
  try {
    const kept = readdirSync(damagedDir).sort(); // the oldest first
    for (const old of kept.slice(0, -MOST_KEPT)) rmSync(join(damagedDir, old), { recursive: true, force: true });
  } catch {
    // then there are a few more
  }
}

const MOST_KEPT = 16;

function removeQuietly(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // no permission, then: it stays, and stays a miss
  }
}

import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeDir } from './make-dir.ts';

/**
 * Takes a damaged file out of the way, so that its place is free for a good one. The last few are kept in `damagedDir`
 * for whoever wants to know what happened to them. Never throws: what cannot be moved is found damaged again.
 */
export function setAside(path: string, damagedDir: string, name: string): void {
  try {
    makeDir(damagedDir);
    renameSync(path, join(damagedDir, `${Date.now()}-${name}`));
    const kept = readdirSync(damagedDir).sort(); // the oldest first
    for (const old of kept.slice(0, -MOST_KEPT)) rmSync(join(damagedDir, old), { recursive: true, force: true });
  } catch {
    removeQuietly(path);
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

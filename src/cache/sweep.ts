import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { processExists } from './owner.ts';
import type { StorePaths } from './store-folder.ts';

/**
 * Removes what killed processes left in the store: files that were never renamed into place, and folders of compiles.
 * `nowMs` is in milliseconds since the epoch. Never throws.
 */
export function sweepStore(paths: StorePaths, nowMs: number): void {
  const old = (mtimeMs: number) => nowMs - mtimeMs > LITTER_MS;
  const forsaken = (mtimeMs: number, name: string) =>
    nowMs - mtimeMs > FORSAKEN_MS || (old(mtimeMs) && !processExists(Number.parseInt(name, 10)));
  sweep(paths.tmp, old);
  sweep(join(paths.blobs, 'tmp'), old); // cacache's
  sweep(paths.stamps, (mtimeMs, name) => name.includes('-') && old(mtimeMs));
  sweep(paths.sandbox, forsaken);
}

const LITTER_MS = 60 * 60 * 1000;
// A compile on another host that shares the folder has a process id that says nothing here.
const FORSAKEN_MS = 24 * LITTER_MS;

function sweep(dir: string, isLitter: (mtimeMs: number, name: string) => boolean): void {
  for (const name of namesIn(dir)) {
    try {
      const path = join(dir, name);
      if (isLitter(lstatSync(path).mtimeMs, name)) rmSync(path, { recursive: true, force: true });
    } catch {
      // gone already, or not ours to remove
    }
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

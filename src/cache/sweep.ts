import { join } from 'node:path';
import { bellDirHere } from './bell-place.ts';
import { removeForsaken } from './forsaken.ts';
import { sweepLeases } from './lease-sweep.ts';
import type { StorePaths } from './store-folder.ts';

/**
 * Removes what killed processes left: leases, files that were never renamed into place, folders of compiles, sockets. In
 * the store, where `paths` says that this process may write to it, and in the folders of temporary files `scratchDirs`.
 * `nowMs` is in milliseconds since the epoch. Never throws.
 */
export async function sweep(
  paths: StorePaths | undefined,
  scratchDirs: readonly string[],
  nowMs: number,
): Promise<void> {
  if (paths !== undefined) {
    await sweepLeases(paths.lease, nowMs);
    const ofOneProcess = [paths.tmp, join(paths.blobs, 'tmp'), paths.stamps, paths.sandbox]; // the second is cacache's
    for (const dir of ofOneProcess) removeForsaken(dir, nowMs, (name) => (name.includes('-') ? name : undefined));
  }
  for (const dir of new Set([bellDirHere(), ...scratchDirs])) {
    if (dir !== '') removeForsaken(dir, nowMs, (name) => name);
  }
}

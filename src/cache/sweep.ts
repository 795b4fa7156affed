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
    for (const dir of unfinishedDirs(paths)) removeForsaken(dir, nowMs, ownerNameIn);
  }
  for (const dir of new Set([bellDirHere(), ...scratchDirs])) {
    if (dir !== '') removeForsaken(dir, nowMs, (name) => name);
  }
}

/** The folders in which things lie under the name of the process that makes them, until they are done; see ownerNameIn. */
export function unfinishedDirs(paths: StorePaths): readonly string[] {
  return [paths.tmp, paths.stamps, paths.sandbox];
}

/** Whose a thing in one of these folders is; undefined for what is done, which has no process in its name. */
export function ownerNameIn(name: string): string | undefined {
  return name.includes('-') ? name : undefined;
}

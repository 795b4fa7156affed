import { closeSync, openSync, realpathSync } from 'node:fs';
import { makeLock, type LockPlace } from './lock.ts';
import { ownerHere } from './owner.ts';

export type BriefEnd<T> =
  | { readonly kind: 'done'; readonly value: T }
  /** The work is done, but another program took us for dead in the middle of it: it may have worked at the same time. */
  | { readonly kind: 'lost' };

/**
 * The place where every program that locks the file looks: beside the real file, whatever links lead to it. The file is
 * made when absent. Throws the system's error.
 */
export function lockPlaceOf(path: string): LockPlace {
  closeSync(openSync(path, 'a'));
  const real = realpathSync(path);
  return { lockDir: `${real}.lock`, recordPath: real, recordKind: 'marker' };
}

/**
 * Runs `work` while holding the lock, or gives undefined where somebody has it. Throws what `work` throws, and the system's
 * error where the lock cannot be made.
 *
 * The work is synchronous: the lock is held for milliseconds, needs no heartbeat, and no exit can come in between. So
 * the folder is made and removed here, as proper-lockfile would; loading that would take longer than all the rest of a hit.
 */
export function workLocked<T>(place: LockPlace, label: string, work: () => T): BriefEnd<T> | undefined {
  const release = tryLock(place, label);
  if (release === undefined) return undefined;
  let value: T;
  try {
    value = work();
  } catch (error) {
    release();
    throw error;
  }
  return release() ? { kind: 'done', value } : { kind: 'lost' };
}

/** Takes the lock and gives what releases it without a throw (see makeLock), or undefined where somebody has it. */
function tryLock(place: LockPlace, label: string): (() => boolean) | undefined {
  const owner = ownerHere(label, '');
  try {
    const remove = makeLock(place, owner);
    return () => {
      try {
        return remove();
      } catch {
        return true; // what is left behind is found dead by the next one
      }
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
}

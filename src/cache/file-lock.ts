import { closeSync, openSync, realpathSync } from 'node:fs';
import { breakForsaken, breakLock } from './held-lock.ts';
import { isNameless, makeLock, NAMELESS_SILENCE_MS, seeLock, type LockPlace, type SeenLock } from './lock.ts';
import { monotonicMs } from './monotonic.ts';
import { ownerHere, type Owner } from './owner.ts';
import { openWatch, pause, pollLock } from './waiting.ts';

export interface FileLockOptions {
  /** What it is held for, in words for whoever waits. */
  readonly label: string;
  /** The longest wait, in milliseconds. */
  readonly maxWaitMs: number;
  /** Called once, when the wait has lasted two seconds; the holder is undefined where it is another program. */
  readonly onWait?: ((holder: Owner | undefined) => void) | undefined;
  /** Ends the wait by rejecting with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export type FileLockEnd<T> =
  | { readonly kind: 'done'; readonly value: T }
  /** The work is done, but another program took us for dead in the middle of it: it may have worked at the same time. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'busy'; readonly waitedMs: number; readonly holder: Owner | undefined };

/**
 * Runs `work` while holding the lock on a file that other programs lock as well, with proper-lockfile and five minutes
 * for stale. The file is made when absent and stays, empty; while we hold the lock it says who we are, so that a killed
 * process of ours is recognised at once. Throws what `work` throws, and the system's error where the lock cannot be made.
 *
 * The work is synchronous: the lock is held for milliseconds, needs no heartbeat, and no exit can come in between. So
 * the folder is made and removed here, as the library would; loading it would take longer than all the rest of a hit.
 * It is loaded where a dead lock has to be broken.
 */
export async function withFileLock<T>(path: string, options: FileLockOptions, work: () => T): Promise<FileLockEnd<T>> {
  const { label, maxWaitMs, onWait, signal } = options;
  const begunMs = monotonicMs();
  const place = placeOf(path);
  const watch = openWatch((seen) => (isNameless(seen) ? NAMELESS_SILENCE_MS : STALE_MS));
  let told = false;
  for (;;) {
    signal?.throwIfAborted();
    const release = tryLockBriefly(place, label);
    if (release !== undefined) {
      let value: T;
      try {
        value = work();
      } catch (error) {
        release();
        throw error;
      }
      return release() ? { kind: 'done', value } : { kind: 'lost' };
    }
    const seen = seeLock(place);
    if (seen === undefined) continue;
    const waitedMs = monotonicMs() - begunMs;
    if (waitedMs >= maxWaitMs) return { kind: 'busy', waitedMs: Math.round(waitedMs), holder: seen.owner };
    if (!told && waitedMs >= TELL_AFTER_MS) {
      told = true;
      onWait?.(seen.owner);
    }
    if (watch.isDead(seen) || isStaleToOthers(seen)) {
      if (!(await breakLock(place, seen))) await pause(4, signal);
    } else {
      const nextMs = told ? maxWaitMs : Math.min(maxWaitMs, TELL_AFTER_MS);
      await pollLock(place, seen, { everyMs: 100, limitMs: Math.min(LOOK_MS, nextMs - waitedMs), signal });
    }
  }
}

/** Removes the lock on a file where a killed process of ours left it (see breakForsaken). Never throws. */
export async function breakDeadFileLock(path: string): Promise<void> {
  try {
    await breakForsaken({ lockDir: `${path}.lock`, recordPath: path, recordKind: 'marker' });
  } catch {
    // gone already, or not ours to remove
  }
}

const STALE_MS = 300_000; // as the other programs have it
const TELL_AFTER_MS = 2_000;
const LOOK_MS = 1_000;

/** The place where every program that locks the file looks: beside the real file, whatever links lead to it. */
function placeOf(path: string): LockPlace {
  closeSync(openSync(path, 'a'));
  const real = realpathSync(path);
  return { lockDir: `${real}.lock`, recordPath: real, recordKind: 'marker' };
}

/** Takes the lock and gives what releases it without a throw (see makeLock), or undefined where somebody has it. */
function tryLockBriefly(place: LockPlace, label: string): (() => boolean) | undefined {
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

/** proper-lockfile's own rule, by which another program would take the lock as well. Not for one of us that is alive. */
function isStaleToOthers(seen: SeenLock): boolean {
  return seen.owner === undefined && !seen.isOurs && Date.now() - seen.beatMs > STALE_MS;
}

import { lockPlaceOf, workLocked, type BriefEnd } from './brief-lock.ts';
import { breakForsaken, breakLock } from './held-lock.ts';
import { isNameless, NAMELESS_SILENCE_MS, seeLock, type SeenLock } from './lock.ts';
import { monotonicMs } from './monotonic.ts';
import type { Owner } from './owner.ts';
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
  BriefEnd<T> | { readonly kind: 'busy'; readonly waitedMs: number; readonly holder: Owner | undefined };

/**
 * Runs `work` while holding the lock on a file that other programs lock as well, with proper-lockfile and five minutes
 * for stale. The file is made when absent and stays, empty; while we hold the lock it says who we are, so that a killed
 * process of ours is recognised at once. Throws what `work` throws, and the system's error where the lock cannot be made.
 * The work is synchronous (see workLocked); proper-lockfile is loaded where a dead lock has to be broken.
 */
export async function withFileLock<T>(path: string, options: FileLockOptions, work: () => T): Promise<FileLockEnd<T>> {
  const { label, maxWaitMs, onWait, signal } = options;
  const begunMs = monotonicMs();
  const place = lockPlaceOf(path);
  const watch = openWatch((seen) => (isNameless(seen) ? NAMELESS_SILENCE_MS : STALE_MS));
  let told = false;
  for (;;) {
    signal?.throwIfAborted();
    const end = workLocked(place, label, work);
    if (end !== undefined) return end;
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

/** proper-lockfile's own rule, by which another program would take the lock as well. Not for one of us that is alive. */
function isStaleToOthers(seen: SeenLock): boolean {
  return seen.owner === undefined && !seen.isOurs && Date.now() - seen.beatMs > STALE_MS;
}

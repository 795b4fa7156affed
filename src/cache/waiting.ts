import { isSameLock, seeLock, type LockPlace, type SeenLock } from './lock.ts';
import { monotonicMs } from './monotonic.ts';
import { livenessOf } from './process.ts';

/** Says of a lock, each time it is seen, whether its holder is to be taken for dead. */
export interface Watch {
  isDead(seen: SeenLock): boolean;
  /** A sign of life that did not come through the lock. */
  vouch(): void;
}

/**
 * A holder whose process can be seen is judged by that alone. Any other is dead after `silenceMs` without a beat, by the
 * watcher's own clock: the clocks of two hosts differ, and any clock may be set.
 */
export function openWatch(silenceMs: (seen: SeenLock) => number): Watch {
  let last: SeenLock | undefined;
  let sinceMs = 0;
  return {
    isDead(seen) {
      if (!isSameLock(last, seen) || last?.beatMs !== seen.beatMs) sinceMs = monotonicMs();
      last = seen;
      const liveness = seen.owner === undefined ? 'unclear' : livenessOf(seen.owner);
      return liveness === 'dead' || (liveness === 'unclear' && monotonicMs() - sinceMs >= silenceMs(seen));
    },
    vouch() {
      sinceMs = monotonicMs();
    },
  };
}

/**
 * Looks at a lock, often at first and then every `everyMs`, until it has changed or its holder's process is gone,
 * the signal is aborted, or `limitMs` is over.
 */
export async function pollLock(
  place: LockPlace,
  seen: SeenLock,
  limits: { readonly everyMs: number; readonly limitMs: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const end = monotonicMs() + limits.limitMs;
  for (let nextMs = SHORTEST_PAUSE_MS; monotonicMs() < end; nextMs = Math.min(nextMs * 2, limits.everyMs)) {
    await pause(Math.min(nextMs, end - monotonicMs()), limits.signal);
    if (limits.signal?.aborted === true || !isSameLock(seeLock(place), seen)) return;
    if (seen.owner !== undefined && livenessOf(seen.owner) === 'dead') return;
  }
}

/** Passes the time, in milliseconds; at most until the signal is aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    if (signal?.aborted === true) wake();
    else signal?.addEventListener('abort', wake);
  });
}

const SHORTEST_PAUSE_MS = 4;

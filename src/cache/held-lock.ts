import { stat, utimes } from 'node:fs';
import { isNameless, isSameLock, makeLock, NAMELESS_SILENCE_MS, removeDeadLock, seeLock } from './lock.ts';
import type { LockPlace, SeenLock } from './lock.ts';
import type { Owner } from './owner.ts';
import { openWatch, pollLock } from './waiting.ts';

/** How often a holder shows that it lives, and after how long a silence it may be taken for dead; in milliseconds. */
export interface Pulse {
  readonly beatMs: number;
  readonly staleMs: number;
}

/** A lock in hand. It beats by itself, and goes with the process. */
export interface HeldLock {
  /** True once it is known that somebody took us for dead and took the lock. */
  isLost(): boolean;
  /** Removes what is ours, and only that. Never throws. */
  release(): Promise<void>;
}

/** Takes the lock, or gives undefined where somebody has it. Does not wait. Throws the system's error. */
export async function tryLock(place: LockPlace, owner: Owner, pulse: Pulse): Promise<HeldLock | undefined> {
  const { lock } = await import('proper-lockfile');
  let lost = false;
  let removeOurs: () => unknown = () => undefined;

  // What proper-lockfile does to the disk goes through here. By itself it removes whatever lock it finds: one that it
  // takes for stale (looking once), at release, and when the process exits.
  const guardedFs = {
    stat,
    utimes,
    mkdir: (_path: string, done: Done) => settle(done, () => (removeOurs = makeLock(place, owner))),
    rmdir: (_path: string, done: Done) => settle(done, () => removeOurs()),
    rmdirSync: () => removeOurs(),
  };

  try {
    // The first argument only names the lock within the library; a name for each holding keeps two of them apart.
    const release = await lock(`${place.lockDir}#${owner.nonce}`, {
      lockfilePath: place.lockDir,
      realpath: false,
      stale: pulse.staleMs,
      update: pulse.beatMs,
      fs: guardedFs,
      onCompromised: () => {
        lost = true; // the default throws from a timer and kills the process
      },
    });
    return {
      isLost: () => lost,
      release: async () => {
        await release().catch(() => undefined); // refused where the lock was lost
        ignoringErrors(removeOurs);
      },
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return undefined;
    throw error;
  }
}

/**
 * Removes a lock whose holder is dead. One process at a time does that, under a second lock, and looks again first: of
 * two who found the same dead lock, the later would else remove the lock that the earlier has taken since.
 * False where somebody else is at it. Throws the system's error.
 */
export async function breakLock(place: LockPlace, dead: SeenLock): Promise<boolean> {
  const { lock } = await import('proper-lockfile');
  try {
    const breakDir = `${place.lockDir}.break`;
    const release = await lock(breakDir, {
      lockfilePath: breakDir,
      realpath: false,
      stale: BREAK_STALE_MS,
      onCompromised: () => undefined,
    });
    try {
      if (isSameLock(seeLock(place), dead)) removeDeadLock(place, dead);
    } finally {
      await release().catch(() => undefined);
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return false;
    throw error;
  }
}

/**
 * Removes the lock where its holder is known to be dead. One of ours that does not say yet who holds it is watched for as
 * long as that may take, a second, for its maker may have been killed before it could. Throws the system's error.
 */
export async function breakForsaken(place: LockPlace): Promise<void> {
  const watch = openWatch((seen) => (isNameless(seen) ? NAMELESS_SILENCE_MS : Infinity));
  for (let seen = seeLock(place); seen !== undefined; seen = seeLock(place)) {
    if (watch.isDead(seen)) await breakLock(place, seen);
    if (!isNameless(seen)) return;
    await pollLock(place, seen, { everyMs: 50, limitMs: NAMELESS_SILENCE_MS, signal: undefined });
  }
}

// Breaking takes a millisecond; the library lets nothing shorter pass for stale.
const BREAK_STALE_MS = 2_000;

type Done = (error: unknown) => void;

function settle(done: Done, work: () => void): void {
  let failed: unknown = null;
  try {
    work();
  } catch (error) {
    failed = error;
  }
  done(failed);
}

function ignoringErrors(work: () => unknown): void {
  try {
    work();
  } catch {
    // what is left behind is found dead by the next one
  }
}

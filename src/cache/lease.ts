import { dirname, join } from 'node:path';
import { newBellPath } from './bell-place.ts';
import { hangBell, listenTo, type Bell } from './bell.ts';
import type { ActionKey } from './digest.ts';
import type { CacheEvent } from './events.ts';
import { breakLock, tryLock, type HeldLock, type Pulse } from './held-lock.ts';
import { isNameless, NAMELESS_SILENCE_MS, seeLock, type LockPlace } from './lock.ts';
import { makeDir } from './make-dir.ts';
import { ownerHere, type Owner } from './owner.ts';
import { isNeighbour } from './process.ts';
import { isSystemError, systemCodeOf } from './tier.ts';
import { openWatch, pause, pollLock, type Watch } from './waiting.ts';

export interface LeaseOptions {
  /** Where leases lie. Made when absent. */
  readonly dir: string;
  readonly key: ActionKey;
  /** What the key stands for, in words for whoever waits. */
  readonly label: string;
  /** The longest wait for others, in milliseconds; then the work is done without a lease. */
  readonly waitMs: number;
  readonly onEvent: (event: CacheEvent) => void;
  /** Ends a wait; the work has to look at it itself. */
  readonly signal?: AbortSignal | undefined;
  readonly failures?: FailureSharing | undefined;
}

/** How a failure of the work travels to those who waited for that very run (invariant 9). It is kept nowhere. */
export interface FailureSharing {
  /** The failure as text, or undefined where it is nobody else's business. */
  write(error: unknown): string | undefined;
  /** What is thrown to those who waited; undefined where the text says nothing to them: then they work themselves. */
  read(text: string): Error | undefined;
}

/**
 * Runs `work` while holding the lease on a key, so that one of many does it. After each wait, and before the work,
 * `lookAgain` is asked; what it gives, if anything, is the answer. The lease saves work and protects nothing
 * (invariant 6): where it is in trouble, or the wait too long, an event says so and the work is done without it.
 */
export async function withLease<T>(
  options: LeaseOptions,
  lookAgain: () => Promise<T | undefined>,
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly waited: boolean }> {
  const { key, label, waitMs, onEvent, signal } = options;
  const begunMs = performance.now();
  const waiting = beginWaiting(options);
  try {
    for (let waited = false; ; waited = true) {
      signal?.throwIfAborted();
      const again = waited ? await lookAgain() : undefined;
      if (again !== undefined) return { value: again, waited };

      const taken = await ifUp(onEvent, () => takeLease(waiting.place, label));
      if (taken === DOWN) return { value: await work(), waited };
      if (taken !== undefined) {
        waiting.end();
        return { value: await holding(taken, options, lookAgain, work), waited };
      }

      const waitedMs = performance.now() - begunMs;
      if (waitedMs >= waitMs) {
        onEvent({ kind: 'lease-given-up', key, label, waitedMs: Math.round(waitedMs) });
        return { value: await work(), waited };
      }
      const news = await ifUp(onEvent, () => waitOnce(waiting, waitMs - waitedMs, signal));
      if (news === DOWN) return { value: await work(), waited: true };
      const failure = news === undefined ? undefined : options.failures?.read(news);
      if (failure !== undefined) throw failure;
    }
  } finally {
    waiting.end();
  }
}

// A beat is one utimes call. Twelve seconds of silence are six of them missed.
const PULSE: Pulse = { beatMs: 2_000, staleMs: 60_000 };
const SILENCE_MS = 12_000;
const TELL_AFTER_MS = 2_000;
const LISTEN_MS = 5_000;
const LOOK_MS = 1_000;
const POLL_MS = 50;

interface Lease {
  readonly held: HeldLock;
  readonly bell: Bell | undefined;
}

async function takeLease(place: LockPlace, label: string): Promise<Lease | undefined> {
  makeDir(dirname(place.lockDir));
  const owner = ownerHere(label, newBellPath());
  const held = await tryLock(place, owner, PULSE);
  if (held === undefined) return undefined;
  return { held, bell: owner.bell === '' ? undefined : await hangBell(owner.bell) };
}

async function holding<T>(
  { held, bell }: Lease,
  { failures, onEvent }: LeaseOptions,
  lookAgain: () => Promise<T | undefined>,
  work: () => Promise<T>,
): Promise<T> {
  let news: string | undefined;
  try {
    // Somebody may have finished between the caller's look and our taking the lease.
    return (await lookAgain()) ?? (await work());
  } catch (error) {
    news = failures?.write(error);
    throw error;
  } finally {
    if (held.isLost()) onEvent({ kind: 'lease-down', message: 'another process took this one for dead' });
    await held.release(); // before the bell: whoever is woken finds the lease free
    await bell?.ring(news);
  }
}

interface Waiting {
  readonly place: LockPlace;
  readonly watch: Watch;
  /** Called with the holder whenever it is seen; tells of the wait once, when it has lasted a while. */
  readonly see: (holder: Owner | undefined) => void;
  readonly end: () => void;
}

function beginWaiting({ dir, key, label, onEvent }: LeaseOptions): Waiting {
  let teller: NodeJS.Timeout | undefined;
  let holder: Owner | undefined;
  return {
    place: { lockDir: join(dir, `${key}.lock`), recordPath: join(dir, `${key}.owner`), recordKind: 'own' },
    watch: openWatch((seen) => (isNameless(seen) ? NAMELESS_SILENCE_MS : SILENCE_MS)),
    see(seen) {
      holder = seen;
      teller ??= setTimeout(() => onEvent({ kind: 'lease-wait', key, label, holder }), TELL_AFTER_MS);
    },
    end() {
      clearTimeout(teller);
    },
  };
}

/** Waits until there is reason to look again, and no longer than `limitMs`. Gives the news of the holder, if it had any. */
async function waitOnce(
  { place, watch, see }: Waiting,
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const seen = seeLock(place);
  if (seen === undefined) return undefined;
  const { owner } = seen;
  see(owner);
  if (watch.isDead(seen)) {
    if (!(await breakLock(place, seen))) await pause(4, signal);
    return undefined;
  }
  if (owner !== undefined && owner.bell !== '' && isNeighbour(owner)) {
    const heard = await listenTo(owner.bell, Math.min(LISTEN_MS, limitMs), signal);
    if (heard.kind === 'rang') return heard.news;
    if (heard.kind === 'silent') watch.vouch();
    if (heard.kind === 'silent') return undefined;
  }
  await pollLock(place, seen, { everyMs: POLL_MS, limitMs: Math.min(LOOK_MS, limitMs), signal });
  return undefined;
}

const DOWN = Symbol('the lease is down');

/** What the lease's own work gives, or DOWN, told as an event, where the system does not let it. */
async function ifUp<T>(onEvent: (event: CacheEvent) => void, leaseWork: () => Promise<T>): Promise<T | typeof DOWN> {
  try {
    return await leaseWork();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const code = systemCodeOf(error);
    onEvent({ kind: 'lease-down', ...(code === undefined ? {} : { code }), message: (error as Error).message });
    return DOWN;
  }
}

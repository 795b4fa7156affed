import { getSystemErrorMap } from 'node:util';
import type { ActionKey } from './digest.ts';
import type { Entry, Lookup } from './entry.ts';

/**
 * Any place that may hold entries.
 *
 * `get` answers hit or miss, and reads and checks the bytes of the artifacts named in `wanted` only.
 * `put` stores blobs, then the document, then the result, in that order. Both throw a TierError where the
 * place itself is in trouble; the caller turns that into an event and goes on.
 */
export interface Tier {
  readonly name: string;
  get(key: ActionKey, wanted: readonly string[]): Promise<Lookup>;
  put(document: string, entry: Entry): Promise<void>;
}

/** A tier's trouble: which tier, what it was doing, and the system's code (ENOSPC, EACCES, ...) where there is one. */
export class TierError extends Error {
  readonly tier: string;
  readonly doing: string;
  readonly code: string | undefined;

  constructor(tier: string, doing: string, cause: unknown) {
    super(`${tier}: ${doing}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.tier = tier;
    this.doing = doing;
    this.code = systemCodeOf(cause);
  }
}

/** Whether the system said no, as opposed to a mistake of ours. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number';
}

/**
 * The system's code of an error, or undefined where it is no error of the system.
 * The number is asked first: a library on the way may have put a name of its own over the real one, as npm's do.
 */
export function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { errno, code } = error as NodeJS.ErrnoException;
  return (typeof errno === 'number' ? getSystemErrorMap().get(errno)?.[0] : undefined) ?? code;
}

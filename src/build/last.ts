import type { Cache } from '../cache/cache.ts';
import { digestOf, parseActionKey, type ActionKey } from '../cache/digest.ts';

/** What is remembered of a canister's last build here: enough to say what changed since, and how long it may take. */
export interface Last {
  readonly compileKey: ActionKey;
  readonly key: ActionKey;
  /** What the compiler took when the entry was made, in milliseconds. */
  readonly compileMs: number;
}

/** A convenience and no more: whatever is missing or odd reads as undefined. */
export function readLast(cache: Cache, root: string, canister: string): Last | undefined {
  try {
    const { compileKey, key, compileMs } = JSON.parse(cache.readNote(nameOf(root, canister)) ?? '') as Partial<Last>;
    const compile = parseActionKey(compileKey);
    const finish = parseActionKey(key);
    if (compile === undefined || finish === undefined || typeof compileMs !== 'number') return undefined;
    return { compileKey: compile, key: finish, compileMs };
  } catch {
    return undefined;
  }
}

/** Remembers a build; the same thing twice is written once. */
export function writeLast(cache: Cache, root: string, canister: string, last: Last, before: Last | undefined): void {
  if (before?.compileKey === last.compileKey && before.key === last.key) return;
  cache.writeNote(nameOf(root, canister), JSON.stringify(last));
}

/** Names this checkout's canister. It names a note on this machine and is in no key, so the path may be in it. */
function nameOf(root: string, canister: string) {
  return digestOf(JSON.stringify([root, canister]));
}

import type { Cache } from '../cache/cache.ts';
import { digestOf, parseActionKey } from '../cache/digest.ts';
import { keysOf, type Keys } from './keys.ts';

/** What is remembered of a canister's last build here: enough to say what changed since, and how long it may take. */
export interface Last extends Keys {
  /** What the compiler took when the entry was made, in milliseconds. */
  readonly compileMs: number;
}

/** A convenience and no more: whatever is missing or odd reads as undefined. */
export function readLast(cache: Cache, root: string, canister: string): Last | undefined {
  try {
    const { compileKey, key, optimizeKey, compileMs } = JSON.parse(
      cache.readNote(nameOf(root, canister)) ?? '',
    ) as Partial<Last>;
    const compile = parseActionKey(compileKey);
    const finish = parseActionKey(key);
    if (compile === undefined || finish === undefined || typeof compileMs !== 'number') return undefined;
    return { ...keysOf(compile, finish, parseActionKey(optimizeKey)), compileMs };
  } catch {
    return undefined;
  }
}

/** Remembers a build; the same thing twice is written once. */
export function writeLast(cache: Cache, root: string, canister: string, last: Last, before: Last | undefined): void {
  const isSame = (['compileKey', 'key', 'optimizeKey'] as const).every((name) => before?.[name] === last[name]);
  if (before !== undefined && isSame) return;
  cache.writeNote(nameOf(root, canister), JSON.stringify(last));
}

/** Names this checkout's canister. It names a note on this machine and is in no key, so the path may be in it. */
function nameOf(root: string, canister: string) {
  return digestOf(JSON.stringify([root, canister]));
}

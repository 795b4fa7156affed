import type { ActionKey } from '../cache/digest.ts';

/** The keys under which the stages of one build of a canister are stored. */
export interface Keys {
  readonly compileKey: ActionKey;
  /** Of the finish. */
  readonly key: ActionKey;
  /** Where it was optimized. */
  readonly optimizeKey?: ActionKey;
}

export function keysOf(compileKey: ActionKey, key: ActionKey, optimizeKey: ActionKey | undefined): Keys {
  return { compileKey, key, ...(optimizeKey === undefined ? {} : { optimizeKey }) };
}

import type { ActionKey } from './digest.ts';

/** Worth telling while it happens; decides nothing. */
export type CacheEvent =
  | {
      readonly kind: 'tier-down';
      readonly tier: string;
      readonly doing: string;
      readonly code?: string;
      readonly message: string;
    }
  | { readonly kind: 'damaged'; readonly tier: string; readonly key: ActionKey; readonly what: string }
  | {
      readonly kind: 'lease-wait';
      readonly key: ActionKey;
      readonly label: string;
      readonly holder: LeaseHolder | undefined;
    }
  | { readonly kind: 'lease-given-up'; readonly key: ActionKey; readonly label: string; readonly waitedMs: number }
  | { readonly kind: 'lease-down'; readonly code?: string; readonly message: string };

/** Who holds a lease. `sinceMs` is in milliseconds since the epoch. */
export interface LeaseHolder {
  readonly host: string;
  readonly pid: number;
  readonly label: string;
  readonly sinceMs: number;
}

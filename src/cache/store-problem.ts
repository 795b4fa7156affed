import type { ChecksumOf, RunningChecksum } from './checksum.ts';
import type { ActionKey, Digest } from './digest.ts';
import type { StorePaths } from './store-folder.ts';

/** What is wrong, and what was done about it. `left`: the store is only read, or it could not be moved. */
export type StoreProblem =
  | { readonly kind: 'damaged-blob'; readonly digest: Digest; readonly done: 'set-aside' | 'left' }
  | {
      readonly kind: 'damaged-result';
      readonly key: ActionKey;
      /** It is not what was written; or it is, and speaks of another key, another document, other bytes of a blob. */
      readonly why: 'torn' | 'other-key' | 'other-document' | 'other-bytes';
      readonly done: 'set-aside' | 'left';
    }
  | {
      readonly kind: 'incomplete-result';
      readonly key: ActionKey;
      /** The artifact, or `document`, whose blob is not there, or not whole. */
      readonly what: string;
      readonly digest: Digest;
      readonly done: 'removed' | 'left';
    }
  | { readonly kind: 'unreadable'; readonly path: string; readonly code: string; readonly done: 'left' };

/** What the checks share. */
export interface Verifying {
  readonly paths: StorePaths;
  readonly readOnly: boolean;
  readonly checksumOf: ChecksumOf;
  readonly beginChecksum: () => RunningChecksum;
  readonly report: (problem: StoreProblem) => void;
}

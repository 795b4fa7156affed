import { statSync } from 'node:fs';
import type { Cache } from '../cache/cache.ts';
import type { ActionKey } from '../cache/digest.ts';
import type { BlobRef } from '../cache/entry.ts';
import { resultPathOf } from '../cache/layout.ts';
import { storePathsOf } from '../cache/store-folder.ts';
import { stageOf, type StageName } from './facts.ts';
import { historyOf, type HistoryRecord } from './history.ts';

/** All that is known of a key. Times are in milliseconds, of wall time or since the epoch. */
export interface Inspection {
  readonly kind: 'found';
  readonly key: ActionKey;
  readonly stage: StageName | undefined;
  /** Undefined where it is not in the store any more, or damaged. */
  readonly document: string | undefined;
  readonly artifacts: readonly InspectedArtifact[];
  readonly costMs: number;
  readonly createdMs: number;
  /** The newest of: when the result was written or refreshed, and the last build that had to do with the key. */
  readonly lastUsedMs: number;
  /** The newest build with the key, in any stage, that the journal has. */
  readonly record: HistoryRecord | undefined;
}

export interface InspectedArtifact extends BlobRef {
  readonly name: string;
  /** What a lookup would say of its bytes. */
  readonly bytes: 'whole' | 'damaged' | 'gone';
}

/** Reads what a key stands for. With a cache that is only read nothing is changed, whatever is found. */
export async function inspectKey(
  cache: Cache,
  key: ActionKey,
): Promise<Inspection | { readonly kind: 'gone' | 'damaged' }> {
  const known = await cache.lookUp(key, []);
  if (known.kind === 'miss') return { kind: known.cause === 'damaged' ? 'damaged' : 'gone' };
  const { artifacts, costMs, createdMs } = known.entry.result;
  const document = await cache.readDocument(key);
  const { records } = historyOf(cache.readJournal(key));
  const record = records.findLast((record) => [record.key, record.compileKey, record.optimizeKey].includes(key));
  const inspected: InspectedArtifact[] = [];
  for (const [name, ref] of Object.entries(artifacts)) {
    const read = await cache.lookUp(key, [name]);
    const bytes = read.kind === 'hit' ? 'whole' : read.cause === 'damaged' ? 'damaged' : 'gone';
    inspected.push({ name, ...ref, bytes });
  }
  return {
    kind: 'found',
    key,
    stage: document === undefined ? undefined : stageOf(document),
    document,
    artifacts: inspected,
    costMs,
    createdMs,
    lastUsedMs: Math.max(createdMs, record?.atMs ?? 0, touchedMs(cache, key)),
    record,
  };
}

function touchedMs(cache: Cache, key: ActionKey): number {
  return Math.floor(statSync(resultPathOf(storePathsOf(cache.dir), key), { throwIfNoEntry: false })?.mtimeMs ?? 0);
}

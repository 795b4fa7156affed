import type { Cache } from '../cache/cache.ts';
import type { ActionKey } from '../cache/digest.ts';
import type { Importers } from './chain.ts';
import { explain, type Change, type Described } from './explain.ts';
import { readImporters } from './explanation.ts';
import { stageOf, type StageName } from './facts.ts';
import { historyOf, type HistoryRecord } from './history.ts';

export type KeysExplanation =
  | {
      readonly kind: 'compared';
      readonly sides: readonly [KeySide, KeySide];
      /** Whether the compiles are known and were compared: else only what follows the compiler. */
      readonly compiles: boolean;
      readonly changes: readonly Change[];
    }
  /** They are of different stages, and no build is known that has both of one of them. */
  | { readonly kind: 'apart' }
  /** Its document is not in the cache, or not whole. */
  | { readonly kind: 'gone'; readonly key: ActionKey };

/** What a key stands for. `compileKey` is that of the compile, which the journal knows of what follows it. */
export interface KeySide {
  readonly key: ActionKey;
  readonly stage: StageName;
  readonly compileKey: ActionKey | undefined;
  /** The newest build with that key. */
  readonly record: HistoryRecord | undefined;
}

/**
 * What changed from what one key stands for to what the other does. Keys of any stage will do: of each stage what both
 * sides have is compared. The journal knows which stages came before the one that a key is of.
 */
export async function explainKeys(cache: Cache, before: ActionKey, after: ActionKey): Promise<KeysExplanation> {
  const [old, fresh] = await Promise.all([readKey(cache, before), readKey(cache, after)]);
  if (old === undefined) return { kind: 'gone', key: before };
  if (fresh === undefined) return { kind: 'gone', key: after };
  const compiles = old.compile !== undefined && fresh.compile !== undefined;
  const finishes = old.finish !== undefined && fresh.finish !== undefined;
  const optimizes = old.optimize !== undefined && fresh.optimize !== undefined;
  if (!compiles && !finishes && !optimizes) return { kind: 'apart' };
  const describedOf = ({ compile = '', finish, optimize, importers }: Read): Described => ({
    compileDocument: compiles ? compile : '',
    finishDocument: finish,
    optimizeDocument: optimize,
    importers,
  });
  return {
    kind: 'compared',
    sides: [old.side, fresh.side],
    compiles,
    changes: explain(describedOf(old), describedOf(fresh)),
  };
}

interface Read {
  readonly side: KeySide;
  readonly compile: string | undefined;
  readonly finish: string | undefined;
  readonly optimize: string | undefined;
  readonly importers: Importers;
}

async function readKey(cache: Cache, key: ActionKey): Promise<Read | undefined> {
  const document = await cache.readDocument(key);
  const stage = document === undefined ? undefined : stageOf(document);
  if (stage === undefined) return undefined;
  const { records } = historyOf(cache.readJournal(key));
  const record = records.findLast((record) => [record.key, record.compileKey, record.optimizeKey].includes(key));
  const compileKey = stage === 'compile' ? key : record?.compileKey;
  const finishKey = stage === 'optimize' ? record?.key : undefined;
  return {
    side: { key, stage, compileKey, record },
    compile: compileKey === undefined ? undefined : await cache.readDocument(compileKey),
    finish: stage === 'finish' ? document : finishKey === undefined ? undefined : await cache.readDocument(finishKey),
    optimize: stage === 'optimize' ? document : undefined,
    importers: compileKey === undefined ? new Map() : await readImporters(cache, compileKey),
  };
}

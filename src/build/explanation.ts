import type { Cache } from '../cache/cache.ts';
import type { ActionKey } from '../cache/digest.ts';
import { parseImporters, type Importers } from './chain.ts';
import { explain, type Baseline, type Described, type Explanation } from './explain.ts';
import { historyOf, type HistoryRecord } from './history.ts';
import { keysOf } from './keys.ts';

/** A canister as it is now. What follows its compile is known only where that is. */
export interface Now extends Described {
  readonly compileKey: ActionKey;
  readonly key: ActionKey | undefined;
  readonly optimizeKey: ActionKey | undefined;
}

/**
 * What to compare with where the canister was not built here before: the newest build of a canister of that name in
 * another folder of this machine, which a second checkout has. Undefined where there is none.
 */
export function findElsewhere(cache: Cache, root: string, canister: string): Baseline | undefined {
  const { records } = historyOf(cache.readJournal(JSON.stringify(canister)));
  return baselineIn(records, canister, (project) => project !== root);
}

/** The newest build that has keys, of a canister of that name, in a project that will do. Records are oldest first. */
export function baselineIn(
  records: readonly HistoryRecord[],
  canister: string,
  willDo: (project: string) => boolean,
): Baseline | undefined {
  const found = records.findLast((record) => record.canister === canister && willDo(record.project) && hasKeys(record));
  if (found?.key === undefined || found.compileKey === undefined) return undefined;
  return { ...keysOf(found.compileKey, found.key, found.optimizeKey), project: found.project };
}

/** Compares with an earlier build. Never throws: what cannot be read any more is said to be gone. */
export async function explainSince(cache: Cache, baseline: Baseline | undefined, now: Now): Promise<Explanation> {
  if (baseline === undefined) return { kind: 'first' };
  const { compileKey, key, optimizeKey, project } = baseline; // what else the caller knows of it is not ours to tell
  const since = { ...keysOf(compileKey, key, optimizeKey), ...(project === undefined ? {} : { project }) };
  if (compileKey === now.compileKey && key === now.key && optimizeKey === now.optimizeKey)
    return { kind: 'same', since };
  const before = await readDescribed(cache, since, now);
  if (before === undefined) return { kind: 'gone', since };
  const changes = explain(before, now);
  return changes.length === 0 ? { kind: 'same', since } : { kind: 'changed', since, changes };
}

/** What is kept of a build; a document in hand is not read again. Undefined where its compile is not known any more. */
export async function readDescribed(
  cache: Cache,
  { compileKey, key, optimizeKey }: Baseline,
  now?: Now,
): Promise<Described | undefined> {
  const [compileDocument, finishDocument, optimizeDocument, importers] = await Promise.all([
    compileKey === now?.compileKey ? now.compileDocument : cache.readDocument(compileKey),
    key === now?.key ? now.finishDocument : cache.readDocument(key),
    optimizeKey === undefined
      ? ''
      : optimizeKey === now?.optimizeKey
        ? now.optimizeDocument
        : cache.readDocument(optimizeKey),
    readImporters(cache, compileKey),
  ]);
  if (compileDocument === undefined) return undefined;
  return { compileDocument, finishDocument, optimizeDocument, importers };
}

/** Which file asks for which in a compile. Empty where that is not known. */
export async function readImporters(cache: Cache, compileKey: ActionKey): Promise<Importers> {
  const known = await cache.lookUp(compileKey, []);
  if (known.kind === 'miss' || known.entry.result.artifacts.importers === undefined) return new Map();
  const found = await cache.lookUp(compileKey, ['importers']);
  const bytes = found.kind === 'hit' ? found.entry.bytes.importers : undefined;
  return parseImporters(Buffer.from(bytes ?? []).toString('utf8'));
}

function hasKeys({ key, compileKey }: HistoryRecord): boolean {
  return key !== undefined && compileKey !== undefined;
}

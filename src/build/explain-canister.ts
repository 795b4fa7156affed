import { openContext, type BuildOptions } from './context.ts';
import { describe, describeFinish, describeOptimize, type Description } from './describe.ts';
import type { Baseline, Explanation } from './explain.ts';
import { baselineIn, explainSince, readDescribed } from './explanation.ts';
import type { StageName } from './facts.ts';
import { historyOf, type HistoryRecord } from './history.ts';
import { keysOf } from './keys.ts';
import { readLast } from './last.ts';
import type { Cache } from '../cache/cache.ts';
import type { Canister } from './project.ts';

/** Why a canister was compiled, and whether it will be. */
export interface CanisterExplanation {
  readonly canister: string;
  /** The root of the project, absolute. */
  readonly project: string;
  readonly next: Next;
  /** The newest build of it here, however it ended; undefined where the journal has none. */
  readonly latest: HistoryRecord | undefined;
  /** The newest build of it here that had to do something, and what had changed then. */
  readonly made: { readonly record: HistoryRecord; readonly explanation: Explanation | undefined } | undefined;
}

/** What a build would do with the sources as they are: the first stage that has to run, or none; and what changed since. */
export type Next =
  | { readonly answer: 'hit' | StageName; readonly explanation: Explanation }
  | { readonly answer: 'uncacheable'; readonly uncacheable: string; readonly stage: StageName };

/**
 * Explains one canister of a prepared build. Nothing is compiled and nothing stored. Throws a BuildError where its sources
 * cannot be read.
 */
export async function explainCanister(options: BuildOptions, canister: Canister): Promise<CanisterExplanation> {
  const { cache, project } = options;
  const context = await openContext(options);
  const description = await describe(context, canister, []);
  const { name } = canister;
  const { records } = historyOf(cache.readJournal(JSON.stringify(name)));
  const here = records.filter((record) => record.canister === name && record.project === project.root);
  const past = { cache, root: project.root, name, records };
  const since = readLast(cache, project.root, name) ?? baselineFor(past, records.length);
  return {
    canister: name,
    project: project.root,
    next: await nextOf(cache, options, canister, description, since),
    latest: here.at(-1),
    made: await madeOf(
      past,
      here.findLast(({ outcome }) => outcome === 'built'),
    ),
  };
}

interface Past {
  readonly cache: Cache;
  readonly root: string;
  readonly name: string;
  readonly records: readonly HistoryRecord[];
}

/** The newest build among the first `count` records: here, or else in another folder. */
function baselineFor({ records, name, root }: Past, count: number): Baseline | undefined {
  const earlier = records.slice(0, count);
  const here = baselineIn(earlier, name, (project) => project === root);
  if (here !== undefined) return keysOf(here.compileKey, here.key, here.optimizeKey);
  return baselineIn(earlier, name, () => true);
}

async function nextOf(
  cache: Cache,
  { finisher, optimizer }: BuildOptions,
  canister: Canister,
  { compile, closure, candid, uncacheable }: Description,
  since: Baseline | undefined,
): Promise<Next> {
  if (uncacheable !== undefined) return { answer: 'uncacheable', uncacheable, stage: 'compile' };
  const compiled = await cache.lookUp(compile.key, []);
  const { wasm, did } = compiled.kind === 'hit' ? compiled.entry.result.artifacts : {};
  const made = wasm === undefined || did === undefined ? undefined : { wasm: wasm.digest, did: did.digest };
  const finish = made === undefined ? undefined : describeFinish(made, canister, candid, finisher);
  const finished = finish === undefined ? undefined : await cache.lookUp(finish.key, []);
  const finishedWasm = finished?.kind === 'hit' ? finished.entry.result.artifacts.wasm?.digest : undefined;
  const optimize =
    optimizer === undefined || finishedWasm === undefined ? undefined : describeOptimize(finishedWasm, optimizer);
  if (optimize !== undefined && optimizer?.uncacheable !== undefined)
    return { answer: 'uncacheable', uncacheable: optimizer.uncacheable, stage: 'optimize' };
  const optimized = optimize === undefined ? undefined : await cache.lookUp(optimize.key, []);
  const explanation = await explainSince(cache, since, {
    compileKey: compile.key,
    compileDocument: compile.document,
    key: finish?.key,
    // What the compiler would make is not known, and says nothing about causes.
    finishDocument: (finish ?? describeFinish(UNKNOWN, canister, candid, finisher)).document,
    optimizeKey: optimize?.key,
    optimizeDocument:
      optimizer === undefined
        ? ''
        : optimizer.uncacheable === undefined
          ? (optimize ?? describeOptimize(UNKNOWN.wasm, optimizer)).document
          : undefined,
    importers: closure.importers,
  });
  const answer =
    made === undefined
      ? 'compile'
      : finished?.kind !== 'hit'
        ? 'finish'
        : optimizer !== undefined && optimized?.kind !== 'hit'
          ? 'optimize'
          : 'hit';
  return { answer, explanation };
}

const UNKNOWN = { wasm: 'unknown', did: 'unknown' } as unknown as Parameters<typeof describeFinish>[0];

/** Compares a build of the past with the one before it. Nothing is explained where nothing could be cached. */
async function madeOf(past: Past, record: HistoryRecord | undefined): Promise<CanisterExplanation['made']> {
  if (record === undefined) return undefined;
  const { key, compileKey, optimizeKey } = record;
  if (key === undefined || compileKey === undefined) return { record, explanation: undefined };
  const since = baselineFor(past, past.records.indexOf(record));
  const keys = keysOf(compileKey, key, optimizeKey);
  const now = await readDescribed(past.cache, keys);
  if (now === undefined) return { record, explanation: { kind: 'gone', since: keys } };
  return { record, explanation: await explainSince(past.cache, since, { ...now, key, compileKey, optimizeKey }) };
}

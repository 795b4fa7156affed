import { join } from 'node:path';
import type { Cache } from '../cache/cache.ts';
import { writeImporters } from './chain.ts';
import type { Closure } from './closure.ts';
import { compile } from './compile.ts';
import type { Context } from './context.ts';
import { describe, type Description } from './describe.ts';
import type { Explanation } from './explain.ts';
import { keysOf } from './keys.ts';
import { readLast, writeLast, type Last } from './last.ts';
import type { MadeAll } from './make.ts';
import { makeAll } from './make-all.ts';
import {
  BuildError,
  type ArtifactName,
  type FunctionComplexity,
  type MaterializedArtifact,
  type Outcome,
} from './outcome.ts';
import type { StoredBlob } from './outcome-record.ts';
import { place } from './place.ts';
import type { Canister } from './project.ts';
import type { Made, Obtained, Refs, Stage } from './stage.ts';

/** How it ended, and what of it was given to the store. */
export interface Produced {
  readonly outcome: Exclude<Outcome, { readonly outcome: 'failed' }>;
  readonly stored: readonly StoredBlob[];
}

/** How often to find and place anew before saying that somebody keeps changing the files under us. */
const MAX_ROUNDS = 20;

/**
 * One canister from main file to files: closure, key, compile, finish, optimize, materialize. Throws a BuildError where it
 * fails, and the signal's reason where it is stopped.
 */
export async function produce(
  context: Context,
  canister: Canister,
  earlier: readonly Promise<Outcome>[],
  signal: AbortSignal,
): Promise<Produced> {
  const started = performance.now();
  let queuedMs = 0; // for a slot: it says nothing about this canister
  const { name } = canister;
  const { root } = context.project;
  context.emit({ kind: 'canister-started', canister: name });
  const description = await describe(context, canister, earlier);
  const { flags, invocation, closure, candid, staged, uncacheable } = description;
  const cache = uncacheable === undefined ? context.cache : context.noCache;
  const last = readLast(cache, root, name);

  const inSlot = <T>(work: () => Promise<T>): Promise<T> => {
    const askedMs = performance.now();
    return context.slots.use(
      () => {
        queuedMs += performance.now() - askedMs;
        return work();
      },
      signal,
      last?.compileMs,
    );
  };
  const job = {
    context,
    canister: name,
    flags,
    invocation,
    closure,
    staged,
    uncacheable,
    lastMs: last?.compileMs,
    signal,
  };
  const compileStage: Stage = {
    name: 'compile',
    label: name,
    keyed: description.compile,
    run: () =>
      inSlot(() => {
        const made = compile(job).then((made) => withImporters(made, closure));
        // The compiler has been started: what is needed after it is loaded while it runs.
        context.finisher.warmUp();
        return made;
      }),
  };

  const { finisher, optimizer, outputDir } = context;
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const force = round === 1 && context.rebuild === true ? 'verify' : undefined;
    const made = await makeAll({ context, cache, canister, compileStage, finisher, candid, inSlot, force, signal });
    if (made === undefined) continue;
    const files = made.upToDate
      ? 'unchanged'
      : await place({ options: context, canister: name, refs: made.refs, bytes: made.bytes, signal });
    if (files === 'again') continue;

    const { compiled, finished, optimized, optimizeKeyed } = made;
    const origin = originOf(made, uncacheable, optimizer?.uncacheable);
    const explanation =
      context.explain === true && origin.outcome === 'built' && uncacheable === undefined
        ? await explainMade(context, name, last, description, made)
        : undefined;
    const complexFunctions = await checkedIn(context, cache, name, made, signal);
    const keys = keysOf(compiled.key, finished.key, optimizeKeyed?.key);
    writeLast(cache, root, name, { ...keys, compileMs: compiled.costMs }, last);
    const outcome = {
      canister: name,
      ...origin,
      waited: compiled.waited || finished.waited || optimized?.waited === true,
      files,
      ...(uncacheable === undefined ? keys : {}),
      ...(optimizer === undefined ? {} : { optimizer: optimizer.label }),
      durationMs: performance.now() - started - queuedMs,
      compileMs: compiled.costMs,
      diagnostics: diagnosticsOf(compiled),
      artifacts: artifactsOf(outputDir, name, made.refs),
      ...(complexFunctions === undefined ? {} : { complexFunctions }),
      ...(explanation === undefined ? {} : { explanation }),
    };
    return { outcome, stored: uncacheable === undefined ? storedOf(made) : [] };
  }
  throw new BuildError({ kind: 'output-busy', path: join(outputDir, `${name}.wasm`), waitedMs: 0 });
}

async function explainMade(
  context: Context,
  name: string,
  last: Last | undefined,
  { compile, closure }: Description,
  { finished, finishDocument, optimizeKeyed }: MadeAll,
): Promise<Explanation> {
  const { cache, optimizer, project } = context;
  const { explainSince, findElsewhere } = await import('./explanation.ts');
  return explainSince(cache, last ?? findElsewhere(cache, project.root, name), {
    compileKey: compile.key,
    compileDocument: compile.document,
    key: finished.key,
    finishDocument,
    optimizeKey: optimizeKeyed?.key,
    optimizeDocument: optimizer?.uncacheable === undefined ? (optimizeKeyed?.document ?? '') : undefined,
    importers: closure.importers,
  });
}

/** What the check of the wasm found; undefined where it was not asked for. */
async function checkedIn(
  context: Context,
  cache: Cache,
  canister: string,
  { refs, bytes }: MadeAll,
  signal: AbortSignal,
): Promise<readonly FunctionComplexity[] | undefined> {
  if (context.checkWasm !== true || refs.wasm === undefined) return undefined;
  const { complexFunctionsIn } = await import('./complexity.ts');
  return complexFunctionsIn({ context, cache, canister, wasm: refs.wasm.digest, bytes: bytes.wasm, signal });
}

/** Keeps with the compiler's artifacts how the files are reached that it read: it goes as they go. */
function withImporters(made: Made, { importers }: Closure): Made {
  return { ...made, artifacts: { ...made.artifacts, importers: Buffer.from(writeImporters(importers)) } };
}

type Origin =
  | Pick<Extract<Outcome, { outcome: 'hit' }>, 'outcome' | 'tier'>
  | Pick<Extract<Outcome, { outcome: 'built' }>, 'outcome' | 'cause' | 'uncacheable' | 'stage'>;

/** Where the result came from: a hit only where no stage had to run, else it is told of the first that had to. */
function originOf(
  { compiled, finished, optimized }: MadeAll,
  uncacheable: string | undefined,
  notOptimizable: string | undefined,
): Origin {
  const stages = [
    { stage: 'compile', obtained: compiled, reason: uncacheable },
    { stage: 'finish', obtained: finished, reason: uncacheable },
    { stage: 'optimize', obtained: optimized, reason: uncacheable ?? notOptimizable },
  ] as const;
  for (const { stage, obtained, reason } of stages) {
    if (obtained?.from.kind !== 'run') continue;
    if (reason !== undefined) return { outcome: 'built', cause: 'uncacheable', uncacheable: reason, stage };
    return { outcome: 'built', cause: obtained.from.cause, stage };
  }
  const { from } = optimized ?? finished;
  if (from.kind === 'run') throw new Error('a stage that ran was not found');
  return { outcome: 'hit', tier: from.tier };
}

/** What the stages that ran gave to the store. */
function storedOf({ compiled, finished, optimized, optimizeKeyed }: MadeAll): readonly StoredBlob[] {
  const stages = [compiled, finished, ...(optimized === undefined || optimizeKeyed === undefined ? [] : [optimized])];
  return stages.flatMap(({ from, refs }) => (from.kind === 'run' ? Object.values(refs) : []));
}

function diagnosticsOf({ bytes }: Obtained): string {
  return ['stderr', 'stdout'].map((name) => Buffer.from(bytes[name] ?? []).toString('utf8')).join('');
}

function artifactsOf(
  dir: string,
  stem: string,
  refs: Refs,
): Readonly<Partial<Record<ArtifactName, MaterializedArtifact>>> {
  return Object.fromEntries(
    Object.entries(refs).map(([name, { digest, sizeBytes }]) => [
      name,
      { path: join(dir, `${stem}.${name}`), digest, sizeBytes },
    ]),
  );
}

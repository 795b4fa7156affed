import { join } from 'node:path';
import { writeImporters } from './chain.ts';
import type { Closure } from './closure.ts';
import { compile } from './compile.ts';
import type { Context } from './context.ts';
import { describe, type Description } from './describe.ts';
import type { Explanation } from './explain.ts';
import type { StoredBlob } from './history.ts';
import { readLast, writeLast, type Last } from './last.ts';
import { makeBoth, type MadeBoth } from './make.ts';
import { BuildError, type ArtifactName, type MaterializedArtifact, type Outcome } from './outcome.ts';
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
 * One canister from main file to files: closure, key, compile, finish, materialize. Throws a BuildError where it fails,
 * and the signal's reason where it is stopped.
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
  const { flags, invocation, closure, candid, uncacheable } = description;
  const cache = uncacheable === undefined ? context.cache : context.noCache;
  const last = readLast(cache, root, name);

  const job = { context, canister: name, flags, invocation, closure, uncacheable, lastMs: last?.compileMs, signal };
  const compileStage: Stage = {
    name: 'compile',
    label: name,
    keyed: description.compile,
    run: () => {
      const askedMs = performance.now();
      return context.slots.use(() => {
        queuedMs += performance.now() - askedMs;
        const made = compile(job).then((made) => withImporters(made, closure));
        // The compiler has been started: what is needed after it is loaded while it runs.
        context.finisher.warmUp();
        cache.warmUp();
        return made;
      }, signal);
    },
  };

  const { finisher, outputDir } = context;
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const force = round === 1 && context.rebuild === true ? 'verify' : undefined;
    const made = await makeBoth({ cache, canister, compileStage, finisher, candid, outputDir, force, signal });
    if (made === undefined) continue;
    const files = made.upToDate
      ? 'unchanged'
      : await place({ options: context, canister: name, refs: made.refs, bytes: made.bytes, signal });
    if (files === 'again') continue;

    const { compiled, finished } = made;
    const origin = originOf(made, uncacheable);
    const explanation =
      context.explain === true && origin.outcome === 'built' && uncacheable === undefined
        ? await explainMade(context, name, last, description, made)
        : undefined;
    const now = { compileKey: compiled.key, key: finished.key, compileMs: compiled.costMs };
    writeLast(cache, root, name, now, last);
    const outcome = {
      canister: name,
      ...origin,
      waited: compiled.waited || finished.waited,
      files,
      ...(uncacheable === undefined ? { key: finished.key, compileKey: compiled.key } : {}),
      durationMs: performance.now() - started - queuedMs,
      compileMs: compiled.costMs,
      diagnostics: diagnosticsOf(compiled),
      artifacts: artifactsOf(outputDir, name, made.refs),
      ...(explanation === undefined ? {} : { explanation }),
    };
    return { outcome, stored: uncacheable === undefined ? storedOf(compiled, finished) : [] };
  }
  throw new BuildError({ kind: 'output-busy', path: join(outputDir, `${name}.wasm`), waitedMs: 0 });
}

async function explainMade(
  { cache, project }: Context,
  name: string,
  last: Last | undefined,
  { compile, closure }: Description,
  { finished, finishDocument }: MadeBoth,
): Promise<Explanation> {
  const { explainSince, findElsewhere } = await import('./explanation.ts');
  return explainSince(cache, last ?? findElsewhere(cache, project.root, name), {
    compileKey: compile.key,
    compileDocument: compile.document,
    key: finished.key,
    finishDocument,
    importers: closure.importers,
  });
}

/** Keeps with the compiler's artifacts how the files are reached that it read: it goes as they go. */
function withImporters(made: Made, { importers }: Closure): Made {
  return { ...made, artifacts: { ...made.artifacts, importers: Buffer.from(writeImporters(importers)) } };
}

type Origin =
  | Pick<Extract<Outcome, { outcome: 'hit' }>, 'outcome' | 'tier'>
  | Pick<Extract<Outcome, { outcome: 'built' }>, 'outcome' | 'cause' | 'uncacheable' | 'stage'>;

/** Where the result came from: a hit only where neither stage had to run. */
function originOf({ compiled, finished }: MadeBoth, uncacheable: string | undefined): Origin {
  const ran = compiled.from.kind === 'run' ? compiled.from : finished.from;
  if (ran.kind === 'tier') return { outcome: 'hit', tier: ran.tier };
  const stage = compiled.from.kind === 'run' ? 'compile' : 'finish';
  if (uncacheable !== undefined) return { outcome: 'built', cause: 'uncacheable', uncacheable, stage };
  return { outcome: 'built', cause: ran.cause, stage };
}

/** What the stages that ran gave to the store. */
function storedOf(...stages: readonly Obtained[]): readonly StoredBlob[] {
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

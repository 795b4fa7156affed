import { openContext, type BuildOptions, type Context } from './context.ts';
import { BuildError, type Outcome } from './outcome.ts';
import { recordOf, type StoredBlob } from './outcome-record.ts';
import { readLast } from './last.ts';
import { produce } from './produce.ts';
import type { Canister } from './project.ts';
import { longestFirst } from './slots.ts';
import { sweepOutputs } from './sweep-outputs.ts';

/**
 * Builds canisters side by side: from each main file through closure, key, lookup, compile and finish to files. One
 * promise a canister, in the order given; they never reject but for a bug or a compiler that cannot be read.
 *
 * After a failure the canisters behind it in the order are cancelled, as far as they are not done, and those before it
 * are finished; `keepGoing` lets all go on. With one job they are built one after the other, as upstream does it.
 */
export async function startBuild(options: BuildOptions): Promise<readonly Promise<Outcome>[]> {
  const context = await openContext(options);
  const stops = options.canisters.map(() => new AbortController());
  const begin = turns(context);
  const outcomes: Promise<Outcome>[] = [];
  for (const [index, canister] of options.canisters.entries()) {
    const earlier = outcomes.slice();
    const own = stops[index]?.signal;
    const signals = [options.signal, own].filter((signal) => signal !== undefined);
    const outcome = buildOne(context, canister, {
      earlier,
      turn: context.jobs === 1 ? Promise.all(earlier) : begin.turns[index],
      signal: AbortSignal.any(signals),
    });
    outcomes.push(
      outcome.then((end) => {
        if (end.outcome === 'failed' && options.keepGoing !== true)
          stops.slice(index + 1).forEach((stop) => stop.abort());
        return end;
      }),
    );
  }
  begin.start(); // every canister's promise exists before the first one works
  void Promise.allSettled(outcomes).then(() => sweepUp(context));
  return outcomes;
}

/** Begins the canisters that took longest the last time before the others, so that none of them is left over at the end. */
function turns({ cache, project, canisters, jobs }: Context) {
  const starts: (() => void)[] = [];
  const lastMs = canisters.map(({ name }) =>
    canisters.length <= jobs ? undefined : readLast(cache, project.root, name)?.compileMs,
  );
  return {
    turns: canisters.map((_, index) => new Promise<void>((start) => (starts[index] = start))),
    start: () => {
      for (const index of longestFirst(lastMs)) starts[index]?.();
    },
  };
}

/** Nobody waits for this but the end of the process: killed builds leave things behind, and each build looks for them. */
async function sweepUp({ cache, outputDir, scratchDir }: Context): Promise<void> {
  await cache.sweep([scratchDir]);
  await sweepOutputs(outputDir, Date.now());
}

interface Turn {
  /** The canisters before this one. */
  readonly earlier: readonly Promise<Outcome>[];
  /** To be waited for before the work begins. */
  readonly turn: Promise<unknown> | undefined;
  readonly signal: AbortSignal;
}

async function buildOne(context: Context, canister: Canister, { earlier, turn, signal }: Turn): Promise<Outcome> {
  let started = performance.now();
  const durationMs = () => performance.now() - started;
  try {
    await turn;
    signal.throwIfAborted();
    started = performance.now();
    const { outcome, stored } = await produce(context, canister, earlier, signal);
    journal(context, outcome, stored);
    return outcome;
  } catch (error) {
    if (signal.aborted) {
      return { outcome: 'failed', canister: canister.name, failure: { kind: 'cancelled' }, durationMs: durationMs() };
    }
    if (!(error instanceof BuildError)) throw error;
    const { failure } = error;
    const outcome = { outcome: 'failed', canister: canister.name, failure, durationMs: durationMs() } as const;
    journal(context, outcome, []);
    return outcome;
  }
}

function journal({ cache, project }: Context, outcome: Outcome, stored: readonly StoredBlob[]): void {
  const record = recordOf(outcome, project.root, stored, Date.now());
  if (record !== undefined) cache.appendRecord(record);
}

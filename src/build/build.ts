import { availableParallelism } from 'node:os';
import { openCache } from '../cache/cache.ts';
import type { BuildOptions, Context } from './context.ts';
import { BuildError, type Outcome } from './outcome.ts';
import { produce } from './produce.ts';
import type { Canister } from './project.ts';
import { openSources } from './sources.ts';
import { slots } from './slots.ts';

/**
 * Builds canisters side by side: from each main file through closure, key, lookup, compile and finish to files. One
 * promise a canister, in the order given; they never reject but for a bug or a compiler that cannot be read.
 *
 * After a failure the canisters behind it in the order are cancelled, as far as they are not done, and those before it
 * are finished; `keepGoing` lets all go on.
 */
export async function startBuild(options: BuildOptions): Promise<readonly Promise<Outcome>[]> {
  const context: Context = {
    ...options,
    identity: await options.compiler.identify(options.signal),
    slots: slots(options.jobs ?? availableParallelism()),
    sources: openSources(options.project.root),
    noCache: openCache({ dir: options.scratchDir, mode: 'off', leaseWaitMs: 0 }),
    emit: (event) => options.onEvent?.(event),
  };
  const stops = options.canisters.map(() => new AbortController());
  const outcomes: Promise<Outcome>[] = [];
  for (const [index, canister] of options.canisters.entries()) {
    const earlier = outcomes.slice();
    const own = stops[index]?.signal;
    const signals = [options.signal, own].filter((signal) => signal !== undefined);
    const outcome = buildOne(context, canister, earlier, AbortSignal.any(signals));
    outcomes.push(
      outcome.then((end) => {
        if (end.outcome === 'failed' && options.keepGoing !== true)
          stops.slice(index + 1).forEach((stop) => stop.abort());
        return end;
      }),
    );
  }
  return outcomes;
}

async function buildOne(
  context: Context,
  canister: Canister,
  earlier: readonly Promise<Outcome>[],
  signal: AbortSignal,
): Promise<Outcome> {
  const started = performance.now();
  const durationMs = () => performance.now() - started;
  try {
    await Promise.resolve(); // every canister's promise exists before the first one works
    signal.throwIfAborted();
    return await produce(context, canister, earlier, signal);
  } catch (error) {
    if (signal.aborted) {
      return { outcome: 'failed', canister: canister.name, failure: { kind: 'cancelled' }, durationMs: durationMs() };
    }
    if (!(error instanceof BuildError)) throw error;
    return { outcome: 'failed', canister: canister.name, failure: error.failure, durationMs: durationMs() };
  }
}

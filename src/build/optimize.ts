import { describeOptimize } from './describe.ts';
import type { MadeAll, MadeBoth, MakingAll, Outputs } from './make.ts';
import type { BuildEvent } from './outcome.ts';
import type { Optimizer } from './optimizer.ts';
import { obtain, withBytes, type Stage } from './stage.ts';

/**
 * The third stage: finds the optimized wasm or makes it. The finished wasm is read only where wasm-opt has to run. Where
 * its stored bytes are damaged then and the finish gives something else, undefined: ask once more.
 */
export async function optimize(
  optimizer: Optimizer,
  making: MakingAll,
  both: MadeBoth,
  outputs: Outputs,
): Promise<MadeAll | undefined> {
  const { context, canister, signal } = making;
  const finishedWasm = both.finished.refs.wasm?.digest;
  if (finishedWasm === undefined) throw new Error('a finish without wasm was stored');
  let source = both.finished;
  const stage: Stage = {
    name: 'optimize',
    label: canister.name,
    keyed: describeOptimize(finishedWasm, optimizer),
    run: async () => {
      source = await withBytes(making.cache, both.finishStage, source, ['wasm'], signal);
      const { cache, scratchDir } = context;
      const emit = (event: BuildEvent) => context.emit(event);
      const wasm = source.bytes.wasm ?? new Uint8Array();
      const job = { cache, scratchDir, emit, canister: canister.name, wasm, signal };
      const made = await making.inSlot(() => optimizer.run(job));
      return { ...made, sound: made.sound && source.refs.wasm?.digest === finishedWasm };
    },
  };
  const cache = optimizer.uncacheable === undefined ? making.cache : context.noCache;
  const optimized = await obtain(cache, stage, { wanted: outputs.lacking, force: making.force, signal });
  if (source.refs.wasm?.digest !== finishedWasm) return undefined;
  return {
    ...both,
    finished: source.from.kind === 'run' ? source : both.finished,
    optimized,
    ...(optimizer.uncacheable === undefined ? { optimizeKeyed: stage.keyed } : {}),
    refs: { ...both.refs, ...optimized.refs },
    // The finished wasm may be in hand, and must not be taken for this one.
    bytes: { ...without(both.bytes, 'wasm'), ...optimized.bytes },
    upToDate: outputs.areUpToDate(),
  };
}

function without<T>(record: Readonly<Record<string, T>>, name: string): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
}

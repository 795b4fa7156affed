import type { Keyed } from './action.ts';
import type { Context } from './context.ts';
import { makeBoth, outputsIn, type MadeBoth, type Making } from './make.ts';
import type { Obtained } from './stage.ts';

/** What it takes to find or make all stages of a canister. */
export interface MakingAll extends Omit<Making, 'outputs' | 'isFinal'> {
  readonly context: Context;
  /** Waits for one of the places in which programs run. */
  inSlot<T>(work: () => Promise<T>): Promise<T>;
}

export interface MadeAll extends MadeBoth {
  /** Where mops.toml has `[optimize]`. */
  readonly optimized?: Obtained;
  /** Where what it made may be cached. */
  readonly optimizeKeyed?: Keyed;
  /** Every file was found to be there already. */
  readonly upToDate: boolean;
}

/** Compile, finish, and where asked for optimize. Undefined where makeBoth says so: ask once more. */
export async function makeAll(making: MakingAll): Promise<MadeAll | undefined> {
  const { context, canister } = making;
  const { optimizer } = context;
  const outputs = outputsIn(context.outputDir, canister.name);
  const both = await makeBoth({ ...making, outputs, isFinal: optimizer === undefined });
  if (both === undefined) return undefined;
  if (optimizer === undefined) return { ...both, upToDate: outputs.areUpToDate() };
  const { optimize } = await import('./optimize.ts');
  return optimize(optimizer, making, both, outputs);
}

import { makeBoth, outputsIn, type MadeAll, type MakingAll } from './make.ts';

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

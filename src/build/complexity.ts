import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, type Digest } from '../cache/digest.ts';
import { keyOfComplexity } from './action.ts';
import type { Context } from './context.ts';
import type { FunctionComplexity } from './outcome.ts';
import { obtain, type Stage } from './stage.ts';

/** From here on it is told of a function. The network refuses modules that have one of more than LIMIT. */
const EARLY = 750_000;

/** Upstream tells of so many at most. */
const MOST_TOLD = 3;

export interface Checked {
  readonly context: Context;
  /** For what may not be cached: one that keeps nothing. */
  readonly cache: Context['cache'];
  readonly canister: string;
  readonly wasm: Digest;
  /** The bytes, where they are in hand. */
  readonly bytes: Uint8Array | undefined;
  readonly signal: AbortSignal;
}

/**
 * The functions of a wasm that are near the network's limit of complexity, the most complex first. The analysis is cached
 * under the digest of the wasm and of the module that analyses. A check that cannot be made is an event, and no failure.
 */
export async function complexFunctionsIn(checked: Checked): Promise<readonly FunctionComplexity[]> {
  const { context, cache, canister, signal } = checked;
  const stage: Stage = {
    name: 'complexity',
    label: canister,
    keyed: keyOfComplexity({ wasm: checked.wasm, analyser: context.finisher.identity }),
    run: () => Promise.resolve(analyse(checked)),
  };
  try {
    const { bytes } = await obtain(cache, stage, { wanted: () => ['complexity'], signal });
    return JSON.parse(Buffer.from(bytes.complexity ?? []).toString('utf8')) as readonly FunctionComplexity[];
  } catch (error) {
    if (signal.aborted || !(error instanceof NotAnalysed)) throw error;
    context.emit({ kind: 'not-analysed', canister, message: error.message });
    return [];
  }
}

class NotAnalysed extends Error {}

function analyse({ context, canister, wasm, bytes }: Checked) {
  const started = performance.now();
  const found = functionsOf(context, bytes ?? readPlaced(context.outputDir, canister, wasm));
  const told = found
    .filter(({ complexity }) => complexity >= EARLY)
    .sort((a, b) => b.complexity - a.complexity || a.index - b.index)
    .slice(0, MOST_TOLD);
  return {
    artifacts: { complexity: Buffer.from(JSON.stringify(told)) },
    costMs: performance.now() - started,
    sound: context.finisher.isUnchanged(),
  };
}

/** Whatever the module says or throws: it is another program's, of a version that may be newer than this. */
function functionsOf({ finisher }: Context, bytes: Uint8Array): FunctionComplexity[] {
  try {
    return finisher.analyse(bytes).map(({ index, name, complexity, instructionCount }) => {
      if (![index, complexity, instructionCount].every(Number.isFinite))
        throw new Error('its result is not understood');
      return { index, ...(typeof name === 'string' && name !== '' ? { name } : {}), complexity, instructionCount };
    });
  } catch (error) {
    throw new NotAnalysed(error instanceof Error ? error.message : String(error));
  }
}

/** The file was put in place a moment ago. */
function readPlaced(dir: string, canister: string, wasm: Digest): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(join(dir, `${canister}.wasm`));
  } catch (error) {
    throw new NotAnalysed((error as Error).message);
  }
  if (digestOf(bytes) !== wasm) throw new NotAnalysed('the file was changed meanwhile');
  return bytes;
}

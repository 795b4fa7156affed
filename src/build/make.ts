import type { Cache } from '../cache/cache.ts';
import type { Keyed } from './action.ts';
import type { Context } from './context.ts';
import { describeFinish } from './describe.ts';
import { finish, sectionsOf, type Candid, type Finisher } from './finish.ts';
import { planMaterialize } from './materialize.ts';
import { BuildError, type ArtifactName } from './outcome.ts';
import type { Canister } from './project.ts';
import { obtain, withBytes, type Force, type Made, type Obtained, type Refs, type Stage } from './stage.ts';

/** What it takes to find or make the compile of a canister and its finish. */
export interface Making {
  readonly cache: Cache;
  readonly canister: Canister;
  readonly compileStage: Stage;
  readonly finisher: Finisher;
  readonly candid: Candid | undefined;
  readonly outputs: Outputs;
  /** Whether the finished wasm is the one that is placed: else its bytes are not looked at. */
  readonly isFinal: boolean;
  readonly force: Force | undefined;
  readonly signal: AbortSignal;
}

/** The results of both stages, and the files that the two make together: moc's but for the wasm, which is the final one. */
export interface MadeBoth {
  readonly compiled: Obtained;
  readonly finished: Obtained;
  readonly finishDocument: string;
  readonly refs: Refs;
  readonly bytes: Readonly<Record<string, Uint8Array>>;
  /** To ask for the finish again, where its bytes turn out to be needed. */
  readonly finishStage: Stage;
}

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

/** Where the files belong: bytes are read for those only that are not there already. */
export interface Outputs {
  /** Which of these files are not there as they should be. To be asked once for what moc made, and once for the wasm. */
  readonly lacking: (refs: Refs) => readonly ArtifactName[];
  /** Whether every file was found to be there already. */
  readonly areUpToDate: () => boolean;
}

export function outputsIn(dir: string, canister: string): Outputs {
  const lacking: ArtifactName[] = [];
  let plans = 0;
  return {
    lacking: (refs) => {
      plans += 1;
      const names = planMaterialize(dir, canister, refs);
      lacking.push(...names);
      return names;
    },
    // Asked more often, it was asked of something that was replaced since.
    areUpToDate: () => plans === 2 && lacking.length === 0,
  };
}

/**
 * Compile, then finish. Undefined where the compile had to be run again in the middle, because its stored bytes were
 * damaged, and gave something else: what is in hand then belongs to two runs and must not be mixed. Ask once more.
 */
export async function makeBoth(making: Making): Promise<MadeBoth | undefined> {
  const { cache, canister, compileStage, finisher, candid, outputs, signal, force } = making;
  const compiled = await obtain(cache, compileStage, {
    wanted: (refs) => ['stdout', 'stderr', ...outputs.lacking(filesOf(refs))],
    force,
    signal,
  });
  const { wasm, did } = compiled.refs;
  if (wasm === undefined || did === undefined) throw new Error('a compile without wasm or did was stored');
  const keyed = describeFinish({ wasm: wasm.digest, did: did.digest }, canister, candid, finisher);

  let source = compiled;
  const finishNow = async (): Promise<Made> => {
    source = await withBytes(cache, compileStage, source, ['wasm', 'did'], signal);
    const started = performance.now();
    const fresh = source.bytes.did ?? NOTHING;
    const final = finish(finisher, {
      canister: canister.name,
      wasm: source.bytes.wasm ?? NOTHING,
      did: fresh,
      candid,
      sections: sectionsOf(candid?.text ?? Buffer.from(fresh).toString('utf8'), canister.initArg),
    });
    return {
      artifacts: { wasm: final },
      costMs: performance.now() - started,
      sound: sameRun(source, compiled) && finisher.isUnchanged(),
    };
  };
  const run = async (): Promise<Made> => {
    try {
      return await finishNow();
    } catch (error) {
      // Stored bytes that do not parse, though they are what was stored, are cured by compiling once more.
      if (!(error instanceof BuildError) || error.failure.kind !== 'bad-wasm' || source.from.kind === 'run')
        throw error;
      source = await obtain(cache, compileStage, { wanted: () => [], force: 'again', signal });
      return finishNow();
    }
  };
  const finishStage: Stage = { name: 'finish', label: canister.name, keyed, run };
  const wanted = making.isFinal ? outputs.lacking : () => [];
  const finished = await obtain(cache, finishStage, { wanted, force, signal });
  if (!sameRun(source, compiled)) return undefined;
  return {
    // The compiler may have had to run for the finish: a hit does not look at the bytes that only the finish needs.
    compiled: source.from.kind === 'run' ? { ...source, waited: source.waited || compiled.waited } : compiled,
    finished,
    finishDocument: keyed.document,
    refs: { ...filesOf(compiled.refs), ...finished.refs },
    bytes: { ...filesOf(compiled.bytes), ...finished.bytes },
    finishStage,
  };
}

const NOTHING = new Uint8Array();

/** Of what the compiler made, the files that reach the user as they are. */
function filesOf<T>(artifacts: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(artifacts).filter(([name]) => AS_THEY_ARE.has(name)));
}

const AS_THEY_ARE: ReadonlySet<string> = new Set(['did', 'most', 'wasm.map'] satisfies ArtifactName[]);

function sameRun(a: Obtained, b: Obtained): boolean {
  const names = Object.keys(a.refs);
  return (
    names.length === Object.keys(b.refs).length && names.every((name) => a.refs[name]?.digest === b.refs[name]?.digest)
  );
}

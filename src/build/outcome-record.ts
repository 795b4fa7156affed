import type { JournalRecord } from '../cache/cache.ts';
import type { Digest } from '../cache/digest.ts';
import type { Outcome } from './outcome.ts';

export interface StoredBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** What the journal is to have of an outcome; undefined where nothing came of it that is worth a line. */
export function recordOf(
  outcome: Outcome,
  project: string,
  stored: readonly StoredBlob[],
  nowMs: number,
): JournalRecord | undefined {
  const { canister, durationMs } = outcome;
  const common = { atMs: Math.round(nowMs), project, canister, outcome: outcome.outcome };
  if (outcome.outcome === 'failed') {
    if (outcome.failure.kind === 'cancelled') return undefined;
    return { ...common, failure: outcome.failure.kind, durationMs: Math.round(durationMs) };
  }
  const { key, compileKey, optimizeKey, waited, files, compileMs, artifacts } = outcome;
  return {
    ...common,
    ...(outcome.outcome === 'hit'
      ? { tier: outcome.tier }
      : { cause: outcome.cause, stage: outcome.stage, uncacheable: outcome.uncacheable }),
    ...(waited ? { waited } : {}),
    files,
    ...(key === undefined ? {} : { key, compileKey }),
    ...(optimizeKey === undefined ? {} : { optimizeKey }),
    durationMs: Math.round(durationMs),
    compileMs: Math.round(compileMs),
    ...(artifacts.wasm === undefined ? {} : { wasm: pairOf(artifacts.wasm) }),
    ...(stored.length === 0 ? {} : { stored: stored.map(pairOf) }),
  };
}

function pairOf({ digest, sizeBytes }: StoredBlob): readonly [Digest, number] {
  return [digest, sizeBytes];
}

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
  const { wasm } = artifacts;
  const isHit = outcome.outcome === 'hit';
  // One object with all the fields, of which JSON leaves out the undefined ones: V8 is slow to put one together from parts.
  return {
    ...common,
    tier: isHit ? outcome.tier : undefined,
    cause: isHit ? undefined : outcome.cause,
    stage: isHit ? undefined : outcome.stage,
    uncacheable: isHit ? undefined : outcome.uncacheable,
    waited: waited || undefined,
    files,
    key,
    compileKey: key === undefined ? undefined : compileKey,
    optimizeKey,
    durationMs: Math.round(durationMs),
    compileMs: Math.round(compileMs),
    wasm: wasm === undefined ? undefined : pairOf(wasm),
    stored: stored.length === 0 ? undefined : stored.map(pairOf),
  };
}

function pairOf({ digest, sizeBytes }: StoredBlob): readonly [Digest, number] {
  return [digest, sizeBytes];
}

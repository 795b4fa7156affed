import { loadChecksum, loadRunningChecksum } from './checksum.ts';
import { allBlobs, allKeys } from './layout.ts';
import { checkStoreFolder, storePathsOf } from './store-folder.ts';
import type { StoreProblem, Verifying } from './store-problem.ts';
import { blobChecker, type Blobs } from './verify-blobs.ts';
import { checkResult } from './verify-results.ts';

export interface VerifyOptions {
  readonly dir: string;
  /** What is found is left where it is. */
  readonly readOnly: boolean;
  /** Called before each file. */
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
  /** Ends it by throwing the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How far it is: `share` is from 0 to 1, of the blobs first and then of the results. */
export interface VerifyProgress {
  readonly stage: 'blobs' | 'results';
  readonly share: number;
  readonly readBytes: number;
}

export interface Verification {
  readonly results: number;
  readonly blobs: number;
  readonly readBytes: number;
  /** Blobs that no result names. Not damage: a build that goes on may be about to name them, else they go in time. */
  readonly orphans: { readonly blobs: number; readonly sizeBytes: number };
  readonly problems: readonly StoreProblem[];
}

/**
 * Reads every blob and every result, and takes away what is not as it was written, so that the next build makes it anew.
 *
 * Safe beside builds, collectors and other checks: files are looked at again before they are touched, moved before they
 * are judged for good, and put back where they turn out to be whole. What others remove meanwhile is no damage. Throws a
 * TierError where the folder is no store of ours, and the system's error where its folders cannot be read.
 */
export async function verifyStore(options: VerifyOptions): Promise<Verification> {
  const problems: StoreProblem[] = [];
  const verifying: Verifying = {
    paths: storePathsOf(options.dir),
    readOnly: options.readOnly,
    checksumOf: await loadChecksum(),
    beginChecksum: await loadRunningChecksum(),
    report: (problem) => problems.push(problem),
  };
  const blobs = blobChecker(verifying);
  if (checkStoreFolder(options.dir) === 'empty') return verificationOf(blobs, 0, problems);
  const pause = pauser(options.signal);
  const step = async (stage: VerifyProgress['stage'], name: string) => {
    options.onProgress?.({ stage, share: shareOf(name), readBytes: blobs.readBytes() });
    await pause();
  };

  // Blobs first: a result that is stored meanwhile names blobs that were there before it (invariant 4).
  for (const digest of allBlobs(verifying.paths)) {
    await step('blobs', digest);
    blobs.check(digest);
  }
  let results = 0;
  for (const key of allKeys(verifying.paths)) {
    await step('results', key);
    if (checkResult(verifying, blobs, key)) results += 1;
  }
  return verificationOf(blobs, results, problems);
}

function verificationOf(blobs: Blobs, results: number, problems: readonly StoreProblem[]): Verification {
  return { results, blobs: blobs.count(), readBytes: blobs.readBytes(), orphans: blobs.orphans(), problems };
}

/** Names are digests, in order and evenly spread: the first digits of one say how many come before it. */
function shareOf(name: string): number {
  return Number.parseInt(name.slice(0, 4), 16) / 0x1_00_00;
}

const PAUSE_EVERY_MS = 50;

/** Lets signals through now and then: reading is synchronous, because that is twice as fast with many small files. */
function pauser(signal: AbortSignal | undefined): () => Promise<void> {
  let lastMs = performance.now();
  return async () => {
    signal?.throwIfAborted();
    if (performance.now() - lastMs < PAUSE_EVERY_MS) return;
    await new Promise((next) => setImmediate(next));
    lastMs = performance.now();
  };
}

import { knownBlobs } from '../cache/blob-copy.ts';
import type { Sight } from '../cache/sights.ts';
import type { StorePaths } from '../cache/store-paths.ts';
import { putBack, type Known } from '../build/put-back.ts';
import type { Hit, Standing } from './standing.ts';

/**
 * Puts the files of a build in place of which nothing has changed but they, without reading what they are made of, canister
 * after canister. Gives those that are done: where that is not all of them, restore.ts does the others.
 */
export function putBackAll(paths: StorePaths, sights: readonly Sight[], { outputDir, hits }: Standing): readonly Hit[] {
  const known = knownFrom(paths, sights);
  const done: Hit[] = [];
  // To be ended in between would leave a lock, on which upstream's builds wait for minutes.
  for (const signal of SIGNALS) process.on(signal, endThen);
  for (const hit of hits) {
    const startedNs = process.hrtime.bigint();
    const files = putBack(outputDir, hit.canister, hit.artifacts, known);
    if (files === undefined) break;
    done.push({ ...hit, files, durationMs: Number(process.hrtime.bigint() - startedNs) / 1e6 });
  }
  for (const signal of SIGNALS) process.removeListener(signal, endThen);
  return done;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Not called while anything is put back, for all of that is done in one go: a signal that comes then comes too late. */
function endThen(_signal: NodeJS.Signals, number: number): void {
  process.exit(128 + number);
}

function knownFrom(paths: StorePaths, sights: readonly Sight[]): Known {
  const own = new Map<string, Sight>();
  for (const sight of sights) if (sight[0] === 'own') own.set(sight[1], sight);
  return { ownAt: (path) => own.get(path), blobOf: knownBlobs(paths, sights) };
}

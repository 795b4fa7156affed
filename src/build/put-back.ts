import { join } from 'node:path';
import { BlobUnknown, copyBlob } from '../cache/blob-copy.ts';
import { lockPlaceOf, workLocked } from '../cache/brief-lock.ts';
import type { Digest } from '../cache/digest.ts';
import { isAbsent, isStillSeen, type BlobSight, type Sight } from '../cache/sights.ts';
import { isSystemError } from '../cache/tier.ts';
import { makeOutputDir, materialize } from './materialize.ts';
import { BuildError, type ArtifactName, type Finished } from './outcome.ts';

/** What an earlier build saw: the files that it put in place, and the blobs that they were made of. */
export interface Known {
  ownAt(path: string): Sight | undefined;
  blobOf(digest: Digest): BlobSight | undefined;
}

/**
 * Puts back those of a canister's files that are gone, from blobs that are known by their stamps. Undefined where that is
 * not all there is to do: something else lies in a file's place, a blob is not known, the lock is not free at once, or
 * anything fails. Then place.ts, which can do all of it, is to see to it from the beginning.
 */
export function putBack(
  dir: string,
  canister: string,
  artifacts: Finished['artifacts'],
  known: Known,
): Finished['files'] | undefined {
  try {
    const plan = planFiles(artifacts, known);
    if (plan === undefined) return undefined;
    const { files, kept } = plan;
    if (files.length === 0) return 'unchanged';
    makeOutputDir(dir);
    const end = workLocked(lockPlaceOf(join(dir, `.${canister}.buildlock`)), canister, () => {
      // Another build may have written meanwhile.
      if (!files.every(({ path }) => isAbsent(path)) || !kept.every(isStillSeen)) return undefined;
      materialize(dir, canister, Object.fromEntries(files.map(({ name, blob }) => [name, (to) => copyBlob(blob, to)])));
      return 'written' as const;
    });
    return end?.kind === 'done' ? end.value : undefined;
  } catch (error) {
    if (error instanceof BlobUnknown || error instanceof BuildError || isSystemError(error)) return undefined;
    throw error;
  }
}

interface Plan {
  /** Those that are gone. */
  readonly files: readonly { readonly name: ArtifactName; readonly path: string; readonly blob: BlobSight }[];
  /** The others, which are as they were. */
  readonly kept: readonly Sight[];
}

/** Undefined where a file is neither gone nor as it was, or its blob is not known. */
function planFiles(artifacts: Finished['artifacts'], known: Known): Plan | undefined {
  const files: Plan['files'][number][] = [];
  const kept: Sight[] = [];
  for (const [name, { path, digest }] of Object.entries(artifacts)) {
    const own = known.ownAt(path);
    if (own !== undefined && isStillSeen(own)) {
      kept.push(own);
      continue;
    }
    const blob = known.blobOf(digest);
    if (blob === undefined || !isAbsent(path)) return undefined;
    files.push({ name: name as ArtifactName, path, blob });
  }
  return { files, kept };
}

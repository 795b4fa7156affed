import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { loadChecksum } from './checksum.ts';
import { digestOf, type ActionKey, type Digest } from './digest.ts';
import { isBlobOf, parseResult, type BlobRef } from './entry.ts';
import { blobPathOf, resultPathOf } from './layout.ts';
import { READ, readNoWait } from './no-wait.ts';
import { note, sightOfBlob, type BlobSight } from './sights.ts';
import type { StorePaths } from './store-paths.ts';

/**
 * Looks up blobs that the results of some keys name, each time by its digest; undefined where its bytes cannot be had from
 * there, or are not what the result says (size and XXH64), for whatever reason. Touches and sets aside nothing. What it
 * gives is noted for the survey that is open, if one is.
 */
export async function openBlobs(
  paths: StorePaths,
  keys: readonly ActionKey[],
): Promise<(digest: Digest) => Uint8Array | undefined> {
  const checksumOf = await loadChecksum();
  const named = new Map<Digest, BlobRef>();
  for (const key of keys) {
    const bytes = readOrNone(resultPathOf(paths, key));
    const stored = bytes === undefined ? undefined : parseResult(bytes, checksumOf);
    for (const ref of Object.values(stored?.result.artifacts ?? {})) named.set(ref.digest, ref);
  }
  return (digest) => {
    const ref = named.get(digest);
    if (ref === undefined) return undefined;
    const path = blobPathOf(paths, digest);
    const found = readStamped(path);
    if (found === undefined || !isBlobOf(ref, found.bytes, checksumOf)) return undefined;
    if (found.sight !== undefined) note(found.sight);
    return found.bytes;
  };
}

/**
 * Looks at blobs so that they are known again by their stamps (copyBlob), each after its bytes were checked with SHA-256.
 * Leaves out what is not right, or too young.
 */
export function seeBlobs(paths: StorePaths, digests: readonly Digest[]): readonly BlobSight[] {
  return digests.flatMap((digest) => {
    const { bytes, sight } = readStamped(blobPathOf(paths, digest)) ?? {};
    return bytes !== undefined && sight !== undefined && digestOf(bytes) === digest ? [sight] : [];
  });
}

function readStamped(path: string): { readonly bytes: Uint8Array; readonly sight: BlobSight | undefined } | undefined {
  try {
    const beforeMs = Date.now();
    const file = openSync(path, READ);
    try {
      const stats = fstatSync(file);
      return { bytes: readFileSync(file), sight: sightOfBlob(path, stats, beforeMs) };
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

function readOrNone(path: string): Uint8Array | undefined {
  try {
    return readNoWait(path);
  } catch {
    return undefined;
  }
}

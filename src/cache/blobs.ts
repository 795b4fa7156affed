import { readFileSync } from 'node:fs';
import { loadChecksum } from './checksum.ts';
import type { ActionKey, Digest } from './digest.ts';
import { isBlobOf, parseResult, type BlobRef } from './entry.ts';
import { blobPathOf, resultPathOf } from './layout.ts';
import type { StorePaths } from './store-paths.ts';

/**
 * Looks up blobs that the results of some keys name, each time by its digest; undefined where its bytes cannot be had from
 * there, or are not what the result says (size and XXH64), for whatever reason. Touches and sets aside nothing.
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
    const bytes = readOrNone(blobPathOf(paths, digest));
    return bytes !== undefined && isBlobOf(ref, bytes, checksumOf) ? bytes : undefined;
  };
}

function readOrNone(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

import { readFileSync } from 'node:fs';
import { digestOf, type Digest } from './digest.ts';
import { blobPathOf } from './layout.ts';
import type { StorePaths } from './store-paths.ts';

/**
 * The bytes that the digest names, and no others; undefined where they cannot be had, for whatever reason. For whoever has
 * no checksum of them: SHA-256 takes longer than that over the bytes, and less than loading the other.
 */
export function readBlobByDigest(paths: StorePaths, digest: Digest): Uint8Array | undefined {
  try {
    const bytes = readFileSync(blobPathOf(paths, digest));
    return digestOf(bytes) === digest ? bytes : undefined;
  } catch {
    return undefined;
  }
}

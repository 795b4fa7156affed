import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import type { Digest } from './digest.ts';
import { blobPathOf } from './layout.ts';
import { READ } from './no-wait.ts';
import { isSameBlob, type BlobSight, type Sight } from './sights.ts';
import type { StorePaths } from './store-paths.ts';

/** Thrown where a blob is not known by its stamp any more: then its bytes decide. */
export class BlobUnknown extends Error {}

/** Those of a store's blobs that are among some sights, by digest. */
export function knownBlobs(paths: StorePaths, sights: readonly Sight[]): (digest: Digest) => BlobSight | undefined {
  const blobs = new Map<string, BlobSight>();
  for (const sight of sights) if (sight[0] === 'blob') blobs.set(sight[1], sight);
  return (digest) => blobs.get(blobPathOf(paths, digest));
}

/**
 * Copies a blob to a new file. Its bytes are not checked: they were, and a stamp as old as that says that they are the
 * same. It is looked at before and after, by the file that is read. Throws BlobUnknown, or the system's error; the new
 * file is then of no use.
 *
 * Not fs.copyFileSync: that takes over the blob's mode, and leaves the copying to the file system, of which not all do it
 * right while the bytes are on their way to the disk.
 */
export function copyBlob(sight: BlobSight, to: string): void {
  takeBlob(sight, (blob) => {
    const copy = openSync(to, 'wx');
    try {
      copyBytes(blob, copy, sight[4]);
    } finally {
      closeSync(copy);
    }
  });
}

/** The bytes of a small blob, on the same terms. */
export function readBlob(sight: BlobSight): Uint8Array {
  return takeBlob(sight, (blob) => readFileSync(blob));
}

function takeBlob<T>(sight: BlobSight, take: (blob: number) => T): T {
  const blob = openSync(sight[1], READ_NO_LINK);
  try {
    checkSame(blob, sight);
    const taken = take(blob);
    checkSame(blob, sight);
    return taken;
  } finally {
    closeSync(blob);
  }
}

const READ_NO_LINK = READ | constants.O_NOFOLLOW;

/** More is not faster, for memory that was never used has to be had from the system first. */
const PIECE_BYTES = 128 * 1024;

let piece: Uint8Array | undefined;

function checkSame(blob: number, sight: BlobSight): void {
  if (!isSameBlob(fstatSync(blob), sight)) throw new BlobUnknown();
}

function copyBytes(from: number, to: number, sizeBytes: number): void {
  piece ??= Buffer.allocUnsafeSlow(PIECE_BYTES);
  for (let at = 0; at < sizeBytes;) {
    const length = readSync(from, piece, 0, Math.min(PIECE_BYTES, sizeBytes - at), null);
    if (length === 0) throw new BlobUnknown();
    for (let start = 0; start < length;) start += writeSync(to, piece, start, length - start);
    at += length;
  }
}

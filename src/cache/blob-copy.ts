import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { READ } from './no-wait.ts';
import { isSameBlob, type BlobSight } from './sights.ts';

/** Thrown where a blob is not known by its stamp any more: then its bytes decide. */
export class BlobUnknown extends Error {}

/**
 * Copies a blob to a new file. Its bytes are not checked: they were, and a stamp as old as that says that they are the
 * same. It is looked at before and after, by the file that is read. Throws BlobUnknown, or the system's error; the new
 * file is then of no use.
 *
 * Not fs.copyFileSync: that takes over the blob's mode, and leaves the copying to the file system, of which not all do it
 * right while the bytes are on their way to the disk.
 */
export function copyBlob(sight: BlobSight, to: string): void {
  const blob = openSync(sight[1], READ_NO_LINK);
  try {
    checkSame(blob, sight);
    const copy = openSync(to, 'wx');
    try {
      copyBytes(blob, copy, sight[4]);
      checkSame(blob, sight);
    } finally {
      closeSync(copy);
    }
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

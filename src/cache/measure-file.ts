import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import type { Checksum, RunningChecksum } from './checksum.ts';
import type { Digest } from './digest.ts';
import { READ } from './no-wait.ts';

/** A file by its bytes. */
export interface Measured {
  readonly digest: Digest;
  readonly checksum: Checksum;
  readonly sizeBytes: number;
}

/** Reads a file of any size in pieces; `missing`, or `folder` where there is one in its place. Throws the system's error. */
export function measureFile(path: string, beginChecksum: () => RunningChecksum): Measured | 'missing' | 'folder' {
  let file: number | undefined;
  try {
    file = openSync(path, READ);
    const hash = createHash('sha256');
    const checksum = beginChecksum();
    let sizeBytes = 0;
    for (;;) {
      const length = readSync(file, PIECE, 0, PIECE.length, null);
      if (length === 0) return { digest: hash.digest('hex') as Digest, checksum: checksum.end(), sizeBytes };
      const piece = PIECE.subarray(0, length);
      hash.update(piece);
      checksum.update(piece);
      sizeBytes += length;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESTALE') return 'missing'; // ESTALE: gone on the file server
    if (code === 'EISDIR') return 'folder';
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

// One for all: files are read one after the other.
const PIECE = Buffer.allocUnsafe(1024 * 1024);

import { createHash } from 'node:crypto';
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, type BigIntStats } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from './atomic-file.ts';
import { digestOf, parseDigest, type Digest } from './digest.ts';
import { realpathSync } from './disk.ts';
import { seal, unseal } from './sealed.ts';
import { isLongAgo, noteFile } from './sights.ts';

/**
 * The digest of a file, remembered by its stamp where `stampsDir` is given: for a big file that seldom changes (an
 * executable), which would cost 30 ms and more to hash at each start. Whatever is odd about a stamp, the file is
 * hashed. `stampsDir` is made when its parent is there. Throws the system's error where the file cannot be read, never
 * because of the stamps.
 */
export function digestOfFile(path: string, stampsDir: string | undefined): Digest {
  const real = realpathSync(path);
  const file = openSync(real, 'r');
  try {
    const beforeMs = Date.now();
    noteFile('file', real, fstatSync(file), beforeMs);
    const stamp = stampOf(real, fstatSync(file, { bigint: true }));
    const stampPath = stampsDir === undefined ? undefined : join(stampsDir, digestOf(real));
    const known = stampPath === undefined ? undefined : readStamp(stampPath, stamp);
    if (known !== undefined) return known;
    const digest = hashOf(file);
    const after = fstatSync(file, { bigint: true });
    const settled = isSettled(after, Date.now()) && stampOf(real, after) === stamp;
    if (stampPath !== undefined && settled) writeStamp(stampPath, stamp, digest);
    return digest;
  } finally {
    closeSync(file);
  }
}

const PIECE_BYTES = 1024 * 1024;

function isSettled(stats: BigIntStats, nowMs: number): boolean {
  return isLongAgo(Math.max(Number(stats.mtimeMs), Number(stats.ctimeMs)), nowMs);
}

function stampOf(real: string, stats: BigIntStats): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = stats;
  return JSON.stringify([real, ...[dev, ino, size, mtimeNs, ctimeNs].map(String)]);
}

function hashOf(file: number): Digest {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (;;) {
    const length = readSync(file, piece, 0, PIECE_BYTES, null);
    if (length === 0) return hash.digest('hex') as Digest;
    hash.update(piece.subarray(0, length));
  }
}

/** A stamp file is the stamp, a line end and the digest, sealed. */
function readStamp(stampPath: string, stamp: string): Digest | undefined {
  try {
    const text = unseal(readFileSync(stampPath, 'utf8'));
    return text?.startsWith(`${stamp}\n`) === true ? parseDigest(text.slice(stamp.length + 1)) : undefined;
  } catch {
    return undefined;
  }
}

function writeStamp(stampPath: string, stamp: string, digest: Digest): void {
  const dir = dirname(stampPath);
  if (!existsSync(dirname(dir))) return;
  try {
    writeFileAtomic(stampPath, seal(`${stamp}\n${digest}`), dir);
  } catch {
    // no stamp, then: the file is hashed again next time
  }
}

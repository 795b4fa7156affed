import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { loadChecksum, type ChecksumOf } from './checksum.ts';
import type { ActionKey } from './digest.ts';
import { parseHead, type BlobRef } from './entry.ts';
import { blobsUnder, firstDigits, keysWith, resultPathOf } from './layout.ts';
import { READ } from './no-wait.ts';
import type { StorePaths } from './store-paths.ts';

/**
 * What a part of a store holds, in columns. Digits of keys and digests (64 each) stand one after the other.
 * Of result n: `keys`, `usedMs`, `sizes`, and how many of the next `digests` and `blobSizes` are its blobs'; none where its
 * head does not read as one.
 */
export type FolderCount =
  | {
      readonly kind: 'results';
      readonly keys: string;
      readonly usedMs: Float64Array;
      readonly sizes: Float64Array;
      readonly blobCounts: Float64Array;
      readonly digests: string;
      readonly blobSizes: Float64Array;
    }
  | { readonly kind: 'blobs'; readonly digests: string };

const DIGITS = firstDigits();

/** A unit for each first two digits of a key, then as many for those of a blob's digest. */
export const COUNT_UNITS = 2 * DIGITS.length;

/** Throws the system's error where a folder cannot be read. What is made or deleted meanwhile is counted or not. */
export async function openCounting(
  paths: Pick<StorePaths, 'results' | 'blobs'>,
): Promise<(unit: number) => FolderCount> {
  const read = openReader(paths, await loadChecksum());
  return (unit) => {
    const digits = DIGITS[unit % DIGITS.length] ?? '';
    if (unit >= DIGITS.length) return { kind: 'blobs', digests: blobsUnder(paths, digits).join('') };
    return columnsOf(keysWith(paths, digits).flatMap((key) => read(key) ?? []));
  };
}

export interface ReadResult {
  readonly key: ActionKey;
  readonly stats: Stats;
  /** Each once. */
  readonly blobs: readonly BlobRef[];
}

/** Reads results one after the other; undefined where there is none. */
export function openReader(
  paths: Pick<StorePaths, 'results'>,
  checksumOf: ChecksumOf,
): (key: ActionKey) => ReadResult | undefined {
  const space = new Uint8Array(16 * 1024); // a head is some hundred bytes long; the document does not matter here
  return (key) => {
    try {
      const { start, stats } = readStart(resultPathOf(paths, key), space);
      const refs = Object.values(parseHead(start, checksumOf)?.result.artifacts ?? {});
      // One blob may be two artifacts, such as an empty text.
      const blobs = refs.filter(({ digest }, index) => refs.findIndex((one) => one.digest === digest) === index);
      return { key, stats, blobs };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'EISDIR') return undefined; // gone meanwhile; somebody's folder
      throw error;
    }
  };
}

/** As much of a file as goes into `space`. It stays there until the next call. */
function readStart(path: string, space: Uint8Array): { readonly start: Uint8Array; readonly stats: Stats } {
  const file = openSync(path, READ);
  try {
    const stats = fstatSync(file);
    return { start: space.subarray(0, stats.isFile() ? readSync(file, space) : 0), stats };
  } finally {
    closeSync(file);
  }
}

function columnsOf(results: readonly ReadResult[]): FolderCount {
  const blobs = results.flatMap((result) => result.blobs);
  return {
    kind: 'results',
    keys: results.map(({ key }) => key).join(''),
    usedMs: Float64Array.from(results, ({ stats }) => stats.mtimeMs),
    sizes: Float64Array.from(results, ({ stats }) => stats.size),
    blobCounts: Float64Array.from(results, (result) => result.blobs.length),
    digests: blobs.map(({ digest }) => digest).join(''),
    blobSizes: Float64Array.from(blobs, ({ sizeBytes }) => sizeBytes),
  };
}

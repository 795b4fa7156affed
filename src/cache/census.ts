import { closeSync, fstatSync, lstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { join, relative } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { loadChecksum, type ChecksumOf } from './checksum.ts';
import { parseActionKey, parseDigest, type ActionKey, type Digest } from './digest.ts';
import { parseResult } from './entry.ts';
import { forsakenIn, namesIn } from './forsaken.ts';
import { allKeys, blobPathOf, listBlobs, resultPathOf } from './layout.ts';
import type { StorePaths } from './store-folder.ts';
import { ownerNameIn, unfinishedDirs } from './sweep.ts';

/** All that is in a store, as it was at `atMs`. Times are in milliseconds since the epoch. */
export interface Census {
  readonly atMs: number;
  readonly results: readonly CountedResult[];
  /** Blobs that are there and that no result names. */
  readonly loose: readonly LooseBlob[];
  /** Keys on which somebody works. */
  readonly leased: ReadonlySet<ActionKey>;
  readonly leftovers: readonly Leftover[];
  /** Of results and blobs. */
  readonly sizeBytes: number;
  readonly blobCount: number;
}

/** A result, and those of its blobs that are there; none where the result does not read as one. */
export interface CountedResult {
  readonly key: ActionKey;
  readonly usedMs: number;
  /** Of the result's own file. */
  readonly sizeBytes: number;
  readonly blobs: readonly CountedBlob[];
}

export interface CountedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

export interface LooseBlob extends CountedBlob {
  readonly changedMs: number;
}

/** What nothing leads to. `path` is relative to the store's folder. */
export interface Leftover {
  readonly path: string;
  readonly what: 'set-aside' | 'unfinished' | 'note' | 'stamp';
  readonly sizeBytes: number;
  readonly changedMs: number;
}

/**
 * Counts what is in a store, beside whatever runs. What is made or deleted meanwhile may be counted or not. Throws the
 * system's error where a folder cannot be read.
 */
export async function takeCensus(dir: string, paths: StorePaths): Promise<Census> {
  const checksumOf = await loadChecksum();
  const atMs = Date.now();
  const leased = new Set(namesIn(paths.lease).flatMap((name) => parseActionKey(name.replace(/\.lock$/, '')) ?? []));
  // Side by side: the system lists folders in threads of its own while results are read here.
  const listing = listBlobs(paths);
  listing.catch(() => undefined); // told below
  const results: CountedResult[] = [];
  const named = new Map<Digest, number>();
  let sizeBytes = 0;
  for (const key of allKeys(paths)) {
    const result = readResult(paths, key, checksumOf);
    if (result !== undefined) {
      results.push(result);
      sizeBytes += result.sizeBytes;
      for (const blob of result.blobs) named.set(blob.digest, blob.sizeBytes);
    }
    if (results.length % BREATH === 0) await setImmediate();
  }
  const loose: LooseBlob[] = [];
  const listed = await listing;
  for (const digest of listed) {
    const known = named.get(digest);
    named.delete(digest);
    const stats = known === undefined ? lstatOrNone(blobPathOf(paths, digest)) : undefined;
    if (stats !== undefined) loose.push({ digest, sizeBytes: stats.size, changedMs: stats.mtimeMs });
    sizeBytes += known ?? stats?.size ?? 0;
  }
  const missing = named; // what is left of it
  const present = (result: CountedResult): CountedResult => ({
    ...result,
    blobs: result.blobs.filter(({ digest }) => !missing.has(digest)),
  });
  return {
    atMs,
    results: missing.size === 0 ? results : results.map(present),
    loose,
    leased,
    leftovers: leftoversIn(dir, paths, atMs),
    sizeBytes,
    blobCount: listed.length,
  };
}

/** The blobs that results name which are there now and were not in the census. */
export async function blobsNamedSince(paths: StorePaths, census: Census): Promise<ReadonlySet<Digest>> {
  const checksumOf = await loadChecksum();
  const known = new Set(census.results.map(({ key }) => key));
  const named = new Set<Digest>();
  for (const key of allKeys(paths)) {
    if (known.has(key)) continue;
    for (const { digest } of readResult(paths, key, checksumOf)?.blobs ?? []) named.add(digest);
  }
  return named;
}

/** After so many files other work of this process gets its turn: the listing, the beat of a lock it holds, a signal. */
const BREATH = 100;

function readResult(paths: StorePaths, key: ActionKey, checksumOf: ChecksumOf): CountedResult | undefined {
  try {
    const { bytes, stats } = readWithStats(resultPathOf(paths, key));
    const result = parseResult(bytes, checksumOf);
    const refs = result === undefined ? [] : [...Object.values(result.artifacts), result.document];
    // One blob may be two artifacts, such as an empty text.
    const blobs = refs.filter(({ digest }, index) => refs.findIndex((one) => one.digest === digest) === index);
    return {
      key,
      usedMs: stats.mtimeMs,
      sizeBytes: stats.size,
      blobs: blobs.map(({ digest, sizeBytes }) => ({ digest, sizeBytes })),
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EISDIR') return undefined; // gone meanwhile; somebody's folder
    throw error;
  }
}

function readWithStats(path: string): { readonly bytes: Uint8Array; readonly stats: Stats } {
  const file = openSync(path, 'r');
  try {
    const stats = fstatSync(file);
    return { bytes: stats.isFile() ? readFileSync(file) : new Uint8Array(), stats };
  } finally {
    closeSync(file);
  }
}

type Named = Omit<Leftover, 'sizeBytes' | 'changedMs' | 'path'> & { readonly full: string };

function leftoversIn(dir: string, paths: StorePaths, atMs: number): readonly Leftover[] {
  const inside = (folder: string, what: Leftover['what'], isIt: (name: string) => boolean): readonly Named[] =>
    namesIn(folder).flatMap((name) => (isIt(name) ? { full: join(folder, name), what } : []));
  const isDigest = (name: string) => parseDigest(name) !== undefined;
  const found: readonly Named[] = [
    ...inside(paths.damaged, 'set-aside', () => true),
    ...inside(paths.notes, 'note', isDigest),
    ...inside(paths.trails, 'note', (name) => /^[0-9a-f]{16}$/.test(name)),
    ...inside(paths.stamps, 'stamp', isDigest),
    ...unfinishedDirs(paths).flatMap((folder) =>
      forsakenIn(folder, atMs, ownerNameIn).map((name) => ({ full: join(folder, name), what: 'unfinished' as const })),
    ),
  ];
  return found.flatMap(({ full, what }) => {
    const stats = lstatOrNone(full);
    if (stats === undefined) return [];
    const sizeBytes = stats.isDirectory() ? sizeOfFolder(full) : stats.size;
    return { path: relative(dir, full), what, sizeBytes, changedMs: stats.mtimeMs };
  });
}

function sizeOfFolder(dir: string): number {
  const stats = lstatOrNone(dir);
  if (stats?.isDirectory() !== true) return stats?.size ?? 0;
  return namesIn(dir).reduce((sum, name) => sum + sizeOfFolder(join(dir, name)), 0);
}

function lstatOrNone(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

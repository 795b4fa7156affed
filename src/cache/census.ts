import { lstatSync, type Stats } from 'node:fs';
import { join, relative } from 'node:path';
import { loadChecksum } from './checksum.ts';
import { COUNT_UNITS, openReader, type FolderCount } from './count-folder.ts';
import { parseActionKey, parseDigest, type ActionKey, type Digest } from './digest.ts';
import { forsakenIn, namesIn } from './forsaken.ts';
import { allKeys, blobPathOf } from './layout.ts';
import { doTogether } from './shared-work.ts';
import type { StorePaths } from './store-folder.ts';
import { ownerNameIn, unfinishedDirs } from './sweep.ts';

/** All that is in a store, as it was at `atMs`. Times are in milliseconds since the epoch. */
export interface Census {
  readonly atMs: number;
  /** In the order of their keys. */
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

/** A blob that results name: one object, however many they are. */
export interface CountedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** How many results name it. */
  readonly uses: number;
}

export interface LooseBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
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
  const atMs = Date.now();
  const leased = new Set(namesIn(paths.lease).flatMap((name) => parseActionKey(name.replace(/\.lock$/, '')) ?? []));
  const counts = await doTogether({
    job: 'count',
    data: { results: paths.results, blobs: paths.blobs },
    unitCount: COUNT_UNITS,
    isLong: (first) => first.kind === 'results' && first.usedMs.length > MANY_IN_A_FOLDER,
  });
  const named = new Map<Digest, CountingBlob>();
  const read = counts.flatMap((count) => (count?.kind === 'results' ? resultsIn(count, named) : []));
  const there = counts.flatMap((count) => (count?.kind === 'blobs' ? digestsIn(count.digests) : []));
  const missing = new Set(named.values());
  const loose: LooseBlob[] = [];
  for (const digest of there) {
    const known = named.get(digest);
    if (known !== undefined) missing.delete(known);
    const stats = known === undefined ? lstatOrNone(blobPathOf(paths, digest)) : undefined;
    if (stats !== undefined) loose.push({ digest, sizeBytes: stats.size, changedMs: stats.mtimeMs });
  }
  const present = (blob: CountedBlob): boolean => !missing.has(blob);
  const results = missing.size === 0 ? read : read.map((one) => ({ ...one, blobs: one.blobs.filter(present) }));
  return {
    atMs,
    results,
    loose,
    leased,
    leftovers: leftoversIn(dir, paths, atMs),
    sizeBytes: sumOf(results) + sumOf([...named.values()].filter(present)) + sumOf(loose),
    blobCount: there.length,
  };
}

/** The blobs that results name which are there now and were not in the census. */
export async function blobsNamedSince(paths: StorePaths, census: Census): Promise<ReadonlySet<Digest>> {
  const read = openReader(paths, await loadChecksum());
  const known = census.results; // both in order
  const named = new Set<Digest>();
  let next = 0;
  for (const key of allKeys(paths)) {
    while ((known[next]?.key ?? key) < key) next += 1;
    if (known[next]?.key === key) continue;
    for (const { digest } of read(key)?.blobs ?? []) named.add(digest);
  }
  return named;
}

/** So many results in one of 256 folders are some thousands in all. */
const MANY_IN_A_FOLDER = 16;

type CountingBlob = { -readonly [Property in keyof CountedBlob]: CountedBlob[Property] };

/** A blob that many results name is one object, kept in `named`: else each of the results would hold its digest. */
function resultsIn(
  count: Extract<FolderCount, { kind: 'results' }>,
  named: Map<Digest, CountingBlob>,
): readonly CountedResult[] {
  const counted = (digest: Digest, sizeBytes: number): CountedBlob => {
    const known = named.get(digest);
    if (known !== undefined) {
      known.uses += 1;
      return known;
    }
    const blob = { digest, sizeBytes, uses: 1 };
    named.set(digest, blob);
    return blob;
  };
  const blobs = digestsIn(count.digests).map((digest, index) => counted(digest, count.blobSizes[index] ?? 0));
  let next = 0;
  return digestsIn(count.keys).map((key, index) => ({
    key: key as string as ActionKey,
    usedMs: count.usedMs[index] ?? 0,
    sizeBytes: count.sizes[index] ?? 0,
    blobs: blobs.slice(next, (next += count.blobCounts[index] ?? 0)),
  }));
}

function digestsIn(digits: string): readonly Digest[] {
  return Array.from({ length: digits.length / 64 }, (_, index) => digits.slice(index * 64, (index + 1) * 64) as Digest);
}

function sumOf(sized: readonly { readonly sizeBytes: number }[]): number {
  return sized.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
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

import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { parseActionKey, parseDigest, type ActionKey, type Digest } from './digest.ts';
import type { StorePaths } from './store-folder.ts';

/*
 * Where a result and a blob lie, as in the disk cache of Bazel:
 *
 *     ac/ab/abcdef…        a result, by its key
 *     cas/ab/abcdef…       the bytes of a blob, by their digest
 *
 * One level of folders: with a second one most folders of a store hold a file or two, and making, listing and removing
 * them costs a collector more than the files do.
 */

export function resultPathOf({ results }: Pick<StorePaths, 'results'>, key: ActionKey): string {
  return pathOf(results, key);
}

export function blobPathOf(paths: Pick<StorePaths, 'blobs'>, digest: Digest): string {
  return pathOf(paths.blobs, digest);
}

/** Not by join(), for the reason that storePathsOf has. */
function pathOf(dir: string, name: string): string {
  return `${dir}${sep}${name.slice(0, 2)}${sep}${name}`;
}

/** The keys of all results that begin with some digits, two or more, in order. Throws the system's error. */
export function keysWith({ results }: Pick<StorePaths, 'results'>, prefix: string): readonly ActionKey[] {
  return keysIn(join(results, prefix.slice(0, 2))).filter((key) => key.startsWith(prefix));
}

/** The keys of all results, in order, folder by folder as they are asked for. Throws the system's error. */
export function* allKeys({ results }: Pick<StorePaths, 'results'>): Generator<ActionKey> {
  for (const first of firstDigits()) yield* keysIn(join(results, first));
}

/** The first two digits of keys and of blobs' digests, all there can be, in order. Made when asked for: a hit needs none. */
export function firstDigits(): readonly string[] {
  return Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));
}

/** The digests of all blobs, in order, as allKeys gives keys. Throws the system's error. */
export function* allBlobs(paths: Pick<StorePaths, 'blobs'>): Generator<Digest> {
  for (const first of firstDigits()) yield* blobsUnder(paths, first);
}

/** The digests of all blobs that begin with two digits, in order. What is not named like a blob is left out. */
export function blobsUnder(paths: Pick<StorePaths, 'blobs'>, first: string): readonly Digest[] {
  return namesIn(join(paths.blobs, first)).flatMap((name) => parseDigest(name) ?? []);
}

function keysIn(dir: string): readonly ActionKey[] {
  return namesIn(dir).flatMap((name) => parseActionKey(name) ?? []);
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return []; // a file in a folder's place is no folder of ours
    throw error;
  }
}

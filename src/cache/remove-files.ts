import { closeSync, fstatSync, lstatSync, openSync, readFileSync, rmSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from './atomic-file.ts';
import type { ActionKey, Digest } from './digest.ts';
import { blobPathOf, resultPathOf } from './layout.ts';
import type { StorePaths } from './store-paths.ts';
import { isSystemError } from './tier.ts';

/** What is to be deleted, all of one kind. `usedMs` and `changedMs` are the times at which it was seen. */
export type Removal =
  | { readonly kind: 'results'; readonly items: readonly RemovableResult[]; readonly paths: StorePaths }
  | {
      readonly kind: 'blobs';
      readonly items: readonly Digest[];
      readonly paths: StorePaths;
      readonly freshFromMs: number;
    }
  | { readonly kind: 'leftovers'; readonly items: readonly RemovableFile[] }
  | { readonly kind: 'emptied'; readonly items: readonly string[] };

export type RemovableResult = readonly [key: ActionKey, usedMs: number];
export type RemovableFile = readonly [path: string, changedMs: number];

export interface Removed {
  /** For each item of the unit: what was used meanwhile, is gone already, or is not ours to delete is not removed. */
  readonly isRemoved: readonly boolean[];
  /** Folders that may be empty now. */
  readonly emptied: readonly string[];
}

export function removalUnitsOf({ items }: Removal): number {
  return Math.ceil(items.length / UNIT);
}

/** Those of the items that went, by the answers for all units. */
export function removedOf<T>(items: readonly T[], answers: readonly (Removed | undefined)[]): readonly T[] {
  return items.filter((_, index) => answers[Math.floor(index / UNIT)]?.isRemoved[index % UNIT] === true);
}

/** A unit is a few files; each is looked at once more right before it is deleted. */
export function openRemoving(removal: Removal): (unit: number) => Removed {
  const emptied = new Set<string>();
  const unitOf = <T>(items: readonly T[], unit: number, remove: (item: T) => boolean): Removed => {
    emptied.clear();
    const isRemoved = items.slice(unit * UNIT, (unit + 1) * UNIT).map((item) => isGone(() => remove(item)));
    return { isRemoved, emptied: [...emptied] };
  };
  const leave = (path: string): void => {
    unlinkSync(path);
    emptied.add(dirname(path));
  };
  switch (removal.kind) {
    case 'results':
      return (unit) => unitOf(removal.items, unit, ([key, usedMs]) => removeResult(removal.paths, key, usedMs));
    case 'blobs':
      return (unit) =>
        unitOf(removal.items, unit, (digest) => removeBlob(removal.paths, digest, removal.freshFromMs, leave));
    case 'leftovers':
      return (unit) => unitOf(removal.items, unit, removeLeftover);
    case 'emptied':
      return (unit) => unitOf(removal.items, unit, removeEmpty);
  }
}

const UNIT = 64;

function removeResult(paths: StorePaths, key: ActionKey, usedMs: number): boolean {
  const path = resultPathOf(paths, key);
  const isLeased = lstatSync(join(paths.lease, `${key}.lock`), { throwIfNoEntry: false }) !== undefined;
  if (isLeased || lstatSync(path).mtimeMs !== usedMs) return false;
  unlinkSync(path);
  return true;
}

/**
 * A writer that finds a blob in place sets its time, and looks for it once more when its result is published. One that set
 * it before the deletion is seen here, by the open file, and gets the blob back; one that comes later finds it missing.
 */
function removeBlob(paths: StorePaths, digest: Digest, freshFromMs: number, leave: (path: string) => void): boolean {
  const path = blobPathOf(paths, digest);
  // A pipe or a link in a blob's place is nobody's blob, and not to be opened: that may wait for ever.
  if (!lstatSync(path).isFile()) {
    leave(path);
    return true;
  }
  const file = openSync(path, 'r');
  try {
    if (fstatSync(file).mtimeMs >= freshFromMs) return false;
    leave(path);
    if (fstatSync(file).mtimeMs < freshFromMs) return true;
    writeFileAtomic(path, readFileSync(file), paths.tmp);
    return false;
  } finally {
    closeSync(file);
  }
}

function removeLeftover([path, changedMs]: RemovableFile): boolean {
  if (lstatSync(path).mtimeMs !== changedMs) return false;
  rmSync(path, { recursive: true, force: true });
  return true;
}

/** Refused where it is not empty. */
function removeEmpty(dir: string): boolean {
  rmdirSync(dir);
  return true;
}

function isGone(remove: () => boolean): boolean {
  try {
    return remove();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}

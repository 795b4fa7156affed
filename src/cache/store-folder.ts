import { readdirSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from './atomic-file.ts';
import { readFileSync } from './disk.ts';
import { makeDir } from './make-dir.ts';
import { seal, unseal } from './sealed.ts';
import { storePathsOf } from './store-paths.ts';
import { TierError } from './tier.ts';

export { storePathsOf, type StorePaths } from './store-paths.ts';

/**
 * Whether the folder is a store that this version may use: `ours`, or `empty` where nothing is there yet.
 * Throws a TierError where it belongs to somebody else or to a newer version (nothing in it is touched then), and the
 * system's error where it cannot be read.
 */
export function checkStoreFolder(dir: string): 'ours' | 'empty' {
  const version = readVersion(dir);
  if (version === FORMAT) return 'ours';
  if (typeof version === 'number') throw refusal(`${dir} was made by a newer version (store format ${version})`);
  const entries = listOrNone(dir);
  if (entries.length === 0) return 'empty';
  // Another process may have begun the store between the first look and the listing.
  if (readVersion(dir) === FORMAT) return 'ours';
  if (version !== 'foreign' && entries.every((entry) => isOurs(dir, entry))) return 'empty';
  throw refusal(`${dir} holds something else than a build cache; name another folder, or empty this one`);
}

/** Makes the folder a store, where it is not one yet. Throws as checkStoreFolder does. */
export function prepareStoreFolder(dir: string): void {
  if (checkStoreFolder(dir) === 'ours') return;
  makeDir(dir);
  writeFileAtomic(storePathsOf(dir).version, seal(`${NAME} ${FORMAT}`), storePathsOf(dir).tmp);
}

const NAME = 'moccache store';
const FORMAT = 1;

function refusal(message: string): TierError {
  return new TierError('local', 'open', new Error(message));
}

/** The format of the store; `torn` where a power cut or a flipped bit took the version file. */
function readVersion(dir: string): number | 'none' | 'torn' | 'foreign' {
  let text;
  try {
    text = readFileSync(storePathsOf(dir).version).toString('latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'none';
    if (code === 'EISDIR') return 'foreign';
    throw error;
  }
  const format = /^moccache store ([1-9][0-9]*)$/.exec(unseal(text) ?? '')?.[1];
  if (format !== undefined) return Number(format);
  return isTorn(text, seal(`${NAME} ${FORMAT}`)) ? 'torn' : 'foreign';
}

/** What becomes of our own text: cut off, zeros instead of it, a bit or two flipped. Anything else is somebody's file. */
function isTorn(text: string, whole: string): boolean {
  if (whole.startsWith(text) || /^\0*$/.test(text)) return true;
  const changed = Array.from(whole, (char, index) => char !== text[index]).filter(Boolean).length;
  return text.length === whole.length && changed <= 2;
}

/**
 * What may lie in a store without its version file: a store that was being deleted under a running build, or whose
 * version file is torn. Names alone are not enough, for `tmp` may be anybody's folder.
 */
const CHILDREN: Readonly<Record<string, RegExp>> = {
  cas: /^[0-9a-f]{2}$/,
  ac: /^[0-9a-f]{2}$/,
  damaged: /^\d+-[0-9a-f]{64}/,
  lease: /^(?:[0-9a-f]{64}\.|\d+-[0-9a-f-]+$)/,
  sandbox: /^\d+-[0-9a-f-]+$/,
  stamps: /^(?:[0-9a-f]{64}|\d+-[0-9a-f-]+)$/,
  notes: /^[0-9a-f]{64}$/,
  journal: /\.jsonl$/,
  trails: /^[0-9a-f]{16}$/,
  tmp: /^\d+-[0-9a-f-]+$/,
};

function isOurs(dir: string, entry: Dirent): boolean {
  if (entry.name === 'version') return entry.isFile();
  const child = Object.hasOwn(CHILDREN, entry.name) ? CHILDREN[entry.name] : undefined;
  if (child === undefined || !entry.isDirectory()) return false;
  return listOrNone(join(dir, entry.name)).every((inner) => child.test(inner.name));
}

function listOrNone(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

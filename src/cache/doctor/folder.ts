import { accessSync, constants, existsSync, lstatSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { allBlobs, allKeys, blobPathOf, resultPathOf } from '../layout.ts';
import { checkStoreFolder, storePathsOf } from '../store-folder.ts';
import { TierError } from '../tier.ts';
import { found, type Finding } from './finding.ts';

/** Whose the store's folder is, who may write to it, and how much room there is. Nothing is written. */
export function checkFolder(dir: string, readOnly: boolean): readonly Finding[] {
  const place = found('cache folder', () => [placeOf(dir, readOnly)]);
  if (place.some(({ state }) => state === 'wrong') || !existsSync(dir)) return place;
  return [
    ...place,
    ...found('permissions', () => permissionsOf(dir)),
    ...found('owners', () => [ownersOf(dir)]),
    ...found('free space', () => [spaceOf(dir)]),
  ];
}

type Unnamed = Omit<Finding, 'check'>;

function placeOf(dir: string, readOnly: boolean): Unnamed {
  try {
    if (checkStoreFolder(dir) === 'empty') {
      const above = nearestExisting(dir);
      accessSync(above, constants.W_OK | constants.X_OK);
      return { state: 'ok', says: `${dir}: nothing is there yet; the first build makes it` };
    }
    if (!readOnly) accessSync(dir, constants.W_OK | constants.X_OK);
    return { state: 'ok', says: `${dir}${readOnly ? ', only read, as is set' : ''}` };
  } catch (error) {
    if (error instanceof TierError && error.cause instanceof Error) {
      const advice = 'set MOCCACHE_DIR to another folder, or take this one away';
      return { state: 'wrong', says: error.cause.message, advice };
    }
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const advice = 'set MOCCACHE_DIR to a folder that you may write to; until then every build compiles';
    return { state: 'wrong', says: `${dir}: cannot be used (${code})`, advice };
  }
}

function nearestExisting(dir: string): string {
  return existsSync(dir) || dirname(dir) === dir ? dir : nearestExisting(dirname(dir));
}

/** Whoever can write to it can give this user any bytes. */
function permissionsOf(dir: string): readonly Unnamed[] {
  if (process.platform === 'win32') return [{ state: 'skipped', says: 'not looked at on Windows' }];
  const open = [dir, ...childrenOf(dir)].map((path) => ({ path, mode: lstatSync(path).mode }));
  const toAll = open.find(({ mode }) => (mode & 0o002) !== 0);
  if (toAll !== undefined) {
    const says = `${toAll.path}: every user of this machine can write to it, and so give you any bytes`;
    return [{ state: 'wrong', says, advice: `chmod -R go-w ${dir}` }];
  }
  const toGroup = open.find(({ mode }) => (mode & 0o020) !== 0);
  if (toGroup !== undefined) {
    const says = `${toGroup.path}: its group can write to it; right only if you trust all in that group`;
    return [{ state: 'note', says, advice: `chmod -R go-w ${dir}` }];
  }
  return [{ state: 'ok', says: 'only its owner can write to it' }];
}

const MOST_FILES = 20_000;

function ownersOf(dir: string): Unnamed {
  const uid = process.getuid?.();
  if (uid === undefined) return { state: 'skipped', says: 'not looked at on Windows' };
  let looked = 0;
  for (const path of pathsIn(dir)) {
    looked += 1;
    if (looked > MOST_FILES) break;
    const owner: number = lstatSync(path, { throwIfNoEntry: false })?.uid ?? uid;
    if (owner === uid) continue;
    const says = `${path} belongs to another user (${owner}, you are ${uid})`;
    const advice = `chown -R ${uid} ${dir}, or set MOCCACHE_DIR to a folder of your own`;
    return { state: 'wrong', says, advice };
  }
  return { state: 'ok', says: looked > MOST_FILES ? `the first ${MOST_FILES} files are yours` : 'all files are yours' };
}

function* pathsIn(dir: string): Generator<string> {
  const paths = storePathsOf(dir);
  yield dir;
  yield* childrenOf(dir);
  for (const key of allKeys(paths)) yield resultPathOf(paths, key);
  for (const digest of allBlobs(paths)) yield blobPathOf(paths, digest);
}

function childrenOf(dir: string): readonly string[] {
  return readdirSync(dir).map((name) => join(dir, name));
}

const TIGHT_BYTES = 1024 ** 3;
const FULL_BYTES = 64 * 1024 ** 2;

function spaceOf(dir: string): Unnamed {
  const { bavail, bsize } = statfsSync(dir);
  const freeBytes = bavail * bsize;
  const says = `${Math.floor(freeBytes / 1024 ** 2)} MiB are free on its disk`;
  if (freeBytes < FULL_BYTES) {
    return {
      state: 'wrong',
      says,
      advice: 'make room, or set MOCCACHE_DIR to another disk; what cannot be stored is compiled again',
    };
  }
  return freeBytes < TIGHT_BYTES ? { state: 'note', says, advice: 'make room' } : { state: 'ok', says };
}

/** How far the file system's clock is from ours, and whether files come from the future. `nowMs` is since the epoch. */
export function checkClock(
  dir: string,
  now: { readonly oursMs: number; readonly diskMs: number | undefined },
): readonly Finding[] {
  return found('clock', () => {
    const { oursMs, diskMs } = now;
    const apartMs = diskMs === undefined ? 0 : Math.abs(oursMs - diskMs);
    if (apartMs > APART_MS) {
      const says = `the clock of the cache's disk is ${Math.round(apartMs / 1000)} s apart from this machine's`;
      return [{ state: 'wrong', says, advice: 'set both clocks by the network; ages and waits are wrong until then' }];
    }
    const paths = storePathsOf(dir);
    const future = [paths.version, ...[paths.results, paths.journal].flatMap(below)].find(
      (path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > oursMs + FUTURE_MS,
    );
    if (future !== undefined) {
      const says = `${future} was written in the future: the clock was wrong then, or is now`;
      return [{ state: 'note', says, advice: 'set the clock; results from then seem recently used for longer' }];
    }
    return [{ state: 'ok', says: diskMs === undefined ? 'no file is from the future' : 'as the disk has it' }];
  });
}

const APART_MS = 5_000;
const FUTURE_MS = 60_000;

function below(dir: string): readonly string[] {
  return existsSync(dir) ? childrenOf(dir) : [];
}

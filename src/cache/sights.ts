import {
  accessSync,
  constants,
  lstatSync,
  readdirSync,
  realpathSync,
  statSync,
  type Dirent,
  type Stats,
} from 'node:fs';
import { bootHere } from './boot.ts';

/** A file's device, number, size and times: to write to it, put another in its place or rename it changes one of them. */
export type Stamp = readonly [dev: number, ino: number, size: number, mtimeMs: number, ctimeMs: number];

/**
 * One thing that was seen of the disk, at an absolute path. Whoever sees all of them again would read and find the same.
 *
 *     file     was read: the bytes are those that were read as long as the stamp is the same
 *     own      the same of a file that we keep: a plain one of its own name alone, and writable
 *     blob     the same of one in the store, whose bytes were checked, since the machine was started: what was written
 *              before that may have been lost with it, whatever the stamp says
 *     absent   neither a file nor anything else: what appears there changes what is found
 *     there    something is
 *     folder   a folder is; what it holds does not matter
 *     names    what a folder holds
 *     real     where the path leads through all symbolic links
 *     runs     a file that may be executed
 */
export type Sight =
  | readonly [kind: 'file' | 'own', path: string, ...stamp: Stamp]
  | readonly [kind: 'blob', path: string, ...stamp: Stamp, boot: string]
  | readonly [kind: 'absent' | 'there' | 'folder' | 'runs', path: string]
  | readonly [kind: 'names', path: string, ...names: string[]]
  | readonly [kind: 'real', path: string, real: string];

export type BlobSight = Extract<Sight, readonly ['blob', ...unknown[]]>;

/** Keeps what is seen until it is closed. */
export interface Survey {
  /** What was seen so far; undefined where something of it could change unseen. */
  seen(): readonly Sight[] | undefined;
  close(): void;
}

/** From now on what the process sees through disk.ts is kept. One survey at a time: a later one takes its place. */
export function openSurvey(): Survey {
  const survey: Kept = { sights: new Map(), spoilt: false };
  open = survey;
  return {
    seen: () => (survey.spoilt ? undefined : [...survey.sights.values()]),
    close: () => {
      if (open === survey) open = undefined;
    },
  };
}

/** To be said of all that was found out in another way than by looking at the disk: a program was asked, say. */
export function spoilSurvey(): void {
  if (open !== undefined) open.spoilt = true;
}

/** Notes what was seen, for the survey that is open, if one is. Two looks that do not agree spoil it. */
export function note(sight: Sight): void {
  if (open === undefined) return;
  const [kind, path] = sight;
  const key = `${ASPECTS[kind]} ${path}`;
  const before = open.sights.get(key);
  if (before === undefined) open.sights.set(key, sight);
  else if (before[0] === 'there' && (kind === 'file' || kind === 'folder')) open.sights.set(key, sight);
  else if (kind === 'there' && before[0] !== 'absent') return;
  else if (JSON.stringify(before) !== JSON.stringify(sight)) open.spoilt = true;
}

/** `stats` were taken before the file was read, and `beforeMs`, in milliseconds since the epoch, before that. */
export function noteFile(kind: 'file' | 'own', path: string, stats: Stats, beforeMs: number): void {
  if (open === undefined) return;
  if (isSettled(stats, beforeMs)) note([kind, path, ...stampOf(stats)]);
  else if (kind === 'file') open.spoilt = true; // one of ours will be read once more
}

/**
 * The sight of a blob, whose bytes are right as read after `stats` were taken; `beforeMs` as for noteFile. Undefined where it
 * could change unseen, or the system does not tell its starts apart.
 */
export function sightOfBlob(path: string, stats: Stats, beforeMs: number): BlobSight | undefined {
  const boot = bootHere();
  return boot !== '' && isSettled(stats, beforeMs) ? ['blob', path, ...stampOf(stats), boot] : undefined;
}

/** Whether the open file is the blob that was seen, unchanged since. */
export function isSameBlob(stats: Stats, sight: BlobSight): boolean {
  return stats.isFile() && hasStamp(stats, sight) && sight[7] === bootHere();
}

/** Sights, of which those that were seen anew take the place of what was seen of the same before. */
export function renewed(sights: readonly Sight[], anew: readonly Sight[]): readonly Sight[] {
  const nameOf = ([kind, path]: Sight) => `${kind} ${path}`;
  const names = new Set(anew.map(nameOf));
  return [...sights.filter((sight) => !names.has(nameOf(sight))), ...anew];
}

/** Whether nothing at all has that name, not even a link that leads nowhere. Throws the system's error. */
export function isAbsent(path: string): boolean {
  return lstatSync(path, OR_NONE) === undefined;
}

/** Whether all of them are still seen, files of ours (`own` and `blob`) aside: these do not decide what comes out. */
export function areInputsStillSeen(sights: readonly Sight[]): boolean {
  try {
    return sights.every((sight) => sight[0] === 'own' || sight[0] === 'blob' || look(sight));
  } catch {
    return false;
  }
}

/** Whether it is still seen. Throws nothing: what cannot be looked at is not seen. */
export function isStillSeen(sight: Sight): boolean {
  try {
    return look(sight);
  } catch {
    return false;
  }
}

type StampedSight = readonly [kind: string, path: string, ...stamp: Stamp, ...more: unknown[]];

interface Kept {
  readonly sights: Map<string, Sight>;
  spoilt: boolean;
}

let open: Kept | undefined;

/** What the kinds say something about: of one path there is one sight for each. */
const ASPECTS: Readonly<Record<Sight[0], string>> = {
  ...{ file: 'what', absent: 'what', there: 'what', folder: 'what' },
  ...{ own: 'own', blob: 'blob', names: 'names', real: 'real', runs: 'runs' },
};

/*
 * File systems keep times in steps, of up to two seconds: what was changed this short a time before it was looked at
 * may change again and keep its stamp. A time in the future, or none at all, says nothing.
 */
const GRANULARITY_MS = 2_000;

/** Whether a file that was last changed at one time, and looked at later, is told from any later state by its times. */
export function isLongAgo(changedMs: number, lookedMs: number): boolean {
  return lookedMs - changedMs > GRANULARITY_MS;
}

function isSettled({ ino, mtimeMs, ctimeMs }: Stats, beforeMs: number): boolean {
  return ino !== 0 && ctimeMs !== 0 && isLongAgo(Math.max(mtimeMs, ctimeMs), beforeMs);
}

function stampOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): Stamp {
  return [dev, ino, size, mtimeMs, ctimeMs];
}

const OR_NONE = { throwIfNoEntry: false } as const;

function look(sight: Sight): boolean {
  const path = sight[1]; // not taken apart: a build looks at thousands, before V8 has compiled any of this
  switch (sight[0]) {
    case 'file': {
      const stats = statSync(path, OR_NONE);
      return stats?.isFile() === true && hasStamp(stats, sight);
    }
    case 'own': {
      const stats = lstatSync(path, OR_NONE);
      return stats !== undefined && isPlain(stats) && hasStamp(stats, sight);
    }
    case 'blob': {
      const stats = lstatSync(path, OR_NONE);
      return stats !== undefined && isSameBlob(stats, sight);
    }
    case 'absent':
      return statSync(path, OR_NONE) === undefined;
    case 'there':
      return statSync(path, OR_NONE) !== undefined;
    case 'folder':
      return statSync(path, OR_NONE)?.isDirectory() === true;
    case 'names': {
      const names = namesOf(readdirSync(path, { withFileTypes: true }));
      return names.length === sight.length - 2 && names.every((name, index) => name === sight[index + 2]);
    }
    case 'real':
      return realpathSync.native(path) === sight[2]; // in one call; where it names it otherwise, it is not known
    case 'runs':
      accessSync(path, constants.X_OK);
      return true;
  }
}

/** The names in a folder, in order, each with a mark of what it is. */
export function namesOf(entries: readonly Dirent[]): string[] {
  return entries.map((entry) => entry.name + (entry.isDirectory() ? '/' : entry.isSymbolicLink() ? '@' : '')).sort();
}

/** A regular file that others may write to and that has no other name: not a way into somewhere else. */
export function isPlain(stats: Stats): boolean {
  return stats.isFile() && (stats.mode & 0o200) !== 0 && stats.nlink === 1;
}

function hasStamp(stats: Stats, sight: StampedSight): boolean {
  return (
    stats.ctimeMs === sight[6] &&
    stats.mtimeMs === sight[5] &&
    stats.size === sight[4] &&
    stats.ino === sight[3] &&
    stats.dev === sight[2]
  );
}

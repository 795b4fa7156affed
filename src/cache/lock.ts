import { closeSync, constants, ftruncateSync, lstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { rmdirSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeFileAtomic } from './atomic-file.ts';
import { removeBell } from './bell-place.ts';
import { parseOwnerRecord, writeOwnerRecord, type Owner, type OwnerRecord } from './owner.ts';

/** A lock on disk, as proper-lockfile makes it: a folder. Beside it, a file that says who holds it. */
export interface LockPlace {
  /** Whoever makes this folder holds the lock. */
  readonly lockDir: string;
  readonly recordPath: string;
  /** `own`: the record comes and goes. `marker`: the file is there for others too; it is filled and emptied in place. */
  readonly recordKind: 'own' | 'marker';
}

/** A lock as somebody else sees it. */
export interface SeenLock {
  /** Tells this lock from earlier and later ones at the same place. */
  readonly identity: string;
  /** Changes with each beat; milliseconds since the epoch by the file system's clock. */
  readonly beatMs: number;
  /** Undefined where the holder is none of us, or left no record. */
  readonly owner: Owner | undefined;
}

/** The lock as it is now, or undefined where nobody holds it. Throws the system's error. */
export function seeLock(place: LockPlace): SeenLock | undefined {
  const stats = lstatSync(place.lockDir, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const identity = `${stats.ino}:${stats.birthtimeNs}`;
  const record = readRecord(place);
  const owner = record?.lockIdentity === identity ? record.owner : undefined;
  return { identity, beatMs: Number(stats.mtimeMs), owner };
}

/** Whether both are the very same holding, however much time lies between. */
export function isSameLock(a: SeenLock | undefined, b: SeenLock | undefined): boolean {
  return a?.identity === b?.identity && a?.owner?.nonce === b?.owner?.nonce;
}

/**
 * Makes the lock, and gives what removes it again: that very lock, and not one that somebody else has made since.
 * The record is written in the same breath, so that a lock without one is not ours. Both throw the system's error,
 * EEXIST where somebody has the lock.
 */
export function makeLock(place: LockPlace, owner: Owner): () => void {
  mkdirSync(place.lockDir);
  let identity: string | undefined;
  try {
    identity = seeLock(place)?.identity;
    if (identity !== undefined) writeRecord(place, { owner, lockIdentity: identity });
  } catch (error) {
    rmdirSync(place.lockDir);
    throw error;
  }
  return () => {
    removeBell(owner.bell);
    const holder = readRecord(place)?.owner.nonce;
    const isOurs = seeLock(place)?.identity === identity && (holder === undefined || holder === owner.nonce);
    // The lock first: killed in between we leave a record without a lock, which nobody believes, rather than a lock
    // without a record, which may be another program's and is waited for.
    if (isOurs) rmdirSync(place.lockDir);
    if (readRecord(place)?.owner.nonce === owner.nonce) clearRecord(place);
  };
}

/** Removes the lock of a process that is dead; see breakLock, which makes sure of it. Throws the system's error. */
export function removeDeadLock(place: LockPlace, dead: SeenLock): void {
  removeBell(dead.owner?.bell ?? '');
  rmdirSync(place.lockDir);
  if (readRecord(place)?.owner.nonce === dead.owner?.nonce) clearRecord(place);
}

function readRecord(place: LockPlace): OwnerRecord | undefined {
  try {
    return parseOwnerRecord(readFileSync(place.recordPath, 'utf8'));
  } catch {
    return undefined; // unreadable is as good as absent: then the lock's beat decides
  }
}

function writeRecord(place: LockPlace, record: OwnerRecord): void {
  const text = writeOwnerRecord(record);
  if (place.recordKind === 'own') writeFileAtomic(place.recordPath, text, dirname(place.recordPath));
  else overwrite(place.recordPath, text);
}

/** Without emptying the file first: ext4 takes that for a replacement and forces the bytes to the disk, for 4 to 10 ms. */
function overwrite(path: string, text: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT);
  try {
    ftruncateSync(file, writeSync(file, text, 0));
  } finally {
    closeSync(file);
  }
}

function clearRecord(place: LockPlace): void {
  if (place.recordKind === 'own') {
    rmSync(place.recordPath, { force: true });
    return;
  }
  try {
    truncateSync(place.recordPath, 0);
  } catch {
    // the marker is gone: then so is the record
  }
}

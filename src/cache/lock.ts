import {
  closeSync,
  constants,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  type BigIntStats,
} from 'node:fs';
import { renameSync, rmdirSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from './atomic-file.ts';
import { removeBell } from './bell-place.ts';
import { monotonicMs } from './monotonic.ts';
import { parseOwnerRecord, writeOwnerRecord, type Owner, type OwnerRecord } from './owner.ts';
import { nameOfOurs } from './process.ts';

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
  /** Made by us, whether or not there is a record; where the system keeps no such mark, never. */
  readonly isOurs: boolean;
}

/**
 * How long a lock of ours may be without its record before its maker is taken for dead, in milliseconds. The record
 * follows the lock within one; a maker that was stopped in between finds its lock gone, and does not take it for its own.
 */
export const NAMELESS_SILENCE_MS = 1_000;

/** The lock as it is now, or undefined where nobody holds it. Throws the system's error. */
export function seeLock(place: LockPlace): SeenLock | undefined {
  const stats = lstatSync(place.lockDir, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const identity = identityOf(stats);
  const record = readRecord(place);
  const owner = record?.lockIdentity === identity ? record.owner : undefined;
  return { identity, beatMs: Number(stats.mtimeMs), owner, isOurs: (Number(stats.mode) & OUR_MARK) !== 0 };
}

/** One of ours that does not say who holds it: not yet, or its maker was killed, or its record was lost. */
export function isNameless({ owner, isOurs }: SeenLock): boolean {
  return owner === undefined && isOurs;
}

/** Whether both are the very same holding, however much time lies between. */
export function isSameLock(a: SeenLock | undefined, b: SeenLock | undefined): boolean {
  return a?.identity === b?.identity && a?.owner?.nonce === b?.owner?.nonce;
}

/**
 * Makes the lock, and gives what removes it again: that very lock, and not one that somebody else has made since; then
 * that answers false. The record is written in the same breath. Both throw the system's error, EEXIST where somebody has
 * the lock.
 */
export function makeLock(place: LockPlace, owner: Owner): () => boolean {
  const begunMs = monotonicMs();
  mkdirSync(place.lockDir, { mode: 0o777 | OUR_MARK });
  const identity = identityOfNew(place, begunMs);
  const record = writeOwnerRecord({ owner, lockIdentity: identity });
  try {
    writeRecord(place, record);
    if (identityAt(place) !== identity) throw taken(place);
  } catch (error) {
    quietly(() => removeFolder(place, identity));
    throw error;
  }
  return () => {
    removeBell(owner.bell);
    const holder = holderIn(place, record, owner);
    // The lock first: killed in between we leave a record without a lock, which nobody believes, rather than a lock
    // without a record, which is waited for.
    const wasOurs = (holder === undefined || holder === owner.nonce) && removeFolder(place, identity);
    if (holderIn(place, record, owner) === owner.nonce) clearRecord(place);
    return wasOurs;
  };
}

/** Of the lock that was just made. A process that was stopped for a while may see the next one's, and leaves it alone. */
function identityOfNew(place: LockPlace, begunMs: number): string {
  const isFresh = () => monotonicMs() - begunMs < NAMELESS_SILENCE_MS / 2;
  try {
    const identity = identityAt(place);
    if (identity === undefined || !isFresh()) throw taken(place);
    return identity;
  } catch (error) {
    if (isFresh()) quietly(() => rmdirSync(place.lockDir));
    throw error;
  }
}

// The sticky bit, which mkdir sets in the same step and which does nothing to a folder that stays empty: it tells our
// lock from another program's before there is a record.
const OUR_MARK = 0o1000;

function taken(place: LockPlace): Error {
  return Object.assign(new Error(`the lock ${place.lockDir} was lost while it was taken`), { code: 'EEXIST' });
}

/** Removes the lock of a process that is dead; see breakLock, which makes sure of it. Throws the system's error. */
export function removeDeadLock(place: LockPlace, dead: SeenLock): void {
  removeBell(dead.owner?.bell ?? '');
  removeFolder(place, dead.identity);
  if (readRecord(place)?.owner.nonce === dead.owner?.nonce) clearRecord(place);
}

/**
 * Removes the lock's folder if it is that very one, and says whether it was. Whoever looks and then removes may be stopped
 * in between, for so long that the folder is another's by then: so it is moved away, looked at again, and put back where
 * it is another's.
 */
function removeFolder(place: LockPlace, identity: string): boolean {
  if (identityAt(place) !== identity) return false;
  const name = nameOfOurs();
  // Among outputs the name tells whose it is, for the sweep; upstream sees nothing of it.
  const aside = place.recordKind === 'own' ? join(dirname(place.lockDir), name) : `${place.recordPath}.${name}.old`;
  try {
    renameSync(place.lockDir, aside);
  } catch (error) {
    // An overlay file system does not move what lies in a layer below.
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV' || identityAt(place) !== identity) throw error;
    rmdirSync(place.lockDir);
    return true;
  }
  const moved = identityAt({ lockDir: aside });
  const isIt = moved === identity;
  if (isIt) rmdirSync(aside);
  else if (moved !== undefined) renameSync(aside, place.lockDir);
  return isIt;
}

/** What seeLock says of it, without reading who holds it. */
function identityAt({ lockDir }: Pick<LockPlace, 'lockDir'>): string | undefined {
  const stats = lstatSync(lockDir, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : identityOf(stats);
}

function identityOf({ ino, birthtimeNs }: BigIntStats): string {
  return `${ino}:${birthtimeNs}`;
}

function readRecord(place: LockPlace): OwnerRecord | undefined {
  const text = readRecordText(place);
  return text === undefined ? undefined : parseOwnerRecord(text);
}

/** The nonce in the record that is there. Ours is known by its text, which is sooner told than parsed. */
function holderIn(place: LockPlace, ours: string, owner: Owner): string | undefined {
  const text = readRecordText(place);
  if (text === ours) return owner.nonce;
  return text === undefined ? undefined : parseOwnerRecord(text)?.owner.nonce;
}

function readRecordText(place: LockPlace): string | undefined {
  try {
    return readFileSync(place.recordPath, 'utf8');
  } catch {
    return undefined; // unreadable is as good as absent: then the lock's beat decides
  }
}

function writeRecord(place: LockPlace, text: string): void {
  if (place.recordKind === 'own') writeFileAtomic(place.recordPath, text, dirname(place.recordPath));
  else overwrite(place.recordPath, text);
}

/** Without emptying the file first: ext4 takes that for a replacement and forces the bytes to the disk, for 4 to 10 ms. */
function overwrite(path: string, text: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT);
  try {
    ftruncateSync(file, writeSync(file, Buffer.from(text), 0, null, 0));
  } finally {
    closeSync(file);
  }
}

function clearRecord(place: LockPlace): void {
  if (place.recordKind === 'own') {
    rmSync(place.recordPath, { force: true });
    return;
  }
  quietly(() => truncateSync(place.recordPath, 0)); // where the marker is gone, so is the record
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // what is left behind is found dead by the next one
  }
}

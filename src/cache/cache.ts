import { seeBlobs } from './blobs.ts';
import { loadChecksum, type ChecksumOf } from './checksum.ts';
import { actionKeyOf, digestOf, type ActionKey, type Digest } from './digest.ts';
import type { BlobRef, Entry, Lookup } from './entry.ts';
import type { CacheEvent } from './events.ts';
import type { FailureSharing } from './lease.ts';
import { appendRecord, readJournal, type Journal, type JournalRecord } from './journal.ts';
import { openLocalStore } from './local-store.ts';
import { readNote, writeNote } from './notes.ts';
import { checkStoreFolder, prepareStoreFolder, storePathsOf } from './store-folder.ts';
import type { Sight } from './sights.ts';
import { sweep } from './sweep.ts';
import { isSystemError, TierError } from './tier.ts';
import { writeTrail } from './trail.ts';

export type { CacheEvent, LeaseHolder } from './events.ts';
export type { Journal, JournalRecord } from './journal.ts';
export type { FailureSharing } from './lease.ts';

export interface CacheOptions {
  /** The store's folder; made with mode 0700 when absent. */
  readonly dir: string;
  readonly mode: 'read-write' | 'read-only' | 'off';
  /** The longest wait for another process, in milliseconds; then the work is done without a lease. */
  readonly leaseWaitMs: number;
  readonly onEvent?: (event: CacheEvent) => void;
}

/** What a run produced and what is to be stored with it. `costMs` is wall time. */
export interface NewEntry {
  readonly document: string;
  readonly artifacts: Readonly<Record<string, Uint8Array>>;
  readonly costMs: number;
}

export interface WithLeaseOptions {
  /** Ends a wait by rejecting with the signal's reason; the work has to look at it itself. */
  readonly signal?: AbortSignal | undefined;
  /** Where given, a failure of the work is thrown in those processes too that waited for that very run. */
  readonly failures?: FailureSharing | undefined;
}

export interface Cache {
  readonly dir: string;
  readonly mode: CacheOptions['mode'];
  /** Where compiles may run; undefined where this process must not write to the store's folder. Not made here. */
  readonly sandboxDir: string | undefined;
  /** For digestOfFile; undefined as for `sandboxDir`. Not made here. */
  readonly stampsDir: string | undefined;
  /** Looks in every tier, in order. Never throws: a tier in trouble is an event and a miss. */
  lookUp(key: ActionKey, wanted: readonly string[]): Promise<Lookup>;
  /** Stores what a run produced. Never throws. The entry in hand comes back whether or not it could be stored. */
  record(fresh: NewEntry): Promise<Entry>;
  /** The document that a key stands for, where a tier has it whole. Never throws. */
  readDocument(key: ActionKey): Promise<string | undefined>;
  /**
   * Runs `work` while holding the lease on `key`, so that one of many does it. After each wait, and before the work,
   * `lookAgain` is called; what that gives, if anything, is the answer. `waited` says whether somebody else held the
   * lease meanwhile. With the cache off or read-only or the lease in trouble, `work` runs at once.
   */
  withLease<T>(
    key: ActionKey,
    label: string,
    lookAgain: () => Promise<T | undefined>,
    work: () => Promise<T>,
    options?: WithLeaseOptions,
  ): Promise<{ readonly value: T; readonly waited: boolean }>;
  /**
   * Removes what killed processes left: in the store, where this process may write to it, and in folders of temporary
   * files. Never throws.
   */
  sweep(scratchDirs: readonly string[]): Promise<void>;
  /** A small text that was noted before under the name. It may be gone at any time. Never throws. */
  readNote(name: Digest): string | undefined;
  /** Notes a small text, in the place of what was noted under the name. Never throws. */
  writeNote(name: Digest, text: string): void;
  /**
   * Leaves what was seen on the way to an answer, for readTrail. With `blobs`, which the answer names, the next one has
   * them by their stamps. Never throws.
   */
  leaveTrail(question: string, sights: readonly Sight[], answer: unknown, blobs?: ReadonlySet<Digest>): void;
  /** Appends a line to the journal, where this process may write to the store. Never throws. */
  appendRecord(record: JournalRecord): void;
  /**
   * What was journalled; of that only the lines with the text `mentioning` in them, where it is given. Never
   * throws: a journal that cannot be read is empty.
   */
  readJournal(mentioning?: string): Journal;
}

/**
 * The cache over the store in `options.dir`. Trouble of any kind is told once and ends in misses, or in nothing being
 * stored: the cache never fails a build (invariant 7). What is thrown is a bug.
 */
export function openCache(options: CacheOptions): Cache {
  const { dir, mode } = options;
  const paths = storePathsOf(dir);
  const store = openLocalStore(dir, { readOnly: mode !== 'read-write' });
  const tell = tellingOnce(options.onEvent ?? (() => undefined));
  let readable = mode !== 'off';
  let writable = mode === 'read-write';

  const noteTrouble = (error: unknown) => {
    if (!(error instanceof TierError)) throw error;
    if (error.doing !== 'write') readable = false;
    if (error.doing !== 'read') writable = false;
    const { tier, doing, code, message } = error;
    tell({ kind: 'tier-down', tier, doing, ...(code === undefined ? {} : { code }), message });
  };

  if (mode !== 'off') {
    try {
      openFolder(dir, mode);
    } catch (error) {
      noteTrouble(error);
    }
  }

  return {
    dir,
    mode,
    sandboxDir: writable ? paths.sandbox : undefined,
    stampsDir: writable ? paths.stamps : undefined,

    async lookUp(key, wanted) {
      if (!readable) return { kind: 'miss', cause: 'disabled' };
      try {
        const found = await store.get(key, wanted);
        if (found.kind === 'miss' && found.cause === 'damaged') {
          tell({ kind: 'damaged', tier: store.name, key, what: found.what ?? 'entry' });
        }
        return found;
      } catch (error) {
        noteTrouble(error);
        return { kind: 'miss', cause: 'disabled' };
      }
    },

    async record(fresh) {
      const entry = entryOf(fresh, await loadChecksum(), Date.now());
      if (!writable) return entry;
      try {
        await store.put(fresh.document, entry);
      } catch (error) {
        noteTrouble(error);
      }
      return entry;
    },

    async readDocument(key) {
      if (!readable) return undefined;
      try {
        const found = await store.readDocument(key);
        if (found.kind === 'damaged') tell({ kind: 'damaged', tier: store.name, key, what: 'result' });
        return found.kind === 'found' ? found.text : undefined;
      } catch (error) {
        noteTrouble(error);
        return undefined;
      }
    },

    async withLease(key, label, lookAgain, work, leaseOptions) {
      if (!writable) return { value: await work(), waited: false }; // others would wait for what they cannot get
      const { withLease } = await import('./lease.ts');
      const onEvent = (event: CacheEvent) => tell(isTrouble(event) ? tierDownOf(event) : event);
      const lease = { dir: paths.lease, key, label, waitMs: options.leaseWaitMs, onEvent, ...leaseOptions };
      return withLease(lease, lookAgain, work);
    },

    sweep: (scratchDirs) => sweep(writable ? paths : undefined, scratchDirs, Date.now()),
    readNote: (name) => (readable ? readNote(paths.notes, name) : undefined),
    writeNote(name, text) {
      if (writable) writeNote(paths.notes, paths.tmp, name, text);
    },
    leaveTrail(question, sights, answer, blobs = new Set()) {
      if (!writable) return;
      const all = [...sights, ...seeBlobs(paths, [...blobs])];
      writeTrail(paths.trails, paths.tmp, question, { sights: all, answer });
    },
    appendRecord(record) {
      if (writable) appendRecord(paths.journal, record, Date.now());
    },
    readJournal(mentioning) {
      if (!readable) return { records: [], skipped: 0 };
      try {
        return readJournal(paths.journal, mentioning);
      } catch (error) {
        if (!isSystemError(error)) throw error;
        return { records: [], skipped: 0 };
      }
    },
  };
}

function openFolder(dir: string, mode: 'read-write' | 'read-only'): void {
  try {
    if (checkStoreFolder(dir) === 'ours') return;
  } catch (error) {
    if (isSystemError(error)) throw new TierError('local', 'open', error);
    throw error;
  }
  if (mode === 'read-only') return;
  try {
    prepareStoreFolder(dir);
  } catch (error) {
    if (isSystemError(error)) throw new TierError('local', 'write', error);
    throw error;
  }
}

function entryOf({ document, artifacts, costMs }: NewEntry, checksumOf: ChecksumOf, nowMs: number): Entry {
  const refOf = (bytes: Uint8Array): BlobRef => ({
    digest: digestOf(bytes),
    checksum: checksumOf(bytes),
    sizeBytes: bytes.length,
  });
  const refs = Object.fromEntries(Object.entries(artifacts).map(([name, bytes]) => [name, refOf(bytes)]));
  const result = {
    key: actionKeyOf(document),
    artifacts: refs,
    costMs: Math.max(0, Math.round(costMs)),
    createdMs: Math.max(0, Math.round(nowMs)),
  };
  return { result, bytes: artifacts };
}

type LeaseDown = Extract<CacheEvent, { kind: 'lease-down' }>;

/** Where the system does not let us keep leases it is the store's folder that is in trouble. */
function isTrouble(event: CacheEvent): event is LeaseDown & { readonly code: string } {
  return event.kind === 'lease-down' && event.code !== undefined;
}

function tierDownOf({ code, message }: LeaseDown & { readonly code: string }): CacheEvent {
  return { kind: 'tier-down', tier: 'local', doing: 'lease', code, message };
}

/** Trouble is told once for each cause: many entries that do not fit are one full disk. The rest is told as it comes. */
function tellingOnce(onEvent: (event: CacheEvent) => void): (event: CacheEvent) => void {
  const told = new Set<string>();
  return (event) => {
    if (event.kind === 'tier-down' || event.kind === 'lease-down') {
      const cause = event.code ?? event.message;
      if (told.has(cause)) return;
      told.add(cause);
    }
    onEvent(event);
  };
}

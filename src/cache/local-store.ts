import { existsSync, renameSync, rmSync } from 'node:fs';
import { writeFileAtomic } from './atomic-file.ts';
import { loadChecksum, type ChecksumOf } from './checksum.ts';
import { setAside } from './damage.ts';
import type { ActionKey } from './digest.ts';
import {
  isBlobOf,
  parseResult,
  writeResult,
  type ActionResult,
  type BlobRef,
  type Entry,
  type Lookup,
  type StoredResult,
} from './entry.ts';
import { blobPathOf, resultPathOf } from './layout.ts';
import { readNoWait } from './no-wait.ts';
import { touch, touchNow } from './recency.ts';
import { checkStoreFolder, prepareStoreFolder, storePathsOf, type StorePaths } from './store-folder.ts';
import { isSystemError, systemCodeOf, TierError, type Tier } from './tier.ts';

export type FoundDocument =
  { readonly kind: 'found'; readonly text: string } | { readonly kind: 'missing' | 'damaged' };

/** The local place: a file for each blob, and one for each result with its document. */
export interface LocalStore extends Tier {
  /** The document that a key stands for, checked. Throws a TierError. */
  readDocument(key: ActionKey): Promise<FoundDocument>;
}

/**
 * The store in `dir`. Nothing is read or made before the first `get` or `put`.
 *
 * What is read is checked by size and XXH64 (invariant 5); what fails is set aside, so that the next `put` stores it
 * again. With `readOnly` it is left where it is, and no use of anything is noted.
 */
export function openLocalStore(dir: string, options: { readonly readOnly?: boolean } = {}): LocalStore {
  const place: Place = { paths: storePathsOf(dir), readOnly: options.readOnly === true };
  let checked = false;

  function isEmpty(): boolean {
    checked ||= checkStoreFolder(dir) === 'ours';
    return !checked;
  }

  return {
    name: NAME,
    get: (key, wanted) =>
      inTrouble('read', (checksumOf) => (isEmpty() ? ABSENT : readEntry(place, key, wanted, checksumOf))),
    put: (document, entry) =>
      inTrouble('write', (checksumOf) => {
        // The store may be deleted under our hands, whole or in part: what was written before that is then gone.
        for (let attempt = 1; ; attempt += 1) {
          const isLast = attempt === MOST_ATTEMPTS;
          try {
            prepareStoreFolder(dir); // every time: somebody may have deleted it since
            const isWritten = writeEntry(place, document, entry, checksumOf);
            if (isWritten && hasAllBlobs(place, entry.result)) return;
          } catch (error) {
            if (systemCodeOf(error) !== 'ENOENT' || isLast) throw error;
          }
          if (!isLast) continue;
          rmSync(resultPathOf(place.paths, entry.result.key), { force: true });
          throw new TierError(NAME, 'write', new Error(`what was stored does not read back, ${MOST_ATTEMPTS} times`));
        }
      }),
    readDocument: (key) =>
      inTrouble('read', (checksumOf) => {
        const stored = isEmpty() ? 'missing' : readResult(place, key, checksumOf);
        if (typeof stored === 'string') return { kind: stored };
        return { kind: 'found', text: Buffer.from(stored.document).toString('utf8') };
      }),
  };
}

interface Place {
  readonly paths: StorePaths;
  readonly readOnly: boolean;
}

const MOST_ATTEMPTS = 3;

const NAME = 'local';
const ABSENT: Lookup = { kind: 'miss', cause: 'absent' };

async function inTrouble<T>(doing: string, work: (checksumOf: ChecksumOf) => T | Promise<T>): Promise<T> {
  const checksumOf = await loadChecksum();
  try {
    return await work(checksumOf);
  } catch (error) {
    if (isSystemError(error)) throw new TierError(NAME, doing, error);
    throw error;
  }
}

function readEntry(place: Place, key: ActionKey, wanted: readonly string[], checksumOf: ChecksumOf): Lookup {
  const stored = readResult(place, key, checksumOf);
  if (stored === 'missing') return ABSENT;
  if (stored === 'damaged') return { kind: 'miss', cause: 'damaged', what: 'result' };
  const { result } = stored;
  const bytes: Record<string, Uint8Array> = {};
  for (const name of wanted) {
    const ref = Object.hasOwn(result.artifacts, name) ? result.artifacts[name] : undefined;
    const blob = ref === undefined ? 'missing' : readBlob(place, ref, checksumOf);
    if (blob === 'missing') return { kind: 'miss', cause: 'incomplete', what: name };
    if (blob === 'damaged') return { kind: 'miss', cause: 'damaged', what: name };
    bytes[name] = blob;
  }
  if (!place.readOnly) touch(resultPathOf(place.paths, key), Date.now());
  return { kind: 'hit', tier: NAME, entry: { result, bytes } };
}

/**
 * Blobs, then the result: a result never names what is not there (invariant 4). False where something of it is gone
 * already.
 */
function writeEntry(place: Place, document: string, entry: Entry, checksumOf: ChecksumOf): boolean {
  const { result } = entry;
  for (const [name, ref] of Object.entries(result.artifacts)) {
    const bytes = entry.bytes[name];
    if (bytes === undefined) throw new Error(`no bytes for the artifact ${name}`);
    if (!writeBlob(place, ref, bytes, checksumOf)) return false;
  }
  if (!hasAllBlobs(place, result)) return false; // the store was deleted between two of them, say
  writeFileAtomic(resultPathOf(place.paths, result.key), writeResult(result, document, checksumOf), place.paths.tmp);
  return true;
}

function hasAllBlobs({ paths }: Place, { artifacts }: ActionResult): boolean {
  return Object.values(artifacts).every(({ digest }) => existsSync(blobPathOf(paths, digest)));
}

/** False where it is gone already. */
function writeBlob(place: Place, ref: BlobRef, bytes: Uint8Array, checksumOf: ChecksumOf): boolean {
  const path = blobPathOf(place.paths, ref.digest);
  if (typeof readBlob(place, ref, checksumOf) === 'object') {
    touchNow(path, Date.now());
    return true;
  }
  writeFileAtomic(path, bytes, place.paths.tmp);
  // A disk that does not give back what was written is told of now, not by each build after this one.
  const back = readBlob(place, ref, checksumOf);
  if (back === 'damaged') {
    throw new TierError(NAME, 'write', new Error(`the blob ${ref.digest} does not read back as it was written`));
  }
  return back !== 'missing';
}

function readResult(place: Place, key: ActionKey, checksumOf: ChecksumOf): StoredResult | 'missing' | 'damaged' {
  return readChecked(place, { path: resultPathOf(place.paths, key), name: `${key}-result` }, (bytes) => {
    const stored = parseResult(bytes, checksumOf);
    return stored?.result.key === key ? stored : undefined;
  });
}

function readBlob(place: Place, ref: BlobRef, checksumOf: ChecksumOf): Uint8Array | 'missing' | 'damaged' {
  return readChecked(place, { path: blobPathOf(place.paths, ref.digest), name: ref.digest }, (bytes) =>
    isBlobOf(ref, bytes, checksumOf) ? bytes : undefined,
  );
}

/** Reads a file that must pass `accept`, and sets it aside where it does not. */
function readChecked<T extends object>(
  place: Place,
  file: { readonly path: string; readonly name: string },
  accept: (bytes: Uint8Array) => T | undefined,
): T | 'missing' | 'damaged' {
  // Twice, because another process may have put a good file in the place of the bad one since.
  for (const look of ['first', 'second']) {
    const bytes = readOrNone(file.path);
    if (bytes === undefined) return 'missing';
    const accepted = bytes === 'directory' ? undefined : accept(bytes);
    if (accepted !== undefined) return accepted;
    if (look === 'first' || place.readOnly) continue;
    // And once more, of what was moved: it may have become good between the look and the move.
    const moved = setAside(file.path, place.paths.damaged, file.name);
    const content = moved === undefined ? undefined : readOrNone(moved);
    const good = content === undefined || content === 'directory' ? undefined : accept(content);
    if (moved === undefined || good === undefined) continue;
    renameSync(moved, file.path);
    return good;
  }
  return 'damaged';
}

function readOrNone(path: string): Uint8Array | 'directory' | undefined {
  try {
    return readNoWait(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESTALE') return undefined; // ESTALE: gone on the file server
    if (code === 'EISDIR') return 'directory';
    throw error;
  }
}

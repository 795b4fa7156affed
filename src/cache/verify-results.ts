import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setAside } from './damage.ts';
import { digestOf, type ActionKey } from './digest.ts';
import { parseResult, type ActionResult, type BlobRef } from './entry.ts';
import { blobPathOf, resultPathOf } from './layout.ts';
import { makeDir } from './make-dir.ts';
import { nameOfOurs } from './process.ts';
import { readNoWait } from './no-wait.ts';
import type { StoreProblem, Verifying } from './store-problem.ts';
import { isSystemError, systemCodeOf } from './tier.ts';
import type { Blobs } from './verify-blobs.ts';

type Why = Extract<StoreProblem, { kind: 'damaged-result' }>['why'];

/** Checks the result of a key and that what it names is there, and reports what is not. False where it is gone. */
export function checkResult(verifying: Verifying, blobs: Blobs, key: ActionKey): boolean {
  const path = resultPathOf(verifying.paths, key);
  try {
    const bytes = readOrNone(path);
    if (bytes === undefined) return false;
    const result = judge(verifying, blobs, key, bytes);
    if (typeof result === 'string') return reportDamage(verifying, blobs, key, path);
    const lacking = lackingIn(blobs, result);
    if (lacking !== undefined) return reportLack(verifying, key, path, { bytes, result, ...lacking });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (systemCodeOf(error) === 'ENOENT') return false; // the whole store was deleted meanwhile
    verifying.report({ kind: 'unreadable', path, code: systemCodeOf(error) ?? 'unknown', done: 'left' });
  }
  return true;
}

function judge(verifying: Verifying, blobs: Blobs, key: ActionKey, bytes: Uint8Array | 'folder'): ActionResult | Why {
  const stored = bytes === 'folder' ? undefined : parseResult(bytes, verifying.checksumOf);
  if (stored === undefined) return 'torn';
  const { result, document } = stored;
  if (result.key !== key) return 'other-key';
  if (digestOf(document) !== (key as string)) return 'other-document';
  const fits = Object.values(result.artifacts).every((ref) => {
    const blob = blobs.named(ref.digest);
    return typeof blob === 'string' || (blob.sizeBytes === ref.sizeBytes && blob.checksum === ref.checksum);
  });
  return fits ? result : 'other-bytes';
}

/** Moved, looked at once more, and put back if a good one came in between. */
function reportDamage(verifying: Verifying, blobs: Blobs, key: ActionKey, path: string): boolean {
  const judgeNow = (at: string) => {
    const bytes = readOrNone(at);
    return bytes === undefined ? 'gone' : judge(verifying, blobs, key, bytes);
  };
  const why = judgeNow(path);
  if (why === 'gone') return false;
  if (typeof why === 'object') return true;
  if (!verifying.readOnly) {
    const moved = setAside(path, verifying.paths.damaged, `${key}-result`);
    if (moved !== undefined && typeof judgeNow(moved) === 'object') {
      renameSync(moved, path);
      return true;
    }
  }
  const isThere = typeof judgeNow(path) === 'string' && existsSync(path);
  verifying.report({ kind: 'damaged-result', key, why, done: isThere ? 'left' : 'set-aside' });
  return true;
}

interface Lacking {
  readonly what: string;
  readonly ref: BlobRef;
  readonly bytes: Uint8Array | 'folder';
  readonly result: ActionResult;
}

/** A collector removes results before blobs: if the result is gone by now, nothing was lacking. */
function reportLack(verifying: Verifying, key: ActionKey, path: string, lacking: Lacking): boolean {
  const { paths, readOnly, report } = verifying;
  const now = readOrNone(path);
  if (now === undefined) return false;
  if (!isSame(now, lacking.bytes)) return true; // stored anew meanwhile, with blobs of its own
  const problem = { kind: 'incomplete-result', key, what: lacking.what, digest: lacking.ref.digest } as const;
  if (readOnly) {
    report({ ...problem, done: 'left' });
    return true;
  }
  const moved = join(paths.tmp, nameOfOurs());
  try {
    makeDir(paths.tmp);
    renameSync(path, moved);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (systemCodeOf(error) === 'ENOENT') return false;
    report({ ...problem, done: 'left' });
    return true;
  }
  // The blob may have been stored again between the look and the move, by a build whose result was moved here.
  const isNew = !isSame(readOrNone(moved), lacking.bytes) || existsSync(blobPathOf(paths, lacking.ref.digest));
  if (isNew) renameSync(moved, path);
  else {
    rmSync(moved, { recursive: true, force: true });
    report({ ...problem, done: 'removed' });
  }
  return true;
}

function lackingIn(blobs: Blobs, result: ActionResult): Pick<Lacking, 'what' | 'ref'> | undefined {
  for (const [what, ref] of Object.entries(result.artifacts)) {
    const blob = blobs.named(ref.digest);
    if (blob === 'missing' || blob === 'damaged') return { what, ref };
  }
  return undefined;
}

function readOrNone(path: string): Uint8Array | 'folder' | undefined {
  try {
    return readNoWait(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESTALE') return undefined;
    if (code === 'EISDIR') return 'folder';
    throw error;
  }
}

function isSame(a: Uint8Array | 'folder' | undefined, b: Uint8Array | 'folder'): boolean {
  return typeof a === 'object' && typeof b === 'object' ? Buffer.compare(a, b) === 0 : a === b;
}

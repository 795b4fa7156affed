import { renameSync } from 'node:fs';
import { setAside } from './damage.ts';
import type { Digest } from './digest.ts';
import { blobPathOf } from './layout.ts';
import { measureFile, type Measured } from './measure-file.ts';
import type { Verifying } from './store-problem.ts';
import { isSystemError, systemCodeOf } from './tier.ts';

/** The blobs of a store, as far as they were checked. */
export interface Blobs {
  /** Checks one, and reports it where it is damaged. */
  check(digest: Digest): void;
  /** The blob as it is named by a result: whole, or what keeps it from being so. It is read if that is not known. */
  named(digest: Digest): Measured | 'missing' | 'damaged' | 'unreadable';
  count(): number;
  readBytes(): number;
  /** Those that were checked and never named. */
  orphans(): { readonly blobs: number; readonly sizeBytes: number };
}

export function blobChecker(verifying: Verifying): Blobs {
  const { paths, readOnly, beginChecksum, report } = verifying;
  const known = new Map<Digest, Known>();
  let count = 0;
  let readBytes = 0;

  const look = (digest: Digest, path: string): Measured | 'missing' | 'damaged' => {
    const measured = measureFile(path, beginChecksum);
    if (typeof measured === 'string') return measured === 'folder' ? 'damaged' : measured;
    readBytes += measured.sizeBytes;
    return measured.digest === digest ? measured : 'damaged';
  };

  /** Damage is looked at again: another process may have put a good file in its place. */
  const judge = (digest: Digest, path: string): Measured | 'missing' | 'damaged' => {
    const first = look(digest, path);
    if (first !== 'damaged') return first;
    const second = look(digest, path);
    if (second !== 'damaged' || readOnly) {
      if (second === 'damaged') report({ kind: 'damaged-blob', digest, done: 'left' });
      return second;
    }
    const moved = setAside(path, paths.damaged, digest);
    if (moved !== undefined) {
      const third = look(digest, moved);
      if (typeof third === 'object') {
        renameSync(moved, path);
        return third;
      }
    }
    // What could not be moved may have been removed; by whom does not matter.
    const done = look(digest, path) === 'damaged' ? 'left' : 'set-aside';
    report({ kind: 'damaged-blob', digest, done });
    return 'damaged';
  };

  const read = (digest: Digest): Known => {
    const path = blobPathOf(paths, digest);
    try {
      return { state: judge(digest, path), named: false };
    } catch (error) {
      if (!isSystemError(error)) throw error;
      if (systemCodeOf(error) === 'ENOENT') return { state: 'missing', named: false }; // the store was deleted meanwhile
      report({ kind: 'unreadable', path, code: systemCodeOf(error) ?? 'unknown', done: 'left' });
      return { state: 'unreadable', named: false };
    }
  };

  const remember = (digest: Digest, found: Known): Known => {
    known.set(digest, found);
    return found;
  };

  return {
    check(digest) {
      const found = remember(digest, read(digest));
      if (found.state !== 'missing') count += 1;
    },
    named(digest) {
      let found = known.get(digest) ?? remember(digest, read(digest));
      // It may have been stored, or stored again, since it was looked for.
      const isPast = found.state === 'missing' || (found.state === 'damaged' && !readOnly);
      if (isPast && typeof look(digest, blobPathOf(paths, digest)) === 'object') {
        found = remember(digest, read(digest));
      }
      found.named = true;
      return found.state;
    },
    count: () => count,
    readBytes: () => readBytes,
    orphans() {
      const orphans = [...known.values()].flatMap(({ state, named }) =>
        typeof state === 'object' && !named ? [state.sizeBytes] : [],
      );
      return { blobs: orphans.length, sizeBytes: orphans.reduce((sum, sizeBytes) => sum + sizeBytes, 0) };
    },
  };
}

interface Known {
  readonly state: Measured | 'missing' | 'damaged' | 'unreadable';
  named: boolean;
}

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { makeDir } from '../cache/make-dir.ts';
import { nameOfOurs } from '../cache/process.ts';
import type { Closure } from './closure.ts';
import type { ArtifactName } from './outcome.ts';

/** The folder in which the compiler runs. It holds the closure and nothing else (invariant 2). */
export interface Sandbox {
  /** Stands for the project root; the compiler's current directory. */
  readonly root: string;
  /** Where the compiler writes; outside the root, so that no output is ever an input. */
  readonly out: string;
  /** Whether all that was put in it is still there: whoever deletes the cache while a compiler runs deletes this too. */
  isWhole(): boolean;
  /** Whether the disk takes what a compiler may write. Where it does not, the compiler's word on a program means nothing. */
  hasRoom(): boolean;
  remove(): Promise<void>;
}

export interface Staging {
  readonly closure: Pick<Closure, 'inputs' | 'absent'>;
  /** Folders that must be there even when nothing in them is read: the compiler checks every `--package`. */
  readonly dirs: readonly string[];
}

/**
 * Makes a sandbox under `parent` and fills it from the bytes in hand, so that an edit after hashing cannot reach the
 * compiler. Files named by an absolute path stay where they are. Throws the system's error where the disk is in trouble.
 */
export function stageSandbox(parent: string, staging: Staging): Sandbox {
  // The folders above the root bear a name that no path can say: `../root` must not lead back into the root.
  const nonce = randomBytes(6).toString('hex');
  const base = join(parent, nameOfOurs());
  const paths = [...staging.closure.inputs.map((input) => input.path), ...staging.closure.absent, ...staging.dirs];
  const root = join(base, 'in', ...Array<string>(climbOf(paths)).fill(nonce), nonce);
  const out = join(base, 'out');
  const files: string[] = [];
  try {
    makeDir(parent);
    refuseForeign(parent);
    mkdirSync(base, { mode: 0o700 });
    const made = new Set<string>();
    const ensure = (dir: string) => {
      if (made.has(dir)) return;
      makeDir(dir);
      made.add(dir);
    };
    for (const dir of [root, out]) ensure(dir);
    for (const dir of staging.dirs) if (!isAbsolute(dir)) ensure(join(root, dir));
    for (const { path, bytes } of staging.closure.inputs) {
      if (isAbsolute(path)) continue;
      const file = join(root, path);
      ensure(dirname(file));
      writeFileSync(file, bytes);
      files.push(file);
    }
  } catch (error) {
    rmSync(base, { recursive: true, force: true });
    throw error;
  }
  return {
    root,
    out,
    isWhole: () => [out, ...files].every((path) => existsSync(path)),
    hasRoom: () => hasRoom(out),
    remove: () => rm(base, { recursive: true, force: true, maxRetries: 2 }).catch(() => undefined),
  };
}

/** What the compiler left of the artifacts asked for: name to bytes. Files that it did not write are not there. */
export function collectArtifacts(
  out: string,
  stem: string,
  names: readonly ArtifactName[],
): Partial<Record<ArtifactName, Uint8Array>> {
  const found: Partial<Record<ArtifactName, Uint8Array>> = {};
  for (const name of names) {
    try {
      found[name] = readFileSync(join(out, `${stem}.${name}`));
    } catch (error) {
      // A folder of that name is no more an artifact than nothing is.
      if (!['ENOENT', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  return found;
}

/** A large canister is a few MB, and its source map a few more. */
const ROOM_BYTES = 16 * 1024 * 1024;

function hasRoom(dir: string): boolean {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(dir);
    if (bavail * bsize < ROOM_BYTES || (files > 0 && ffree < 16)) return false; // zero files: it does not count them
    writeFileSync(join(dir, '.room'), 'x'); // a quota is not in the numbers
    rmSync(join(dir, '.room'));
    return true;
  } catch {
    return false;
  }
}

/** A folder of somebody else's could be changed under the compiler; among temporary files its name is easy to guess. */
function refuseForeign(parent: string): void {
  const user = process.getuid?.();
  if (user === undefined || statSync(parent).uid === user) return;
  throw Object.assign(new Error(`${parent} belongs to another user`), { code: 'EPERM' });
}

/** The most leading `..` of any path: how deep the root must lie for all of them to stay inside the sandbox. */
function climbOf(paths: readonly string[]): number {
  let most = 0;
  for (const path of paths) {
    let climb = 0;
    while (path.startsWith('../', climb * 3) || path.slice(climb * 3) === '..') climb += 1;
    most = Math.max(most, climb);
  }
  return most;
}

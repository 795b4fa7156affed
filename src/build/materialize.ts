import { readFileSync, renameSync, rmSync, statSync, writeFileSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { BlobRef } from '../cache/entry.ts';
import { digestOf } from '../cache/digest.ts';
import { makeDir } from '../cache/make-dir.ts';
import { nameOfOurs } from '../cache/process.ts';
import { isPlain, noteFile } from '../cache/sights.ts';
import { BuildError, type ArtifactName } from './outcome.ts';

/** Artifacts that an output directory should hold, by what their bytes are. */
export type Wanted = Readonly<Partial<Record<ArtifactName, Pick<BlobRef, 'digest' | 'sizeBytes'>>>>;

/** The order in which files appear: the wasm last, because whoever sees it takes the others for its own. */
const ORDER: readonly ArtifactName[] = ['wasm.map', 'did', 'most', 'wasm'];

/** The artifacts that are not there as wanted. Size first, then SHA-256. */
export function planMaterialize(dir: string, stem: string, wanted: Wanted): readonly ArtifactName[] {
  return ORDER.filter((name) => {
    const ref = wanted[name];
    return ref !== undefined && !isThere(join(dir, `${stem}.${name}`), ref);
  });
}

/** A file's bytes, or what writes them to a new file. What that throws is thrown, all else as it was. */
export type Content = Uint8Array | ((path: string) => void);

/**
 * Makes the files appear, whole and from one action (invariant 8): all of them are written beside their places first,
 * then renamed. Where more than one changes, the old wasm steps aside before the others appear, so that a kill in
 * between leaves no wasm rather than one beside another's interface; the next build finds it missing and puts it back.
 * The caller holds upstream's lock on the output. Throws a BuildError; the previous files are then as they were.
 */
export function materialize(dir: string, stem: string, files: Readonly<Partial<Record<ArtifactName, Content>>>): void {
  const names = ORDER.filter((name) => files[name] !== undefined);
  const nonce = nameOfOurs();
  const place = (name: ArtifactName) => join(dir, `${stem}.${name}`);
  const beside = (name: ArtifactName) => join(dir, `.${stem}.${name}.${nonce}.tmp`);
  const aside = (name: ArtifactName) => join(dir, `.${stem}.${name}.${nonce}.old`);

  const written: ArtifactName[] = [];
  const moved: ArtifactName[] = [];
  const placed: ArtifactName[] = [];
  try {
    for (const name of names) {
      if (isDirectory(place(name))) throw Object.assign(new Error('a directory is in the way'), { code: 'EISDIR' });
      written.push(name);
      write(files[name] ?? new Uint8Array(), beside(name));
    }
    if (names.length > 1) {
      for (const name of [...names].reverse()) {
        if (moveAway(place(name), aside(name))) moved.push(name);
      }
    }
    for (const name of names) {
      renameSync(beside(name), place(name));
      placed.push(name);
    }
  } catch (error) {
    quietly(() => placed.forEach((name) => rmSync(place(name), { force: true })));
    moved.forEach((name) => quietly(() => renameSync(aside(name), place(name))));
    written.forEach((name) => quietly(() => rmSync(beside(name), { force: true })));
    throw unwritable(dir, error);
  }
  moved.forEach((name) => quietly(() => rmSync(aside(name), { force: true })));
}

/** Makes the output directory. Throws a BuildError where that is impossible. */
export function makeOutputDir(dir: string): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      makeDir(dir, 0o777);
      if (!statSync(dir).isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
      return;
    } catch (error) {
      // Somebody may be deleting it (mops cache clean); a place that takes no folder says the same each time.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === MAX_ATTEMPTS) throw unwritable(dir, error);
    }
  }
}

const MAX_ATTEMPTS = 20;

function isThere(path: string, ref: Pick<BlobRef, 'digest' | 'sizeBytes'>): boolean {
  try {
    const beforeMs = Date.now();
    const stats = lstatSync(path);
    // A link into somewhere else, or a file that the next tool cannot write, is replaced by one of our own.
    if (!isPlain(stats) || stats.size !== ref.sizeBytes || digestOf(readFileSync(path)) !== ref.digest) return false;
    noteFile('own', path, stats, beforeMs);
    return true;
  } catch {
    return false; // absent or unreadable: then it has to be written, and writing says what is wrong
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function write(content: Content, path: string): void {
  if (typeof content === 'function') content(path);
  else writeFileSync(path, content);
}

function moveAway(from: string, to: string): boolean {
  if (lstatSync(from, { throwIfNoEntry: false }) === undefined) return false; // an error takes longer to make
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return false;
  }
}

function quietly(clean: () => void): void {
  try {
    clean();
  } catch {
    // tidying up must not hide what went wrong
  }
}

function unwritable(path: string, error: unknown): BuildError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error; // a bug, not the disk
  return new BuildError({ kind: 'output-unwritable', path, code });
}

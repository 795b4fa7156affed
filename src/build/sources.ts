import { closeSync, openSync, readSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { digestOf, type Digest } from '../cache/digest.ts';
import { lstatSync, readdirSync, realpathSync, statSync } from '../cache/disk.ts';
import { importsOf, type Import } from './imports.ts';

/** One file that the compiler will open. */
export interface SourceFile {
  /** Relative to the project root, or absolute where it was given so; `/` between, `..` folded as the compiler does. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly digest: Digest;
}

/** What is at a path: a file in hand, something that no compiler can read as a file, or nothing. */
export type Source =
  | { readonly kind: 'file'; readonly file: SourceFile }
  | { readonly kind: 'folder' }
  | { readonly kind: 'unreadable'; readonly code: string }
  | { readonly kind: 'absent' };

export interface FolderEntry {
  readonly name: string;
  /** Of what a symbolic link leads to; `broken` where it leads nowhere. */
  readonly kind: 'file' | 'folder' | 'broken';
}

/**
 * A project's files as they are during one build. Each is read, hashed and scanned once, however many canisters use it,
 * and all of them see the same bytes.
 */
export interface Sources {
  read(path: string): Source;
  /** The imports of a `.mo` file that was read here. */
  importsOf(file: SourceFile): readonly Import[];
  /** In code-unit order of the names; undefined where no folder can be read. */
  list(dir: string): readonly FolderEntry[] | undefined;
  isFolder(path: string): boolean;
  /** Whether leaving this folder by `..` leads where the text of the path says; not so behind a symbolic link. */
  isPlainFolder(dir: string): boolean;
}

/** Opens the files below `root`, an absolute path; relative paths are relative to it. */
export function openSources(root: string): Sources {
  const sources = new Map<string, Source>();
  const imports = new Map<string, readonly Import[]>();
  const onDisk = (path: string) => (isAbsolute(path) ? path : `${root}/${path}`);
  return {
    read: (path) => remember(sources, path, () => readSource(path, onDisk(path))),
    importsOf: (file) => remember(imports, file.path, () => importsOf(file.bytes)),
    list: (dir) => listFolder(onDisk(dir)),
    isFolder: (path) => isFolder(onDisk(path)),
    isPlainFolder: (dir) => isPlainFolder(onDisk(dir)),
  };
}

/** The value that is known by this name, or else is found and known from now on. */
export function remember<V>(known: Map<string, V>, path: string, find: () => V): V {
  const before = known.get(path);
  if (before !== undefined) return before;
  const found = find();
  known.set(path, found);
  return found;
}

/** Asks first and opens then: an import of a folder looks for a file that is rarely there, and throwing is slow. */
function readSource(path: string, full: string): Source {
  try {
    const stats = statSync(full);
    if (stats === undefined) return { kind: 'absent' };
    if (stats.isDirectory()) return { kind: 'folder' };
    if (!stats.isFile()) return { kind: 'unreadable', code: 'not a file' }; // opening a pipe would wait for a writer
    const bytes = readFile(full, stats.size);
    return { kind: 'file', file: { path, bytes, digest: digestOf(bytes) } };
  } catch (error) {
    return { kind: 'unreadable', code: codeOf(error) };
  }
}

/** `readFileSync` with the size known. A file that grows meanwhile is cut off: hashed and compiled are the same bytes. */
function readFile(full: string, sizeBytes: number): Uint8Array {
  const file = openSync(full, 'r');
  try {
    const bytes = Buffer.allocUnsafeSlow(sizeBytes);
    let length = 0;
    while (length < sizeBytes) {
      const count = readSync(file, bytes, length, sizeBytes - length, null);
      if (count === 0) break;
      length += count;
    }
    return length === sizeBytes ? bytes : bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

function listFolder(full: string): readonly FolderEntry[] | undefined {
  try {
    return readdirSync(full)
      .map((entry): FolderEntry => {
        const { name } = entry;
        if (entry.isSymbolicLink()) return { name, kind: kindOf(`${full}/${name}`) };
        return { name, kind: entry.isDirectory() ? 'folder' : 'file' };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return undefined; // whatever the reason: the compiler cannot list it either
  }
}

/** Of what the path leads to in the end. A link in a circle leads nowhere. */
function kindOf(full: string): FolderEntry['kind'] {
  try {
    const stats = statSync(full);
    return stats === undefined ? 'broken' : stats.isDirectory() ? 'folder' : 'file';
  } catch {
    return 'broken';
  }
}

function isFolder(full: string): boolean {
  try {
    return statSync(full)?.isDirectory() === true;
  } catch {
    return false; // what may not be looked at is not there for the compiler either
  }
}

function isPlainFolder(full: string): boolean {
  try {
    const stats = lstatSync(full);
    if (stats === undefined) return false;
    if (!stats.isSymbolicLink()) return stats.isDirectory();
    return realpathSync(`${realpathSync(full)}/..`) === realpathSync(dirname(full));
  } catch {
    return false;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

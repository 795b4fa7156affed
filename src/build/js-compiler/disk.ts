import fs from 'node:fs';
import { getSystemErrorMap } from 'node:util';

/**
 * The real disk, in the shape in which js_of_ocaml's runtime wants a device. Paths are those of the compiler, relative
 * to the current directory; the questions that it asks are answered one by one, so that nothing is opened or listed
 * that it did not ask for.
 */
export interface Disk {
  exists(path: string): 0 | 1;
  is_dir(path: string): 0 | 1;
  readdir(path: string): readonly string[];
  open(path: string): OpenFile;
}

interface OpenFile {
  readonly flags: object;
  length(): number;
  read(into: Uint8Array, at: number, count: number): number;
  seek(offset: number, whence: number): number;
  pos(): number;
  close(): void;
  check_stream_semantics(): void;
}

/** `raise` throws the exception that the compiler takes for an I/O error; the texts are those of the C library. */
export function openDisk(raise: (message: string) => never): Disk {
  const asking = <T>(path: string, ask: () => T): T => {
    try {
      return ask();
    } catch (error) {
      return raise(`${path}: ${reasonOf(error)}`);
    }
  };
  return {
    exists: (path) => (isThere(path) ? 1 : 0),
    is_dir: (path) => (asking(path, () => fs.statSync(path)).isDirectory() ? 1 : 0),
    readdir: (path) => asking(path, () => fs.readdirSync(path)),
    open: (path) => {
      try {
        return openFile(fs.readFileSync(path));
      } catch (error) {
        // A folder can be opened, and not read: the message of a failed read names no path.
        return raise(codeOf(error) === 'EISDIR' ? reasonOf(error) : `${path}: ${reasonOf(error)}`);
      }
    },
  };
}

function isThere(path: string): boolean {
  try {
    fs.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function openFile(bytes: Uint8Array): OpenFile {
  let offset = 0;
  return {
    flags: { rdonly: 1 },
    length: () => bytes.length,
    read: (into, at, count) => {
      const part = bytes.subarray(offset, offset + count);
      into.set(part, at);
      offset += part.length;
      return part.length;
    },
    seek: (to, whence) => {
      offset = [0, offset, bytes.length][whence] ?? 0;
      offset += to;
      return offset;
    },
    pos: () => offset,
    close: () => undefined,
    check_stream_semantics: () => undefined,
  };
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'No such file or directory'],
  ['ENOTDIR', 'Not a directory'],
  ['EISDIR', 'Is a directory'],
  ['EACCES', 'Permission denied'],
  ['EPERM', 'Operation not permitted'],
  ['ELOOP', 'Too many levels of symbolic links'],
  ['ENAMETOOLONG', 'File name too long'],
  ['EMFILE', 'Too many open files'],
  ['ENOSPC', 'No space left on device'],
  ['EROFS', 'Read-only file system'],
]);

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

/** What the C library says of a failed call. */
export function reasonOf(error: unknown): string {
  const { errno = 0, message } = error as NodeJS.ErrnoException;
  return REASONS.get(codeOf(error)) ?? getSystemErrorMap().get(errno)?.[1] ?? message;
}

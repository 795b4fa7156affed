import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it where they are not there. Throws the system's error, the true one: Node's own
 * recursive mkdir says ENOENT for a file system that is read-only, the asynchronous one for a full disk, and where a
 * file system refuses new folders with ENOENT, as /proc does, it never comes back.
 */
export function makeDir(dir: string, mode = 0o700): void {
  try {
    mkdirSync(dir, { mode });
  } catch (error) {
    if (isDirectory(dir)) return;
    const parent = dirname(dir);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === dir) throw error;
    makeDir(parent, mode);
    mkdirUnlessThere(dir, mode);
  }
}

/** Once only: a folder whose parent is deleted as fast as we make it is an error. */
function mkdirUnlessThere(dir: string, mode: number): void {
  try {
    mkdirSync(dir, { mode });
  } catch (error) {
    if (!isDirectory(dir)) throw error; // else another process was faster
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

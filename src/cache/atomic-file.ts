import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDir } from './make-dir.ts';
import { nameOfOurs } from './process.ts';

/**
 * Makes a file appear whole: written in `tmpDir` (same file system, removed when nothing comes of it) and
 * renamed. Folders that are not there are made, mode 0700. Not synced: after a power cut the file may be torn, so
 * whoever reads it checks it. Throws the system's error.
 */
export function writeFileAtomic(path: string, content: string | Uint8Array, tmpDir: string): void {
  const temporary = join(tmpDir, nameOfOurs());
  for (const dir of new Set([tmpDir, dirname(path)])) makeDir(dir);
  try {
    writeFileSync(temporary, content, { mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

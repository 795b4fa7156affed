import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { nameOfOurs } from './process.ts';

/** Where this process may hang a new bell; empty where it cannot (then those who wait have to look now and then). */
export function newBellPath(): string {
  const name = `${nameOfOurs()}.sock`;
  if (process.platform === 'win32') return `${PIPES}moccache-${name}`;
  const dir = bellDirHere();
  return dir === '' ? '' : join(dir, name);
}

/** Removes a bell's file, where it is one of this user's bells: a path in a record is not to be trusted further. */
export function removeBell(path: string): void {
  if (path === '') return;
  const dir = bellDirHere();
  if (dir === '' || dirname(path) !== dir || !BELL.test(basename(path))) return;
  try {
    rmSync(path, { force: true });
  } catch {
    // then it stays, a file without a use
  }
}

/** The folder of this user's bells; empty where there can be none, or where they are no files. */
export function bellDirHere(): string {
  bellDir ??= findBellDir() ?? '';
  return bellDir;
}

const PIPES = String.raw`\\.\pipe\\`.slice(0, -1);
const BELL = /^\d+-[0-9a-f]{8}-\d+-[0-9a-f]{12}\.sock$/;
const LONGEST = '/4294967296-01234567-0123456789-0123456789ab.sock';
// What the name of a local socket may be long on macOS and the BSDs, its closing zero included.
const MOST_BYTES = 104;

let bellDir: string | undefined;

/** A folder of this user alone: elsewhere anybody could hang a bell in our name, or listen to our news. */
function findBellDir(): string | undefined {
  const uid = process.getuid?.();
  if (uid === undefined) return undefined;
  for (const base of [process.getBuiltinModule('node:os').tmpdir(), '/tmp']) {
    const dir = join(base, `moccache-${uid}`);
    if (Buffer.byteLength(dir) + LONGEST.length >= MOST_BYTES) continue;
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      const stats = lstatSync(dir);
      if (stats.isDirectory() && stats.uid === uid && (stats.mode & 0o077) === 0) return dir;
    } catch {
      // try the next
    }
  }
  return undefined;
}

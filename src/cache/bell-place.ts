import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Where this process may hang a bell; empty where it cannot (then those who wait have to look now and then). */
export function bellPathOf(nonce: string): string {
  const name = `${process.pid}-${nonce}.sock`;
  if (process.platform === 'win32') return `${PIPES}moccache-${name}`;
  bellDir ??= findBellDir() ?? '';
  return bellDir === '' ? '' : join(bellDir, name);
}

/** Removes a bell's file, where it is one of this user's bells: a path in a record is not to be trusted further. */
export function removeBell(path: string): void {
  if (path === '') return;
  bellDir ??= findBellDir() ?? '';
  if (bellDir === '' || dirname(path) !== bellDir || !BELL.test(basename(path))) return;
  try {
    rmSync(path, { force: true });
  } catch {
    // then it stays, a file without a use
  }
}

/** Removes the bells of processes that are gone. Throws the system's error. */
export function sweepBells(isGone: (pid: number) => boolean): void {
  bellDir ??= findBellDir() ?? '';
  if (bellDir === '') return;
  for (const name of readdirSync(bellDir)) {
    const pid = BELL.exec(name)?.[1];
    if (pid !== undefined && isGone(Number(pid))) removeBell(join(bellDir, name));
  }
}

const PIPES = String.raw`\\.\pipe\\`.slice(0, -1);
const BELL = /^(\d+)-[0-9a-f]{16}\.sock$/;
// What the name of a local socket may be long on macOS and the BSDs, its closing zero included.
const MOST_BYTES = 104;

let bellDir: string | undefined;

/** A folder of this user alone: elsewhere anybody could hang a bell in our name, or listen to our news. */
function findBellDir(): string | undefined {
  const uid = process.getuid?.();
  if (uid === undefined) return undefined;
  const longest = join('x', `${2 ** 32}-${'0'.repeat(16)}.sock`).length;
  for (const base of [tmpdir(), '/tmp']) {
    const dir = join(base, `moccache-${uid}`);
    if (Buffer.byteLength(dir) + longest >= MOST_BYTES) continue;
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

import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { chmodSync, existsSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOf } from '../../src/cache/digest.ts';
import { seal, unseal } from '../../src/cache/sealed.ts';
import { digestOfFile } from '../../src/cache/stamps.ts';
import { bytesOf } from '../rigs/cache-entries.ts';
import { tempDir } from '../rigs/cache-temp.ts';

const OLD = bytesOf(2_100_000, 5);
const NEW = bytesOf(2_100_000, 6);

let pool: string;
let taken = 0;

// The system keeps a change time that nobody can set, so files have to grow old; all of them do it at once.
beforeAll(async () => {
  pool = mkdtempSync(join(tmpdir(), 'stamps-'));
  const files = Array.from({ length: 20 }, (_, index) => join(pool, `${index + 1}`));
  files.forEach((file) => writeFileSync(file, OLD));
  const youngest = files.at(-1) ?? '';
  while (Date.now() - statSync(youngest).ctimeMs < 2_050) await new Promise((resolve) => setTimeout(resolve, 50));
});

afterAll(() => rmSync(pool, { recursive: true }));

test('without a place for stamps a file is hashed', () => {
  const { file } = scene();
  expect(digestOfFile(file, undefined)).toBe(digestOf(OLD));
});

test('a file that has settled is remembered, and the memory is believed', () => {
  const { file, stamps } = scene();
  expect(digestOfFile(file, stamps)).toBe(digestOf(OLD));
  // Seen by a stamp that tells another digest: it could only come from there.
  forgeDigest(stamps, digestOf(NEW));
  expect(digestOfFile(file, stamps)).toBe(digestOf(NEW));
});

test('a file that was changed just now is not remembered', () => {
  const { file, stamps } = scene();
  writeFileSync(file, NEW);
  expect(digestOfFile(file, stamps)).toBe(digestOf(NEW));
  expect(existsSync(stamps)).toBe(false);
});

test('a file whose times lie in the future is not remembered', () => {
  const { file, stamps } = scene();
  const later = new Date(Date.now() + 365 * 24 * 3_600_000);
  utimesSync(file, later, later);
  expect(digestOfFile(file, stamps)).toBe(digestOf(OLD));
  expect(existsSync(stamps)).toBe(false);
});

test.each<[string, (file: string) => void]>([
  ['rewritten in place with its time put back', (file) => rewrite(file)],
  ['replaced by another of the same size and time', (file) => replace(file)],
  ['made longer', (file) => writeFileSync(file, 'x', { flag: 'a' })],
  ['touched', (file) => utimesSync(file, new Date(), new Date(0))],
  ['given another mode', (file) => chmodSync(file, 0o700)],
])('a file that was %s is hashed again', (_, change) => {
  const { file, stamps } = scene();
  digestOfFile(file, stamps);
  forgeDigest(stamps, digestOf('what the stamp says'));
  change(file);
  expect(digestOfFile(file, stamps)).toBe(digestOf(readFileSync(file)));
});

test.each<[string, (stamp: string) => void]>([
  ['cut off', (stamp) => writeFileSync(stamp, readFileSync(stamp).subarray(0, -1))],
  ['emptied', (stamp) => writeFileSync(stamp, '')],
  ['changed by a bit', (stamp) => writeFileSync(stamp, readFileSync(stamp, 'latin1').replace(/[0-9a-f]\n/, 'g\n'))],
  ['a folder', (stamp) => beFolder(stamp)],
])('with its stamp %s a file is hashed', (_, damage) => {
  const { file, stamps } = scene();
  digestOfFile(file, stamps);
  damage(join(stamps, readdirSync(stamps)[0] ?? ''));
  expect(digestOfFile(file, stamps)).toBe(digestOf(OLD));
});

test('a link is as good as the file it leads to', () => {
  const { file, stamps } = scene();
  const link = `${file}.link`;
  symlinkSync(file, link);
  expect(digestOfFile(link, stamps)).toBe(digestOf(OLD));
  const other = `${file}.other`;
  writeFileSync(other, NEW);
  rmSync(link);
  symlinkSync(other, link);
  expect(digestOfFile(link, stamps)).toBe(digestOf(NEW));
});

test('a place for stamps that cannot be written to does no harm', () => {
  const { file, stamps } = scene();
  writeFileSync(stamps, 'a file');
  expect(digestOfFile(file, stamps)).toBe(digestOf(OLD));
  expect(digestOfFile(file, join(stamps, 'deeper/still'))).toBe(digestOf(OLD));
});

test('where the store is gone, no folder is made for stamps', () => {
  const { file, stamps } = scene();
  const gone = join(stamps, '../gone/stamps');
  expect(digestOfFile(file, gone)).toBe(digestOf(OLD));
  expect(existsSync(join(gone, '..'))).toBe(false);
});

test("a file that cannot be read is the system's error", () => {
  const { file, stamps } = scene();
  expect(() => digestOfFile(`${file}.none`, stamps)).toThrow('ENOENT');
});

/** A file whose times are old enough to be trusted, and a place for stamps. */
function scene() {
  const file = join(pool, `${(taken += 1)}`);
  return { file, stamps: join(tempDir(), 'stamps') };
}

function forgeDigest(stamps: string, digest: string): void {
  const stamp = join(stamps, readdirSync(stamps)[0] ?? '');
  const text = unseal(readFileSync(stamp, 'utf8'));
  if (text === undefined) throw new Error('no stamp');
  writeFileSync(stamp, seal(`${text.slice(0, -64)}${digest}`));
}

function rewrite(file: string): void {
  const { atime, mtime } = statSync(file);
  writeFileSync(file, NEW);
  utimesSync(file, atime, mtime);
}

function replace(file: string): void {
  const { atime, mtime } = statSync(file);
  writeFileSync(`${file}.new`, NEW);
  utimesSync(`${file}.new`, atime, mtime);
  renameSync(`${file}.new`, file);
}

function beFolder(path: string): void {
  copyFileSync(path, `${path}.was`);
  rmSync(path);
  mkdirSync(path);
}

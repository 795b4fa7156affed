import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BlobUnknown, copyBlob } from '../src/cache/blob-copy.ts';
import { bootHere } from '../src/cache/boot.ts';
import type { BlobSight } from '../src/cache/sights.ts';
import { tempDir } from './rigs/cache-temp.ts';
import { MOPS, until } from './rigs/stand-in-project.ts';
import { CLOCK, trailScene, type TrailScene } from './rigs/trail-scene.ts';

// Where only the outputs are gone they come from blobs that are known by their stamps. A blob that is not exactly what was
// seen is read and checked as in any build.

const QUICK = ['mops.cjs'];
const CHECKED = ['mops-restore.cjs', 'mops.cjs'];

/** A project that was built, and a build of it that left a trail; `shiftMs` is how long the files seem to have lain there. */
async function standing(shiftMs = 10_000): Promise<TrailScene> {
  const s = trailScene({ 'src/A.mo': 'import Lib "./Lib";\nactor { }\n', 'src/Lib.mo': 'module { }\n' });
  expect((await s.build()).stderr).toMatch(/a {2}compiled/);
  expect((await s.build([], { CLOCK_SHIFT_MS: `${shiftMs}` })).stderr).toMatch(/files up to date/);
  return s;
}

/** Builds with the outputs gone, and says what was loaded for that. The files are those of before. */
async function rebuilt(s: TrailScene, good: Readonly<Record<string, string>>, env = {}): Promise<readonly string[]> {
  rmSync(s.out, { recursive: true, force: true });
  const { code, files } = await s.build([], env);
  expect(code).toBe(0);
  expect(s.files()).toEqual(good);
  return [...files].sort();
}

test('the files are put back by the first file of ours, with one thing of Node that was not there', async () => {
  const s = await standing();
  const good = s.files();
  rmSync(s.out, { recursive: true });
  const { files, node, stdout, stderr } = await s.build();
  expect(files).toEqual(QUICK);
  expect(node).toEqual(['Internal Binding signal_wrap']);
  expect(stdout).toBe('build canister a\n\n✓ Built 1 canister successfully\n');
  expect(stderr).toMatch(/^ {2}a {2}hit: \d+ ms, saves .* of compiling\n$/);
  expect(s.files()).toEqual(good);
  expect(s.starts()).toHaveLength(1);
});

test('they are files of their own: plain, of the mode that the user asks for, and none else is left beside them', async () => {
  const s = await standing();
  rmSync(s.out, { recursive: true });
  const command = ['sh', '-c', 'umask 027; exec "$@"', 'sh', process.execPath, MOPS];
  const env = { NODE_OPTIONS: `--require=${CLOCK}`, CLOCK_SHIFT_MS: '10000' };
  expect((await s.mops(['build'], { command, env })).code).toBe(0);
  expect(readdirSync(s.out).sort()).toEqual(['.a.buildlock', 'a.did', 'a.most', 'a.wasm']);
  for (const name of ['a.did', 'a.most', 'a.wasm']) {
    const stats = lstatSync(join(s.out, name));
    expect([name, stats.isFile(), stats.nlink, stats.mode & 0o777]).toEqual([name, true, 1, 0o640]);
  }
  expect(readFileSync(join(s.out, '.a.buildlock'), 'utf8')).toBe('');
});

test('of files of which one is gone, the others are left alone', async () => {
  const s = await standing();
  const good = s.files();
  const before = statSync(join(s.out, 'a.wasm'));
  rmSync(join(s.out, 'a.did'));
  expect((await s.build()).files).toEqual(QUICK);
  expect(s.files()).toEqual(good);
  const after = statSync(join(s.out, 'a.wasm'));
  expect([after.ino, after.ctimeMs]).toEqual([before.ino, before.ctimeMs]);
});

interface Change {
  readonly of: string;
  readonly make: (blob: string) => void;
  /** Whether its bytes are still right. */
  readonly isGood: boolean;
}

const CHANGES: readonly Change[] = [
  { of: 'that is touched', make: (blob) => utimesSync(blob, new Date(0), new Date(0)), isGood: true },
  { of: 'in the place of which are the same bytes', make: replace, isGood: true },
  { of: 'altered in place, with its time set back', make: alter, isGood: false },
  {
    of: 'in the place of which are others, of the same size and time',
    make: (blob) => replace(blob, alter),
    isGood: false,
  },
  { of: 'cut short', make: (blob) => truncateSync(blob, 5), isGood: false },
  { of: 'with more behind it', make: (blob) => appendFileSync(blob, '!'), isGood: false },
  { of: 'that is gone', make: (blob) => rmSync(blob), isGood: false },
  {
    of: 'that has become a folder',
    make: (blob) => {
      rmSync(blob);
      mkdirSync(blob);
    },
    isGood: false,
  },
];

describe('a blob', () => {
  test.each(CHANGES)('$of is not known by its stamp', async ({ make, isGood }) => {
    const s = await standing();
    const good = s.files();
    make(blobOf(s, good['a.wasm']));
    if (!isGood) expect(await rebuilt(s, good)).toContain('mops-main.cjs');
    for (const loaded of [CHECKED, QUICK]) expect(await rebuilt(s, good)).toEqual(loaded);
  });

  test('that has become a link to the same bytes is not copied through the link', async () => {
    const s = await standing();
    const good = s.files();
    const blob = blobOf(s, good['a.wasm']);
    renameSync(blob, `${blob}.real`);
    symlinkSync(`${blob}.real`, blob);
    expect(await rebuilt(s, good)).not.toEqual(QUICK);
  });

  test('altered while it is copied does not end up among the outputs', async () => {
    const s = await standing();
    const good = s.files();
    const env = {
      NODE_OPTIONS: ['faults-clock.cjs', 'trail-loaded.cjs', 'put-back-between.cjs']
        .map((name) => `--require=${join(import.meta.dirname, 'rigs', name)}`)
        .join(' '),
      BETWEEN_FILE: blobOf(s, good['a.wasm']),
    };
    rmSync(s.out, { recursive: true });
    const { code, stderr } = await s.build([], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('damaged in the cache') as unknown });
    expect(s.files()).toEqual(good);
    expect(s.litter()).toEqual([]);
  });
});

test('blobs that are younger than the steps of a clock may be are checked', async () => {
  const s = await standing();
  const good = s.files();
  const blob = blobOf(s, good['a.wasm']);
  utimesSync(blob, new Date(), new Date(Date.now() + 10_000)); // as young as it gets, by the clock of these builds
  for (const time of [1, 2]) expect([time, await rebuilt(s, good)]).toEqual([time, CHECKED]);
  expect(await rebuilt(s, good, { CLOCK_SHIFT_MS: '20000' })).toEqual(CHECKED);
  expect(await rebuilt(s, good)).toEqual(QUICK);
});

test('what was seen before the machine was started anew is checked, and known again from then on', async () => {
  const s = await standing();
  const good = s.files();
  const [name = ''] = readdirSync(join(s.store, 'trails'));
  const trail = join(s.store, 'trails', name);
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const text = readFileSync(trail, 'utf8');
  expect(text).toContain(boot);
  writeFileSync(
    trail,
    text.replaceAll(
      boot,
      boot.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
    ),
  );
  expect(await rebuilt(s, good)).toEqual(CHECKED);
  expect(await rebuilt(s, good)).toEqual(QUICK);
});

test('something else in the place of a file is left to the whole build, which says what is wrong', async () => {
  const s = await standing();
  rmSync(join(s.out, 'a.did'));
  mkdirSync(join(s.out, 'a.did'));
  const { code, stderr } = await s.build();
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('cannot be written') as unknown });
  expect(existsSync(join(s.out, 'a.wasm'))).toBe(true);
  expect(s.litter()).toEqual([]);
});

test('while another program holds the lock on the outputs nothing is put back', async () => {
  const s = await standing();
  const good = s.files();
  for (const name of ['a.did', 'a.most', 'a.wasm']) rmSync(join(s.out, name));
  const lock = join(s.out, '.a.buildlock.lock');
  mkdirSync(lock);
  const env = { NODE_OPTIONS: `--require=${CLOCK}`, CLOCK_SHIFT_MS: '10000' };
  const running = s.start(['build'], { env });
  await until(() => running.said().includes('waiting'), running);
  expect(readdirSync(s.out).filter((name) => name.startsWith('a.'))).toEqual([]);
  rmSync(lock, { recursive: true });
  expect((await running.ended).code).toBe(0);
  expect(s.files()).toEqual(good);
});

test('a pipe in the place of a blob is not waited for', () => {
  const dir = tempDir();
  const pipe = join(dir, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const sight: BlobSight = ['blob', pipe, 1, 1, 1, 1, 1, bootHere()];
  expect(() => copyBlob(sight, join(dir, 'copy'))).toThrow(BlobUnknown);
  expect(readdirSync(dir)).toEqual(['pipe']);
});

function blobOf(s: TrailScene, digest = ''): string {
  return join(s.store, 'cas', digest.slice(0, 2), digest);
}

/** The last byte becomes another; size and time stay what they were. */
function alter(path: string): void {
  const { atime, mtime } = statSync(path);
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(path, bytes);
  utimesSync(path, atime, mtime);
}

function replace(path: string, change: (path: string) => void = () => undefined): void {
  const { atime, mtime } = statSync(path);
  const other = join(dirname(path), 'other');
  copyFileSync(path, other);
  utimesSync(other, atime, mtime);
  change(other);
  renameSync(other, path);
}

import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nameOfOurs } from '../src/cache/process.ts';
import { shortHashOf } from '../src/cache/short-hash.ts';
import { readTrail, writeTrail } from '../src/cache/trail.ts';
import { tempDir } from './rigs/cache-temp.ts';
import { canTrace } from './rigs/project-trace.ts';
import { MOPS, tomlOf } from './rigs/stand-in-project.ts';
import { CLOCK, hasTerminals, trailScene, type TrailScene } from './rigs/trail-scene.ts';

const FILES = {
  'mops.toml': tomlOf({ a: 'src/A.mo', b: 'src/B.mo' }),
  'src/A.mo': 'import Lib "./Lib";\nimport Util "./Util";\nactor { }\n',
  'src/B.mo': 'import Lib "./Lib";\nactor { }\n',
  'src/Lib.mo': 'module { }\n',
  'src/Util/lib.mo': 'module { }\n',
};

/** What a build says that has done nothing. */
const UP_TO_DATE = /a {2}hit, files up to date.*\n.*b {2}hit, files up to date/;

/** A project that was built, and of whose last build the next one can tell that nothing has changed. */
async function standing(): Promise<TrailScene> {
  const s = trailScene(FILES);
  for (const expected of [/compiled/, UP_TO_DATE]) expect((await s.build()).stderr).toMatch(expected);
  return s;
}

test('a build of which nothing has changed loads one file of ours, and nothing of Node that was not there', async () => {
  const s = await standing();
  const { files, node, stdout, stderr, code } = await s.build();
  expect({ files, code }).toEqual({ files: ['mops.cjs'], code: 0 });
  expect(stdout).toBe('build canister a\nbuild canister b\n\n✓ Built 2 canisters successfully\n');
  expect(stderr).toMatch(UP_TO_DATE);
  expect(node).toEqual([]);
});

const terminals = hasTerminals();
if (!terminals) console.log('skipped: script(1) of util-linux is not here');

test.skipIf(!terminals)('the same on a terminal, in colours', async () => {
  const s = await standing();
  const { files, node, stdout, code } = await s.buildOnTerminal();
  expect({ files, node, code }).toEqual({ files: ['mops.cjs'], node: [], code: 0 });
  expect(stdout).toContain('\u001b[34mbuild canister\u001b[39m \u001b[1mb\u001b[22m\r\n');
  expect(stdout).toContain('\u001b[32mhit\u001b[39m, files up to date');
});

const traceable = canTrace();
if (!traceable) console.log('skipped: strace is not here or must not watch programs');

test.skipIf(!traceable)('each source costs one call of the system, and the rest a few dozen', async () => {
  const [few, many] = [await callsWith(10), await callsWith(40)];
  expect(many - few).toBe(30);
  expect(few).toBeLessThanOrEqual(10 + MOST_CALLS);
});

test.skipIf(!traceable)(
  'whatever of a project a build asks the system for is on the trail that it leaves',
  async () => {
    const s = trailScene({
      ...FILES,
      'mops.toml': tomlOf(
        { a: 'src/A.mo' },
        '[canisters.b]\nmain = "src/B.mo"\ncandid = "b.did"\n[dependencies]\nnear = "./near"',
      ),
      'src/B.mo': 'import Near "mo:near/Near";\nimport Lib "./Lib";\nactor { }\n',
      'b.did': 'service : {}\n',
      'near/mops.toml': '[package]\nname = "near"\nversion = "1.0.0"\n',
      'near/src/Near/lib.mo': 'module { }\n',
    });
    expect((await s.build()).stderr).toMatch(/b {2}compiled/);
    const log = join(s.base, 'calls');
    const strace = ['strace', '-f', '-qq', '-s', '4096', '-e', 'trace=%file', '-o', log, process.execPath, MOPS];
    const later = { NODE_OPTIONS: `--require=${CLOCK}`, CLOCK_SHIFT_MS: '10000' };
    expect((await s.mops(['build'], { command: strace, env: later })).stderr).toMatch(UP_TO_DATE);
    const asked = readFileSync(log, 'utf8')
      .split('\n')
      .flatMap((call) => /"(\/[^"]*)"/.exec(call)?.[1] ?? []);
    const ofProject = asked.filter((path) => path.startsWith(`${s.root}/`) && !path.startsWith(s.out));
    const [name = ''] = readdirSync(join(s.store, 'trails'));
    const [text = ''] = readFileSync(join(s.store, 'trails', name), 'utf8').split('\n');
    const [, , sights] = JSON.parse(text) as [number, string, string[][]];
    const seen = sights.map(([, path = '']) => path);
    // To find where a path really leads, each folder on the way is looked at.
    const unseen = ofProject.filter(
      (path) => !seen.includes(path) && !seen.some((other) => other.startsWith(`${path}/`)),
    );
    expect(ofProject).toContain(join(s.root, 'near/src/Near.mo'));
    // Node asks for that one before ours begins, on account of the preload.
    expect(new Set(unseen)).toEqual(new Set([join(s.root, 'package.json')]));
  },
);

/** For one canister: the trail, the project's own files, outputs, what may have been left behind, the journal. */
const MOST_CALLS = 35;

/** How often a build that finds nothing changed names a file of its scene to the system, or one above. */
async function callsWith(sources: number): Promise<number> {
  const names = Array.from({ length: sources - 1 }, (_, index) => `Lib${index}`);
  const main = names.map((name) => `import ${name} "./${name}";\n`).join('');
  const s = trailScene({
    'mops.toml': tomlOf({ a: 'src/A.mo' }),
    'src/A.mo': `${main}actor { }\n`,
    ...Object.fromEntries(names.map((name) => [`src/${name}.mo`, 'module { }\n'])),
  });
  for (const expected of [/compiled/, SAME]) expect((await s.build()).stderr).toMatch(expected);
  const log = join(s.base, 'calls');
  const strace = ['strace', '-f', '-qq', '-e', 'trace=%file', '-o', log, process.execPath, MOPS];
  expect((await s.mops(['build'], { command: strace })).stderr).toMatch(SAME);
  const ofNode = /release|package\.json|mops\.cjs|execve|cgroup/;
  const calls = readFileSync(log, 'utf8').split('\n');
  return calls.filter((call) => call.includes(s.base) && !ofNode.test(call)).length;
}

/** Whoever has to add to this makes builds slower that put back files whose blobs are not known by their stamps. */
const EXPECTED = /^(?:Internal Binding|NativeModule) (?:os|signal_wrap|internal\/abort_controller)$/;

test('where only the outputs are gone, what reads them is loaded, and nothing else of ours', async () => {
  const s = await standing();
  const before = s.files();
  rmSync(s.out, { recursive: true });
  // Both canisters have the same interface: its blob was touched by the second, when by these builds' clock it was now.
  const { files, node, stderr } = await s.build();
  expect([...files].sort()).toEqual(['mops-restore.cjs', 'mops.cjs']);
  expect(node.filter((name) => !EXPECTED.test(name))).toEqual([]);
  expect(stderr).toMatch(/a {2}hit: .*\n.*b {2}hit: /);
  expect(s.files()).toEqual({ ...before });
});

test('what is up to date is in use: its results do not grow old', async () => {
  const s = await standing();
  const results = readdirSync(join(s.store, 'ac'), { recursive: true, encoding: 'utf8' })
    .map((name) => join(s.store, 'ac', name))
    .filter((path) => statSync(path).isFile());
  for (const path of results) utimesSync(path, new Date(0), new Date(0));
  expect((await s.build()).files).toEqual(['mops.cjs']);
  expect(results.map((path) => statSync(path).mtimeMs).filter((usedMs) => usedMs === 0)).toEqual([]);
});

test('what a killed build left is swept by a build that finds nothing changed, too', async () => {
  const s = await standing();
  const [pid, world, started = '', random] = nameOfOurs().split('-');
  const dead = join(s.store, 'sandbox', [pid, world, `${Number(started) - 1}`, random].join('-'));
  mkdirSync(dead);
  expect((await s.build()).stderr).toMatch(UP_TO_DATE);
  expect(lstatSync(dead, { throwIfNoEntry: false })).toBeUndefined();
});

test('files that are younger than the steps of a clock may be, are read again each time', async () => {
  const s = await standing();
  s.put({ 'src/Lib.mo': 'module { /* young */ }\n' });
  const now = { CLOCK_SHIFT_MS: '0' };
  expect((await s.build([], now)).stderr).toMatch(/compiled/);
  for (const time of [1, 2])
    expect([time, (await s.build([], now)).files]).toEqual([time, ['mops.cjs', 'mops-main.cjs']]);
});

test.each([
  ['NFS', '0x6969'],
  ['a folder of a virtual machine’s host (FUSE)', '0x65735546'],
  ['SMB, of which the number has its highest bit set', `${0xfe534d42 | 0}`],
])('on %s no trail is left: what is known here of the times of files may be old', async (_, type) => {
  const s = trailScene(FILES);
  for (const expected of [/compiled/, UP_TO_DATE, UP_TO_DATE]) {
    const { files, stderr } = await s.build([], { STATFS_TYPE: type });
    expect(stderr).toMatch(expected);
    expect(files).toContain('mops-main.cjs');
  }
});

test('another question has another answer', async () => {
  const s = await standing();
  expect((await s.build([], { MOC_OTHER: '1' })).stderr).toMatch(/a {2}compiled/);
  expect((await s.build(['--', '--release'])).stderr).toMatch(/a {2}compiled/);
  expect((await s.build(['a'])).stdout).toBe('build canister a\n\n✓ Built 1 canister successfully\n');
  expect((await s.build(['--no-cache'])).stderr).toMatch(/the cache is off/);
  expect((await s.build()).files).toContain('mops.cjs');
});

test('a remark on the project is made in each build', async () => {
  const s = trailScene({ ...FILES, 'mops.toml': tomlOf({ a: 'src/A.mo' }, '[build]\nargs = ["--idl"]') });
  for (const time of [1, 2, 3])
    expect([time, (await s.build()).stderr]).toEqual([time, expect.stringContaining('--idl')]);
  expect((await s.build()).files).toEqual(['mops.cjs']);
});

test('what was optimized is told and put back as it was, and another wasm-opt is another', async () => {
  const s = trailScene({
    ...FILES,
    'mops.toml': tomlOf({ a: 'src/A.mo' }, '\n[optimize]\n').replace('moc =', 'wasm-opt = "./wasm-opt"\nmoc ='),
  });
  copyFileSync(join(import.meta.dirname, 'rigs/stand-in-wasm-opt.cjs'), join(s.root, 'wasm-opt'));
  chmodSync(join(s.root, 'wasm-opt'), 0o755);
  const OPTIMIZED = /build canister a\nOptimized a\.wasm \(/;
  for (const expected of [/compiled/, SAME]) expect((await s.build()).stderr).toMatch(expected);
  const before = s.files();
  const { files, stdout } = await s.build();
  expect({ files, stdout }).toEqual({ files: ['mops.cjs'], stdout: expect.stringMatching(OPTIMIZED) as unknown });
  rmSync(s.out, { recursive: true });
  const restored = await s.build();
  expect(restored.files).toEqual(['mops.cjs']);
  expect(restored.stdout).toMatch(OPTIMIZED);
  expect(s.files()).toEqual(before);
  expect((await s.build([], { BINARYEN_CORES: '1' })).stderr).toMatch(/a {2}optimized/);
  expect((await s.build(['--no-optimize'])).stdout).not.toMatch(OPTIMIZED);
  appendFileSync(join(s.root, 'wasm-opt'), '\n// newer\n');
  expect((await s.build()).stderr).toMatch(/a {2}optimized/);
});

interface Change {
  readonly of: string;
  readonly make: (s: TrailScene) => void;
  /** What the next build says of canister a. */
  readonly says: RegExp;
}

const SAME = /a {2}hit, files up to date/;
const RESTORED = /a {2}hit: /;
const COMPILED = /a {2}compiled/;

const CHANGES: readonly Change[] = [
  { of: 'a source that is touched', make: (s) => touch(source(s)), says: SAME },
  { of: 'a source replaced by the same bytes', make: (s) => replace(source(s)), says: SAME },
  {
    of: 'a source edited at the same length, with its time set back',
    make: (s) => editUnseen(source(s)),
    says: COMPILED,
  },
  { of: 'a source replaced by another of the same size and time', make: (s) => swapUnseen(source(s)), says: COMPILED },
  { of: 'a source that becomes a link to the same bytes', make: (s) => linkAway(source(s)), says: SAME },
  {
    of: 'a source that becomes a link to other bytes',
    make: (s) => linkAway(source(s), 'module { /* 1 */ }\n'),
    says: COMPILED,
  },
  {
    of: 'a file that appears before the one that was found',
    make: (s) => s.put({ 'src/Util.mo': 'module {}' }),
    says: COMPILED,
  },
  { of: 'a source that goes', make: (s) => s.put({ 'src/Lib.mo': undefined }), says: /a {2}compiled|import/ },
  {
    of: 'mops.toml',
    make: (s) => s.put({ 'mops.toml': `${FILES['mops.toml']}[moc]\nargs = ["--release"]\n` }),
    says: COMPILED,
  },
  { of: 'a mops.lock that appears', make: (s) => s.put({ 'mops.lock': '{}' }), says: SAME },
  {
    of: 'the compiler',
    make: (s) => writeFileSync(join(s.root, 'moc'), `${readFileSync(join(s.root, 'moc'), 'utf8')}\n// newer\n`),
    says: COMPILED,
  },
  { of: 'an output that is touched', make: (s) => touch(wasm(s)), says: SAME },
  { of: 'an output replaced by the same bytes', make: (s) => replace(wasm(s)), says: SAME },
  { of: 'an output edited with its time set back', make: (s) => editUnseen(wasm(s)), says: RESTORED },
  { of: 'an output cut short', make: (s) => writeFileSync(wasm(s), ''), says: RESTORED },
  { of: 'an output that goes', make: (s) => rmSync(join(s.out, 'a.did')), says: RESTORED },
  { of: 'an output that becomes a link to the same bytes', make: (s) => linkAway(wasm(s)), says: RESTORED },
  { of: 'an output with a second name', make: (s) => linkSync(wasm(s), join(s.base, 'second')), says: RESTORED },
  { of: 'an output that cannot be written', make: (s) => chmodSync(wasm(s), 0o444), says: RESTORED },
  { of: 'the outputs, and the cache with them', make: clearAll, says: COMPILED },
];

describe('the next build sees a change of', () => {
  test.each(CHANGES)('$of', async ({ make, says }) => {
    const s = await standing();
    expect((await s.build()).files).toEqual(['mops.cjs']);
    make(s);
    expect((await s.build()).stderr).toMatch(says);
    const built = s.files();
    const clean = await s.mops(['build', '--no-cache', '--output', join(s.base, 'clean')]);
    if (clean.code === 0) expect(built).toMatchObject(s.files(join(s.base, 'clean')));
    expect(lstatSync(wasm(s)).isFile()).toBe(clean.code === 0 || built['a.wasm'] !== undefined);
  });
});

test('a trail that is damaged anywhere is none', () => {
  const dir = tempDir();
  writeTrail(dir, join(dir, 'tmp'), 'q', { sights: [['absent', '/x']], answer: { n: 1 } });
  expect(readTrail(dir, 'q')).toEqual({ sights: [['absent', '/x']], answer: { n: 1 } });
  const file = join(dir, shortHashOf('q'));
  const whole = readFileSync(file);
  for (let at = 0; at < whole.length; at += 1) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
    writeFileSync(file, bytes);
    expect([at, readTrail(dir, 'q')]).toEqual([at, undefined]);
    writeFileSync(file, whole.subarray(0, at));
    expect([at, readTrail(dir, 'q')]).toEqual([at, undefined]);
  }
  writeFileSync(file, whole);
  expect(readTrail(dir, 'another')).toBeUndefined();
});

test('a pipe in the place of a trail is none, and nobody waits for it', () => {
  const dir = tempDir();
  execFileSync('mkfifo', [join(dir, shortHashOf('q'))]);
  expect(readTrail(dir, 'q')).toBeUndefined();
});

const source = (s: TrailScene) => join(s.root, 'src/Lib.mo');
const wasm = (s: TrailScene) => join(s.out, 'a.wasm');

function touch(path: string): void {
  utimesSync(path, new Date(), new Date());
}

function replace(path: string): void {
  writeFileSync(`${path}.new`, readFileSync(path));
  renameSync(`${path}.new`, path);
}

/** The last byte becomes another; size and time of change stay what they were. */
function editUnseen(path: string): void {
  const { atime, mtime } = statSync(path);
  writeFileSync(path, edited(path));
  utimesSync(path, atime, mtime);
}

function swapUnseen(path: string): void {
  const { atime, mtime } = statSync(path);
  writeFileSync(`${path}.new`, edited(path));
  utimesSync(`${path}.new`, atime, mtime);
  renameSync(`${path}.new`, path);
}

function edited(path: string): Uint8Array {
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) === 0x20 ? 0x0a : 0x20;
  return bytes;
}

function linkAway(path: string, text?: string): void {
  renameSync(path, `${path}.real`);
  if (text !== undefined) writeFileSync(`${path}.real`, text);
  symlinkSync(`${path}.real`, path);
}

function clearAll(s: TrailScene): void {
  for (const dir of [s.out, join(s.store, 'cas'), join(s.store, 'ac')]) rmSync(dir, { recursive: true });
}

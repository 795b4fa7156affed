import { cpSync, lstatSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CANISTER_A, scene, until, type Scene } from '../rigs/stand-in-project.ts';

/** Something that somebody does to src/Lib.mo, and how it is undone. */
interface Edit {
  readonly what: string;
  readonly make: (lib: string, on: Scene) => void;
  readonly undo: (lib: string, on: Scene) => void;
  /** Whether the program is another one after it. */
  readonly counts: boolean;
}

const EDITED = 'module { /* edited */ }\n';
const original = CANISTER_A['src/Lib.mo'];
const restore = (lib: string) => writeFileSync(lib, original);

const EDITS: readonly Edit[] = [
  { what: 'changed', make: (lib) => writeFileSync(lib, EDITED), undo: restore, counts: true },
  {
    what: 'replaced by a file that was written beside it',
    make: (lib) => {
      writeFileSync(`${lib}~`, EDITED);
      renameSync(`${lib}~`, lib);
    },
    undo: restore,
    counts: true,
  },
  {
    what: 'changed to as many bytes, with the time that it had',
    make: (lib) => {
      const { atime, mtime } = lstatSync(lib);
      writeFileSync(lib, original.replace('{ }', '{;}'));
      utimesSync(lib, atime, mtime);
    },
    undo: restore,
    counts: true,
  },
  {
    what: 'changed and dated back a year',
    make: (lib) => {
      writeFileSync(lib, EDITED);
      const then = new Date(Date.now() - 365 * 24 * 3_600_000);
      utimesSync(lib, then, then);
    },
    undo: restore,
    counts: true,
  },
  {
    what: 'dated back a year, with the same bytes',
    make: (lib) => {
      const then = new Date(Date.now() - 365 * 24 * 3_600_000);
      utimesSync(lib, then, then);
    },
    undo: () => undefined,
    counts: false,
  },
  {
    what: 'replaced by a link to another file',
    make: (lib, on) => {
      writeFileSync(join(on.root, 'Other.mo'), EDITED);
      unlinkSync(lib);
      symlinkSync('../Other.mo', lib);
    },
    undo: (lib) => {
      unlinkSync(lib);
      restore(lib);
    },
    counts: true,
  },
  {
    what: 'replaced by a link to a file with the same bytes',
    make: (lib, on) => {
      writeFileSync(join(on.root, 'Other.mo'), original);
      unlinkSync(lib);
      symlinkSync('../Other.mo', lib);
    },
    undo: (lib) => {
      unlinkSync(lib);
      restore(lib);
    },
    counts: false,
  },
  {
    what: 'moved to Lib/lib.mo, where the import leads as well',
    make: (lib, on) => {
      unlinkSync(lib);
      on.put({ 'src/Lib/lib.mo': original });
    },
    undo: (lib, on) => {
      rmSync(join(on.root, 'src/Lib'), { recursive: true });
      restore(lib);
    },
    counts: true,
  },
];

for (const { what, make, undo, counts } of EDITS) {
  test(`a source that is ${what} while the compiler runs: the build is of what it was, the next of what it is`, async () => {
    const on = scene();
    const lib = join(on.root, 'src/Lib.mo');
    const before = await inTheMiddle(on, () => make(lib, on));
    expect(before).toEqual(await freshFiles(on, 'before', { 'src/Lib.mo': original }));

    const next = await on.mops(['build']);
    expect(next.code, next.stderr).toBe(0);
    expect(next.stderr).toMatch(counts ? / {2}a {2}compiled: / : / {2}a {2}hit/);
    expect(filesOf(on)).toEqual(await freshFiles(on, 'edited', {}));
    if (counts) expect(filesOf(on)).not.toEqual(before);

    undo(lib, on);
    const undone = await on.mops(['build']);
    expect(undone.stderr).toMatch(/ {2}a {2}hit/);
    expect(filesOf(on)).toEqual(before);
    expect(on.litter()).toEqual([]);
  });
}

test('a source that is deleted while the compiler runs: the build is of what it was, and the next misses it', async () => {
  const on = scene();
  const lib = join(on.root, 'src/Lib.mo');
  const before = await inTheMiddle(on, () => unlinkSync(lib));
  const next = await on.mops(['build']);
  expect(next.code).toBe(1);
  expect(next.stderr).toContain('src/A.mo:1: no file for "./Lib"');
  expect(filesOf(on)).toEqual(before);
  restore(lib);
  expect((await on.mops(['build'])).stderr).toMatch(/ {2}a {2}hit, files up to date/);
  expect(filesOf(on)).toEqual(before);
});

test('a source that is changed while a build waits for another: it compiles what it has hashed', async () => {
  const on = scene();
  const checkout = join(on.base, 'checkout');
  cpSync(on.root, checkout, { recursive: true });
  const never = { STAND_IN: 'hold', STAND_IN_HOLD: join(on.base, 'never') };
  const holder = on.start(['build'], { cwd: checkout, env: never });
  await until(() => on.starts().length === 1, holder);
  const waiter = on.start(['build']);
  await until(() => waiter.said().includes('another build compiles it already'), waiter);
  on.put({ 'src/Lib.mo': EDITED });
  holder.child.kill('SIGKILL');
  expect((await waiter.ended).code).toBe(0);
  const before = filesOf(on);
  expect(before).toEqual(await freshFiles(on, 'before', { 'src/Lib.mo': original }));
  expect((await on.mops(['build'])).stderr).toMatch(/ {2}a {2}compiled: /);
  expect(filesOf(on)).toEqual(await freshFiles(on, 'edited', {}));
  on.put({ 'src/Lib.mo': original });
  expect((await on.mops(['build'])).stderr).toMatch(/ {2}a {2}hit/);
  expect(filesOf(on)).toEqual(before);
});

test('a file that appears while the compiler runs, where an import would rather lead: the next build follows it', async () => {
  const on = scene({ 'src/Lib.mo': undefined, 'src/Lib/lib.mo': original });
  const before = await inTheMiddle(on, () => on.put({ 'src/Lib.mo': EDITED }));
  const next = await on.mops(['build']);
  expect(next.stderr).toMatch(/ {2}a {2}compiled: /);
  expect(filesOf(on)).toEqual(await freshFiles(on, 'edited', {}));
  on.put({ 'src/Lib.mo': undefined });
  expect((await on.mops(['build'])).stderr).toMatch(/ {2}a {2}hit/);
  expect(filesOf(on)).toEqual(before);
});

test('sources that are edited again and again while builds run: what each build leaves is of one moment', async () => {
  const on = scene();
  const texts = Array.from({ length: 4 }, (_, index) => `module { /* ${index} */ }\n`);
  const known = new Map<string, string>();
  for (const [index, text] of texts.entries())
    known.set(JSON.stringify(await freshFiles(on, `${index}`, { 'src/Lib.mo': text })), text);
  const built = new Set<string>();
  for (let round = 0; round < 8; round += 1) {
    const build = on.start(['build']);
    for (let edits = 0; build.child.exitCode === null && build.child.signalCode === null; edits += 1) {
      // Renamed into place, as editors do: what a half-written file holds is nobody's program.
      writeFileSync(join(on.root, 'new'), texts[edits % texts.length] ?? '');
      renameSync(join(on.root, 'new'), join(on.root, 'src/Lib.mo'));
      await new Promise((next) => setImmediate(next));
    }
    expect((await build.ended).code).toBe(0);
    const files = JSON.stringify(filesOf(on));
    expect([...known.keys()]).toContain(files);
    built.add(files);
  }
  expect(built.size).toBeGreaterThan(1);
  // No entry lies under the wrong key.
  for (const [files, text] of known) {
    on.put({ 'src/Lib.mo': text });
    expect((await on.mops(['build'])).code).toBe(0);
    expect(JSON.stringify(filesOf(on))).toBe(files);
  }
});

/** A build that succeeds, and in the middle of which something is done: its files. */
async function inTheMiddle(on: Scene, act: () => void): Promise<Files> {
  const go = join(on.base, 'go');
  const held = on.start(['build'], { env: { STAND_IN: 'hold', STAND_IN_HOLD: go } });
  await until(() => on.starts().length === 1, held);
  act();
  writeFileSync(go, '');
  const end = await held.ended;
  expect(end.code, end.stderr).toBe(0);
  return filesOf(on);
}

type Files = Readonly<Record<string, string>>;

function filesOf(on: Scene, dir?: string): Files {
  return Object.fromEntries(Object.entries(on.files(dir)).filter(([name]) => !name.startsWith('.')));
}

/** What a build without a cache gives for a copy of the project with `files` in it. */
async function freshFiles(on: Scene, name: string, files: Readonly<Record<string, string>>): Promise<Files> {
  const root = join(on.base, `copy ${name}`);
  cpSync(on.root, root, { recursive: true, verbatimSymlinks: true });
  for (const [path, text] of Object.entries(files)) {
    rmSync(join(root, path), { force: true }); // not through a link
    writeFileSync(join(root, path), text);
  }
  const out = join(root, 'fresh');
  expect((await on.mops(['build', '--no-cache', '-o', out], { cwd: root })).code).toBe(0);
  return filesOf(on, out);
}

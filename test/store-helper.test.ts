import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COUNT_UNITS } from '../src/cache/count-folder.ts';
import { digestOf } from '../src/cache/digest.ts';
import { openLocalStore } from '../src/cache/local-store.ts';
import { removalUnitsOf, removedOf, type Removal } from '../src/cache/remove-files.ts';
import { doTogether } from '../src/cache/shared-work.ts';
import { storePathsOf } from '../src/cache/store-folder.ts';
import { built } from './rigs/built.ts';
import { entryOf } from './rigs/cache-entries.ts';
import { tempDir } from './rigs/cache-temp.ts';
import { MOPS, scene } from './rigs/stand-in-project.ts';

/*
 * A store with thousands of entries is counted and collected by two threads. The second is a help: whatever becomes of
 * it, what is counted and what goes is the same.
 */

const whole = readFileSync(built('store-helper.cjs'), 'utf8');

/** Says in a file that it was started. */
const markIn = (dir: string) => `require('node:fs').writeFileSync(${JSON.stringify(join(dir, 'started'))}, '');\n`;
const TAKE = `const { workerData } = require('node:worker_threads'); Atomics.add(workerData.next, 0, 1);\n`;

const HELPERS: readonly (readonly [string, string | undefined])[] = [
  ['works', whole],
  ['is not there', undefined],
  ['cannot be read as a program', 'this is no program'],
  ['dies at its start', `throw new Error('no');`],
  ['dies with a unit that it has taken', `${TAKE}process.exit(3);`],
  ['ends with a unit that it has taken', TAKE],
];

/** A helper's program in a folder of its own, and whether it was started. */
function helperOf(program: string | undefined): { readonly file: string; readonly wasStarted: () => boolean } {
  const dir = tempDir();
  const file = join(dir, 'helper.cjs');
  if (program !== undefined) writeFileSync(file, program.replace('"use strict";', '"use strict";\n' + markIn(dir)));
  if (program?.startsWith('"use strict"') === false) writeFileSync(file, markIn(dir) + program);
  return { file, wasStarted: () => existsSync(join(dir, 'started')) };
}

describe.each(HELPERS)('with a helper that %s', (title, program) => {
  const isProgram = program !== undefined && title !== 'cannot be read as a program';

  test('a store is counted as by one thread', async () => {
    const dir = tempDir();
    for (const name of ['a', 'b', 'c', 'd']) {
      await openLocalStore(dir).put(
        name,
        await entryOf(name, { wasm: Buffer.from(`wasm ${name}`), did: Buffer.from('') }),
      );
    }
    const { results, blobs } = storePathsOf(dir);
    const work = { job: 'count', data: { results, blobs }, unitCount: COUNT_UNITS } as const;
    const { file, wasStarted } = helperOf(program);
    const counts = await doTogether({ ...work, isLong: () => true, helperFile: file });
    expect(wasStarted()).toBe(isProgram);
    expect(counts).toEqual(await doTogether({ ...work, isLong: () => false }));
    expect(counts.flatMap((one) => (one?.kind === 'results' ? [...one.blobCounts] : []))).toEqual([2, 2, 2, 2]);
  });

  test('all files go that are to go', async () => {
    const dir = tempDir();
    const folders = Array.from({ length: 500 }, (_, index) => join(dir, `folder ${index}`));
    for (const folder of folders) mkdirSync(folder);
    writeFileSync(join(dir, 'folder 77', 'file'), '');
    const removal: Removal = { kind: 'emptied', items: folders };
    const { file, wasStarted } = helperOf(program);
    const unitCount = removalUnitsOf(removal);
    await doTogether({ job: 'remove', data: removal, unitCount, isLong: () => true, helperFile: file });
    expect(wasStarted()).toBe(isProgram);
    expect(readdirSync(dir)).toEqual(['folder 77']);
  });
});

test('work that is called off begins no more units, and what was done by then is told, whoever did it', async () => {
  const dir = tempDir();
  const folders = Array.from({ length: 1_000 }, (_, index) => join(dir, String(index)));
  for (const folder of folders) mkdirSync(folder);
  const removal: Removal = { kind: 'emptied', items: folders };
  const unitCount = removalUnitsOf(removal);
  let asked = 0;
  const done = await doTogether({
    job: 'remove',
    data: removal,
    unitCount,
    isLong: () => true,
    // The second unit is this thread's, and not begun when the helper has done all the others.
    isOff: () => (asked += 1) > 1 && waitUntil(() => readdirSync(dir).length <= 64),
    helperFile: helperOf(whole).file,
  });
  expect(done.flatMap((unit, index) => (unit === undefined ? [index] : []))).toEqual([1]);
  const left = new Set(readdirSync(dir).map((name) => join(dir, name)));
  expect(removedOf(folders, done)).toEqual(folders.filter((folder) => !left.has(folder)));
});

/** Holds this thread. */
function waitUntil(isSo: () => boolean): true {
  while (!isSo()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  return true;
}

test('`cache gc` has the help of a thread where there is much to count, and not where there is little', async () => {
  const on = scene();
  const helper = join(dirname(MOPS), 'store-helper.cjs');
  const started = join(dirname(MOPS), 'started');
  writeFileSync(helper, markIn(dirname(MOPS)) + whole);
  expect((await on.mops(['build'])).code).toBe(0);
  const gc = async () => on.mops(['cache', 'gc', '--dry-run']);
  const few = await gc();
  expect(existsSync(started)).toBe(false);
  mkdirSync(join(on.store, 'ac/00'), { recursive: true });
  for (let number = 0; number < 20; number += 1) {
    writeFileSync(join(on.store, 'ac/00', `00${digestOf(String(number)).slice(2)}`), 'no result');
  }
  const many = await gc();
  expect(existsSync(started)).toBe(true);
  expect([few.code, many.code]).toEqual([0, 0]);
});

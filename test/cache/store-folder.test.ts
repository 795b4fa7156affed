import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { actionKeyOf } from '../../src/cache/digest.ts';
import { openLocalStore } from '../../src/cache/local-store.ts';
import { seal } from '../../src/cache/sealed.ts';
import { checkStoreFolder } from '../../src/cache/store-folder.ts';
import { bytesOf, entryOf, heldBy, snapshotOf } from '../rigs/cache-entries.ts';
import { tempDir } from '../rigs/cache-temp.ts';

const DOCUMENT = 'a document\n';
const KEY = actionKeyOf(DOCUMENT);

test.each<[string, (dir: string) => void]>([
  ["a file of somebody else's", (dir) => writeFileSync(join(dir, 'thesis.tex'), '')],
  ['a hidden file', (dir) => writeFileSync(join(dir, '.hidden'), '')],
  ['folders with our names and other things in them', (dir) => mkdirSync(join(dir, 'cas/shelf'), { recursive: true })],
  ['a file with the name of our folder', (dir) => writeFileSync(join(dir, 'cas'), '')],
  ["another program's version file", (dir) => writeFileSync(join(dir, 'version'), '3.1.4\n')],
  ['a folder in the place of the version file', (dir) => mkdirSync(join(dir, 'version'))],
])('a folder that holds %s is not used and not touched', async (_, fill) => {
  const dir = tempDir();
  fill(dir);
  await expectRefusal(dir, 'holds something else than a build cache');
});

test('a store of a newer version is not used and not touched', async () => {
  const dir = tempDir();
  writeFileSync(join(dir, 'version'), seal('moccache store 2'));
  mkdirSync(join(dir, 'cas'));
  await expectRefusal(dir, 'newer version (store format 2)');
});

test('an empty folder becomes a store', async () => {
  const dir = tempDir();
  await fill(dir);
  expect(checkStoreFolder(dir)).toBe('ours');
});

test('a file in the place of the folder is trouble of the tier', async () => {
  const dir = join(tempDir(), 'file');
  writeFileSync(dir, '');
  await expect(openLocalStore(dir).get(KEY, [])).rejects.toMatchObject({
    name: 'Error',
    tier: 'local',
    code: 'ENOTDIR',
  });
});

test.each<[string, (version: string) => void]>([
  ['gone', (version) => rmSync(version)],
  ['empty', (version) => writeFileSync(version, '')],
  ['all zeros, as after a power cut', (version) => writeFileSync(version, new Uint8Array(35))],
  ['cut off', (version) => writeFileSync(version, readFileSync(version).subarray(0, 12))],
  ['changed by a bit', (version) => writeFileSync(version, readFileSync(version, 'latin1').replace('1', '3'))],
])('a store whose version file is %s is a store again with the next put', async (_, damage) => {
  const dir = join(tempDir(), 'builds');
  await fill(dir);
  damage(join(dir, 'version'));
  await fill(dir);
  expect(checkStoreFolder(dir)).toBe('ours');
  expect(Object.keys(heldBy(await openLocalStore(dir).get(KEY, ['wasm'])))).toEqual(['wasm']);
});

async function fill(dir: string): Promise<void> {
  await openLocalStore(dir).put(DOCUMENT, await entryOf(DOCUMENT, { wasm: bytesOf(1_000) }));
}

async function expectRefusal(dir: string, why: string): Promise<void> {
  const before = snapshotOf(dir);
  const store = openLocalStore(dir);
  await expect(store.get(KEY, [])).rejects.toThrow(why);
  await expect(store.put(DOCUMENT, await entryOf(DOCUMENT, {}))).rejects.toThrow(why);
  await expect(store.put(DOCUMENT, await entryOf(DOCUMENT, {}))).rejects.toMatchObject({
    tier: 'local',
    doing: 'open',
  });
  expect(snapshotOf(dir)).toEqual(before);
}

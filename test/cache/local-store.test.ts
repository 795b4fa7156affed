import fs, { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { actionKeyOf, digestOf } from '../../src/cache/digest.ts';
import { openLocalStore } from '../../src/cache/local-store.ts';
import { blobFile, bytesOf, digestsOf, entryOf, heldBy, resultFile, snapshotOf } from '../rigs/cache-entries.ts';
import { tempDir } from '../rigs/cache-temp.ts';

const DOCUMENT = '["format",1]\n["compiler","moc","1.10.1"]\n';
const KEY = actionKeyOf(DOCUMENT);
const ARTIFACTS = { wasm: bytesOf(2_500_000), did: bytesOf(300, 2), most: bytesOf(0) };
const NAMES = Object.keys(ARTIFACTS);

test('what was put is got back, byte for byte, by another process too', async () => {
  const { dir, entry } = await filledStore();
  const found = await openLocalStore(dir).get(KEY, NAMES);
  if (found.kind === 'miss') throw new Error(found.cause);
  expect(found.entry.result).toEqual(entry.result);
  expect(heldBy(found)).toEqual(digestsOf(ARTIFACTS));
});

test('only the bytes that are wanted are read', async () => {
  const { dir, store, entry } = await filledStore();
  rmSync(blobFile(dir, digestOf(ARTIFACTS.wasm)));
  expect(heldBy(await store.get(KEY, ['did']))).toEqual({ did: digestOf(ARTIFACTS.did) });
  expect(await store.get(KEY, [])).toEqual({ kind: 'hit', tier: 'local', entry: { result: entry.result, bytes: {} } });
});

test('what was never put is absent, and asking makes no folder', async () => {
  const dir = join(tempDir(), 'builds');
  expect(await openLocalStore(dir).get(KEY, NAMES)).toEqual({ kind: 'miss', cause: 'absent' });
  expect(() => statSync(dir)).toThrow('ENOENT');
});

test('an artifact that the entry never had makes it incomplete', async () => {
  const { store } = await filledStore();
  expect(await store.get(KEY, ['wasm', 'wasm.map'])).toMatchObject({ cause: 'incomplete', what: 'wasm.map' });
  expect(await store.get(KEY, ['constructor'])).toMatchObject({ cause: 'incomplete', what: 'constructor' });
});

test('the document is kept and can be read by its key', async () => {
  const { dir, store } = await filledStore();
  expect(await store.readDocument(KEY)).toEqual({ kind: 'found', text: DOCUMENT });
  expect(await store.readDocument(actionKeyOf('another'))).toEqual({ kind: 'missing' });
  const path = resultFile(dir, DOCUMENT);
  writeFileSync(path, readFileSync(path, 'utf8').replace('moc', 'mod'));
  expect(await store.readDocument(KEY)).toEqual({ kind: 'damaged' });
});

test('two entries with the same bytes share them', async () => {
  const { dir, store } = await filledStore();
  const before = filesIn(join(dir, 'cas'));
  await store.put('another document\n', await entryOf('another document\n', ARTIFACTS));
  expect(filesIn(join(dir, 'cas'))).toEqual(before);
});

test.each([1, 2, 3])(
  'a store that is moved away after %i blobs of an entry: the entry is whole or not there',
  async (count) => {
    const dir = join(tempDir(), 'builds');
    const store = openLocalStore(dir);
    const entry = await entryOf(DOCUMENT, ARTIFACTS);
    let left = count;
    const { renameSync } = fs;
    fs.renameSync = (from, to) => {
      renameSync(from, to);
      if (String(to).includes('/cas/') && --left === 0) renameSync(dir, `${dir}.deleted`);
    };
    syncBuiltinESMExports();
    try {
      await store.put(DOCUMENT, entry);
    } finally {
      fs.renameSync = renameSync;
      syncBuiltinESMExports();
    }
    expect(left).toBeLessThan(1);
    expect(existsSync(`${dir}.deleted`)).toBe(true);
    const found = await openLocalStore(dir).get(KEY, NAMES);
    expect(heldBy(found)).toEqual(digestsOf(ARTIFACTS));
  },
);

test('putting the same a thousand times over leaves the blobs as they were, and no more of them', async () => {
  const { dir, store } = await filledStore();
  const before = snapshotOf(join(dir, 'cas'));
  const small = await entryOf(DOCUMENT, { wasm: bytesOf(2_000), did: bytesOf(300, 2) });
  await store.put(DOCUMENT, small);
  // But for the times: a writer that finds its blob in place says by them that it relies on it.
  const contents = () =>
    Object.fromEntries(
      Object.entries(snapshotOf(join(dir, 'cas'))).map(([path, text]) => [path, text.replace(/^[\d.]+ /, '')]),
    );
  const withSmall = contents();
  for (let round = 0; round < 1_000; round += 1) await store.put(DOCUMENT, small);
  expect(contents()).toEqual(withSmall);
  const blobsIn = (files: object) => Object.keys(files).filter((path) => /[0-9a-f]{64}$/.test(path)).length;
  expect(blobsIn(withSmall)).toBe(blobsIn(before) + 1); // its wasm
});

test('a blob that is gone is stored again, and nothing else', async () => {
  const { dir, store, entry } = await filledStore();
  const before = filesIn(join(dir, 'cas'));
  for (let round = 0; round < 5; round += 1) {
    rmSync(blobFile(dir, digestOf(ARTIFACTS.did)));
    await store.put(DOCUMENT, entry);
  }
  expect(filesIn(join(dir, 'cas'))).toEqual(before);
});

test('folders are for this user alone', async () => {
  const { dir } = await filledStore();
  const folders = ['.', 'cas', 'ac', 'tmp'].map((name) => statSync(join(dir, name)).mode & 0o777);
  expect(folders).toEqual([0o700, 0o700, 0o700, 0o700]);
});

test('nothing is left on its way', async () => {
  const { dir } = await filledStore();
  expect(filesIn(join(dir, 'tmp'))).toEqual([]);
});

async function filledStore() {
  const dir = join(tempDir(), 'builds');
  const store = openLocalStore(dir);
  const entry = await entryOf(DOCUMENT, ARTIFACTS);
  await store.put(DOCUMENT, entry);
  expect(statSync(resultFile(dir, DOCUMENT)).isFile()).toBe(true);
  return { dir, store, entry };
}

function filesIn(dir: string): readonly string[] {
  const entries = readdirSync(dir, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

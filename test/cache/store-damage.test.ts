import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { actionKeyOf, digestOf } from '../../src/cache/digest.ts';
import type { Lookup } from '../../src/cache/entry.ts';
import { openLocalStore, type LocalStore } from '../../src/cache/local-store.ts';
import { blobFile, bytesOf, digestsOf, entryOf, heldBy, resultFile } from '../rigs/cache-entries.ts';
import { tempDir } from '../rigs/cache-temp.ts';

const DOCUMENT = 'a document\n';
const OTHER = 'another document\n';
const ARTIFACTS = { wasm: bytesOf(40_000), did: bytesOf(70, 2) };

// Each bit of each byte is tried in entry.test.ts.
test('a bit flipped in any byte of a result is noticed, and never gives a hit', async () => {
  const { dir, look } = await scene();
  const path = resultFile(dir, DOCUMENT);
  const good = readFileSync(path);
  for (let byte = 0; byte < good.length; byte += 1) {
    const bit = byte * 8 + (byte % 8);
    writeFileSync(path, flip(good, bit));
    expect(await look(), `bit ${bit}`).toMatchObject({ kind: 'miss', cause: 'damaged', what: 'result' });
  }
});

test('a result cut off at any length is noticed', async () => {
  const { dir, look } = await scene();
  const path = resultFile(dir, DOCUMENT);
  const good = readFileSync(path);
  for (let length = 0; length < good.length; length += 1) {
    writeFileSync(path, good.subarray(0, length));
    expect(await look(), `length ${length}`).toMatchObject({ kind: 'miss', cause: 'damaged', what: 'result' });
  }
});

test('each bit flipped in the head, the middle or the tail of a blob is noticed', async () => {
  const { dir, look } = await scene();
  for (const [name, bytes] of Object.entries(ARTIFACTS)) {
    const path = blobFile(dir, digestOf(bytes));
    const starts = [0, Math.floor(bytes.length / 2) - 8, bytes.length - 16];
    for (const bit of starts.flatMap((start) => Array.from({ length: 128 }, (_, index) => start * 8 + index))) {
      writeFileSync(path, flip(bytes, bit));
      expect(await look(), `${name}, bit ${bit}`).toMatchObject({ kind: 'miss', cause: 'damaged', what: name });
    }
    writeFileSync(path, bytes);
  }
});

test('a small blob cut off at any length is noticed', async () => {
  const { dir, look } = await scene();
  const path = blobFile(dir, digestOf(ARTIFACTS.did));
  for (let length = 0; length < ARTIFACTS.did.length; length += 1) {
    writeFileSync(path, ARTIFACTS.did.subarray(0, length));
    expect(await look(), `length ${length}`).toMatchObject({ kind: 'miss', cause: 'damaged', what: 'did' });
  }
});

const wasmFile = (dir: string) => blobFile(dir, digestOf(ARTIFACTS.wasm));

test.each<[string, (dir: string) => void, string]>([
  ['a missing blob', (dir) => rmSync(wasmFile(dir)), 'incomplete'],
  ['an empty blob', (dir) => writeFileSync(wasmFile(dir), ''), 'damaged'],
  [
    "a blob with another's bytes",
    (dir) => copyFileSync(blobFile(dir, digestOf(ARTIFACTS.did)), wasmFile(dir)),
    'damaged',
  ],
  ['a blob with more at its end', (dir) => writeFileSync(wasmFile(dir), 'x', { flag: 'a' }), 'damaged'],
  ['a blob of zeros', (dir) => writeFileSync(wasmFile(dir), new Uint8Array(ARTIFACTS.wasm.length)), 'damaged'],
  ['a folder in the place of a blob', (dir) => beFolder(wasmFile(dir)), 'damaged'],
  ['an empty result', (dir) => writeFileSync(resultFile(dir, DOCUMENT), ''), 'damaged'],
  ['a folder in the place of a result', (dir) => beFolder(resultFile(dir, DOCUMENT)), 'damaged'],
  ['a pipe in the place of a blob', (dir) => bePipe(wasmFile(dir)), 'damaged'],
  ['a pipe in the place of a result', (dir) => bePipe(resultFile(dir, DOCUMENT)), 'damaged'],
  [
    'a result that names another key',
    (dir) => copyFileSync(resultFile(dir, OTHER), resultFile(dir, DOCUMENT)),
    'damaged',
  ],
  ['blobs all gone', (dir) => rmSync(join(dir, 'cas'), { recursive: true }), 'incomplete'],
  ['results all gone', (dir) => rmSync(join(dir, 'ac'), { recursive: true }), 'absent'],
  ['everything gone', (dir) => rmSync(dir, { recursive: true }), 'absent'],
])('%s is a miss, and the next put heals it', async (_, damage, cause) => {
  const { dir, look, store, entry } = await scene();
  damage(dir);
  expect(await look()).toMatchObject({ kind: 'miss', cause });
  await store.put(DOCUMENT, entry);
  expect(heldBy(await look())).toEqual(digestsOf(ARTIFACTS));
  expect(await openLocalStore(dir).get(actionKeyOf(DOCUMENT), ['wasm', 'did'])).toMatchObject({ kind: 'hit' });
});

test('a document is asked for: a damaged one is noticed, goes with its result, and comes whole', async () => {
  const { dir, store, entry } = await scene();
  const key = actionKeyOf(DOCUMENT);
  const good = readFileSync(resultFile(dir, DOCUMENT));
  const start = good.length - DOCUMENT.length;
  const bits = Array.from({ length: DOCUMENT.length * 8 }, (_, bit) => start * 8 + bit);
  const cuts = Array.from({ length: DOCUMENT.length }, (_, length) => good.subarray(0, start + length));
  for (const bad of [...bits.map((bit) => flip(good, bit)), ...cuts]) {
    writeFileSync(resultFile(dir, DOCUMENT), bad);
    expect(await store.readDocument(key)).toEqual({ kind: 'damaged' });
    expect(await store.get(key, [])).toMatchObject({ kind: 'miss', cause: 'absent' });
    await store.put(DOCUMENT, entry);
    expect(await store.readDocument(key)).toEqual({ kind: 'found', text: DOCUMENT });
  }
});

test('damage that nobody looked at is healed by a put as well', async () => {
  const { dir, look, store, entry } = await scene();
  writeFileSync(wasmFile(dir), 'nonsense');
  await store.put(DOCUMENT, entry);
  expect(heldBy(await look())).toEqual(digestsOf(ARTIFACTS));
});

test('what is damaged is kept for a look, the latest few of it', async () => {
  const { dir, look, store, entry } = await scene();
  for (let round = 0; round < 20; round += 1) {
    writeFileSync(wasmFile(dir), `damage ${round}`);
    expect(await look()).toMatchObject({ cause: 'damaged' });
    await store.put(DOCUMENT, entry);
  }
  const kept = readdirSync(join(dir, 'damaged')).sort();
  expect(kept).toHaveLength(16);
  expect(readFileSync(join(dir, 'damaged', kept.at(-1) ?? ''), 'utf8')).toBe('damage 19');
});

test('a store that is only read leaves what is damaged where it is', async () => {
  const { dir } = await scene();
  writeFileSync(wasmFile(dir), 'nonsense');
  const store = openLocalStore(dir, { readOnly: true });
  expect(await store.get(actionKeyOf(DOCUMENT), ['wasm'])).toMatchObject({ kind: 'miss', cause: 'damaged' });
  expect(readFileSync(wasmFile(dir), 'utf8')).toBe('nonsense');
  expect(readdirSync(dir)).not.toContain('damaged');
});

async function scene() {
  const dir = join(tempDir(), 'builds');
  const store: LocalStore = openLocalStore(dir);
  const entry = await entryOf(DOCUMENT, ARTIFACTS);
  await store.put(OTHER, await entryOf(OTHER, { ...ARTIFACTS, wasm: bytesOf(50, 3) }));
  await store.put(DOCUMENT, entry);
  const look = (): Promise<Lookup> => store.get(actionKeyOf(DOCUMENT), ['wasm', 'did']);
  expect(await look()).toMatchObject({ kind: 'hit' });
  return { dir, store, entry, look };
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

function bePipe(path: string): void {
  rmSync(path);
  execFileSync('mkfifo', [path]);
}

function beFolder(path: string): void {
  rmSync(path);
  mkdirSync(join(path, 'inner'), { recursive: true });
}

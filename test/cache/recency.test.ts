import { statSync, utimesSync } from 'node:fs';
import { expect, test } from 'vitest';
import { actionKeyOf, digestOf } from '../../src/cache/digest.ts';
import { openLocalStore } from '../../src/cache/local-store.ts';
import { blobFile, bytesOf, entryOf, resultFile } from '../rigs/cache-entries.ts';
import { tempDir } from '../rigs/cache-temp.ts';

const HOUR_MS = 3_600_000;
const WASM = bytesOf(1_000);

async function storeWith(document: string): Promise<string> {
  const dir = tempDir();
  await openLocalStore(dir).put(document, await entryOf(document, { wasm: WASM }));
  return dir;
}

function setAge(path: string, ageMs: number): void {
  const at = (Date.now() - ageMs) / 1000;
  utimesSync(path, at, at);
}

function ageOf(path: string): number {
  return Date.now() - statSync(path).mtimeMs;
}

test.each([
  ['a hit', ['wasm']],
  ['an up-to-date outcome, which reads no blob,', []],
])('%s is a use of the entry', async (_, wanted) => {
  const dir = await storeWith('a');
  for (const ageMs of [HOUR_MS, -HOUR_MS]) {
    setAge(resultFile(dir, 'a'), ageMs);
    expect((await openLocalStore(dir).get(actionKeyOf('a'), wanted)).kind).toBe('hit');
    expect(Math.abs(ageOf(resultFile(dir, 'a')))).toBeLessThan(HOUR_MS / 2);
  }
});

test('hits in a row write no time but the first', async () => {
  const dir = await storeWith('a');
  setAge(resultFile(dir, 'a'), 2_000);
  const { mtimeMs } = statSync(resultFile(dir, 'a'));
  await openLocalStore(dir).get(actionKeyOf('a'), ['wasm']);
  expect(statSync(resultFile(dir, 'a')).mtimeMs).toBe(mtimeMs);
});

test('one that only reads leaves no trace', async () => {
  const dir = await storeWith('a');
  setAge(resultFile(dir, 'a'), HOUR_MS);
  await openLocalStore(dir, { readOnly: true }).get(actionKeyOf('a'), ['wasm']);
  expect(ageOf(resultFile(dir, 'a'))).toBeGreaterThan(HOUR_MS / 2);
});

test('a write that finds its blob in place says that it relies on it', async () => {
  const dir = await storeWith('a');
  setAge(blobFile(dir, digestOf(WASM)), HOUR_MS);
  await openLocalStore(dir).put('b', await entryOf('b', { wasm: WASM }));
  expect(ageOf(blobFile(dir, digestOf(WASM)))).toBeLessThan(HOUR_MS / 2);
});

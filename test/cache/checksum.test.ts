import xxhash from 'xxhash-wasm';
import { expect, test } from 'vitest';
import { loadChecksum } from '../../src/cache/checksum.ts';
import { bytesOf } from '../rigs/cache-entries.ts';

test.each([
  ['', 'ef46db3751d8e999'],
  ['a', 'd24ec4f1a98c6e5b'],
  ['abc', '44bc2cf5ad770999'],
])('the checksum of %j is the one that XXH64 is known to give', async (text, checksum) => {
  const checksumOf = await loadChecksum();
  expect(checksumOf(Buffer.from(text))).toBe(checksum);
});

test.each([-1, 0, 1, 1024 * 1024 + 7])('bytes of one piece and %i are checked as a whole', async (more) => {
  const bytes = bytesOf(1024 * 1024 + more);
  const checksumOf = await loadChecksum();
  const xx = await xxhash();
  expect(checksumOf(bytes)).toBe(xx.h64Raw(bytes).toString(16).padStart(16, '0'));
});

test('a part of a buffer is checked, not the buffer behind it', async () => {
  const checksumOf = await loadChecksum();
  const bytes = bytesOf(3_000);
  expect(checksumOf(bytes.subarray(1_000, 2_000))).toBe(checksumOf(bytes.slice(1_000, 2_000)));
});

test('of many values none is shorter than 16 digits', async () => {
  const checksumOf = await loadChecksum();
  const lengths = new Set(Array.from({ length: 2_000 }, (_, index) => checksumOf(Buffer.from(`${index}`)).length));
  expect([...lengths]).toEqual([16]);
});

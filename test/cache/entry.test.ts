import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadChecksum, type Checksum } from '../../src/cache/checksum.ts';
import type { ActionKey, Digest } from '../../src/cache/digest.ts';
import { parseHead, parseResult, writeResult, type ActionResult, type BlobRef } from '../../src/cache/entry.ts';
import { bytesOf, entryOf } from '../rigs/cache-entries.ts';

const checksumOf = await loadChecksum();
const hex = (length: number) =>
  fc.uint8Array({ minLength: length / 2, maxLength: length / 2 }).map((any) => Buffer.from(any).toString('hex'));
const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const ref = fc.record({
  digest: hex(64).map((text) => text as Digest),
  checksum: hex(16).map((text) => text as Checksum),
  sizeBytes: whole,
});
const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,12}$/);
const result: fc.Arbitrary<ActionResult> = fc.record({
  key: hex(64).map((text) => text as ActionKey),
  artifacts: fc.dictionary(name, ref, { maxKeys: 5, noNullPrototype: true }),
  costMs: whole,
  createdMs: whole,
});

const DOCUMENT = 'a document\ncheck of what it holds: \u00e9\n';
const small = (await entryOf(DOCUMENT, { wasm: bytesOf(100), did: bytesOf(20), most: bytesOf(0) })).result;
const text = Buffer.from(writeResult(small, DOCUMENT, checksumOf));

test('a result reads back as it was written', () => {
  fc.assert(
    fc.property(result, fc.string({ unit: 'grapheme' }), (any, document) => {
      const bytes = writeResult(any, document, checksumOf);
      expect(parseResult(bytes, checksumOf)).toEqual({ result: any, document: Buffer.from(document) });
      const sizeBytes = bytes.length - Buffer.byteLength(document);
      expect(parseHead(bytes.subarray(0, sizeBytes), checksumOf)).toMatchObject({ result: any, sizeBytes });
    }),
  );
});

test('the order in which artifacts were named does not show', () => {
  const { did, most, wasm } = small.artifacts as Record<'did' | 'most' | 'wasm', BlobRef>;
  expect(writeResult({ ...small, artifacts: { wasm, did, most } }, DOCUMENT, checksumOf)).toEqual(
    writeResult({ ...small, artifacts: { most, wasm, did } }, DOCUMENT, checksumOf),
  );
});

test('a result cut off at any length is no result', () => {
  const accepted = Array.from(text.keys()).filter((length) => parseResult(text.subarray(0, length), checksumOf));
  expect(accepted).toEqual([]);
});

test('a result with any one bit flipped is no result', () => {
  const accepted = Array.from({ length: text.length * 8 }, (_, bit) => bit).filter((bit) => {
    const flipped = Buffer.from(text);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return parseResult(flipped, checksumOf) !== undefined;
  });
  expect(accepted).toEqual([]);
});

test('a result with anything after it is no result', () => {
  expect(parseResult(Buffer.concat([text, Buffer.from('\n')]), checksumOf)).toBeUndefined();
  expect(parseResult(Buffer.concat([text, text]), checksumOf)).toBeUndefined();
});

test('any bytes at all are taken without a throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (any) => parseResult(any, checksumOf) === undefined));
});

test.each([
  ['two artifacts out of order', (good: string) => good.replace(/(artifact did .*\n)(artifact most .*\n)/, '$2$1')],
  ['an artifact twice', (good: string) => good.replace(/(artifact did .*\n)/, '$1$1')],
  ['a number with a zero before it', (good: string) => good.replace('cost ', 'cost 0')],
  ['a line more', (good: string) => good.replace('cost ', 'colour red\ncost ')],
  ['carriage returns', (good: string) => good.replaceAll('\n', '\r\n')],
  ['another format', (good: string) => good.replace('result 1', 'result 2')],
])('with %s it is no result, even where its checksum is right', (_, change) => {
  const body = change(text.toString().replace(/check [0-9a-f]{16}\n[^]*$/, ''));
  const forged = `${body}check ${checksumOf(Buffer.from(body))}\n${DOCUMENT}`;
  expect(forged === text.toString()).toBe(false);
  expect(parseResult(Buffer.from(forged), checksumOf)).toBeUndefined();
});

test.each(['', 'a b', 'a\nb', '__proto__', '7', '../x'])('%j is no name for an artifact', (odd) => {
  const artifacts = Object.fromEntries(Object.values(small.artifacts).map((any) => [odd, any]));
  expect(() => writeResult({ ...small, artifacts }, DOCUMENT, checksumOf)).toThrow('not a name');
});

test.each([-1, 0.5, NaN, Infinity])('a cost of %d cannot be written', (costMs) => {
  expect(() => writeResult({ ...small, costMs }, DOCUMENT, checksumOf)).toThrow('not a whole number');
});

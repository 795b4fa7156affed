import { expect, test } from 'vitest';
import { firstDifference, isWasm } from '../src/build/difference.ts';

const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const CUSTOM = [0, 6, 4, ...Buffer.from('name'), 7]; // id, size, length of the name, the name, one byte
const TYPE = [1, 2, 0xaa, 0xbb];
const WASM = Uint8Array.from([...HEADER, ...CUSTOM, ...TYPE]);

function changedAt(offset: number): Uint8Array {
  const copy = Uint8Array.from(WASM);
  copy[offset] = (copy[offset] ?? 0) ^ 0xff;
  return copy;
}

test.each([
  [4, 'header'],
  [HEADER.length + CUSTOM.length - 1, 'custom section "name"'],
  [HEADER.length + CUSTOM.length + 2, 'type section'],
  [WASM.length - 1, 'type section'],
])('a wasm that differs at byte %i differs in its %s', (offset, section) => {
  expect(firstDifference(WASM, changedAt(offset))).toEqual({ offset, section });
});

test('a wasm that goes on differs where the shorter one ends', () => {
  expect(firstDifference(WASM, Uint8Array.from([...WASM, 0, 0]))).toEqual({ offset: WASM.length, section: 'end' });
});

test('a text differs in a line', () => {
  expect(firstDifference(Buffer.from('a\nb\nc'), Buffer.from('a\nb\nd'))).toEqual({ offset: 4, section: 'line 3' });
});

test('a torn wasm is still told apart from a text', () => {
  expect(isWasm(WASM.subarray(0, 8))).toBe(true);
  expect(isWasm(WASM.subarray(0, 7))).toBe(false);
  expect(isWasm(Buffer.from('service : {}'))).toBe(false);
});

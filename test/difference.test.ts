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
  [4, 'header', 4],
  [HEADER.length + CUSTOM.length - 1, 'custom section "name"', CUSTOM.length - 1],
  [HEADER.length + CUSTOM.length, 'type section', 0],
  [HEADER.length + CUSTOM.length + 2, 'type section', 2],
  [WASM.length - 1, 'type section', 3],
])('a wasm that differs at byte %i differs in its %s, at byte %i of that', (offset, section, sectionOffset) => {
  expect(firstDifference(WASM, changedAt(offset))).toEqual({ offset, section, sectionOffset });
});

test('a wasm that goes on differs where the shorter one ends', () => {
  expect(firstDifference(WASM, Uint8Array.from([...WASM, 0, 0]))).toEqual({
    ...{ offset: WASM.length, section: 'end', sectionOffset: 0 },
  });
});

test.each([
  ['a\nb\nc', 'a\nb\nd', 4, 'line 3', 'c', 'd'],
  ['a\nb', 'a\nbc\n', 3, 'line 2', 'b', 'bc'],
  ['a\nb', 'a', 1, 'line 1', 'a', 'a'],
  ['', 'x', 0, 'line 1', '', 'x'],
])('of the texts %j and %j the lines are named', (before, after, offset, section, was, is) => {
  expect(firstDifference(Buffer.from(before), Buffer.from(after))).toEqual({
    ...{ offset, section },
    lines: { before: was, after: is },
  });
});

test('of long lines that part is shown which differs', () => {
  const line = 'x'.repeat(1_000);
  const { lines } = firstDifference(Buffer.from(`${line}1${line}`), Buffer.from(`${line}2${line}`));
  expect([lines?.before, lines?.after]).toEqual([
    expect.stringMatching(/^x{80}1x{79}$/),
    expect.stringMatching(/^x{80}2x{79}$/),
  ]);
});

test('a torn wasm is still told apart from a text', () => {
  expect(isWasm(WASM.subarray(0, 8))).toBe(true);
  expect(isWasm(WASM.subarray(0, 7))).toBe(false);
  expect(isWasm(Buffer.from('service : {}'))).toBe(false);
});

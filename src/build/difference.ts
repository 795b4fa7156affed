/** Where two byte strings first differ: the offset, and what lies there (a wasm section, or a line of a text). */
export interface Difference {
  readonly offset: number;
  readonly section: string;
}

export function firstDifference(before: Uint8Array, after: Uint8Array): Difference {
  const shorter = Math.min(before.length, after.length);
  let offset = 0;
  while (offset < shorter && before[offset] === after[offset]) offset += 1;
  return { offset, section: isWasm(before) ? sectionAt(before, offset) : `line ${lineAt(before, offset)}` };
}

/** The section ids of the WebAssembly core specification, section 5.5.2. */
const SECTIONS = [
  'custom',
  'type',
  'import',
  'function',
  'table',
  'memory',
  'global',
  'export',
  'start',
  'element',
  'code',
  'data',
  'data count',
  'tag',
];

export function isWasm(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && bytes[0] === 0x00 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
}

function sectionAt(wasm: Uint8Array, offset: number): string {
  let at = 8;
  if (offset < at) return 'header';
  while (at < wasm.length) {
    const id = wasm[at] ?? 0;
    const size = readLeb(wasm, at + 1);
    const end = size.next + size.value;
    if (offset < end)
      return id === 0 ? `custom section "${customNameAt(wasm, size.next)}"` : `${SECTIONS[id] ?? id} section`;
    at = end;
  }
  return 'end';
}

function customNameAt(wasm: Uint8Array, at: number): string {
  const length = readLeb(wasm, at);
  return Buffer.from(wasm.subarray(length.next, length.next + length.value)).toString('utf8');
}

/** Unsigned LEB128, at most 32 bits. */
function readLeb(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  let factor = 1;
  let next = at;
  for (;;) {
    const byte = bytes[next] ?? 0;
    next += 1;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80 || next - at >= 5) return { value, next };
    factor *= 128;
  }
}

function lineAt(text: Uint8Array, offset: number): number {
  let line = 1;
  for (let at = 0; at < offset; at += 1) if (text[at] === 0x0a) line += 1;
  return line;
}

/** Where two byte strings first differ. Offsets are in bytes, from 0. */
export interface Difference {
  readonly offset: number;
  /** What lies there: a wasm section by its name, `header` or `end`; of a text `line N`. */
  readonly section: string;
  /** Of a wasm: how far into the section, counted from its first byte, the id. */
  readonly sectionOffset?: number;
  /** Of a text: the two lines, of long ones what is around the byte. */
  readonly lines?: { readonly before: string; readonly after: string };
}

export function firstDifference(before: Uint8Array, after: Uint8Array): Difference {
  const shorter = Math.min(before.length, after.length);
  let offset = 0;
  while (offset < shorter && before[offset] === after[offset]) offset += 1;
  if (isWasm(before)) {
    const { name, start } = sectionAt(before, offset);
    return { offset, section: name, sectionOffset: offset - start };
  }
  const lines = { before: lineAround(before, offset), after: lineAround(after, offset) };
  return { offset, section: `line ${lineAt(before, offset)}`, lines };
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

function sectionAt(wasm: Uint8Array, offset: number): { readonly name: string; readonly start: number } {
  let start = 8;
  if (offset < start) return { name: 'header', start: 0 };
  while (start < wasm.length) {
    const id = wasm[start] ?? 0;
    const size = readLeb(wasm, start + 1);
    const end = size.next + size.value;
    if (offset < end) {
      const name = id === 0 ? `custom section "${customNameAt(wasm, size.next)}"` : `${SECTIONS[id] ?? id} section`;
      return { name, start };
    }
    start = end;
  }
  return { name: 'end', start };
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

const MOST_SHOWN_BYTES = 160;

/** The line that holds a byte; of a long line the part around it. */
function lineAround(text: Uint8Array, offset: number): string {
  const lineStart = offset === 0 ? 0 : text.lastIndexOf(0x0a, offset - 1) + 1;
  const start = Math.max(lineStart, offset - MOST_SHOWN_BYTES / 2);
  const next = text.indexOf(0x0a, offset);
  const end = Math.min(next === -1 ? text.length : next, start + MOST_SHOWN_BYTES);
  return Buffer.from(text.subarray(start, end)).toString('utf8');
}

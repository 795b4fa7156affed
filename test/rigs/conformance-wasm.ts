/** The custom sections of a module, in its order: names and, as text, contents. Empty where it is none. */
export function customSections(wasm: Uint8Array): readonly (readonly [name: string, text: string])[] {
  const found: [string, string][] = [];
  if (Buffer.from(wasm.subarray(0, 4)).toString('latin1') !== '\0asm') return found;
  for (let at = 8; at < wasm.length;) {
    const id = wasm[at];
    const size = leb128(wasm, at + 1);
    const end = size.end + size.value;
    if (id === 0) {
      const length = leb128(wasm, size.end);
      const nameEnd = length.end + length.value;
      found.push([textOf(wasm.subarray(length.end, nameEnd)), textOf(wasm.subarray(nameEnd, end))]);
    }
    at = end;
  }
  return found;
}

function leb128(bytes: Uint8Array, at: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let shift = 0, end = at; ; shift += 7) {
    const byte = bytes[end++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, end };
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

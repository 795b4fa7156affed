/**
 * The module without its `icp:public` and `icp:private` custom sections of the given names. The other bytes are kept as
 * they are; it is what the compiler writes when it leaves the sections out itself.
 */
export function dropSections(wasm: Uint8Array, names: readonly string[]): Uint8Array {
  if (names.length === 0) return wasm;
  const unwanted = new Set(names.flatMap((name) => [`icp:public ${name}`, `icp:private ${name}`]));
  const kept: Uint8Array[] = [wasm.subarray(0, 8)];
  for (let at = 8; at < wasm.length;) {
    const [size, body] = readNumber(wasm, at + 1);
    const end = body + size;
    if (wasm[at] !== 0 || !unwanted.has(nameAt(wasm, body))) kept.push(wasm.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}

/** LEB128, as far as sizes go. Gives the number and where it ends. */
function readNumber(bytes: Uint8Array, from: number): readonly [value: number, end: number] {
  let value = 0;
  let at = from;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at] ?? 0;
    at += 1;
    value += (byte & 127) * scale;
    if (byte < 128) return [value, at];
  }
}

function nameAt(wasm: Uint8Array, at: number): string {
  const [length, start] = readNumber(wasm, at);
  return Buffer.from(wasm.buffer, wasm.byteOffset + start, length).toString('utf8');
}

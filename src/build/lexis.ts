/*
 * What Motoko and Candid have in common as texts: blanks, comments, words and text literals, on bytes. Nothing here
 * needs valid UTF-8, and nothing throws: of a text that is no program, anything may be said.
 */

/** A place in a text. The functions below move it on. */
export interface Cursor {
  readonly bytes: Buffer;
  offset: number;
  /** Counts from 1. */
  line: number;
}

export function startOf(source: string | Uint8Array): Cursor {
  return { bytes: bufferOf(source), offset: 0, line: 1 };
}

/**
 * Moves past spaces and comments. A line comment ends at `\n` alone, not at `\r`; block comments nest, and know
 * neither texts nor line comments.
 */
export function skipBlank(at: Cursor): void {
  const { bytes } = at;
  for (;;) {
    const byte = bytes[at.offset];
    if (byte === BYTE.newline) at.line += 1;
    if (byte === BYTE.newline || byte === BYTE.space || byte === BYTE.tab || byte === BYTE.return) at.offset += 1;
    else if (byte !== BYTE.slash) return;
    else if (bytes[at.offset + 1] === BYTE.slash) {
      const end = bytes.indexOf(BYTE.newline, at.offset + 2);
      at.offset = end === -1 ? bytes.length : end;
    } else if (bytes[at.offset + 1] === BYTE.star) skipBlockComment(at);
    else return;
  }
}

/** Moves past the word if it stands here, whole. */
export function takeWord(at: Cursor, word: string): boolean {
  const { bytes, offset } = at;
  for (let i = 0; i < word.length; i += 1) if (bytes[offset + i] !== word.charCodeAt(i)) return false;
  if (isWordByte(bytes[offset + word.length])) return false;
  at.offset += word.length;
  return true;
}

/** Moves past the text literal that begins here, and gives its value. Undefined where it does not end. */
export function takeText(at: Cursor): string | undefined {
  const { bytes } = at;
  const start = at.offset + 1;
  let end = start;
  let escaped = false;
  let ascii = true;
  for (; bytes[end] !== BYTE.quote; end += 1) {
    const byte = bytes[end];
    if (byte === undefined) {
      at.offset = bytes.length;
      return undefined;
    }
    if (byte === BYTE.newline) at.line += 1;
    if (byte >= 0x80) ascii = false;
    if (byte === BYTE.backslash) {
      escaped = true;
      end += 1;
    }
  }
  at.offset = end + 1;
  if (escaped) return unescape(bytes.toString('latin1', start, end));
  return ascii ? bytes.toString('latin1', start, end) : bytes.toString('utf8', start, end);
}

/** Moves past `'x'`, `'\''`, `'\u{1F600}'`: a quote or a bracket in there means nothing. */
export function skipCharacter(at: Cursor): void {
  const first = at.bytes[at.offset + 1] === BYTE.backslash ? 2 : 1;
  const close = at.bytes.indexOf(BYTE.apostrophe, at.offset + first + 1);
  at.offset = close === -1 ? at.bytes.length : close + 1;
}

/** Moves past one whole word or number, so that no keyword is found at the end of a longer name; else past one byte. */
export function skipToken(at: Cursor): void {
  const start = at.offset;
  while (isWordByte(at.bytes[at.offset])) at.offset += 1;
  if (at.offset === start) at.offset += 1;
}

/** The bytes that mean something, by name. */
export const BYTE = {
  tab: 0x09,
  newline: 0x0a,
  return: 0x0d,
  space: 0x20,
  quote: 0x22,
  apostrophe: 0x27,
  openParen: 0x28,
  closeParen: 0x29,
  star: 0x2a,
  slash: 0x2f,
  semicolon: 0x3b,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  underscore: 0x5f,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

function bufferOf(source: string | Uint8Array): Buffer {
  if (typeof source === 'string') return Buffer.from(source);
  return Buffer.isBuffer(source) ? source : Buffer.from(source.buffer, source.byteOffset, source.byteLength);
}

function skipBlockComment(at: Cursor): void {
  const { bytes } = at;
  let depth = 0;
  while (at.offset < bytes.length) {
    const byte = bytes[at.offset];
    const next = bytes[at.offset + 1];
    if (byte === BYTE.slash && next === BYTE.star) depth += 1;
    else if (byte === BYTE.star && next === BYTE.slash) depth -= 1;
    else {
      if (byte === BYTE.newline) at.line += 1;
      at.offset += 1;
      continue;
    }
    at.offset += 2;
    if (depth === 0) return;
  }
}

function isWordByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const lower = byte | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === BYTE.underscore;
}

/*
 * escape = "\" ( "n" | "r" | "t" | "\" | "'" | '"' | "u{" hex+ "}" | hex hex )
 *
 * Two hex digits are a byte, not a code point; digits after `u` may hold underscores.
 */
const ESCAPE = /\\(?:u\{([0-9A-Fa-f_]+)\}|([0-9A-Fa-f]{2})|([^]))/g;

function unescape(raw: string): string {
  const latin1 = raw.replace(ESCAPE, (_, point?: string, byte?: string, letter?: string) => {
    if (point !== undefined) return utf8Of(Number.parseInt(point.replaceAll('_', ''), 16));
    if (byte !== undefined) return String.fromCharCode(Number.parseInt(byte, 16));
    return letter === 'n' ? '\n' : letter === 'r' ? '\r' : letter === 't' ? '\t' : (letter ?? '');
  });
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

/** A code point as its UTF-8 bytes, one to a character; nothing where there is no such code point. */
function utf8Of(point: number): string {
  return point <= 0x10ffff ? Buffer.from(String.fromCodePoint(point)).toString('latin1') : '';
}

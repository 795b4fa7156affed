import { BYTE, skipBlank, skipCharacter, skipToken, startOf, takeText, takeWord, type Cursor } from './lexis.ts';
import { normalise } from './moc-paths.ts';

/** One import as written. `line` is that of the keyword, counted from 1. */
export interface Import {
  readonly url: string;
  readonly line: number;
}

/** What an import URL asks for, in the compiler's own terms. */
export type ImportTarget =
  | { readonly kind: 'relative'; readonly path: string }
  | { readonly kind: 'package'; readonly name: string; readonly path: string }
  | { readonly kind: 'built-in' }
  | { readonly kind: 'canister'; readonly alias: string }
  | { readonly kind: 'principal'; readonly principal: string }
  | { readonly kind: 'blob'; readonly path: string }
  | { readonly kind: 'candid'; readonly path: string }
  /** Not understood: this compiler may reject it, and another may know what it means. */
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * The imports of a `.mo` file, in the order of the text.
 *
 * Only the head of the file is read. `import` is a keyword of Motoko and imports come first, so the first token that is
 * neither an import nor a separator ends the list. A text that is no program gives whatever is found in it: the compiler
 * rejects it anyway. Never throws.
 */
export function importsOf(source: string | Uint8Array): readonly Import[] {
  const at = startOf(source);
  const imports: Import[] = [];
  for (;;) {
    skipBlank(at);
    const { line } = at;
    if (at.bytes[at.offset] === BYTE.semicolon) at.offset += 1;
    else if (takeWord(at, 'import')) {
      const url = takeUrl(at);
      if (url !== undefined) imports.push({ url, line });
    } else return imports;
  }
}

/*
 * url = "mo:prim" | "mo:⛔" | "mo:" package [ "/" path ]
 *     | "canister:" alias | "ic:" principal | "blob:file:" path | "idl:" path
 *     | path without ":"
 */
export function targetOf(url: string): ImportTarget {
  if (url.startsWith('mo:')) return packageTargetOf(url.slice(3));
  if (url.startsWith('ic:')) return principalTargetOf(url.slice(3));
  if (url.startsWith('canister:')) return { kind: 'canister', alias: url.slice(9) };
  if (url.startsWith('blob:file:')) return { kind: 'blob', path: url.slice(10) };
  if (url.startsWith('idl:')) return candidTargetOf(url.slice(4));
  if (url.includes(':')) return unknown(`the import "${url}" has an unknown scheme`);
  if (url.endsWith('.did')) return unknown(`the import "${url}" names a Candid file without a scheme`);
  return { kind: 'relative', path: normalise(url) };
}

/** Whether the text can be a principal. Anything else the compiler rejects, and here it must not become a path. */
export function isPrincipal(text: string): boolean {
  return /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(text);
}

/**
 * After the keyword: a pattern, perhaps `=`, and the URL. The pattern is one name or literal, or stands in brackets; so
 * a text is the URL unless it is the first token or within brackets.
 */
function takeUrl(at: Cursor): string | undefined {
  let depth = 0;
  for (let first = true; ; first = false) {
    skipBlank(at);
    const byte = at.bytes[at.offset];
    if (byte === undefined || (byte === BYTE.semicolon && depth === 0)) return undefined;
    if (byte === BYTE.quote) {
      const text = takeText(at);
      if (depth === 0 && !first) return text;
    } else if (byte === BYTE.apostrophe) skipCharacter(at);
    else {
      if (byte === BYTE.openBrace || byte === BYTE.openParen || byte === BYTE.openBracket) depth += 1;
      if (byte === BYTE.closeBrace || byte === BYTE.closeParen || byte === BYTE.closeBracket) depth -= 1;
      skipToken(at);
    }
  }
}

function packageTargetOf(rest: string): ImportTarget {
  const slash = rest.indexOf('/');
  const name = slash === -1 ? rest : rest.slice(0, slash);
  const path = slash === -1 ? '' : rest.slice(slash + 1);
  if (name === 'prim' || name === '⛔') {
    return slash === -1 ? { kind: 'built-in' } : unknown(`the import "mo:${rest}" looks inside a built-in module`);
  }
  if (normalise(path).startsWith('..')) return unknown(`the import "mo:${rest}" leaves its package`);
  if (path.endsWith('.did')) return unknown(`the import "mo:${rest}" names a Candid file in a package`);
  return { kind: 'package', name, path };
}

function principalTargetOf(principal: string): ImportTarget {
  if (!isPrincipal(principal)) return unknown(`the import "ic:${principal}" names no principal`);
  return { kind: 'principal', principal };
}

/** Compilers before 1.13 know no `idl:`, and unreleased ones spell it `idl:file:`; the released form is understood. */
function candidTargetOf(path: string): ImportTarget {
  if (path.includes(':')) return unknown(`the import "idl:${path}" has an unknown scheme`);
  return { kind: 'candid', path };
}

function unknown(reason: string): ImportTarget {
  return { kind: 'unknown', reason };
}

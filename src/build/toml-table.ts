import { BuildError } from './outcome.ts';

/** A table of a TOML file that knows its place, so that a wrong value can be reported with key and line. */
export interface TomlTable {
  readonly file: string;
  readonly text: string;
  /** The keys that lead here from the top. */
  readonly path: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
}

/** The table under a key. What is absent or no table reads as an empty one: mops takes no offence at either. */
export function tableAt(parent: TomlTable, key: string): TomlTable {
  const value = parent.values[key];
  return { ...parent, path: [...parent.path, key], values: isTable(value) ? value : {} };
}

export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** A string, or undefined where there is none or an empty one. */
export function stringAt(table: TomlTable, key: string): string | undefined {
  const value = table.values[key];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw badConfig(table, key, 'a string');
  if (value.includes('\0')) throw badConfig(table, key, 'a string without NUL characters');
  return value;
}

/** Command-line arguments. Numbers and booleans among them become text, as mops passes them on. */
export function argumentsAt(table: TomlTable, key: string): readonly string[] {
  const value = table.values[key] ?? [];
  if (!Array.isArray(value)) throw badConfig(table, key, 'an array of strings');
  return value.map((item: unknown) => {
    if (typeof item !== 'string' && typeof item !== 'number' && typeof item !== 'boolean') {
      throw badConfig(table, key, 'an array of strings');
    }
    const text = String(item);
    if (text.includes('\0')) throw badConfig(table, key, 'an array of strings without NUL characters');
    return text;
  });
}

export function positiveIntegerAt(table: TomlTable, key: string): number | undefined {
  const value = table.values[key];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value <= 0) {
    throw badConfig(table, key, 'a positive integer');
  }
  return value;
}

export function badConfig(table: TomlTable, key: string, expected: string): BuildError {
  const path = [...table.path, key];
  const line = lineOf(table.text, path);
  const place = line === undefined ? {} : { line };
  return new BuildError({ kind: 'bad-config', file: table.file, ...place, key: path.join('.'), expected });
}

/**
 * The line (from 1) on which a key stands, or failing that the line of the innermost table around it. A look at the
 * text, for messages only: a value of several lines that looks like keys can mislead it.
 */
function lineOf(text: string, path: readonly string[]): number | undefined {
  let header: readonly string[] = [];
  let best: { readonly line: number; readonly depth: number } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const opened = HEADER.exec(line)?.[1];
    const key = KEY.exec(line)?.[1];
    if (opened === undefined && key === undefined) continue;
    if (opened !== undefined) header = segmentsOf(opened);
    const here = key === undefined ? header : [...header, ...segmentsOf(key)];
    const isOnTheWay = here.length <= path.length && here.every((segment, depth) => segment === path[depth]);
    if (isOnTheWay && here.length > (best?.depth ?? 0)) best = { line: index + 1, depth: here.length };
  }
  return best?.line;
}

const SEGMENT = String.raw`(?:[\w-]+|"(?:[^"\\]|\\.)*"|'[^']*')`;
const DOTTED = String.raw`${SEGMENT}(?:\s*\.\s*${SEGMENT})*`;
const HEADER = new RegExp(String.raw`^\s*\[\s*(${DOTTED})\s*\]`);
const KEY = new RegExp(String.raw`^\s*(${DOTTED})\s*=`);

function segmentsOf(dotted: string): readonly string[] {
  return [...dotted.matchAll(new RegExp(SEGMENT, 'g'))].map(([segment]) =>
    /^["']/.test(segment) ? segment.slice(1, -1) : segment,
  );
}

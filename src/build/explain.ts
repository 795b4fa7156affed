import type { Cache } from '../cache/cache.ts';
import type { Last } from './last.ts';

/** What changed since a canister's last build here: of its compile, and of its finish. */
export async function explainSince(
  cache: Cache,
  last: Last | undefined,
  compileDocument: string,
  finishDocument: string,
): Promise<readonly string[]> {
  if (last === undefined) return ['no earlier build of it is known here'];
  const [compile, finish] = await Promise.all([
    cache.readDocument(last.compileKey),
    cache.readDocument(last.finishKey),
  ]);
  if (compile === undefined || finish === undefined) return ['its last build is no longer in the cache'];
  const changes = [
    ...explain(compile, compileDocument),
    // what the compiler made is a consequence, not a cause
    ...explain(finish, finishDocument).filter((line) => !/^(?:wasm|did): /.test(line)),
  ];
  return changes.length > 0 ? changes : ['nothing: the same document, whose result is gone'];
}

/**
 * What changed between two documents of one canister, a line a fact, in the order of the documents' rows. Empty where
 * they say the same. Documents are read leniently: a row that is no JSON is skipped, for an explanation is no proof.
 */
export function explain(before: string, after: string): readonly string[] {
  const old = factsOf(before);
  const fresh = factsOf(after);
  const lines: string[] = [];
  for (const [subject, value] of fresh) {
    const was = old.get(subject);
    if (was === undefined) lines.push(`${subject}: added`);
    else if (was !== value) lines.push(`${subject}: ${changeOf(was, value)}`);
  }
  for (const subject of old.keys()) if (!fresh.has(subject)) lines.push(`${subject}: removed`);
  return lines;
}

/** Rows of which there may be many: their first fact belongs to the subject. */
const NAMED = new Set(['input', 'package', 'absent', 'listing', 'env', 'metadata', 'compiler', 'finisher']);

function factsOf(document: string): ReadonlyMap<string, string> {
  const facts = new Map<string, string>();
  for (const line of document.split('\n')) {
    const row = parseRow(line);
    if (row === undefined) continue;
    const [name = '', first = '', ...rest] = row;
    if (NAMED.has(name)) facts.set(`${name} ${first}`, rest.join(' '));
    else facts.set(name, [first, ...rest].join(' '));
  }
  return facts;
}

function changeOf(before: string, after: string): string {
  return DIGEST_AT_END.test(before) && DIGEST_AT_END.test(after)
    ? `edited (${shorten(before)} to ${shorten(after)})`
    : `${before === '' ? 'none' : before} to ${after === '' ? 'none' : after}`;
}

const DIGEST_AT_END = /[0-9a-f]{64}$/;

function shorten(facts: string): string {
  return facts.replace(DIGEST_AT_END, (digest) => digest.slice(0, 12));
}

function parseRow(line: string): string[] | undefined {
  try {
    const row: unknown = JSON.parse(line);
    return Array.isArray(row) ? row.map(String) : undefined;
  } catch {
    return undefined;
  }
}

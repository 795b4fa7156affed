import { parseArgs } from 'node:util';
import { parsing, type Usage } from './parsing.ts';
import { AGE_EXAMPLE, parseAge } from './quantities.ts';

export type HistoryCommand = StatsCommand | ExplainCommand | ExplainKeysCommand;

export interface StatsCommand {
  readonly kind: 'cache-stats';
  readonly since?: Since;
  readonly json: boolean;
  /** Where to write the report, as typed. */
  readonly html?: string;
}

/** How long ago, or when: in milliseconds, the latter since the epoch. */
export type Since = { readonly agoMs: number } | { readonly atMs: number };

export interface ExplainCommand {
  readonly kind: 'cache-explain';
  readonly canister: string;
  readonly json: boolean;
  /** What follows the first `--`: as given to the build. */
  readonly mocArgs: readonly string[];
}

export interface ExplainKeysCommand {
  readonly kind: 'cache-explain-keys';
  /** As typed: keys, or how they begin. */
  readonly prefixes: readonly [string, string];
  readonly json: boolean;
}

/** `mops cache stats | explain`; undefined for any other command of `mops cache`. */
export function parseHistory(args: readonly string[]): HistoryCommand | Help | Usage | undefined {
  const at = args.findIndex((argument) => !argument.startsWith('-'));
  const rest = args.filter((_, index) => index !== at);
  if (args[at] === 'stats') return parseStats(rest);
  if (args[at] === 'explain') return parseExplain(rest);
  return undefined;
}

interface Help {
  readonly kind: 'help';
  readonly topic: 'cache';
}

const COMMON = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;

function parseStats(args: readonly string[]): StatsCommand | Help | Usage {
  const options = { ...COMMON, since: { type: 'string' }, html: { type: 'string' } } as const;
  const parsed = parsing('cache', () => parseArgs({ args: [...args], options, allowPositionals: true }));
  if (parsed.kind === 'usage') return parsed;
  const { values, positionals } = parsed.value;
  if (values.help === true) return { kind: 'help', topic: 'cache' };
  if (positionals.length > 0) return usage(`"${positionals.join(' ')}" is too much after stats`);
  if (values.json === true && values.html !== undefined) return usage('--json and --html exclude each other');
  if (values.html === '') return usage('--html takes the file to write');
  const since = values.since === undefined ? undefined : parseSince(values.since);
  if (values.since !== undefined && since === undefined) {
    return usage(`--since takes an age such as ${AGE_EXAMPLE}, or a date such as 2026-11-01, not "${values.since}"`);
  }
  return {
    kind: 'cache-stats',
    ...(since === undefined ? {} : { since }),
    json: values.json === true,
    ...(values.html === undefined ? {} : { html: values.html }),
  };
}

function parseExplain(args: readonly string[]): ExplainCommand | ExplainKeysCommand | Help | Usage {
  const dashes = args.indexOf('--');
  const own = dashes === -1 ? args : args.slice(0, dashes);
  const mocArgs = dashes === -1 ? [] : args.slice(dashes + 1);
  const parsed = parsing('cache', () => parseArgs({ args: [...own], options: COMMON, allowPositionals: true }));
  if (parsed.kind === 'usage') return parsed;
  const { values, positionals } = parsed.value;
  if (values.help === true) return { kind: 'help', topic: 'cache' };
  const [first, second, ...more] = positionals;
  const json = values.json === true;
  if (first === undefined) return usage('say which canister to explain, or which two keys');
  if (more.length > 0) return usage(`"${more.join(' ')}" is too much: explain takes a canister, or two keys`);
  if (second === undefined) return { kind: 'cache-explain', canister: first, json, mocArgs };
  if (dashes !== -1) return usage('two keys are explained as they are: nothing may follow --');
  return { kind: 'cache-explain-keys', prefixes: [first, second], json };
}

/** An age, or a day or time as in ISO 8601; without a zone it is the user's own. */
function parseSince(text: string): Since | undefined {
  const agoMs = parseAge(text);
  if (agoMs !== undefined) return { agoMs };
  const [, day, time = 'T00:00'] =
    /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?$/.exec(text.trim()) ?? [];
  const atMs = day === undefined ? Number.NaN : Date.parse(day + time);
  return Number.isNaN(atMs) ? undefined : { atMs };
}

function usage(message: string): Usage {
  return { kind: 'usage', topic: 'cache', message };
}

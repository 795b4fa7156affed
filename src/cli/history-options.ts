import { parseArgs } from 'node:util';
import { parsing, type Usage } from './parsing.ts';

export type HistoryCommand = ExplainCommand | ExplainKeysCommand;

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

/** `mops cache explain`; undefined for any other command of `mops cache`. */
export function parseHistory(args: readonly string[]): HistoryCommand | Help | Usage | undefined {
  const at = args.findIndex((argument) => !argument.startsWith('-'));
  const rest = args.filter((_, index) => index !== at);
  if (args[at] === 'explain') return parseExplain(rest);
  return undefined;
}

interface Help {
  readonly kind: 'help';
  readonly topic: 'cache';
}

const COMMON = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;

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

function usage(message: string): Usage {
  return { kind: 'usage', topic: 'cache', message };
}

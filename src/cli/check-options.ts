import { parseArgs } from 'node:util';
import { parsing, type Usage } from './parsing.ts';

/** Commands that look into the store, or at what is around it. */
export type CheckCommand = InspectCommand | { readonly kind: 'cache-verify' | 'cache-doctor'; readonly json: boolean };

export interface InspectCommand {
  readonly kind: 'cache-inspect';
  /** As typed: a key, or how it begins. */
  readonly prefix: string;
  readonly json: boolean;
}

/** `mops cache inspect | verify | doctor`; undefined for any other command of `mops cache`. */
export function parseCheck(args: readonly string[]): CheckCommand | Help | Usage | undefined {
  const action = args.find((argument) => !argument.startsWith('-'));
  if (action !== 'inspect' && action !== 'verify' && action !== 'doctor') return undefined;
  const parsed = parsing('cache', () => parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true }));
  if (parsed.kind === 'usage') return parsed;
  const { values, positionals } = parsed.value;
  if (values.help === true) return { kind: 'help', topic: 'cache' };
  const json = values.json === true;
  const named = positionals.slice(1);
  if (action === 'inspect') return inspectOf(named, json);
  if (named.length > 0) return usage(`"${named.join(' ')}" is too much after ${action}`);
  return { kind: `cache-${action}`, json };
}

function inspectOf([prefix, ...more]: readonly string[], json: boolean): InspectCommand | Usage {
  if (prefix === undefined) return usage('say which key to inspect: its first digits will do');
  if (more.length > 0) return usage(`"${more.join(' ')}" is too much: inspect takes one key`);
  return { kind: 'cache-inspect', prefix, json };
}

interface Help {
  readonly kind: 'help';
  readonly topic: 'cache';
}

const OPTIONS = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;

function usage(message: string): Usage {
  return { kind: 'usage', topic: 'cache', message };
}

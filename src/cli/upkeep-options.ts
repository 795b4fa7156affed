import { parseArgs } from 'node:util';
import { parsing, type Usage } from './parsing.ts';
import { AGE_EXAMPLE, parseAge, parseSize, SIZE_EXAMPLE } from './quantities.ts';

export type UpkeepCommand = GcCommand | CleanSomeCommand;

export interface GcCommand {
  readonly kind: 'cache-gc';
  readonly maxBytes?: number;
  readonly maxAgeMs?: number;
  readonly dryRun: boolean;
  readonly json: boolean;
  /** Started by a build, with nobody to read what it says. Not for people, so it is not in the help. */
  readonly byItself: boolean;
}

/** `clean --builds` with a choice of what. */
export interface CleanSomeCommand {
  readonly kind: 'cache-clean-some';
  readonly canister?: string;
  readonly olderThanMs?: number;
}

/** `mops cache gc`, and `mops cache clean` with a choice; undefined for any other command of `mops cache`. */
export function parseUpkeep(args: readonly string[]): UpkeepCommand | Help | Usage | undefined {
  const at = args.findIndex((argument) => argument === 'gc' || argument === 'clean');
  const rest = args.filter((_, index) => index !== at);
  if (args[at] === 'gc') return parseGc(rest);
  const chooses = rest.some((argument) => /^--(?:canister|older-than)(?:=|$)/.test(argument));
  return args[at] === 'clean' && chooses ? parseCleanSome(rest) : undefined;
}

interface Help {
  readonly kind: 'help';
  readonly topic: 'cache';
}

const HELP = { kind: 'help', topic: 'cache' } as const;

function parseGc(args: readonly string[]): GcCommand | Help | Usage {
  const options = {
    'max-size': { type: 'string' },
    'max-age': { type: 'string' },
    'dry-run': { type: 'boolean' },
    json: { type: 'boolean' },
    'by-itself': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const parsed = parsing('cache', () => parseArgs({ args: [...args], options, allowPositionals: true }));
  if (parsed.kind === 'usage') return parsed;
  const { values, positionals } = parsed.value;
  if (values.help === true) return HELP;
  if (positionals.length > 0) return usage(`"${positionals.join(' ')}" is too much after gc`);
  const size = values['max-size'];
  const age = values['max-age'];
  const maxBytes = size === undefined ? undefined : parseSize(size);
  const maxAgeMs = age === undefined ? undefined : parseAge(age);
  if (size !== undefined && maxBytes === undefined) {
    return usage(`--max-size takes a size such as ${SIZE_EXAMPLE}, not "${size}"`);
  }
  if (age !== undefined && maxAgeMs === undefined) {
    return usage(`--max-age takes an age such as ${AGE_EXAMPLE}, not "${age}"`);
  }
  return {
    kind: 'cache-gc',
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    dryRun: values['dry-run'] === true,
    json: values.json === true,
    byItself: values['by-itself'] === true,
  };
}

function parseCleanSome(args: readonly string[]): CleanSomeCommand | Help | Usage {
  const options = {
    global: { type: 'boolean' },
    builds: { type: 'boolean' },
    canister: { type: 'string' },
    'older-than': { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const parsed = parsing('cache', () => parseArgs({ args: [...args], options, allowPositionals: true }));
  if (parsed.kind === 'usage') return parsed;
  const { values, positionals } = parsed.value;
  if (values.help === true) return HELP;
  if (positionals.length > 0) return usage(`"${positionals.join(' ')}" is too much after clean`);
  if (values.builds !== true || values.global === true) {
    return usage('--canister and --older-than choose among built artifacts: say --builds, and not --global');
  }
  const { canister } = values;
  const age = values['older-than'];
  const olderThanMs = age === undefined ? undefined : parseAge(age);
  if (canister === '') return usage('--canister takes a name');
  if (age !== undefined && olderThanMs === undefined) {
    return usage(`--older-than takes an age such as ${AGE_EXAMPLE}, not "${age}"`);
  }
  return {
    kind: 'cache-clean-some',
    ...(canister === undefined ? {} : { canister }),
    ...(olderThanMs === undefined ? {} : { olderThanMs }),
  };
}

function usage(message: string): Usage {
  return { kind: 'usage', topic: 'cache', message };
}

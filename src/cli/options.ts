import { parseArgs } from 'node:util';
import { parseCheck, type CheckCommand } from './check-options.ts';
import { parseHistory, type HistoryCommand } from './history-options.ts';
import { parsing, type Usage } from './parsing.ts';
import { parseUpkeep, type UpkeepCommand } from './upkeep-options.ts';

/** What the user asked for. Paths and names are as typed. */
export type Command =
  | BuildCommand
  | { readonly kind: 'cache-show' | 'cache-size' }
  | { readonly kind: 'cache-clean'; readonly scope: 'project-and-global' | 'global' | 'builds' }
  | HistoryCommand
  | CheckCommand
  | UpkeepCommand
  | { readonly kind: 'link'; readonly check: boolean }
  | { readonly kind: 'help'; readonly topic: 'moccache' | 'build' | 'cache' | 'link' }
  | { readonly kind: 'version' }
  | { readonly kind: 'hand-over'; readonly args: readonly string[] }
  | Usage;

export interface BuildCommand {
  readonly kind: 'build';
  /** Empty: all canisters. */
  readonly canisters: readonly string[];
  readonly verbose: boolean;
  readonly output?: string;
  readonly checkWasm?: boolean;
  readonly checkDeploy?: boolean;
  readonly optimize: boolean;
  readonly locked: boolean;
  readonly jobs?: number;
  readonly cache: boolean;
  readonly rebuild: boolean;
  readonly explain: boolean;
  readonly keepGoing: boolean;
  readonly json: boolean;
  /** What follows the first `--`: for moc, untouched. */
  readonly mocArgs: readonly string[];
}

/**
 * Reads the arguments after the program's name. `calledAs` is that name: what upstream's `mops` would answer itself
 * (no arguments, --help, --version) is handed over under the name `mops`, and answered by us under the name `moccache`.
 */
export function parseCommand(args: readonly string[], calledAs: 'mops' | 'moccache'): Command {
  const [first, ...rest] = args;
  switch (first) {
    case 'build':
      return parseBuild(rest);
    case 'cache':
      return parseCache(rest);
    case 'link':
      return parseLink(rest);
    default:
      break;
  }
  if (calledAs === 'moccache') {
    if (first === undefined || first === '--help' || first === '-h') return { kind: 'help', topic: 'moccache' };
    if (first === '--version' || first === '-V') return { kind: 'version' };
  }
  return { kind: 'hand-over', args };
}

const BUILD_OPTIONS = {
  verbose: { type: 'boolean' },
  output: { type: 'string', short: 'o' },
  'check-wasm': { type: 'boolean' },
  'no-check-wasm': { type: 'boolean' },
  'check-deploy': { type: 'boolean' },
  'no-check-deploy': { type: 'boolean' },
  'no-optimize': { type: 'boolean' },
  locked: { type: 'boolean' },
  jobs: { type: 'string', short: 'j' },
  'no-cache': { type: 'boolean' },
  rebuild: { type: 'boolean' },
  explain: { type: 'boolean' },
  'keep-going': { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

function parseBuild(args: readonly string[]): Command {
  const dashes = args.indexOf('--');
  const own = dashes === -1 ? args : args.slice(0, dashes);
  const mocArgs = dashes === -1 ? [] : args.slice(dashes + 1);
  const parsed = parsing('build', () => parseArgs({ args: [...own], options: BUILD_OPTIONS, allowPositionals: true }));
  if (parsed.kind === 'usage') return parsed;
  const { values, positionals } = parsed.value;
  if (values.help === true) return { kind: 'help', topic: 'build' };
  const jobs = values.jobs === undefined ? undefined : parseJobs(values.jobs);
  if (values.jobs !== undefined && jobs === undefined) {
    return { kind: 'usage', topic: 'build', message: `--jobs takes a whole number from 1 up, not "${values.jobs}"` };
  }
  if (values.rebuild === true && values['no-cache'] === true) {
    return {
      kind: 'usage',
      topic: 'build',
      message: '--rebuild compares with the cache, and --no-cache leaves it out',
    };
  }
  const checkWasm = choiceOf(values['check-wasm'], values['no-check-wasm']);
  const checkDeploy = choiceOf(values['check-deploy'], values['no-check-deploy']);
  return {
    kind: 'build',
    canisters: [...new Set(positionals)],
    verbose: values.verbose === true,
    ...(values.output === undefined ? {} : { output: values.output }),
    ...(checkWasm === undefined ? {} : { checkWasm }),
    ...(checkDeploy === undefined ? {} : { checkDeploy }),
    optimize: values['no-optimize'] !== true,
    locked: values.locked === true,
    ...(jobs === undefined ? {} : { jobs }),
    cache: values['no-cache'] !== true,
    rebuild: values.rebuild === true,
    explain: values.explain === true,
    keepGoing: values['keep-going'] === true,
    json: values.json === true,
    mocArgs,
  };
}

function parseCache(args: readonly string[]): Command {
  const other = parseHistory(args) ?? parseCheck(args) ?? parseUpkeep(args);
  if (other !== undefined) return other;
  const options = {
    global: { type: 'boolean' },
    builds: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const parsed = parsing('cache', () => parseArgs({ args: [...args], options, allowPositionals: true }));
  if (parsed.kind === 'usage') return parsed;
  const { values, positionals } = parsed.value;
  if (values.help === true) return { kind: 'help', topic: 'cache' };
  const [action, ...more] = positionals;
  const usage = (message: string): Command => ({ kind: 'usage', topic: 'cache', message });
  if (action === undefined) return usage('say which: show, size, clean, gc, stats, explain, inspect, verify or doctor');
  if (more.length > 0) return usage(`"${more.join(' ')}" is too much after ${action}`);
  switch (action) {
    case 'show':
    case 'size':
      return { kind: `cache-${action}` };
    case 'clean':
      if (values.global === true && values.builds === true) return usage('--global and --builds exclude each other');
      return {
        kind: 'cache-clean',
        scope: values.builds === true ? 'builds' : values.global === true ? 'global' : 'project-and-global',
      };
    default:
      return usage(
        `no such command: ${action}; there are show, size, clean, gc, stats, explain, inspect, verify and doctor`,
      );
  }
}

function parseLink(args: readonly string[]): Command {
  const options = { check: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
  const parsed = parsing('link', () => parseArgs({ args: [...args], options }));
  if (parsed.kind === 'usage') return parsed;
  if (parsed.value.values.help === true) return { kind: 'help', topic: 'link' };
  return { kind: 'link', check: parsed.value.values.check === true };
}

function choiceOf(yes: boolean | undefined, no: boolean | undefined): boolean | undefined {
  if (no === true) return false;
  return yes;
}

function parseJobs(text: string): number | undefined {
  const jobs = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(jobs) && jobs >= 1 ? jobs : undefined;
}

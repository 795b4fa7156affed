import { basename } from 'node:path';
import { reasonOf } from './disk.ts';
import { FLAGS, METADATA, type Flag, type Mode } from './flags.ts';
import type { Alias, Request, Settings } from './settings.ts';

/**
 * Reads a command line as the native compiler does: flags and files in any order, `-flag=value` for a flag with an
 * argument, the first mistake ends it. `readText` gives the text of a file named by `--args` or `--args0`, and throws
 * the system's error where it cannot.
 */
export function readCommandLine(argv: readonly string[], readText: (path: string) => string): Request {
  const draft = newDraft();
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const end = takeWord(draft, word, rest, readText);
    if (end !== undefined) return end;
  }
  return requestOf(draft);
}

/** What has been read so far. */
interface Draft {
  mode: Mode | undefined;
  idl: boolean;
  stableTypes: boolean;
  output: string;
  files: string[];
  signatures: [before: string, after: string] | undefined;
  quietMemory: boolean;
  deprecated: string | undefined;
  wasi: boolean;
  settings: Mutable<Omit<Settings, 'systemApi'>>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

function newDraft(): Draft {
  return {
    ...{ mode: undefined, idl: false, stableTypes: false, output: '', files: [], signatures: undefined },
    ...{ quietMemory: false, deprecated: undefined, wasi: false },
    settings: {
      ...{ packages: [], aliases: [], publicMetadata: [], omitMetadata: [], memory: [], own: [] },
      ...{ release: false, debugInfo: false },
    },
  };
}

/** Takes one word and its arguments from the front. What comes back ends the reading. */
function takeWord(draft: Draft, word: string, rest: string[], readText: (path: string) => string): Request | undefined {
  if (!word.startsWith('-')) {
    draft.files.push(word);
    return undefined;
  }
  const sign = word.indexOf('=');
  const name = FLAGS.has(word) || sign < 0 ? word : word.slice(0, sign);
  const joined = name === word ? undefined : word.slice(sign + 1);
  const flag = FLAGS.get(name);
  if (flag === undefined) return unusable(`unknown option ${name}; --help lists those that there are`);
  if (flag.kind === 'unserved') return unusable(`the compiler as JavaScript has no switch for ${name}`);

  const arity = arityOf(flag);
  if (joined !== undefined && arity !== 1) {
    return unusable(arity === 0 ? `${name} takes no argument` : `${name} takes ${arity} arguments, none joined with =`);
  }
  const values = joined === undefined ? rest.splice(0, arity) : [joined];
  if (values.length < arity) return unusable(`${name} needs ${arity === 1 ? 'an argument' : `${arity} arguments`}`);
  if (flag.kind === 'arguments') {
    try {
      rest.unshift(...wordsOf(readText(values[0] ?? ''), flag.separator));
    } catch (error) {
      return unusable(`${name} ${values[0] ?? ''}: ${reasonOf(error)}`);
    }
    return undefined;
  }
  return apply(draft, flag, name, values);
}

function arityOf(flag: Flag): number {
  switch (flag.kind) {
    case 'package':
    case 'stable-compatible':
      return 2;
    case 'alias':
      return flag.arity;
    case 'output':
    case 'actor-idl':
    case 'metadata':
    case 'arguments':
      return 1;
    case 'own':
      return flag.argument === 'none' ? 0 : 1;
    default:
      return 0;
  }
}

/** Each part ends with the separator; the last may lack it. Lines may end as on Windows. */
function wordsOf(text: string, separator: string): readonly string[] {
  const words = text.split(separator);
  if (words.at(-1) === '') words.pop();
  return separator === '\n' ? words.map((word) => word.replace(/\r$/, '')) : words;
}

function apply(draft: Draft, flag: Flag, name: string, values: readonly string[]): Request | undefined {
  const { settings } = draft;
  const [first = '', second = '', third = ''] = values;
  switch (flag.kind) {
    case 'version':
    case 'help':
      return { kind: flag.kind };
    case 'mode':
      if (flag.output !== undefined) draft[flag.output] = true;
      return enter(draft, flag.mode);
    case 'stable-compatible':
      draft.signatures = [first, second];
      return enter(draft, 'stable-compatible');
    case 'set':
      if (flag.field === 'release' || flag.field === 'debugInfo') settings[flag.field] = flag.to;
      else draft[flag.field] = flag.to;
      return undefined;
    case 'memory':
      settings.memory.push(flag.name);
      if (flag.deprecated === true) draft.deprecated = name;
      if (flag.name === 'incremental') draft.deprecated = undefined;
      return undefined;
    case 'metadata':
      if (!METADATA.includes(first)) return rejected(`${name} knows only ${METADATA.join(', ')}, not ${first}`);
      settings[flag.list].push(first);
      return undefined;
    case 'package':
      if (settings.packages.some((other) => other.name === first)) return rejected(`${name} ${first} is given twice`);
      settings.packages.push({ name: first, dir: second });
      return undefined;
    case 'alias':
      if (settings.aliases.some((other) => other.name === first)) return rejected(`${name} ${first} is given twice`);
      settings.aliases.push(aliasOf(flag, first, second, third));
      return undefined;
    case 'output':
      draft.output = first;
      return undefined;
    case 'actor-idl':
      settings.actorIdl = first;
      return undefined;
    case 'own':
      // OCaml reads integers in more ways; whoever writes 0b11 here may as well write 3.
      if (flag.argument === 'integer' && !/^-?\d+$/.test(first))
        return unusable(`${name} needs a number, not ${first}`);
      settings.own.push([name, ...values]);
      return undefined;
    case 'nothing':
    case 'arguments':
    case 'unserved':
      return undefined;
  }
}

function aliasOf(flag: Extract<Flag, { kind: 'alias' }>, name: string, what: string, candid: string): Alias {
  if (flag.variable) return { kind: 'variable', name, variable: what, candid };
  return { kind: 'principal', name, principal: what, ...(flag.arity === 3 ? { candid } : {}) };
}

function enter(draft: Draft, mode: Mode): Request | undefined {
  if (draft.mode !== undefined && draft.mode !== mode) {
    return rejected(`one call cannot both ${draft.mode} and ${mode}`);
  }
  draft.mode = mode;
  return undefined;
}

function requestOf(draft: Draft): Request {
  const { files } = draft;
  const own = draft.settings.own.map(([name]) => name);
  if (own.includes('-Werror') && own.includes('--hide-warnings')) {
    return rejected('-Werror and --hide-warnings contradict each other');
  }
  if (own.includes('--enhanced-migration') && draft.settings.memory.findLast(isPersistence) === 'classicOP') {
    return rejected('--enhanced-migration does not go with --legacy-persistence');
  }
  const settings: Settings = { ...draft.settings, systemApi: draft.wasi ? 'wasi' : 'ic' };
  const notes =
    draft.deprecated === undefined || draft.quietMemory
      ? []
      : [`${draft.deprecated} is deprecated and goes away in a later release; --incremental-gc stays`];
  const [main, ...others] = files;
  switch (draft.mode) {
    case 'check':
      return { kind: 'check', files, settings, notes };
    case 'stable-compatible': {
      const [before, after] = draft.signatures ?? ['', ''];
      return { kind: 'stable-compatible', before, after, settings, notes };
    }
    case 'print-deps':
      if (main === undefined || others.length > 0) return rejected('--print-deps takes exactly one file');
      return { kind: 'print-deps', file: main, settings, notes };
    default: {
      if (main === undefined) return unusable('no file to compile, and no interactive mode; see --help');
      if (others.length > 0) return unusable(`one file at a time: ${main} or ${others.join(', ')}`);
      const output = draft.output === '' ? `${withoutExtension(basename(main))}.wasm` : draft.output;
      const { idl, stableTypes } = draft;
      return { kind: 'compile', main, output, idl, stableTypes, settings, notes };
    }
  }
}

function isPersistence(name: string): boolean {
  return name === 'classicOP' || name === 'enhancedOP';
}

/** OCaml's rule: leading dots of a name are no extension. */
export function withoutExtension(path: string): string {
  const [, kept] = /^((?:.*\/)?\.*[^./][^/]*)\.[^./]*$/s.exec(path) ?? [];
  return kept ?? path;
}

function unusable(message: string): Request {
  return { kind: 'unusable', message };
}

function rejected(message: string): Request {
  return { kind: 'rejected', message };
}

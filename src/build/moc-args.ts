import type { Package } from './packages.ts';

/** What the flags given to the compiler mean, as far as a cache must know it. Paths and names are as given. */
export interface Invocation {
  /** The flags in the form given: they are part of the key so, because moc may care how they are written. */
  readonly flags: readonly string[];
  readonly packages: readonly Package[];
  /** Where `ic:` and `--actor-alias` look for Candid files. */
  readonly actorIdl?: string;
  readonly aliases: readonly ActorAlias[];
  /** The files of `--args` and `--args0`, in the order of reading. */
  readonly argsFiles: readonly string[];
  readonly migrationDir?: string;
  readonly stableBaseline?: string;
  /** Packages that are loaded whole: every one, those of the given names, or (without names) none. */
  readonly wholePackages: 'every' | readonly string[];
  /** `--map`: one more output, which holds the sources and the name of the wasm. */
  readonly sourceMap: boolean;
  /** Why what the compiler makes of these flags must not be cached. Names the flag. */
  readonly uncacheable?: string;
}

/** `import "canister:NAME"`: a principal whose Candid file lies under `--actor-idl`, or a Candid file of its own. */
export type ActorAlias =
  { readonly name: string; readonly principal: string } | { readonly name: string; readonly candid: string };

/**
 * Reads the flags that go to the compiler beside `-c --idl --stable-types -o OUT MAIN`.
 *
 * `readArgsFile` gives the text of a file named by `--args` or `--args0`, undefined where it cannot be read. What is not
 * in the table below is not understood, and what is not understood is not cached.
 */
export function parseMocArgs(flags: readonly string[], readArgsFile: (path: string) => string | undefined): Invocation {
  const found: Findings = { packages: [], aliases: [], argsFiles: [], wholePackages: [], sourceMap: false };
  const uncacheable = findIn(flags, readArgsFile, found);
  return { flags, ...found, ...(uncacheable === undefined ? {} : { uncacheable }) };
}

export interface MocCommand {
  readonly main: string;
  readonly packages: readonly Package[];
  /** What stands between the packages and the metadata flags: `[moc].args`, migrations, `[build].args`, ... */
  readonly flags: readonly string[];
  /** Where the wasm goes; the other outputs lie beside it. */
  readonly output: string;
}

/** The compiler's arguments in the order in which upstream gives them. */
export function mocCommandOf({ main, packages, flags, output }: MocCommand): readonly string[] {
  return [
    ...['-c', '--idl', '--stable-types', '-o', output, main],
    ...packages.flatMap(({ name, dir }) => ['--package', name, dir]),
    ...flags,
    ...['--public-metadata', 'candid:service', '--public-metadata', 'candid:args'],
  ];
}

/**
 * What a flag does to a build:
 * `changes` the artifacts; `tells` only more, less or other diagnostics; `names` inputs; `set` by every build anyway;
 * `departs` from a plain compile (another mode, another output), so that it is not ours to cache.
 */
type Effect = 'changes' | 'tells' | 'names' | 'set' | 'departs';

/** Every flag of moc 0.16 to 2.0, with the number of its arguments. */
const FLAGS: ReadonlyMap<string, { readonly effect: Effect; readonly arity: number }> = new Map(
  (
    [
      ['-c', 'set', 0],
      ['--idl', 'set', 0],
      ['--stable-types', 'set', 0],
      ['--public-metadata', 'set', 1],

      ['-g', 'changes', 0],
      ['--map', 'changes', 0],
      ['--release', 'changes', 0],
      ['--debug', 'changes', 0],
      ['--omit-metadata', 'changes', 1],
      ['-no-link', 'changes', 0],
      ['-no-timer', 'changes', 0],
      ['-no-system-api', 'changes', 0],
      ['-wasi-system-api', 'changes', 0],
      ['-ref-system-api', 'changes', 0],
      ['-measure-rts-stack', 'changes', 0],
      ['--sanity-checks', 'changes', 0],
      ['--stable-regions', 'changes', 0],
      ['--force-gc', 'changes', 0],
      ['--generational-gc', 'changes', 0],
      ['--incremental-gc', 'changes', 0],
      ['--compacting-gc', 'changes', 0],
      ['--copying-gc', 'changes', 0],
      ['--max-stable-pages', 'changes', 1],
      ['--experimental-stable-memory', 'changes', 1],
      ['--experimental-field-aliasing', 'changes', 0],
      ['--experimental-rtti', 'changes', 0],
      ['--experimental-multi-value', 'changes', 0],
      ['--rts-stack-pages', 'changes', 1],
      ['--trap-on-call-error', 'changes', 0],
      ['--enhanced-orthogonal-persistence', 'changes', 0],
      ['--legacy-persistence', 'changes', 0],
      ['-unguarded-enhanced-orthogonal-persistence', 'changes', 0],
      ['--stabilization-instruction-limit', 'changes', 1],
      ['--stable-memory-access-limit', 'changes', 1],
      ['-fshared-code', 'changes', 0],
      ['-fno-shared-code', 'changes', 0],
      ['--default-persistent-actors', 'changes', 0],
      ['--require-persistent-actors', 'changes', 0],
      ['--legacy-actors', 'changes', 0],
      ['--generate-view-queries', 'changes', 0],
      ['--implicit-derivation-depth', 'changes', 1],

      ['-A', 'tells', 1],
      ['-W', 'tells', 1],
      ['-E', 'tells', 1],
      ['-Werror', 'tells', 0],
      ['--hide-warnings', 'tells', 0],
      ['--error-detail', 'tells', 1],
      ['--error-recovery', 'tells', 0],
      ['--error-format', 'tells', 1],
      ['--print-source-on-error', 'tells', 0],
      ['--skip-gc-deprecation-warning', 'tells', 0],
      ['-no-check-ir', 'tells', 0],
      ['-v', 'tells', 0],
      ['-p', 'tells', 1],
      ['-dp', 'tells', 0],
      ['-dt', 'tells', 0],
      ['-dl', 'tells', 0],

      ['--package', 'names', 2],
      ['--actor-idl', 'names', 1],
      ['--actor-alias', 'names', 2],
      ['--actor-id-alias', 'names', 3],
      ['--actor-env-alias', 'names', 3],
      ['--args', 'names', 1],
      ['--args0', 'names', 1],
      ['--enhanced-migration', 'names', 1],
      ['--stable-baseline', 'names', 1],
      ['--all-libs', 'names', 0],
      ['--ai-errors', 'names', 0],
      ['--implicit-package', 'names', 1],

      ['-o', 'departs', 1],
      ['--emit-compiler-timings', 'departs', 1],
      ['--check', 'departs', 0],
      ['-r', 'departs', 0],
      ['-i', 'departs', 0],
      ['-iR', 'departs', 0],
      ['-t', 'departs', 0],
      ['-no-await', 'departs', 0],
      ['-no-async', 'departs', 0],
      ['--profile', 'departs', 0],
      ['--profile-file', 'departs', 1],
      ['--profile-line-prefix', 'departs', 1],
      ['--profile-field', 'departs', 1],
      ['--print-deps', 'departs', 0],
      ['--stable-compatible', 'departs', 2],
      ['--explain', 'departs', 1],
      ['--version', 'departs', 0],
      ['--warn-help', 'departs', 0],
      ['--help', 'departs', 0],
      ['-help', 'departs', 0],
    ] as const
  ).map(([flag, effect, arity]) => [flag, { effect, arity }]),
);

/** How many arguments a flag has; undefined where moc has no such flag. */
export function arityOf(flag: string): number | undefined {
  return FLAGS.get(flag)?.arity;
}

/** More words than any project has: a file that names itself by `--args` must end somewhere. */
const MAX_WORDS = 10_000;

type Findings = {
  -readonly [K in keyof Omit<Invocation, 'flags' | 'uncacheable'>]: Invocation[K];
} & { packages: Package[]; aliases: ActorAlias[]; argsFiles: string[] };

/** Collects what the flags name. Gives the reason where it had to stop. */
function findIn(
  flags: readonly string[],
  readArgsFile: (path: string) => string | undefined,
  found: Findings,
): string | undefined {
  const words = [...flags];
  for (let next = 0; next < words.length;) {
    const word = words[next] ?? '';
    if (next >= MAX_WORDS) return `${word}: more than ${MAX_WORDS} flags`;
    if (!word.startsWith('-')) return `"${word}" would be a second main file`;
    const given = splitFlag(word);
    const known = FLAGS.get(given.flag);
    if (known === undefined) return `the flag ${given.flag} is not known`;
    if (known.effect === 'departs') return `the flag ${given.flag} asks for more than a compile`;
    const inline = given.value === undefined ? 0 : 1;
    // moc would give the one value to each argument of the flag
    if (inline > known.arity || (inline === 1 && known.arity > 1)) return `the flag ${given.flag} takes no "=value"`;
    const end = next + 1 + known.arity - inline;
    if (end > words.length) return `the flag ${given.flag} lacks its value`;
    const values = given.value === undefined ? words.slice(next + 1, end) : [given.value];
    note(found, given.flag, values);
    next = end;
    if (given.flag !== '--args' && given.flag !== '--args0') continue;
    const [path = ''] = values;
    const text = readArgsFile(path);
    if (text === undefined) return `the file ${path} of ${given.flag} cannot be read`;
    words.splice(next, 0, ...(given.flag === '--args' ? linesOf(text) : piecesOf(text, '\0')));
  }
  return undefined;
}

function note(found: Findings, flag: string, [first = '', second = '', third = '']: readonly string[]): void {
  if (flag === '--package') found.packages.push({ name: first, dir: second });
  else if (flag === '--actor-idl') found.actorIdl = first;
  else if (flag === '--actor-alias') found.aliases.push({ name: first, principal: second });
  else if (flag === '--actor-id-alias' || flag === '--actor-env-alias')
    found.aliases.push({ name: first, candid: third });
  else if (flag === '--args' || flag === '--args0') found.argsFiles.push(first);
  else if (flag === '--enhanced-migration') found.migrationDir = first;
  else if (flag === '--stable-baseline') found.stableBaseline = first;
  else if (flag === '--map') found.sourceMap = true;
  else if (flag === '--all-libs' || flag === '--ai-errors') found.wholePackages = 'every';
  else if (flag === '--implicit-package' && found.wholePackages !== 'every')
    found.wholePackages = [...found.wholePackages, first];
}

/** A flag and what is joined to it by `=`. */
export function splitFlag(word: string): { readonly flag: string; readonly value?: string } {
  const equals = word.indexOf('=');
  return equals === -1 ? { flag: word } : { flag: word.slice(0, equals), value: word.slice(equals + 1) };
}

function linesOf(text: string): readonly string[] {
  return piecesOf(text, '\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

/** An empty line is a word, and an empty word a main file; only behind the last separator nothing is nothing. */
function piecesOf(text: string, separator: string): readonly string[] {
  const pieces = text.split(separator);
  return pieces.at(-1) === '' ? pieces.slice(0, -1) : pieces;
}

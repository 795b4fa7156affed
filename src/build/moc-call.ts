import { arityOf, parseMocArgs, splitFlag, type Invocation } from './moc-args.ts';
import type { ArtifactName } from './outcome.ts';

/** A whole command line of the compiler, as another program gives it, and understood. */
export interface MocCall {
  readonly kind: 'compile' | 'check' | 'print-deps' | 'stable-compatible';
  /** In the order given, which matters to the compiler. */
  readonly mains: readonly string[];
  /** The two files that `--stable-compatible` compares. */
  readonly signatures: readonly string[];
  /** What all other flags mean. */
  readonly invocation: Invocation;
  /** Of a compile: where the wasm goes, and what lies beside it afterwards. */
  readonly output?: CallOutput;
  /** The command line with another path for the output; as it is where there is none. */
  argsWith(output: string): readonly string[];
}

export interface CallOutput {
  /** As given. */
  readonly dir: string;
  /** The base name without `.wasm`. */
  readonly stem: string;
  readonly artifacts: readonly ArtifactName[];
}

/** A call that is not ours to answer, and why: it goes to the compiler as it is. */
export interface ForeignCall {
  readonly kind: 'foreign';
  readonly reason: string;
}

/**
 * Reads a command line. What is not understood to the last word is foreign: an unknown flag, the interpreter, a compile
 * without `-o` (whose output would lie where the caller stands), more than one mode.
 */
export function parseMocCall(
  argv: readonly string[],
  readArgsFile: (path: string) => string | undefined,
): MocCall | ForeignCall {
  const words = sortWords(argv);
  if (typeof words === 'string') return foreign(words);
  const { modes, mains, signatures, outputs, flags } = words;
  const texts: string[] = [];
  const invocation = parseMocArgs(flags, (path) => {
    const text = readArgsFile(path);
    if (text !== undefined) texts.push(text);
    return text;
  });
  if (invocation.uncacheable !== undefined) return foreign(invocation.uncacheable);
  if (texts.some((text) => text.split(/[\0\r\n]/).some((word) => MODES.has(word))))
    return foreign('a file of arguments names a mode');
  if (flags.some((word) => word === 'human' || word === '--error-format=human'))
    return foreign('what is made for eyes may depend on the terminal');
  const [mode = 'compile', ...otherModes] = modes;
  if (otherModes.length > 0) return foreign('it names more than one mode');
  if ((mode === 'stable-compatible') !== (mains.length === 0)) return foreign('the files do not fit the mode');
  if (mode === 'print-deps' && mains.length > 1) return foreign('--print-deps takes one file');
  const call = { kind: mode, mains, signatures, invocation };
  const [output, ...otherOutputs] = outputs;
  if (mode !== 'compile') return output === undefined ? { ...call, argsWith: () => argv } : foreign('-o in no compile');
  if (output === undefined || otherOutputs.length > 0) return foreign('a compile has one -o');
  // OCaml takes leading dots for no extension; what has another extension, or none, is not worth its rules.
  const [, dir = '', stem] = /^(.*\/)?([^./][^/]*)\.wasm$/s.exec(output.path) ?? [];
  if (stem === undefined) return foreign(`-o ${output.path} is no .wasm`);
  return {
    ...call,
    output: { dir: dir === '' ? '.' : dir, stem, artifacts: artifactsOf(flags, invocation) },
    argsWith: (path) => argv.with(output.at, output.joined ? `-o=${path}` : path),
  };
}

type Mode = MocCall['kind'];

/** The flags that choose a mode. `--idl` and `--stable-types` do too: they stand among the flags, with their meaning. */
const MODES: ReadonlyMap<string, Mode> = new Map([
  ['-c', 'compile'],
  ['--idl', 'compile'],
  ['--stable-types', 'compile'],
  ['--check', 'check'],
  ['--print-deps', 'print-deps'],
  ['--stable-compatible', 'stable-compatible'],
]);

interface Words {
  /** Each once. */
  readonly modes: readonly Mode[];
  readonly mains: readonly string[];
  readonly signatures: readonly string[];
  readonly outputs: readonly Output[];
  /** Everything else, in its order. */
  readonly flags: readonly string[];
}

interface Output {
  readonly path: string;
  /** Its place among the words. */
  readonly at: number;
  /** As `-o=PATH`. */
  readonly joined: boolean;
}

/** Tells files, modes and outputs from flags. Gives the reason where a word is not known. */
function sortWords(argv: readonly string[]): Words | string {
  const modes = new Set<Mode>();
  const mains: string[] = [];
  const signatures: string[] = [];
  const outputs: Output[] = [];
  const flags: string[] = [];
  for (let at = 0; at < argv.length;) {
    const word = argv[at] ?? '';
    if (word === '') return 'an empty word';
    if (!word.startsWith('-')) {
      mains.push(word);
      at += 1;
      continue;
    }
    const { flag, value } = splitFlag(word);
    const arity = arityOf(flag);
    if (arity === undefined) return `the flag ${flag} is not known`;
    const mode = MODES.get(flag);
    if (value !== undefined && mode !== undefined) return `the flag ${flag} takes no "=value"`;
    const end = at + 1 + (value === undefined ? arity : 0);
    if (end > argv.length) return `the flag ${flag} lacks its value`;
    if (mode !== undefined) modes.add(mode);
    if (flag === '-o') {
      outputs.push(
        value === undefined
          ? { path: argv[at + 1] ?? '', at: at + 1, joined: false }
          : { path: value, at, joined: true },
      );
    } else if (mode === 'stable-compatible') signatures.push(...argv.slice(at + 1, end));
    else if (mode === undefined || mode === 'compile') flags.push(...argv.slice(at, end));
    at = end;
  }
  return { modes: [...modes], mains, signatures, outputs, flags };
}

/** What a compile may leave: the signature of a program without stable types is not written. */
function artifactsOf(flags: readonly string[], { sourceMap }: Invocation): readonly ArtifactName[] {
  return [
    ...(flags.includes('--idl') ? (['did'] as const) : []),
    ...(flags.includes('--stable-types') ? (['most'] as const) : []),
    'wasm',
    ...(sourceMap ? (['wasm.map'] as const) : []),
  ];
}

function foreign(reason: string): ForeignCall {
  return { kind: 'foreign', reason };
}

import { resolve } from 'node:path';
import type { ActionKey } from '../cache/digest.ts';
import { keyOfCall, type CompilerIdentity, type Keyed } from './action.ts';
import { outsideClosure, readCallClosure } from './call-closure.ts';
import { filesOf, lackingFiles, troubleAt, type CallPlace } from './call-place.ts';
import type { Closure } from './closure.ts';
import { identifyCompiler, type CompilerFile } from './compiler-file.ts';
import { parseMocCall, type ForeignCall, type MocCall } from './moc-call.ts';
import { hiddenInput, mocVariablesOf, steersRuntime } from './moc-environment.ts';
import { normalise } from './moc-paths.ts';
import type { ArtifactName } from './outcome.ts';
import { openSources, type Sources } from './sources.ts';
import type { Obtained, Refs } from './stage.ts';

/** A call of the compiler by another program. */
export interface CallRequest {
  readonly argv: readonly string[];
  /** Where the caller stands. Absolute. */
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute path of the compiler. */
  readonly compiler: string;
  /** Where digests of big files are remembered. */
  readonly stampsDir: string | undefined;
}

/** A call, and everything that decides what the compiler does. */
export interface DescribedCall {
  readonly kind: 'described';
  readonly call: MocCall;
  readonly closure: Closure;
  readonly compiler: CompilerFile & { readonly environment: Readonly<Record<string, string>> };
  readonly identity: CompilerIdentity;
  readonly keyed: Keyed;
  /** Undefined where there are no files. */
  readonly place: CallPlace | undefined;
}

/** What the compiler did, or does whenever it is called so. */
export interface Answer {
  /** 0 or 1. */
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** The files that are not in their places already, by artifact. */
  readonly files: Readonly<Partial<Record<ArtifactName, Uint8Array>>>;
  readonly from: 'cache' | 'run';
  readonly key: ActionKey;
  /** All that was kept of it. */
  readonly refs: Refs;
}

/**
 * Reads all that a call depends on. Foreign is what the compiler has to be asked itself, in the caller's own folder; a
 * BuildError, or the system's error, means that too.
 */
export async function describeCall(request: CallRequest): Promise<DescribedCall | ForeignCall> {
  const { argv, cwd, environment, stampsDir } = request;
  const sources = openSources(cwd);
  const call = parseMocCall(argv, (path) => textAt(sources, path));
  if (call.kind === 'foreign') return call;
  const { output } = call;
  const place = output === undefined ? undefined : { ...output, dir: resolve(cwd, output.dir) };
  const odd = oddEnvironment(environment) ?? troubleAt(place);
  if (odd !== undefined) return { kind: 'foreign', reason: odd };
  const closure = await readCallClosure(call, cwd, sources);
  const outside = outsideClosure(closure, call, sources);
  if (outside !== undefined) return { kind: 'foreign', reason: outside };

  const compiler = { path: request.compiler, version: undefined, stampsDir, environment };
  const identity = await identifyForCall(compiler);
  const keyed = keyOfCall({
    compiler: identity,
    // Where the output goes is not in it, but for a source map, which holds the name.
    args: call.argsWith(call.invocation.sourceMap ? `${output?.stem ?? ''}.wasm` : 'out.wasm'),
    environment: mocVariablesOf(environment),
    closure,
  });
  return { kind: 'described', call, closure, compiler, identity, keyed, place };
}

/** A compiler that hides what it is has to be asked, which a hit else never does. */
export function identifyForCall(compiler: DescribedCall['compiler']): Promise<CompilerIdentity> {
  return identifyCompiler('moc', compiler, async () => (await import('./moc.ts')).askVersion(compiler));
}

/** The answer that a result gives. */
export function answerOf({ place }: DescribedCall, { refs, bytes, from, key }: Obtained): Answer {
  const names = from.kind === 'run' ? lackingFiles(place, refs) : Object.keys(filesOf(bytes));
  return {
    exitCode: refs.exit === undefined ? 0 : 1,
    stdout: bytes.stdout ?? NOTHING,
    stderr: bytes.stderr ?? NOTHING,
    files: Object.fromEntries(names.map((name) => [name, bytes[name] ?? NOTHING])),
    from: from.kind === 'run' ? 'run' : 'cache',
    key,
    refs,
  };
}

const NOTHING = new Uint8Array();
/** What the caller wants of the compiler beyond its outputs: traces, a random hash table, another run time system. */
function oddEnvironment(environment: Readonly<Record<string, string>>): string | undefined {
  return steersRuntime(environment) ? "the environment sets OCaml's run time" : hiddenInput(environment);
}

function textAt(sources: Sources, path: string): string | undefined {
  const found = sources.read(normalise(path));
  return found.kind === 'file' ? Buffer.from(found.file.bytes).toString('utf8') : undefined;
}

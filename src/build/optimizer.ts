import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, type Digest } from '../cache/digest.ts';
import type { CompilerIdentity } from './action.ts';
import type { Compiler } from './compiler.ts';
import { isWasm } from './difference.ts';
import { inSandbox, type SandboxJob } from './in-sandbox.ts';
import { openProgram, type MocOptions } from './moc.ts';
import { BuildError, type BuildEvent } from './outcome.ts';
import type { Project } from './project.ts';
import type { Made } from './stage.ts';

/** What makes the finished wasm smaller and faster where mops.toml has `[optimize]`: Binaryen's wasm-opt. */
export interface Optimizer {
  readonly identity: CompilerIdentity;
  /** Level, names, and `[optimize] args`, as upstream orders them. */
  readonly flags: readonly string[];
  /** The variables of the environment that it reads. */
  readonly variables: Readonly<Record<string, string>>;
  /** Program, pin and flags, as upstream writes them. */
  readonly label: string;
  /** Why what it makes must not be cached; undefined where it may be. */
  readonly uncacheable: string | undefined;
  /** Throws a BuildError: optimizer-rejects, optimizer-unusable, cancelled. */
  run(job: OptimizeJob): Promise<Made>;
}

export interface OptimizeJob extends Pick<SandboxJob<Made>, 'cache' | 'scratchDir' | 'signal'> {
  readonly canister: string;
  readonly wasm: Uint8Array;
  readonly emit: (event: BuildEvent) => void;
}

export interface OptimizerOptions extends MocOptions {
  readonly optimize: NonNullable<Project['optimize']>;
  /** As mops.toml has it. */
  readonly pin: string;
  /** The project's root, absolute. */
  readonly root: string;
  readonly signal?: AbortSignal | undefined;
}

/** Asks wasm-opt who it is. Throws a BuildError optimizer-unusable where it cannot be read or started. */
export async function openOptimizer(options: OptimizerOptions): Promise<Optimizer> {
  const { optimize, environment, root } = options;
  const program = openProgram('wasm-opt', options);
  const flags = flagsOf(optimize);
  const uncacheable = fileNamedIn(optimize.args);
  const identity = await asOptimizer(() => program.identify(options.signal));
  return {
    identity,
    flags,
    variables: Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('BINARYEN_'))),
    label: ['wasm-opt', options.pin, ...flags].join(' '),
    uncacheable,
    run: (job) =>
      inSandbox({
        ...job,
        staging: {
          closure: { inputs: [{ path: INPUT, bytes: job.wasm, digest: digestOf(job.wasm) }], absent: [] },
          dirs: [],
        },
        work: (sandbox) =>
          asOptimizer(() => runIn(sandbox.root, { program, identity, flags, uncacheable, root, environment }, job)),
      }),
  };
}

/** Always the same names, so that whatever it makes of them is the same for every canister. */
const INPUT = 'canister.wasm';
const OUTPUT = 'canister.wasm.opt';

function flagsOf({ level, keepNames, args }: OptimizerOptions['optimize']): readonly string[] {
  return [`-${level}`, ...(keepNames ? ['-g'] : []), ...args];
}

/**
 * Why flags may make wasm-opt read or write another file than the wasm: that file is in no key, and a folder of its own
 * does not have it.
 */
function fileNamedIn(args: readonly string[]): string | undefined {
  const odd = args.find((arg) => {
    const [, flag = '', value = ''] = /^(-{1,2}[\w-]+)(?:=([\w@.-]+))?$/.exec(arg) ?? [];
    if (flag === '') return !/^\d+$/.test(arg); // a bare word may be a file's name
    return value.includes('@@') || (value !== '' && FILE_FLAGS.has(flag));
  });
  return odd === undefined ? undefined : `[optimize] args: ${odd} may name a file`;
}

const FILE_FLAGS: ReadonlySet<string> = new Set([
  ...['-o', '--output', '-osm', '--output-source-map', '-ism', '--input-source-map', '--symbolmap', '--save-profile'],
  ...[
    '-if',
    '--initial-fuzz',
    '-esw',
    '--emit-spec-wrapper',
    '-ewc',
    '--emit-wasm2c-wrapper',
    '-ejw',
    '--emit-js-wrapper',
  ],
]);

interface Run {
  readonly program: Compiler;
  readonly identity: CompilerIdentity;
  readonly flags: readonly string[];
  readonly uncacheable: string | undefined;
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** In a folder that holds nothing but the wasm; in the project's root where a flag may name a file. */
async function runIn(folder: string, run: Run, job: OptimizeJob): Promise<Made> {
  const { program, flags, uncacheable, environment } = run;
  const { canister, emit, signal } = job;
  const at = (name: string) => (uncacheable === undefined ? name : join(folder, name));
  const args = [...flags, at(INPUT), '-o', at(OUTPUT)];
  emit({ kind: 'optimizing', canister, command: [program.path, ...args] });
  const cwd = uncacheable === undefined ? folder : run.root;
  const end = await program.compile({ cwd, args, environment, signal });
  emit({ kind: 'optimized', canister, durationMs: end.durationMs });
  const { path } = program;
  if (end.killedBy !== undefined) throw unusable(path, `it was killed by ${end.killedBy}`);
  if (end.exitCode !== 0) {
    const said = [end.stderr, end.stdout].map((bytes) => Buffer.from(bytes).toString('utf8').trim());
    throw new BuildError({
      kind: 'optimizer-rejects',
      ...{ canister, path, flags },
      exitCode: end.exitCode ?? 1,
      stderr: said.filter((text) => text !== '').join('\n'),
    });
  }
  const wasm = readOutput(join(folder, OUTPUT));
  if (wasm === undefined || !isWasm(wasm)) throw unusable(path, 'it ended with exit code 0 and wrote no wasm');
  const isUnchanged = await hasDigest(program, run.identity.digest, signal);
  if (!isUnchanged) emit({ kind: 'input-changed', canister, path });
  return { artifacts: { wasm }, costMs: end.durationMs, sound: uncacheable === undefined && isUnchanged };
}

function readOutput(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

/** A build may wait for long before it optimizes, and the program may be another by then. */
async function hasDigest(program: Compiler, digest: Digest, signal: AbortSignal): Promise<boolean> {
  return (await program.identify(signal)).digest === digest;
}

/** What goes wrong with a program that is started is said of the compiler: here it is another program. */
async function asOptimizer<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BuildError) || error.failure.kind !== 'compiler-unusable') throw error;
    const { path, code, detail } = error.failure;
    throw unusable(path, `${detail} (${code})`);
  }
}

function unusable(path: string, detail: string): BuildError {
  return new BuildError({ kind: 'optimizer-unusable', path, detail });
}

import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { digestOf } from '../cache/digest.ts';
import type { Context } from './context.ts';
import type { Closure } from './closure.ts';
import type { CompileEnd } from './compiler.ts';
import { isWasm } from './difference.ts';
import { inSandbox } from './in-sandbox.ts';
import type { StagedFolder } from './migrations.ts';
import { mocCommandOf, type Invocation } from './moc-args.ts';
import { environmentOf } from './moc-environment.ts';
import { BuildError, type ArtifactName } from './outcome.ts';
import { collectArtifacts, type Sandbox } from './sandbox.ts';
import type { Made } from './stage.ts';

/** One run of the compiler, described. */
export interface CompileJob {
  readonly context: Context;
  readonly canister: string;
  readonly flags: readonly string[];
  readonly invocation: Invocation;
  readonly closure: Closure;
  /** Migrations that are part of the closure, and not there in the real folder. */
  readonly staged: StagedFolder | undefined;
  /** Why the compiler has to see the real folder instead of the closure alone, or undefined. */
  readonly uncacheable: string | undefined;
  /** What the last run took, in milliseconds, where that is known. */
  readonly lastMs: number | undefined;
  readonly signal: AbortSignal;
}

/** The artifacts to ask the compiler for. */
export function outputsOf(invocation: Invocation): readonly ArtifactName[] {
  return invocation.sourceMap ? ['did', 'most', 'wasm', 'wasm.map'] : ['did', 'most', 'wasm'];
}

/**
 * Runs the compiler once, in a fresh process and a sandbox of its own. What it printed is kept as the artifacts `stdout`
 * and `stderr`, byte for byte. Throws a BuildError where the compiler rejects the program or does not do its work.
 */
export function compile(job: CompileJob): Promise<Made> {
  const { closure, context, invocation, signal } = job;
  // A folder that the project lacks is lacking here too: the compiler has something to say about it.
  const dirs = [...closure.folders, ...(invocation.actorIdl === undefined ? [] : [invocation.actorIdl])];
  const { cache, scratchDir } = context;
  return inSandbox({
    ...{ cache, scratchDir, signal },
    staging: { closure, dirs },
    work: (sandbox) => runCompiler(sandbox, job),
  });
}

async function runCompiler(sandbox: Sandbox, job: CompileJob): Promise<Made> {
  const { context, canister, closure, invocation } = job;
  const command = mocCommandOf({
    main: closure.main,
    packages: context.packages,
    flags: job.flags,
    output: join(sandbox.out, `${canister}.wasm`),
  });
  context.emit({ kind: 'compiling', canister, command: [context.compiler.path, ...command], lastMs: job.lastMs });
  const inFolder = (cwd: string) => () =>
    context.compiler.compile({
      cwd,
      args: command,
      environment: environmentOf(context.environment),
      signal: job.signal,
    });
  const end = await (job.uncacheable === undefined
    ? inFolder(sandbox.root)()
    : withFolders(job, inFolder(context.project.root)));
  context.emit({ kind: 'compiled', canister, durationMs: end.durationMs });
  judge(job, end);
  const artifacts = collectArtifacts(sandbox.out, canister, outputsOf(invocation));
  for (const name of ['wasm', 'did'] as const) {
    if (artifacts[name] === undefined) {
      throw new BuildError({ kind: 'no-output', canister, artifact: name, diagnostics: diagnosticsOf(end) });
    }
  }
  if (artifacts.wasm === undefined || !isWasm(artifacts.wasm)) {
    throw new BuildError({ kind: 'bad-wasm', canister, message: 'it does not begin as WebAssembly does' });
  }
  const changed = changedOutside(closure) ?? (await changedCompiler(context));
  if (changed !== undefined) context.emit({ kind: 'input-changed', canister, path: changed });
  return {
    artifacts: { ...artifacts, stdout: end.stdout, stderr: end.stderr },
    costMs: end.durationMs,
    sound: changed === undefined && job.uncacheable === undefined,
  };
}

/** Works in the real folder, with the migrations in it that the closure alone has. */
async function withFolders<T>({ context, canister, staged, signal }: CompileJob, work: () => Promise<T>): Promise<T> {
  if (staged === undefined) return work();
  const { withMigrationsStaged } = await import('./stage-migrations.ts');
  const { cache, project } = context;
  return withMigrationsStaged({ cache, root: project.root, label: canister, signal }, staged, work);
}

function judge(job: CompileJob, end: CompileEnd): void {
  const { canister, closure } = job;
  if (end.killedBy !== undefined) {
    throw new BuildError({ kind: 'compiler-killed', canister, signal: end.killedBy, diagnostics: diagnosticsOf(end) });
  }
  if (end.exitCode !== 0) {
    throw new BuildError({
      kind: 'rejected',
      canister,
      exitCode: end.exitCode ?? 1,
      stdout: textOf(end.stdout),
      stderr: textOf(end.stderr),
      missing: closure.missing,
    });
  }
}

/** The first path outside the sandbox that is no longer what the key says: the compiler may have seen either. */
export function changedOutside(closure: Closure): string | undefined {
  const changed = closure.inputs.find(({ path, digest }) => {
    if (!isAbsolute(path)) return false;
    try {
      return digestOf(readFileSync(path)) !== digest;
    } catch {
      return true;
    }
  });
  return changed?.path ?? closure.absent.find((path) => isAbsolute(path) && existsSync(path));
}

/** Its path, where the compiler is no longer the one in the key: a build may wait for long before it compiles. */
async function changedCompiler({ compiler, identity, signal }: Context): Promise<string | undefined> {
  const now = await compiler.identify(signal);
  return now.digest === identity.digest && now.version === identity.version ? undefined : compiler.path;
}

function diagnosticsOf(end: CompileEnd): string {
  return textOf(end.stderr) + textOf(end.stdout);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

import type { CompilerIdentity } from './action.ts';

/**
 * PORT: whatever turns a main file and its imports into artifacts.
 *
 * Each `compile` is one fresh process: a compiler that runs twice in one process numbers its fresh names on and gives
 * other bytes (invariant 11).
 */
export interface Compiler {
  /** Absolute path of what is started. */
  readonly path: string;
  /** Throws a BuildError where the compiler cannot be read. */
  identify(signal?: AbortSignal): Promise<CompilerIdentity>;
  /** What it says of its version. Throws as `identify` does. */
  askVersion?(signal?: AbortSignal): Promise<string>;
  /** Throws a BuildError where the compiler cannot be started; every other end is a value. */
  compile(run: CompileRun): Promise<CompileEnd>;
}

export interface CompileRun {
  readonly cwd: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Stops the compiler and all that it started. */
  readonly signal?: AbortSignal | undefined;
}

/** How a run ended. Exactly one of `exitCode` and `killedBy` is set. `durationMs` is wall time. */
export interface CompileEnd {
  readonly exitCode: number | undefined;
  readonly killedBy: string | undefined;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly durationMs: number;
}

import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { existsSync } from '../cache/disk.ts';
import { spoilSurvey } from '../cache/sights.ts';
import { identifyCompiler, onDisk, type CompilerFile } from './compiler-file.ts';
import type { CompileEnd, CompileRun, Compiler } from './compiler.ts';
import { BuildError } from './outcome.ts';
import { STARTS_GROUPS, stopWith } from './process-group.ts';

export interface MocOptions extends CompilerFile {
  readonly environment: Readonly<Record<string, string>>;
}

/** The compiler as an executable: native moc, moc-js, or any script that stands for one. */
export function openMoc(options: MocOptions): Compiler {
  return openProgram('moc', options);
}

/** Another program that turns files into files, and that is what its bytes are. */
export function openProgram(name: string, options: MocOptions): Compiler {
  return {
    path: options.path,
    identify: (signal) => identifyCompiler(name, options, () => askVersion(options, signal)),
    askVersion: (signal) => askVersion(options, signal),
    compile: (run) => runCompiler(options.path, run),
  };
}

/** What the compiler says of its version. */
export async function askVersion({ path, environment }: MocOptions, signal?: AbortSignal): Promise<string> {
  spoilSurvey(); // what it answers is nowhere on the disk
  const end = await runCompiler(path, { cwd: dirname(path), args: ['--version'], environment, signal });
  return Buffer.from(end.stdout).toString('utf8').trim();
}

function runCompiler(path: string, run: CompileRun): Promise<CompileEnd> {
  return new Promise((done, fail) => {
    const started = performance.now();
    // A process group of its own: a pinned moc may be a shell script, and stopping it must stop what it started.
    // Some errors are thrown here (an executable that is being written), others come as an event.
    const child = onDisk(path, () =>
      spawn(path, run.args, {
        cwd: run.cwd,
        env: run.environment,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: STARTS_GROUPS,
      }),
    );
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    // The types hide that there are none where no file handle was left for them; then the error follows.
    const streams: readonly (Readable | undefined)[] = [child.stdout, child.stderr];
    streams[0]?.on('data', (bytes: Buffer) => stdout.push(bytes));
    streams[1]?.on('data', (bytes: Buffer) => stderr.push(bytes));

    const settle = stopWith(child, run.signal);
    child.once('error', (error: NodeJS.ErrnoException) => {
      settle();
      const { code = 'unknown', message } = error;
      // The system means the interpreter of a script by that, and says only the script's name.
      const isScript = code === 'ENOENT' && existsSync(path);
      const detail = isScript ? 'the file is there; the program that its first line names is not' : message;
      fail(new BuildError({ kind: 'compiler-unusable', path, code, detail }));
    });
    child.once('close', (exitCode, killedBy) => {
      settle();
      if (run.signal?.aborted === true) {
        fail(new BuildError({ kind: 'cancelled' }));
        return;
      }
      done({
        exitCode: exitCode ?? undefined,
        killedBy: killedBy ?? undefined,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr),
        durationMs: performance.now() - started,
      });
    });
  });
}

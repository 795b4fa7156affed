import { spawn } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { digestOf, type Digest } from '../cache/digest.ts';
import { existsSync, realpathSync, resolveModule } from '../cache/disk.ts';
import { spoilSurvey } from '../cache/sights.ts';
import { digestOfFile } from '../cache/stamps.ts';
import type { CompilerIdentity } from './action.ts';
import type { CompileEnd, CompileRun, Compiler } from './compiler.ts';
import { BuildError } from './outcome.ts';

export interface MocOptions {
  /** Absolute path of the executable. */
  readonly path: string;
  /** The version that mops.toml pins; undefined for a pin by path. */
  readonly version: string | undefined;
  /** Where digests of big files are remembered; undefined: they are computed anew. */
  readonly stampsDir: string | undefined;
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
    identify: (signal) => identify(name, options, signal),
    askVersion: (signal) => askVersion(options, signal),
    compile: (run) => runCompiler(options.path, run),
  };
}

/**
 * A binary is what its bytes are. A script is its own bytes and those of the files it runs, if it names them; a script
 * that names none could run anything, so it is asked for its version each time, which notices an upgrade behind it.
 */
async function identify(name: string, options: MocOptions, signal: AbortSignal | undefined): Promise<CompilerIdentity> {
  const parts: Digest[] = [];
  const opaque = collectParts(options.path, options.stampsDir, parts, new Set());
  const version = options.version ?? (opaque ? await askVersion(options, signal) : '');
  const [only] = parts;
  const digest = parts.length === 1 && only !== undefined ? only : digestOf(parts.join('\n'));
  return { name, version, digest };
}

/** Adds the digest of a file and of what it declares to run. True where a script declares nothing. */
function collectParts(path: string, stampsDir: string | undefined, parts: Digest[], seen: Set<string>): boolean {
  const real = onDisk(path, () => realpathSync(path));
  if (seen.has(real)) return false;
  seen.add(real);
  parts.push(onDisk(real, () => digestOfFile(real, stampsDir)));
  const head = onDisk(real, () => readHead(real));
  const declared = declaredInputsOf(head);
  let opaque = head.startsWith('#!') && declared.length === 0;
  for (const specifier of declared) {
    const file = onDisk(real, () => resolveFrom(real, specifier));
    opaque = collectParts(file, stampsDir, parts, seen) || opaque;
  }
  return opaque;
}

/** The files that a script says it runs: comment lines `moccache-compiler-input: SPECIFIER` in its first 4 KiB. */
function declaredInputsOf(head: string): readonly string[] {
  return [...head.matchAll(/^\s*(?:#|\/\/)\s*moccache-compiler-input:\s*(\S+)\s*$/gm)].map((match) => match[1] ?? '');
}

function resolveFrom(script: string, specifier: string): string {
  if (specifier.startsWith('.') || isAbsolute(specifier)) return resolve(dirname(script), specifier);
  return resolveModule(script, specifier);
}

function readHead(path: string): string {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(4096);
    return head.toString('latin1', 0, readSync(file, head, 0, head.length, 0));
  } finally {
    closeSync(file);
  }
}

function onDisk<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error; // a bug, not the disk
    throw new BuildError({ kind: 'compiler-unusable', path, code, detail: message });
  }
}

async function askVersion({ path, environment }: MocOptions, signal: AbortSignal | undefined): Promise<string> {
  spoilSurvey(); // what it answers is nowhere on the disk
  const end = await runCompiler(path, { cwd: dirname(path), args: ['--version'], environment, signal });
  return Buffer.from(end.stdout).toString('utf8').trim();
}

/** How long a compiler that was asked to stop may take before it is killed, in milliseconds. */
const GRACE_MS = 2_000;

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
        detached: process.platform !== 'win32',
      }),
    );
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    // The types hide that there are none where no file handle was left for them; then the error follows.
    const streams: readonly (Readable | undefined)[] = [child.stdout, child.stderr];
    streams[0]?.on('data', (bytes: Buffer) => stdout.push(bytes));
    streams[1]?.on('data', (bytes: Buffer) => stderr.push(bytes));

    const kill = (signal: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined && process.platform !== 'win32') process.kill(-child.pid, signal);
        else child.kill(signal);
      } catch {
        // the group is gone already
      }
    };
    let killer: NodeJS.Timeout | undefined;
    const stop = () => {
      kill('SIGTERM');
      killer = setTimeout(() => kill('SIGKILL'), GRACE_MS);
    };
    const killNow = () => kill('SIGKILL');
    if (run.signal?.aborted === true) stop();
    run.signal?.addEventListener('abort', stop, { once: true });
    process.once('exit', killNow); // whoever exits in the middle leaves no compiler behind

    const settle = () => {
      clearTimeout(killer);
      run.signal?.removeEventListener('abort', stop);
      process.removeListener('exit', killNow);
    };
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

import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import type { Cache, FailureSharing } from '../cache/cache.ts';
import { actionKeyOf } from '../cache/digest.ts';
import { checkExecutable, statSync } from '../cache/disk.ts';
import { LOOKS_LIKE_PATH } from './dependency.ts';
import type { IcMops } from './ic-mops.ts';
import { BuildError, type BuildEvent, type Failure, type Tool } from './outcome.ts';
import type { Resolution } from './packages.ts';

export interface InstallOptions {
  /** The project's root, absolute: upstream reads the mops.toml there. */
  readonly root: string;
  readonly icMops: IcMops | undefined;
  /** The user's. */
  readonly environment: Readonly<Record<string, string>>;
  /** Lets one of many processes do the work. Without it each does it, and upstream keeps them from harm. */
  readonly cache?: Pick<Cache, 'withLease'>;
  /** Why nothing may be installed: what is not there is then missing. */
  readonly noInstall?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: BuildEvent) => void) | undefined;
}

/** `look` touches nothing; `copy` takes into the project what mops's global cache has. */
export type Resolve = (how: 'look' | 'copy') => Promise<Resolution>;

/**
 * Sees to what a resolution misses, once for all processes that miss it: from mops's global cache, else with ic-mops,
 * and resolves again. Gives back the first resolution that misses nothing. Throws a BuildError: package-missing where
 * ic-mops is not there or did not help; cancelled.
 */
export async function installMissing(
  found: Resolution,
  resolve: Resolve,
  options: InstallOptions,
): Promise<Resolution> {
  if (found.missing.length === 0) return found;
  return await alone(
    options,
    `packages ${options.root}`,
    async () => {
      const again = await resolve('look');
      return again.missing.length === 0 ? again : undefined;
    },
    async () => {
      const copied = await resolve('copy');
      if (copied.missing.length === 0) return copied;
      if (options.noInstall !== undefined) throw missing(copied, options.noInstall);
      if (options.icMops === undefined) throw missing(copied, 'ic-mops, which installs packages, was not found');
      const what = copied.missing.map(({ id }) => id).join(', ');
      const run = await runIcMops(installArgs(options.icMops), { ...options, what });
      const after = await resolve('copy');
      if (after.missing.length > 0) throw missing(after, run.detail);
      return after;
    },
  );
}

/** The failure names the first package that is missing; its detail names the others. */
function missing({ missing: [first, ...others] }: Resolution, detail: string): BuildError {
  if (first === undefined) throw new Error('nothing is missing');
  const more = others.length === 0 ? '' : `\nalso missing: ${others.map(({ id }) => id).join(', ')}`;
  return new BuildError({ kind: 'package-missing', ...first, detail: detail + more });
}

/**
 * Neither the toolchain nor mops.lock is touched by the versions that let one say so. Before version 3 the command
 * would otherwise also edit the user's shell start-up files where CI is set, and follow a lock that leaves out
 * manifests which resolving needs.
 */
function installArgs(icMops: IcMops | undefined): readonly string[] {
  return ['install', '--no-toolchain', ...(isBefore3(icMops) ? ['--lock', 'ignore'] : [])];
}

function isBefore3(icMops: IcMops | undefined): boolean {
  return /^[012]\./.test(icMops?.version ?? '');
}

export interface ToolOptions extends InstallOptions {
  /** What `[toolchain]` says. */
  readonly pin: string;
  /** Where mops keeps toolchains (`MopsDirs.toolchains`), absolute. */
  readonly toolchainsDir: string;
}

/**
 * A tool that mops.toml pins, as an absolute path to something that can be run. A version that is not on this machine is
 * fetched by ic-mops. Throws a BuildError: compiler-missing, tool-missing, cancelled.
 */
export async function findTool(tool: 'moc' | Tool, options: ToolOptions): Promise<string> {
  const { pin, root, toolchainsDir } = options;
  const isPath = LOOKS_LIKE_PATH.test(pin);
  const path = isPath ? resolve(root, pin) : join(toolchainsDir, tool, pin, ...PLACES[tool]);
  const problem = problemWith(path);
  if (problem === undefined) return path;
  const failure = (detail: string) =>
    new BuildError(
      tool === 'moc'
        ? { kind: 'compiler-missing', pin, path, detail }
        : { kind: 'tool-missing', tool, pin, path, detail },
    );
  if (isPath || problem !== ABSENT) throw failure(problem);
  if (options.noInstall !== undefined) throw failure(options.noInstall);
  const { icMops } = options;
  if (icMops === undefined)
    throw failure(`ic-mops, which fetches ${tool === 'moc' ? 'compilers' : 'it'}, was not found`);
  if (tool === 'wasm-opt' && isBefore3(icMops)) {
    throw failure(`ic-mops ${icMops.version ?? ''} does not know wasm-opt; ic-mops 3 and later fetch it`);
  }
  return await alone(
    options,
    `${tool} ${pin}`,
    () => Promise.resolve(problemWith(path) === undefined ? path : undefined),
    async () => {
      // Prints where the tool is and fetches it first. With CI set, versions before 3 would edit the user's shell
      // start-up files as well.
      const environment = Object.fromEntries(Object.entries(options.environment).filter(([name]) => name !== 'CI'));
      const run = await runIcMops(['toolchain', 'bin', tool], { ...options, environment, what: `${tool} ${pin}` });
      if (problemWith(path) !== undefined) throw failure(run.detail);
      return path;
    },
  );
}

/** The compiler. Throws as findTool does. */
export function findCompiler(options: ToolOptions): Promise<string> {
  return findTool('moc', options);
}

/** Where an executable lies in the folder of its version. */
const PLACES = { moc: ['moc'], 'wasm-opt': ['bin', 'wasm-opt'], 'pocket-ic': ['pocket-ic'] } as const;

const ABSENT = 'there is no such file';

function problemWith(path: string): string | undefined {
  try {
    const stats = statSync(path);
    if (stats === undefined) return ABSENT;
    if (!stats.isFile()) return 'it is not a file';
    checkExecutable(path);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') return ABSENT;
    return code === 'EACCES' ? 'it is not executable' : `it cannot be looked at (${code})`;
  }
}

/** Under a lease, so that one of many processes does it. A failure is theirs too who waited for it. */
async function alone<T>(
  { cache, signal }: InstallOptions,
  what: string,
  lookAgain: () => Promise<T | undefined>,
  work: () => Promise<T>,
): Promise<T> {
  if (cache === undefined) return await work();
  try {
    const key = actionKeyOf(`install ${what}`);
    return (await cache.withLease(key, `installing ${what}`, lookAgain, work, { signal, failures: FAILURES })).value;
  } catch (error) {
    if (signal?.aborted === true) throw new BuildError({ kind: 'cancelled' });
    throw error;
  }
}

const FAILURES: FailureSharing = {
  write: (error) =>
    error instanceof BuildError && error.failure.kind !== 'cancelled' ? JSON.stringify(error.failure) : undefined,
  read: (text) => new BuildError(JSON.parse(text) as Failure),
};

/** Runs ic-mops to its end, in the project. `detail` is what to tell the user if it turns out not to have helped. */
async function runIcMops(
  args: readonly string[],
  options: InstallOptions & { readonly what: string },
): Promise<{ readonly detail: string }> {
  const command = [...(options.icMops?.command ?? []), ...args];
  options.onEvent?.({ kind: 'installing', what: options.what, command });
  const [file = '', ...rest] = command;
  const printed: Buffer[] = [];
  const end = await new Promise<string>((settle) => {
    const child = spawn(file, rest, {
      cwd: options.root,
      env: options.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    // The types hide that there are none where no file handle was left for them; then the error follows.
    const streams: readonly (Readable | undefined)[] = [child.stdout, child.stderr];
    for (const stream of streams) stream?.on('data', (chunk: Buffer) => printed.push(chunk));
    child.on('error', (error) => settle(`it could not be run: ${error.message}`));
    child.on('close', (code, signal) =>
      settle(code === null ? `it was ended by ${signal ?? 'a signal'}` : `it ended with exit code ${code}`),
    );
  });
  if (options.signal?.aborted === true) throw new BuildError({ kind: 'cancelled' });
  const output = stripVTControlCharacters(Buffer.concat(printed).toString('utf8'));
  return { detail: [...tellingLines(output), end].join('\n') };
}

/**
 * The end of what was printed. Offline, ic-mops prints screens of stack traces that end in brackets: of such output the
 * headlines of the errors say most.
 */
export function tellingLines(output: string): readonly string[] {
  const lines = output.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  if (!lines.some((line) => STACK_FRAME.test(line))) return lines.slice(-8);
  const headlines = lines.map((line) => line.trim()).filter((line) => HEADLINE.test(line));
  return [...new Set(headlines)].slice(-3);
}

const STACK_FRAME = /^\s+at \S/;
const HEADLINE = /^(?:[\w.]*(?:Error|ERROR|Warning)\b|HTTP \d{3}\b)/;

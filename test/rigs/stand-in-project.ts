import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '..', '..');

/** The stand-in compiler's source; copied into each project, because what it is decides keys. */
const STAND_IN = join(import.meta.dirname, 'stand-in-moc.cjs');

/**
 * The CLI as it is now, in a folder of this test file's own: dist/ may be built anew while the test runs. It lies in the
 * repository, so that ic-mops is found from it.
 */
const release = copyOfRelease();
afterAll(() => rmSync(release, { recursive: true, force: true }));

export const MOPS = join(release, 'dist', 'mops.cjs');
export const MOCCACHE = join(release, 'dist', 'moccache.cjs');
export const WRAPPER = join(release, 'dist', 'moccache-moc.cjs');

function copyOfRelease(): string {
  const cache = join(REPOSITORY, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'stand-in-'));
  chmodSync(folder, 0o755); // one test is another user
  mkdirSync(join(folder, 'dist'));
  const names = readdirSync(join(REPOSITORY, 'dist')).filter((name) => name.endsWith('.cjs'));
  for (const name of names) copyFileSync(join(REPOSITORY, 'dist', name), join(folder, 'dist', name));
  copyFileSync(join(REPOSITORY, 'package.json'), join(folder, 'package.json'));
  return folder;
}

/** How a process ended. */
export interface Ended {
  /** 128 and the signal's number where a signal ended it, as a shell has it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has printed so far. */
  said(): string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly uid?: number;
  /** Another program than the CLI. */
  readonly command?: readonly string[];
}

/** A project in a folder of the test's own, with a home and a cache of its own, and the stand-in as its compiler. */
export interface Scene {
  /** Holds all that follows. Real path. */
  readonly base: string;
  readonly root: string;
  /** `.mops/.build` in the root. */
  readonly out: string;
  /** The store. */
  readonly store: string;
  readonly env: Readonly<Record<string, string>>;
  /** Files of the project; undefined deletes. */
  put(files: Readonly<Record<string, string | Uint8Array | undefined>>): void;
  /** Runs the CLI to its end. */
  mops(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Starts the CLI. */
  start(args: readonly string[], options?: RunOptions): Running;
  /** Starts of the compiler so far: their process ids. */
  starts(): readonly number[];
  /** Files under a folder (default: the outputs), by relative path, as digests. */
  files(dir?: string): Readonly<Record<string, string>>;
  /** What must not be left behind when no build runs: in the store, among the outputs and in the folder for temporary files. */
  litter(): readonly string[];
}

export const CANISTER_A = {
  'src/A.mo': 'import Lib "./Lib";\nactor { }\n',
  'src/Lib.mo': 'module { }\n',
};

/** A scene with one canister `a`, or with what `files` has. Gone, with all processes in it, when the test is over. */
export function scene(files: Readonly<Record<string, string | Uint8Array | undefined>> = {}): Scene {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'moccache-scene-')));
  const root = join(base, 'project');
  const out = join(root, '.mops', '.build');
  const store = join(base, 'cache', 'mops', 'builds');
  const countFile = join(base, 'starts');
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: join(base, 'home'),
    XDG_CACHE_HOME: join(base, 'cache'),
    XDG_CONFIG_HOME: join(base, 'config'),
    TMPDIR: join(base, 'tmp'),
    MOPS_REGISTRY_HOST: 'http://127.0.0.1:9', // refused: nothing leaves this machine
    COUNT_FILE: countFile,
  };
  const children = new Set<ChildProcess>();
  onTestFinished(() => {
    for (const child of children) child.kill('SIGKILL');
    for (const pid of starts()) killQuietly(pid);
    removeAll(base);
  });

  const put: Scene['put'] = (changed) => {
    for (const [path, content] of Object.entries(changed)) {
      const file = join(root, path);
      if (content === undefined) rmSync(file, { recursive: true, force: true });
      else {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, content);
      }
    }
  };
  const starts = () => (existsSync(countFile) ? linesOf(readFileSync(countFile, 'utf8')).map(parseInt10) : []);
  const start: Scene['start'] = (args, options = {}) => {
    const [command = '', ...leading] = options.command ?? [process.execPath, MOPS];
    const child = spawn(command, [...leading, ...args], {
      cwd: options.cwd ?? root,
      env: definedOf({ ...env, ...options.env }),
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    children.add(child);
    return runningOf(child, () => children.delete(child));
  };

  for (const dir of [root, env.HOME, env.TMPDIR]) mkdirSync(dir, { recursive: true });
  writeFileSync(join(base, 'package.json'), '{}'); // else one further up says what kind of script the stand-in is
  put({ 'mops.toml': tomlOf({ a: 'src/A.mo' }), ...CANISTER_A, ...files });
  putCompiler(join(root, 'moc'));
  return {
    ...{ base, root, out, store, env, put, starts, start },
    mops: (args, options) => start(args, options).ended,
    files: (dir = out) => filesIn(dir),
    litter: () => [...litterIn(store), ...litterIn(out), ...litterIn(env.TMPDIR)],
  };
}

/** A mops.toml with the stand-in as compiler. `more` follows the table of canisters. */
export function tomlOf(canisters: Readonly<Record<string, string>>, more = ''): string {
  const rows = Object.entries(canisters).map(([name, main]) => `${JSON.stringify(name)} = ${JSON.stringify(main)}`);
  return ['[toolchain]', 'moc = "./moc"', '', '[canisters]', ...rows, more, ''].join('\n');
}

/** Puts the stand-in at a path whose base name is `moc`. */
function putCompiler(path: string): void {
  if (basename(path) !== 'moc') throw new Error('the stand-in names itself as ./moc');
  copyFileSync(STAND_IN, path);
  chmodSync(path, 0o755);
}

/** Puts a compiler that is a shell script, which starts the stand-in and waits for it. */
export function putShellCompiler(path: string): void {
  const real = join(dirname(path), 'real', 'moc');
  mkdirSync(dirname(real), { recursive: true });
  putCompiler(real);
  const script = '#!/bin/sh\n# moccache-compiler-input: ./real/moc\n"$(dirname "$0")/real/moc" "$@"\nexit $?\n';
  writeFileSync(path, script, { mode: 0o755 });
}

/** Waits until something is so that `running` brings about. Looks often; fails when that has ended without. */
export async function until(isSo: () => boolean, running: Running): Promise<void> {
  while (!isSo()) {
    const { exitCode, signalCode } = running.child;
    const isOver = exitCode !== null || signalCode !== null;
    if (isOver && !isSo()) throw new Error(`it ended before: ${JSON.stringify(await running.ended)}`);
    await new Promise((next) => setTimeout(next, 5));
  }
}

export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A process that has ended and that nobody has asked for is there too, in name.
  return !/\) [ZX] /.test(statTextOf(pid));
}

function statTextOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return process.platform === 'linux' ? ') X ' : '';
  }
}

function runningOf(child: ChildProcess, onEnd: () => void): Running {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => {
      onEnd();
      const said = stdout + stderr;
      // True of every run in every test: whatever goes wrong, the user never sees our insides.
      if (/internal error|^ {4}at /m.test(said)) fail(new Error(`a stack trace was printed:\n${said}`));
      else done({ code: code ?? 128 + numberOf(signal), stdout, stderr });
    });
  });
  ended.catch(() => undefined); // whoever awaits it is told
  return { child, ended, said: () => stdout + stderr };
}

const NUMBERS: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

function numberOf(signal: NodeJS.Signals | null): number {
  return NUMBERS[signal ?? ''] ?? 0;
}

function filesIn(dir: string): Record<string, string> {
  if (!existsSync(dir)) return {};
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
  const files = paths.filter((path) => !lstatSync(join(dir, path)).isDirectory());
  return Object.fromEntries(files.map((path) => [path, sha256(readFileSync(join(dir, path)))]));
}

/** Sandboxes, leases and locks in hand, files that were never renamed. */
function litterIn(dir: string): readonly string[] {
  if (!existsSync(dir)) return [];
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => LITTER.test(path));
}

const LITTER = /^(?:sandbox|tmp|lease|moccache-\d+)\/.|^stamps\/.*-|\.(?:tmp|old|lock|break)$/;

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

function parseInt10(text: string): number {
  return Number.parseInt(text, 10);
}

function definedOf(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function killQuietly(pid: number): void {
  try {
    // Only the stand-in of a scene: a process id may have gone to somebody else since.
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('moccache-scene-')) process.kill(pid, 'SIGKILL');
  } catch {
    // ended before
  }
}

/** A collection that a build has started may be writing there still; rmSync tries no more than the last step again. */
function removeAll(dir: string): void {
  for (let left = 50; existsSync(dir); left -= 1) {
    try {
      execFileSync('chmod', ['-R', 'u+rwX', dir], { stdio: 'ignore' });
      rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
    } catch (error) {
      if (left === 0) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
}

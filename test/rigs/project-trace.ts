import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { buildOurs, cacheOf, type BuiltCanister } from './project-build.ts';
import type { Checkout } from './project-checkout.ts';
import type { Tools } from './project-tools.ts';

/** What the compiler asked the system for during one compile. Each once, in code-unit order. */
export interface Trace {
  /** Files below the folder in which it ran, opened and read. Relative, folded. */
  readonly opened: readonly string[];
  /** Files and folders below that folder that it asked for and that were not there. Relative, folded. */
  readonly absent: readonly string[];
  /** Files by absolute path: its own, and those of the system. */
  readonly elsewhere: readonly string[];
}

/** The document of a compile, as far as it speaks of the disk. */
export interface Recorded {
  readonly inputs: readonly string[];
  readonly absent: readonly string[];
}

export interface TracedCompile {
  readonly canister: BuiltCanister;
  readonly trace: Trace;
  readonly recorded: Recorded;
}

const STRACE = 'strace';

/** Whether programs can be watched here. */
export function canTrace(): boolean {
  try {
    execFileSync(STRACE, ['-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Runs our `mops build` under strace and pairs each compile with what its document says. */
export async function traceBuild(tools: Tools, checkout: Checkout): Promise<readonly TracedCompile[]> {
  const logs = mkdtempSync(join(checkout.top, 'strace-'));
  const calls = 'trace=openat,open,statx,newfstatat,stat,lstat,access,readlink';
  const under = [STRACE, '-ff', '-y', '-s', '4096', '-e', calls, '-o', join(logs, 'task')];
  const { canisters } = await buildOurs(tools, checkout, { under });
  const questions = readdirSync(logs).flatMap((name) => questionsIn(readFileSync(join(logs, name), 'utf8')));
  const cache = cacheOf(checkout);
  const traced = canisters.map(async (canister) => {
    const own = questions.filter(({ path }) => path.endsWith(`/out/${canister.canister}.wasm`));
    const sandbox = own.find(({ cwd }) => /\/sandbox\/[^/]+\/in\//.test(cwd))?.cwd;
    const { compileKey } = canister;
    if (sandbox === undefined || compileKey === undefined)
      throw new Error(`no compile of ${canister.canister} was seen`);
    const document = await cache.readDocument(compileKey);
    return {
      canister,
      trace: traceOf(questions.filter(({ cwd }) => cwd === sandbox)),
      recorded: recordedIn(document ?? ''),
    };
  });
  return Promise.all(traced);
}

/** A system call that names a path, and how it ended. */
interface Question {
  readonly cwd: string;
  readonly call: string;
  readonly path: string;
  readonly flags: string;
  /** A name of an error, or nothing. */
  readonly error: string;
}

const CALL = /^(\w+)\(AT_FDCWD<([^>]*)>, "([^"]*)"(.*?)\) += -?\d+(?:<[^>]*>)?(?: (E\w+).*)?$/gm;

function questionsIn(log: string): readonly Question[] {
  return [...log.matchAll(CALL)].map(([, call = '', cwd = '', path = '', flags = '', error = '']) => ({
    ...{ call, cwd, path, flags, error },
  }));
}

/** Parts of the compiler that it looks for by name, for a source map that nobody asked for; see closure-trace.ts. */
const OWN_PARTS = new Set(['rts.wasm', 'internals', 'prelude', 'prim', '@prim', '.']);

function traceOf(questions: readonly Question[]): Trace {
  const opens = questions.filter(({ call, flags }) => call === 'openat' && !flags.includes('O_DIRECTORY'));
  const done = opens.filter(({ error }) => error === '');
  const relative = (some: readonly Question[]) =>
    sorted(some.filter(({ path }) => !path.startsWith('/')).map(({ path }) => posix.normalize(path)));
  return {
    opened: relative(done),
    absent: relative(questions.filter(({ error }) => error === 'ENOENT')).filter((path) => !OWN_PARTS.has(path)),
    elsewhere: sorted(done.map(({ path }) => path).filter((path) => path.startsWith('/'))),
  };
}

function recordedIn(document: string): Recorded {
  const rows = document
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as readonly string[]);
  const pathsOf = (name: string) => sorted(rows.filter(([first]) => first === name).map(([, path = '']) => path));
  return { inputs: pathsOf('input'), absent: pathsOf('absent') };
}

function sorted(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].sort();
}

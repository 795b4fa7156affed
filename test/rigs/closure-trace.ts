import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { build } from 'esbuild';

/** What the compiler asked the disk for while it ran. Paths are folded, each once, in code-unit order. */
export interface Trace {
  readonly opened: readonly string[];
  readonly absent: readonly string[];
  readonly exitCode: number;
  readonly diagnostics: string;
}

export interface Tracer {
  /** Runs the JS compiler in `cwd` with moc's arguments. Outputs go to `-o OUT` in a folder of its own. */
  trace(cwd: string, args: readonly string[]): Promise<Trace>;
  remove(): void;
}

/** Bundles moc-js as it is in the tree, so that no build has to come first. */
export async function openTracer(): Promise<Tracer> {
  const dir = mkdtempSync(join(tmpdir(), 'closure-trace-'));
  const repository = join(import.meta.dirname, '../..');
  const compiler = join(dir, 'moc-js.cjs');
  symlinkSync(join(repository, 'node_modules'), join(dir, 'node_modules'));
  await build({
    entryPoints: [join(repository, 'src/cli/moc-js.ts')],
    outfile: compiler,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'silent',
  });
  let runs = 0;
  return {
    trace: (cwd, args) => {
      const run = mkdtempSync(join(dir, `run-${(runs += 1)}-`));
      return runTraced({ compiler, run, cwd, args });
    },
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

interface TracedRun {
  readonly compiler: string;
  readonly run: string;
  readonly cwd: string;
  readonly args: readonly string[];
}

function runTraced({ compiler, run, cwd, args }: TracedRun): Promise<Trace> {
  const log = join(run, 'trace.jsonl');
  writeFileSync(log, '');
  const preload = join(import.meta.dirname, 'closure-preload.cjs');
  const output = args.includes('--check') ? [] : ['-o', join(run, 'out.wasm')];
  const env = { PATH: process.env.PATH, HOME: run, XDG_CACHE_HOME: run, CLOSURE_TRACE: log };
  return new Promise((done, fail) => {
    const command = ['--require', preload, compiler, ...output, ...args];
    execFile(process.execPath, command, { cwd, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') fail(new Error('moc-js did not run', { cause: error }));
      else done({ ...readTrace(log), exitCode: error === null ? 0 : Number(error.code), diagnostics: stdout + stderr });
    });
  });
}

/**
 * Opened is what was read. Absent is what was looked for: for the sake of a source map the compiler also tries to open
 * parts of its own (`rts.wasm`), unasked and without looking first.
 */
function readTrace(log: string): Pick<Trace, 'opened' | 'absent'> {
  const opened = new Set<string>();
  const absent = new Set<string>();
  for (const line of readFileSync(log, 'utf8').split('\n').filter(Boolean)) {
    const { question, path, there } = JSON.parse(line) as { question: string; path: string; there: boolean };
    const folded = posix.normalize(path);
    if (question === 'readFileSync' && there) opened.add(folded);
    if (question === 'statSync' && !there) absent.add(folded);
  }
  return { opened: [...opened].sort(), absent: [...absent].sort() };
}

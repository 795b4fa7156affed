import { realpathSync, readFileSync, writeFileSync } from 'node:fs';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { readCommandLine } from '../build/js-compiler/command-line.ts';
import { reasonOf } from '../build/js-compiler/disk.ts';
import { engineFlagsFor } from '../build/js-compiler/engine.ts';
import { versionIn } from '../build/js-compiler/grafts.ts';
import { HELP } from '../build/js-compiler/help.ts';
import { findCompiler, type CompilerPackage } from '../build/js-compiler/locate.ts';
import { RELEASES } from '../build/js-compiler/releases.ts';
import { runJob, type Done } from '../build/js-compiler/run.ts';
import type { Job } from '../build/js-compiler/settings.ts';

/** The executable moc-js: npm's motoko behind moc's command line. */

/** The compiler is recursive through and through; the stack that Node gives it ends at a few hundred list elements. */
const STACK_MB = 256;
/** What the biggest programs take, and some; a worker's own default is far below that of the main thread. */
const HEAP_MB = 4096;

const EXIT_CODES: Readonly<Record<Done['end'], number>> = { accepted: 0, rejected: 1, unusable: 2, crashed: 2 };

if (isMainThread) main();
else serve();

function main(): void {
  const request = readCommandLine(process.argv.slice(2), (path) => readFileSync(path, 'utf8'));
  switch (request.kind) {
    case 'help':
      process.stdout.write(HELP);
      return;
    case 'rejected':
    case 'unusable':
      complain(request.message, EXIT_CODES[request.kind]);
      return;
    case 'version':
      withCompiler((compiler) => {
        process.stdout.write(`${versionTextOf(compiler)}\n`);
      });
      return;
    default:
      for (const note of request.notes) process.stderr.write(`moc-js: ${note}\n`);
      withCompiler((compiler) => {
        start(request, compiler.file);
      });
  }
}

function complain(message: string, exitCode: number): void {
  process.stderr.write(`moc-js: ${message}\n`);
  process.exitCode = exitCode;
}

function withCompiler(use: (compiler: CompilerPackage) => void): void {
  const compiler = findCompiler(realpathSync(__filename));
  if (compiler !== undefined) use(compiler);
  else
    complain(
      'the compiler is not installed: npm install --save-dev motoko@^4.10.0, where moc-js is installed',
      EXIT_CODES.unusable,
    );
}

/** Begins as the native compiler's does, because tools look for a release after these two words. */
function versionTextOf({ file, version }: CompilerPackage): string {
  const id = versionIn(readFileSync(file, 'utf8')) ?? 'unknown';
  return `Motoko compiler ${RELEASES.get(id) ?? id} (source ${id}, moc-js, motoko ${version})`;
}

/**
 * One thread with a big stack does one job. This thread only waits, so that signals end the process at once, as they do
 * by default.
 */
function start(job: Job, file: string): void {
  for (const flag of engineFlagsFor(process.versions.v8)) setFlagsFromString(flag); // heeded by threads that begin later
  const heapMb = Math.max(HEAP_MB, getHeapStatistics().heap_size_limit / 2 ** 20);
  const worker = new Worker(__filename, {
    workerData: { job, file },
    resourceLimits: { stackSizeMb: STACK_MB, maxOldGenerationSizeMb: heapMb },
  });
  worker.on('message', finish);
  worker.on('error', (error: NodeJS.ErrnoException) => {
    const outOfMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    complain(
      outOfMemory ? `out of memory at ${Math.round(heapMb)} MiB` : (error.stack ?? error.message),
      EXIT_CODES.crashed,
    );
  });
}

function serve(): void {
  const { job, file } = workerData as { readonly job: Job; readonly file: string };
  parentPort?.postMessage(runJob(job, file));
}

/** Diagnostics first: whoever reads them must not find files of a run that tells of none. */
function finish(done: Done): void {
  process.stdout.write(done.stdout);
  process.stderr.write(done.stderr);
  process.exitCode = EXIT_CODES[done.end];
  for (const { path, content } of done.files) {
    try {
      writeFileSync(path, content);
    } catch (error) {
      process.stderr.write(`${path}: ${reasonOf(error)}\n`);
      process.exitCode = EXIT_CODES.rejected;
      return;
    }
  }
}

import { dirname, join } from 'node:path';
import type { Cache } from '../cache/cache.ts';
import { answerOf, identifyForCall, type Answer, type DescribedCall } from './call.ts';
import { dirsOf } from './call-closure.ts';
import { wantedAt } from './call-place.ts';
import { changedOutside } from './compile.ts';
import type { CompileEnd } from './compiler.ts';
import { isWasm } from './difference.ts';
import type { MocCall } from './moc-call.ts';
import { openMoc } from './moc.ts';
import { BuildError } from './outcome.ts';
import { collectArtifacts, stageSandbox, type Sandbox } from './sandbox.ts';
import { obtain, type Made } from './stage.ts';

/**
 * The answer to a call, from the cache or by one run of the compiler for all who ask the same at once. Throws a BuildError
 * where the compiler is to be run in the caller's own folder. `onRun` is called when the compiler is about to run, and
 * gives what stops it.
 */
export async function answerCall(described: DescribedCall, cache: Cache, onRun: () => AbortSignal): Promise<Answer> {
  const { call, keyed, place } = described;
  const label = call.output?.stem ?? call.mains[0] ?? call.kind;
  const run = () => runCall(described, cache, onRun());
  const obtained = await obtain(
    cache,
    { name: 'compile', keyed, label, run },
    { wanted: (refs) => wantedAt(place, refs) },
  );
  return answerOf(described, obtained);
}

/**
 * Runs the compiler in a sandbox with the caller's own arguments, but for the place of the output. What comes back is as
 * good as what the compiler would have done in the caller's folder. A rejection of the program is a result: the artifact
 * `exit` marks it.
 */
async function runCall(described: DescribedCall, cache: Cache, signal: AbortSignal): Promise<Made> {
  const { call, closure, compiler, identity } = described;
  if (cache.sandboxDir === undefined) throw new BuildError({ kind: 'no-scratch', path: cache.dir, code: 'EROFS' });
  const sandbox = stageSandbox(cache.sandboxDir, { closure, dirs: dirsOf(closure, call) });
  try {
    const stem = call.output?.stem ?? 'out';
    const end = await openMoc(compiler).compile({
      cwd: sandbox.root,
      args: call.argsWith(join(sandbox.out, `${stem}.wasm`)),
      environment: compiler.environment,
      signal,
    });
    const files = collectArtifacts(sandbox.out, stem, ['did', 'most', 'wasm', 'wasm.map']);
    const artifacts = { ...files, stdout: end.stdout, stderr: end.stderr };
    if (!isRepeatable(end, artifacts, call, sandbox)) throw unrepeatable(call, end);
    const now = await identifyForCall(compiler);
    const isSame = now.digest === identity.digest && now.version === identity.version;
    return {
      artifacts: end.exitCode === 0 ? artifacts : { stdout: end.stdout, stderr: end.stderr, exit: Buffer.from('1\n') },
      costMs: end.durationMs,
      sound: isSame && changedOutside(closure) === undefined,
    };
  } finally {
    await sandbox.remove();
  }
}

/** Whether the program and nothing else decided how the run ended. */
function isRepeatable(
  end: CompileEnd,
  artifacts: Readonly<Record<string, Uint8Array>>,
  call: MocCall,
  sandbox: Sandbox,
): boolean {
  if (!sandbox.isWhole() || !sandbox.hasRoom()) return false;
  const place = dirname(sandbox.out);
  if (
    Object.values(artifacts).some((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(place))
  )
    return false;
  const said = textOf(end.stdout) + textOf(end.stderr);
  // A crash (2) is nobody's to keep, nor what the compiler says of files: it may see more of them in the real folder.
  if (end.exitCode === 1) return DIAGNOSTIC.test(said) && !OF_FILES.test(said);
  if (end.exitCode !== 0) return false;
  const { wasm } = artifacts;
  if (call.output === undefined) return wasm === undefined;
  return wasm !== undefined && isWasm(wasm) && (artifacts.did !== undefined) === call.output.artifacts.includes('did');
}

/** The compiler's own words about a program bear a code; the system's words about a disk do not. */
const DIAGNOSTIC = /\bM\d{4}\b/;
const OF_FILES = /\b(?:import|package) error\b|\bM(?:0005|0006|0007|0008|0009|0010|0011|0012)\b|No such file/;

/** Told to those who wait for this run too: they ask the compiler as well, each in its own folder. */
function unrepeatable(call: MocCall, end: CompileEnd): BuildError {
  const canister = call.output?.stem ?? call.kind;
  if (end.killedBy !== undefined)
    return new BuildError({ kind: 'compiler-killed', canister, signal: end.killedBy, diagnostics: '' });
  return new BuildError({
    kind: 'rejected',
    ...{ canister, exitCode: end.exitCode ?? 1, stdout: '', stderr: '', missing: [] },
  });
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

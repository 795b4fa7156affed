import type { Cache } from '../cache/cache.ts';
import { isSystemError, systemCodeOf } from '../cache/tier.ts';
import { BuildError, type Failure } from './outcome.ts';
import { stageSandbox, type Sandbox, type Staging } from './sandbox.ts';

/** Something that a program does in a folder of its own. */
export interface SandboxJob<T> {
  readonly cache: Pick<Cache, 'sandboxDir'>;
  /** Where to work when the cache's own folder cannot be used. Absolute. */
  readonly scratchDir: string;
  readonly staging: Staging;
  readonly signal: AbortSignal;
  work(sandbox: Sandbox): Promise<T>;
}

/**
 * Works in a sandbox, which is gone after that. It is made in the cache's own folder; where that cannot be written to, is
 * full, or was deleted with all that is in it meanwhile, the work is done once more in the system's folder for temporary
 * files. Throws what the work throws, and a BuildError no-scratch where neither folder will do.
 */
export async function inSandbox<T>(job: SandboxJob<T>): Promise<T> {
  const { cache, scratchDir } = job;
  const first = cache.sandboxDir === undefined ? { code: 'ENOENT' } : await workUnder(cache.sandboxDir, job);
  if ('done' in first) return first.done;
  const second = await workUnder(scratchDir, job);
  if ('done' in second) return second.done;
  throw new BuildError({ kind: 'no-scratch', path: scratchDir, code: second.code });
}

/**
 * The system's code where the disk, and not the work, is at fault: no sandbox could be made, it did not last (what was
 * gone may have changed what an import leads to), its files cannot be read, or it had no room for what is written.
 */
async function workUnder<T>(
  parent: string,
  job: SandboxJob<T>,
): Promise<{ readonly done: T } | { readonly code: string }> {
  const sandbox = tryStage(parent, job.staging);
  if (typeof sandbox === 'string') return { code: sandbox };
  try {
    const done = await job.work(sandbox);
    return sandbox.isWhole() ? { done } : { code: 'ENOENT' };
  } catch (error) {
    if (job.signal.aborted) throw error;
    const code = isSystemError(error) ? systemCodeOf(error) : undefined;
    if (code !== undefined) return { code };
    if (!(error instanceof BuildError) || !MAYBE_THE_DISK.has(error.failure.kind)) throw error;
    if (!sandbox.isWhole()) return { code: 'ENOENT' };
    if (parent !== job.scratchDir && !sandbox.hasRoom()) return { code: 'ENOSPC' };
    throw error;
  } finally {
    void sandbox.remove();
  }
}

/** Of a program too the system says that it is not there, where the folder that it is to run in is gone. */
const MAYBE_THE_DISK = new Set<Failure['kind']>([
  'rejected',
  'no-output',
  'bad-wasm',
  'compiler-killed',
  'compiler-unusable',
  'optimizer-unusable',
  'optimizer-rejects',
]);

/** A sandbox under `parent`, or the system's code where none can be made there. */
function tryStage(parent: string, staging: Staging): Sandbox | string {
  try {
    return stageSandbox(parent, staging);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error; // a bug, not the disk
    return code;
  }
}

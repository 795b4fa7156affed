import { join } from 'node:path';
import { withFileLock } from '../cache/file-lock.ts';
import type { BuildOptions } from './context.ts';
import { makeOutputDir, materialize, planMaterialize } from './materialize.ts';
import { BuildError, type ArtifactName } from './outcome.ts';
import type { Refs } from './stage.ts';

/** The longest wait for whoever else writes to the same outputs, in milliseconds. Upstream's dead locks live 5 minutes. */
const OUTPUT_WAIT_MS = 330_000;

export interface Placing {
  readonly options: Pick<BuildOptions, 'outputDir' | 'onEvent'>;
  readonly canister: string;
  readonly refs: Refs;
  readonly bytes: Readonly<Record<string, Uint8Array>>;
  readonly signal: AbortSignal;
}

/**
 * Puts a canister's artifacts in the output directory, holding upstream's own lock on them while anything is written.
 * `again` where files turned out to be needed whose bytes are not in hand: another build wrote in the meantime.
 */
export async function place(placing: Placing): Promise<'written' | 'unchanged' | 'again'> {
  const { options, canister, refs, bytes, signal } = placing;
  const dir = options.outputDir;
  const write = (): 'written' | 'unchanged' | 'again' => {
    const names = planMaterialize(dir, canister, refs);
    if (names.length === 0) return 'unchanged';
    const files: Partial<Record<ArtifactName, Uint8Array>> = {};
    for (const name of names) {
      const content = bytes[name];
      if (content === undefined) return 'again';
      files[name] = content;
    }
    materialize(dir, canister, files);
    return 'written';
  };

  const names = planMaterialize(dir, canister, refs);
  if (names.length === 0) return 'unchanged';
  if (names.some((name) => bytes[name] === undefined)) return 'again';
  makeOutputDir(dir);
  const marker = join(dir, `.${canister}.buildlock`);
  try {
    const end = await withFileLock(
      marker,
      {
        label: canister,
        maxWaitMs: OUTPUT_WAIT_MS,
        signal,
        onWait: () => options.onEvent?.({ kind: 'output-wait', canister, path: marker }),
      },
      write,
    );
    if (end.kind === 'done') return end.value;
    if (end.kind === 'lost') return 'again'; // the files may be a mix of two builds now
    throw new BuildError({ kind: 'output-busy', path: marker, waitedMs: end.waitedMs });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || isGone(error)) return 'again'; // the folder was deleted meanwhile (mops cache clean)
    if (error instanceof BuildError || signal.aborted || code === undefined) throw error;
    throw new BuildError({ kind: 'output-unwritable', path: marker, code });
  }
}

function isGone(error: unknown): boolean {
  return error instanceof BuildError && error.failure.kind === 'output-unwritable' && error.failure.code === 'ENOENT';
}

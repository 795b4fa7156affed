import { constants } from 'node:os';
import { openBlobs } from '../cache/blobs.ts';
import { openSurvey, renewed, type Sight } from '../cache/sights.ts';
import type { StorePaths } from '../cache/store-paths.ts';
import { writeTrail } from '../cache/trail.ts';
import { BuildError, type ArtifactName, type BuildEvent } from '../build/outcome.ts';
import { planMaterialize } from '../build/materialize.ts';
import { place } from '../build/place.ts';
import { eventText } from './report.ts';
import type { Hit, Standing } from './standing.ts';
import { writeOut } from './streams.ts';

export interface Restoring {
  readonly paths: StorePaths;
  readonly question: string;
  readonly sights: readonly Sight[];
  readonly standing: Standing;
  /** Those of its hits, from the first on, whose files are in place. */
  readonly done: readonly Hit[];
}

/** Why the process has to end, where a signal told it to. */
export interface Stopped {
  readonly exitCode: number;
}

/**
 * Puts the files of a build in place of which nothing has changed but they. Undefined where that is not all there is to
 * do: a part is gone from the cache or damaged, say; then the build as a whole knows what to do, and what to say.
 */
export async function restore(restoring: Restoring): Promise<readonly Hit[] | Stopped | undefined> {
  const { paths, standing, done } = restoring;
  const survey = openSurvey();
  const stop = stopOnSignal();
  try {
    const hits: Hit[] = [...done];
    for (const hit of standing.hits.slice(done.length)) {
      const started = process.hrtime.bigint();
      const files = await restoreFiles(paths, standing.outputDir, hit, stop.signal);
      if (files === undefined) return undefined;
      hits.push({ ...hit, files, durationMs: Number(process.hrtime.bigint() - started) / 1e6 });
    }
    leaveTrail(restoring, survey.seen() ?? []);
    return hits;
  } catch (error) {
    const exitCode = stop.exitCode();
    if (exitCode !== undefined) return { exitCode };
    if (error instanceof BuildError) return undefined;
    throw error;
  } finally {
    survey.close();
    stop.forget();
  }
}

/**
 * Leaves word of those files of ours that were known by their bytes alone. What was written now is not among them, being too
 * young to be known by its stamp: the next build looks at its bytes once more.
 */
function leaveTrail({ paths, question, sights, standing }: Restoring, seen: readonly Sight[]): void {
  if (seen.length === 0) return;
  writeTrail(paths.trails, paths.tmp, question, { sights: renewed(sights, seen), answer: standing });
}

async function restoreFiles(
  paths: StorePaths,
  outputDir: string,
  { canister, artifacts, key, optimizeKey, compileKey }: Hit,
  signal: AbortSignal,
): Promise<Hit['files'] | undefined> {
  const names = planMaterialize(outputDir, canister, artifacts);
  if (names.length === 0) return 'unchanged';
  const keys = [key, optimizeKey, compileKey].filter((one) => one !== undefined);
  const blobOf = await openBlobs(paths, keys);
  const bytes: Partial<Record<ArtifactName, Uint8Array>> = {};
  for (const name of names) {
    const ref = artifacts[name];
    const blob = ref === undefined ? undefined : blobOf(ref.digest);
    if (blob === undefined) return undefined;
    bytes[name] = blob;
  }
  const files = await place({ options: { outputDir, onEvent: tell }, canister, refs: artifacts, bytes, signal });
  return files === 'again' ? undefined : files;
}

function tell(event: BuildEvent): void {
  const line = eventText(event);
  if (line?.loud === true) writeOut(2, `${line.text}\n`);
}

/** As main.ts has it: the first signal is an orderly end, the second an end at once. */
function stopOnSignal() {
  const stop = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let exitCode: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (exitCode !== undefined) process.exit(exitCode);
    exitCode = 128 + constants.signals[signal];
    stop.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  return {
    signal: stop.signal,
    exitCode: () => exitCode,
    forget: () => {
      for (const signal of signals) process.removeListener(signal, onSignal);
    },
  };
}

import { constants } from 'node:os';
import { openCache, type Cache, type CacheEvent } from '../cache/cache.ts';
import { openSurvey, type Sight } from '../cache/sights.ts';
import { BuildError, type ArtifactName } from '../build/outcome.ts';
import { planMaterialize } from '../build/materialize.ts';
import { place } from '../build/place.ts';
import type { Hit, Standing } from './standing.ts';

export interface Restoring {
  readonly storeDir: string;
  readonly question: string;
  readonly sights: readonly Sight[];
  readonly standing: Standing;
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
  const { storeDir, question, sights, standing } = restoring;
  const survey = openSurvey();
  const stop = stopOnSignal();
  try {
    const trouble: CacheEvent[] = [];
    const cache = openCache({
      dir: storeDir,
      mode: 'read-write',
      leaseWaitMs: 0,
      onEvent: (event) => trouble.push(event),
    });
    const hits: Hit[] = [];
    for (const hit of standing.hits) {
      const started = process.hrtime.bigint();
      const files = await restoreFiles(cache, standing.outputDir, hit, stop.signal);
      if (files === undefined || trouble.length > 0) return undefined;
      hits.push({ ...hit, files, durationMs: Number(process.hrtime.bigint() - started) / 1e6 });
    }
    const own = survey.seen()?.filter(([kind]) => kind === 'own') ?? [];
    // What was written now is too young to be known by its stamp: the next build looks at the bytes once more.
    if (hits.every(({ files }) => files === 'unchanged'))
      cache.leaveTrail(question, [...sights.filter(([kind]) => kind !== 'own'), ...own], standing);
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

async function restoreFiles(
  cache: Cache,
  outputDir: string,
  hit: Hit,
  signal: AbortSignal,
): Promise<Hit['files'] | undefined> {
  const { canister, key, compileKey } = hit;
  const refs = hit.artifacts;
  if (key === undefined || compileKey === undefined) return undefined;
  const names = planMaterialize(outputDir, canister, refs);
  if (names.length === 0) return 'unchanged';
  const compiled = await read(
    cache,
    compileKey,
    hit,
    names.filter((name) => name !== 'wasm'),
  );
  const finished = await read(
    cache,
    key,
    hit,
    names.filter((name) => name === 'wasm'),
  );
  if (compiled === undefined || finished === undefined) return undefined;
  const placing = { options: { outputDir }, canister, refs, bytes: { ...compiled, ...finished }, signal };
  const files = await place(placing);
  return files === 'again' ? undefined : files;
}

/** The bytes of these artifacts, where the entry still is what it was. */
async function read(
  cache: Cache,
  key: NonNullable<Hit['key']>,
  { artifacts }: Hit,
  names: readonly ArtifactName[],
): Promise<Readonly<Record<string, Uint8Array>> | undefined> {
  if (names.length === 0) return {};
  const found = await cache.lookUp(key, names);
  if (found.kind === 'miss') return undefined;
  const { result, bytes } = found.entry;
  return names.every((name) => result.artifacts[name]?.digest === artifacts[name]?.digest) ? bytes : undefined;
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

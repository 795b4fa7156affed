import { dirname, join } from 'node:path';
import { blobsNamedSince, takeCensus, type Census } from './census.ts';
import { digestOf, type Digest } from './digest.ts';
import type { EvictedResult, Eviction } from './eviction.ts';
import { breakForsaken, breakLock, tryLock, type HeldLock } from './held-lock.ts';
import { seeLock, type LockPlace } from './lock.ts';
import { makeDir } from './make-dir.ts';
import { ownerHere, type Owner } from './owner.ts';
import { livenessOf } from './process.ts';
import { removalUnitsOf, removedOf, type Removal } from './remove-files.ts';
import { doTogether } from './shared-work.ts';
import { checkStoreFolder, storePathsOf, type StorePaths } from './store-folder.ts';
import { systemCodeOf } from './tier.ts';

export interface CollectOptions {
  /** The store's folder. */
  readonly dir: string;
  /** What is to go of what is there. */
  readonly plan: (census: Census) => Eviction | Promise<Eviction>;
  /** Only says what would go. */
  readonly dryRun: boolean;
  /** Blobs that were written or relied on this short a time before the census stay, for a result may be on its way. */
  readonly freshMs: number;
  readonly signal?: AbortSignal | undefined;
}

export type Collected =
  /** There is no store. */
  | { readonly kind: 'empty' }
  /** Another process is at it; nobody waits for it. */
  | { readonly kind: 'busy'; readonly holder: Owner | undefined }
  | {
      readonly kind: 'collected';
      readonly census: Census;
      /** What went (of a dry run: what would go), in order. */
      readonly removed: Gone;
      readonly freedBytes: number;
      /** Of results and blobs. */
      readonly keptBytes: number;
      /** What was to go and was used meanwhile. */
      readonly sparedCount: number;
      readonly overBytes: number;
    };

/**
 * Takes a census, plans with it, and deletes what the plan says: results first, then the blobs that nothing names any
 * more. Safe beside builds: before each deletion there is another look, and a build that finds something gone compiles.
 * One process at a time collects.
 *
 * Throws a TierError where the folder is no store of ours, and the system's error where it cannot be read.
 */
export async function collect(options: CollectOptions): Promise<Collected> {
  const { dir, plan, dryRun } = options;
  const paths = storePathsOf(dir);
  if (checkStoreFolder(dir) === 'empty') return { kind: 'empty' };
  if (dryRun) {
    const census = await takeCensus(dir, paths);
    const removed = await plan(census);
    return { ...endOf(census, removed, removed.overBytes), sparedCount: 0 };
  }
  const place = placeOf(paths);
  const lock = await takeLock(place).catch((error: unknown) => {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    return 'gone' as const; // the whole store was deleted meanwhile
  });
  if (lock === 'gone') return { kind: 'empty' };
  if (lock === undefined) return { kind: 'busy', holder: seeLock(place)?.owner };
  try {
    const census = await takeCensus(dir, paths);
    const planned = await plan(census);
    const removed = await carryOut(options, paths, census, planned, lock);
    return { ...endOf(census, removed, planned.overBytes), sparedCount: countOf(planned) - countOf(removed) };
  } finally {
    await lock.release();
  }
}

type Gone = Pick<Eviction, 'results' | 'blobs' | 'loose' | 'leftovers'>;

/** Of deletions: a second thread pays from there on. */
const MANY_UNITS = 30;
const PULSE = { beatMs: 2_000, staleMs: 60_000 };

/** A time that a file system gives lags behind the clock by as much as this, in milliseconds. */
const CLOCK_STEP_MS = 20;

async function carryOut(
  { dir, freshMs, signal }: CollectOptions,
  paths: StorePaths,
  census: Census,
  planned: Gone,
  lock: HeldLock,
): Promise<Gone> {
  const emptied = new Set<string>();
  const isOff = () => lock.isLost() || signal?.aborted === true;
  /** Those of the items that went. */
  const remove = async <T>(items: readonly T[], removal: Removal): Promise<readonly T[]> => {
    const unitCount = removalUnitsOf(removal);
    const done = await doTogether({
      job: 'remove',
      data: removal,
      unitCount,
      isLong: () => unitCount > MANY_UNITS,
      isOff,
    });
    for (const unit of done) for (const folder of unit?.emptied ?? []) emptied.add(folder);
    return removedOf(items, done);
  };
  const keys = planned.results.map(({ result }) => [result.key, result.usedMs] as const);
  const results = await remove(planned.results, { kind: 'results', items: keys, paths });
  const kept = await stillNamed(paths, census, planned, results);
  const freshFromMs = census.atMs - Math.max(freshMs, CLOCK_STEP_MS);
  const removeBlobs = async <T extends { readonly digest: Digest }>(all: readonly T[]): Promise<readonly T[]> => {
    const toGo = all.filter(({ digest }) => !kept.has(digest));
    return remove(toGo, { kind: 'blobs', items: toGo.map(({ digest }) => digest), paths, freshFromMs });
  };
  const blobs = await removeBlobs(planned.blobs);
  const loose = await removeBlobs(planned.loose);
  // Empty folders are in the way of the next census. A writer that finds one gone makes it again.
  await remove([], { kind: 'emptied', items: [...emptied] });
  const seen = planned.leftovers.map(({ path, changedMs }) => [join(dir, path), changedMs] as const);
  const leftovers = await remove(planned.leftovers, { kind: 'leftovers', items: seen });
  return { results, blobs, loose, leftovers };
}

/** Those of the blobs that must stay: of results that were to go and did not, and of those that were written since. */
async function stillNamed(
  paths: StorePaths,
  census: Census,
  planned: Gone,
  removed: readonly EvictedResult[],
): Promise<ReadonlySet<Digest>> {
  const gone = new Set(removed);
  const named = new Set(await blobsNamedSince(paths, census));
  for (const spared of planned.results) {
    if (!gone.has(spared)) for (const { digest } of spared.result.blobs) named.add(digest);
  }
  return named;
}

function placeOf({ lease }: StorePaths): LockPlace {
  const name = digestOf('the collector of this store'); // named as a lease is, so that it is swept as one
  return { lockDir: join(lease, `${name}.lock`), recordPath: join(lease, `${name}.owner`), recordKind: 'own' };
}

/** Undefined where another process has it that may be alive. */
async function takeLock(place: LockPlace): Promise<HeldLock | undefined> {
  const owner = ownerHere('gc', '');
  makeDir(dirname(place.lockDir));
  const lock = await tryLock(place, owner, PULSE);
  if (lock !== undefined) return lock;
  await breakForsaken(place);
  const seen = seeLock(place);
  const isSilent = seen !== undefined && Date.now() - seen.beatMs > PULSE.staleMs;
  const isAlive = seen?.owner !== undefined && livenessOf(seen.owner) === 'alive';
  if (isSilent && !isAlive) await breakLock(place, seen);
  return tryLock(place, owner, PULSE);
}

function endOf(census: Census, removed: Gone, overBytes: number) {
  const { results, blobs, loose, leftovers } = removed;
  const storedBytes = sumOf([...results.map(({ result }) => result), ...blobs, ...loose]);
  return {
    kind: 'collected' as const,
    census,
    removed: { results, blobs, loose, leftovers },
    freedBytes: storedBytes + sumOf(leftovers),
    keptBytes: census.sizeBytes - storedBytes,
    overBytes,
  };
}

function sumOf(sized: readonly { readonly sizeBytes: number }[]): number {
  return sized.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function countOf({ results, blobs, loose, leftovers }: Gone): number {
  return results.length + blobs.length + loose.length + leftovers.length;
}

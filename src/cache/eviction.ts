import type { Census, CountedBlob, CountedResult, Leftover, LooseBlob } from './census.ts';
import type { ActionKey } from './digest.ts';

/** What a store is to be held to. Sizes are of results and blobs. */
export interface EvictionPolicy {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  /** What was used this short a time ago stays, whatever the size: it would only be made again. */
  readonly workingSetMs: number;
}

/** What is to go, in the order in which it goes: results, then blobs, then the rest. */
export interface Eviction {
  readonly results: readonly EvictedResult[];
  /** Blobs that only these results name: where one of them stays after all, so do its blobs. */
  readonly blobs: readonly CountedBlob[];
  /** Blobs that no result names. */
  readonly loose: readonly LooseBlob[];
  readonly leftovers: readonly Leftover[];
  /** What is kept after it. */
  readonly keptBytes: number;
  /** By how much that is more than the limit, where it is. */
  readonly overBytes: number;
}

export interface EvictedResult {
  readonly result: CountedResult;
  readonly why: 'age' | 'size' | 'asked';
}

/** Used so short a time ago that a build may be about to read it. */
export const IN_USE_MS = 30_000;

/**
 * By age, then by size: least recently used first, down to 90 % of the limit, so that the next build does not cross it
 * again at once. A blob goes with the last result that names it. What somebody works on stays. Pure; `nowMs` is in
 * milliseconds since the epoch.
 */
export function planEviction(census: Census, policy: EvictionPolicy, nowMs: number): Eviction {
  const ordered = [...census.results].sort((a, b) => a.usedMs - b.usedMs || (a.key < b.key ? -1 : 1));
  const loose = census.loose.filter(({ changedMs }) => nowMs - changedMs > UNFINISHED_MS);
  const looseBytes = sumOf(loose);
  const removal = openRemoval();
  const isLeased = ({ key }: CountedResult): boolean => census.leased.has(key);
  const keptMs = Math.max(policy.workingSetMs, IN_USE_MS);
  for (const result of ordered) {
    const ageMs = nowMs - result.usedMs;
    if (ageMs > policy.maxAgeMs && Math.abs(ageMs) > IN_USE_MS && !isLeased(result)) removal.add(result, 'age');
  }
  const wholeBytes = () => census.sizeBytes - looseBytes - removal.freedBytes();
  const goalBytes = wholeBytes() > policy.maxBytes ? policy.maxBytes * TRIM_TO : Infinity;
  for (const result of ordered) {
    if (wholeBytes() <= goalBytes) break;
    const isRecent = Math.abs(nowMs - result.usedMs) <= keptMs;
    if (!isRecent && !isLeased(result) && !removal.has(result)) removal.add(result, 'size');
  }
  const keptBytes = wholeBytes();
  return {
    ...removal.end(),
    loose,
    leftovers: census.leftovers.filter((leftover) => isDone(leftover, policy, nowMs)),
    keptBytes,
    overBytes: Math.max(0, keptBytes - policy.maxBytes),
  };
}

/** What the user wants gone: results of these keys, last used so long ago. What somebody works on stays. Pure. */
export function planRemoval(
  census: Census,
  chosen: { readonly keys: ReadonlySet<ActionKey> | undefined; readonly olderThanMs: number },
  nowMs: number,
): Eviction {
  const removal = openRemoval();
  for (const result of census.results) {
    const isChosen = chosen.keys?.has(result.key) !== false && nowMs - result.usedMs >= chosen.olderThanMs;
    if (isChosen && !census.leased.has(result.key)) removal.add(result, 'asked');
  }
  const keptBytes = census.sizeBytes - removal.freedBytes();
  return { ...removal.end(), loose: [], leftovers: [], keptBytes, overBytes: 0 };
}

const TRIM_TO = 0.9;

/** A blob is written milliseconds before the result that names it. A file set aside may be wanted for a look. */
const UNFINISHED_MS = 10 * 60_000;
const SET_ASIDE_MS = 7 * 24 * 3_600_000;

function isDone({ what, changedMs }: Leftover, { maxAgeMs }: EvictionPolicy, nowMs: number): boolean {
  const ageMs = nowMs - changedMs;
  switch (what) {
    case 'unfinished':
      return true; // the process that made it is dead
    case 'set-aside':
      return ageMs > Math.min(SET_ASIDE_MS, maxAgeMs);
    case 'note':
    case 'stamp':
      return ageMs > maxAgeMs;
  }
}

interface Removal {
  add(result: CountedResult, why: EvictedResult['why']): void;
  has(result: CountedResult): boolean;
  freedBytes(): number;
  end(): Pick<Eviction, 'results' | 'blobs'>;
}

/** Counts for each blob of what goes how many results name it that are to stay. */
function openRemoval(): Removal {
  const usesLeft = new Map<CountedBlob, number>();
  const results: EvictedResult[] = [];
  const gone = new Set<CountedResult>();
  const blobs: CountedBlob[] = [];
  let freed = 0;
  return {
    add(result, why) {
      results.push({ result, why });
      gone.add(result);
      freed += result.sizeBytes;
      for (const blob of result.blobs) {
        const left = (usesLeft.get(blob) ?? blob.uses) - 1;
        usesLeft.set(blob, left);
        if (left > 0) continue;
        blobs.push(blob);
        freed += blob.sizeBytes;
      }
    },
    has: (result) => gone.has(result),
    freedBytes: () => freed,
    end: () => ({ results, blobs }),
  };
}

function sumOf(blobs: readonly LooseBlob[]): number {
  return blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

import type { History, HistoryRecord } from './history.ts';
import { periodsBetween, type Period, type Unit } from './periods.ts';

/**
 * What the cache did in some time. Times are milliseconds, of wall time or since the epoch (`…Ms` of an instant); sizes
 * are bytes; rates are between 0 and 1, and undefined where nothing was asked of the cache.
 */
export interface Stats extends Tally {
  /** From when on records count: as asked, else from the first of them. Undefined where there is none. */
  readonly fromMs: number | undefined;
  readonly untilMs: number;
  /** What was built, by cause: `absent`, `damaged`, `incomplete`, `disabled`; `forced` and `uncacheable`, which are no misses. */
  readonly causes: Readonly<Record<string, number>>;
  /** Failures by their kind. */
  readonly failureKinds: Readonly<Record<string, number>>;
  /** Waits for another process: how many, and how many of them found what they waited for, and the compiling that saved. */
  readonly waits: { readonly count: number; readonly hits: number; readonly savedMs: number };
  /** Given to the store: what was new to it, and what it had already, as far as the journal goes back. */
  readonly storedBytes: number;
  readonly deduplicatedBytes: number;
  /** In the order of their hits. */
  readonly tiers: readonly { readonly tier: string; readonly hits: number; readonly savedMs: number }[];
  /** In the order of the time saved. */
  readonly canisters: readonly CanisterStats[];
  readonly unit: Unit;
  readonly periods: readonly (Period & Tally)[];
  /** Lines of the journal that cannot be read. */
  readonly skippedLines: number;
}

export interface Tally {
  /** Outcomes of any kind. */
  readonly builds: number;
  readonly hits: number;
  /** Built because the cache had no answer: what was forced, and what cannot be cached, is neither hit nor miss. */
  readonly misses: number;
  /** Of all that was built: where the compiler ran, and where only what follows it did. */
  readonly compiles: number;
  readonly finishes: number;
  readonly failures: number;
  readonly hitRate: number | undefined;
  /** What the compiler would have taken, had it run: it took that when the entry was made. */
  readonly savedMs: number;
  /** What the compiler took where it ran. */
  readonly spentMs: number;
}

export interface CanisterStats extends Tally {
  readonly canister: string;
  readonly project: string;
  /** As of its newest build: what its compile takes, and how big its wasm is. */
  readonly compileMs: number | undefined;
  readonly wasmBytes: number | undefined;
}

/** Sums up a history, from a time on or as a whole. */
export function statisticsOf({ records, skipped }: History, sinceMs: number | undefined, nowMs: number): Stats {
  const counted = records.filter(({ atMs }) => sinceMs === undefined || atMs >= sinceMs);
  const first = counted[0]?.atMs;
  const fromMs = sinceMs ?? first;
  const untilMs = Math.max(nowMs, counted.at(-1)?.atMs ?? nowMs);
  const { unit, periods } =
    first === undefined ? { unit: 'day' as const, periods: [] } : periodsBetween(fromMs ?? first, untilMs);
  const waited = counted.filter(({ waited }) => waited);
  const served = waited.filter(({ outcome }) => outcome === 'hit');
  return {
    ...tallyOf(counted),
    fromMs,
    untilMs,
    causes: countsOf(counted, (record) => (record.outcome === 'built' ? (record.cause ?? 'unknown') : undefined)),
    failureKinds: countsOf(counted, (record) =>
      record.outcome === 'failed' ? (record.failure ?? 'unknown') : undefined,
    ),
    waits: { count: waited.length, hits: served.length, savedMs: sum(served, savedMsOf) },
    ...storageOf(records, counted[0]),
    tiers: [...groupBy(counted, ({ tier }) => tier)]
      .map(([tier, of]) => ({ tier, hits: of.length, savedMs: sum(of, savedMsOf) }))
      .sort((a, b) => b.hits - a.hits),
    canisters: [...groupBy(counted, ({ project, canister }) => JSON.stringify([project, canister])).values()]
      .flatMap(canisterOf)
      .sort((a, b) => b.savedMs - a.savedMs || (a.canister < b.canister ? -1 : 1)),
    unit,
    periods: periodsOf(counted, periods),
    skippedLines: skipped,
  };
}

const MISSES: ReadonlySet<string | undefined> = new Set(['absent', 'damaged', 'incomplete', 'disabled']);

function tallyOf(records: readonly HistoryRecord[]): Tally {
  const hits = count(records, ({ outcome }) => outcome === 'hit');
  const misses = count(records, ({ outcome, cause }) => outcome === 'built' && MISSES.has(cause));
  return {
    builds: records.length,
    hits,
    misses,
    compiles: count(records, hasCompiled),
    finishes: count(records, (record) => record.outcome === 'built' && !hasCompiled(record)),
    failures: count(records, ({ outcome }) => outcome === 'failed'),
    hitRate: hits + misses === 0 ? undefined : hits / (hits + misses),
    savedMs: sum(records, savedMsOf),
    spentMs: sum(records, (record) => (hasCompiled(record) ? (record.compileMs ?? 0) : 0)),
  };
}

function hasCompiled({ outcome, stage }: HistoryRecord): boolean {
  return outcome === 'built' && stage !== 'finish' && stage !== 'optimize';
}

/** Where only what follows the compiler ran the compile was in the cache too. */
function savedMsOf(record: HistoryRecord): number {
  return record.outcome === 'failed' || hasCompiled(record) ? 0 : (record.compileMs ?? 0);
}

function canisterOf(records: readonly HistoryRecord[]): readonly CanisterStats[] {
  const [first] = records;
  if (first === undefined) return [];
  return [
    {
      canister: first.canister,
      project: first.project,
      ...tallyOf(records),
      compileMs: records.findLast(({ compileMs }) => compileMs !== undefined)?.compileMs,
      wasmBytes: records.findLast(({ wasm }) => wasm !== undefined)?.wasm?.sizeBytes,
    },
  ];
}

/** What came before `first` was stored before it, and counts for nothing else. */
function storageOf(
  records: readonly HistoryRecord[],
  first: HistoryRecord | undefined,
): Pick<Stats, 'storedBytes' | 'deduplicatedBytes'> {
  const known = new Set<string>();
  const bytes = { stored: 0, deduplicated: 0 };
  const start = first === undefined ? records.length : records.indexOf(first);
  for (const [index, { stored }] of records.entries()) {
    for (const { digest, sizeBytes } of stored) {
      if (index >= start) bytes[known.has(digest) ? 'deduplicated' : 'stored'] += sizeBytes;
      known.add(digest);
    }
  }
  return { storedBytes: bytes.stored, deduplicatedBytes: bytes.deduplicated };
}

/** Both are in the order of time. */
function periodsOf(records: readonly HistoryRecord[], periods: readonly Period[]): Stats['periods'] {
  let next = 0;
  return periods.map((period) => {
    const start = next;
    while ((records[next]?.atMs ?? Number.POSITIVE_INFINITY) < period.toMs) next += 1;
    return { ...period, ...tallyOf(records.slice(start, next)) };
  });
}

function countsOf(
  records: readonly HistoryRecord[],
  nameOf: (record: HistoryRecord) => string | undefined,
): Readonly<Record<string, number>> {
  const groups = [...groupBy(records, nameOf)].map(([name, of]) => [name, of.length] as const);
  return Object.fromEntries(groups.sort((a, b) => b[1] - a[1]));
}

/** Without those that have no name. */
function groupBy<T>(items: readonly T[], nameOf: (item: T) => string | undefined): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = nameOf(item);
    if (name === undefined) continue;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}

function count<T>(items: readonly T[], counts: (item: T) => boolean): number {
  return items.reduce((total, item) => total + (counts(item) ? 1 : 0), 0);
}

function sum<T>(items: readonly T[], amountOf: (item: T) => number): number {
  return items.reduce((total, item) => total + amountOf(item), 0);
}

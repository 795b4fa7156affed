import type { JournalRecord } from '../cache/cache.ts';
import { parseActionKey, parseDigest, type ActionKey } from '../cache/digest.ts';
import type { StoredBlob } from './outcome-record.ts';

/** One outcome as the journal has it. Times are whole milliseconds, of wall time or since the epoch (`atMs`). */
export interface HistoryRecord {
  readonly atMs: number;
  /** The project's root, absolute: two projects may have canisters of one name. */
  readonly project: string;
  readonly canister: string;
  readonly outcome: 'hit' | 'built' | 'failed';
  /** Of a hit: where it was found. */
  readonly tier: string | undefined;
  /** Of what was built: why, and which stage had to run. */
  readonly cause: string | undefined;
  readonly stage: string | undefined;
  /** What was not understood, where it was not to be cached. */
  readonly uncacheable: string | undefined;
  /** The kind of failure. */
  readonly failure: string | undefined;
  /** Another process did the work while this one waited. */
  readonly waited: boolean;
  readonly files: string | undefined;
  /** Of the finish, of the compile before it, and of the optimizing after it, where there was one. */
  readonly key: ActionKey | undefined;
  readonly compileKey: ActionKey | undefined;
  readonly optimizeKey: ActionKey | undefined;
  readonly durationMs: number;
  /** What the compiler took when it ran: now, or when the entry was made. */
  readonly compileMs: number | undefined;
  /** The wasm that was placed. */
  readonly wasm: StoredBlob | undefined;
  /** What was given to the store, of the stages that ran. */
  readonly stored: readonly StoredBlob[];
}

/** Records of builds, oldest first, and how many lines of the journal are none. */
export interface History {
  readonly records: readonly HistoryRecord[];
  readonly skipped: number;
}

/** The journal's lines as records. What does not read as one is counted with what was skipped. */
export function historyOf(journal: { readonly records: readonly JournalRecord[]; readonly skipped: number }): History {
  const records = journal.records.map(parseRecord).filter((record) => record !== undefined);
  return {
    // Processes that ran at once wrote their lines in whatever order.
    records: records.sort((a, b) => a.atMs - b.atMs),
    skipped: journal.skipped + journal.records.length - records.length,
  };
}

/** The keys, of all stages, under which something was found or stored for canisters of that name. */
export function keysOfCanister(records: readonly HistoryRecord[], name: string): ReadonlySet<ActionKey> {
  const ofIt = records.filter(({ canister }) => canister === name);
  const keys = ofIt.flatMap(({ key, compileKey, optimizeKey }) => [key, compileKey, optimizeKey]);
  return new Set(keys.filter((key) => key !== undefined));
}

/** Which canister each key was last built for. Two canisters may share one. */
export function canistersByKey(records: readonly HistoryRecord[]): ReadonlyMap<ActionKey, string> {
  return new Map(
    records.flatMap(({ canister, key, compileKey, optimizeKey }) =>
      [key, compileKey, optimizeKey].flatMap((one) => (one === undefined ? [] : [[one, canister] as const])),
    ),
  );
}

function parseRecord(record: JournalRecord): HistoryRecord | undefined {
  const { atMs, project, canister, outcome, durationMs } = record;
  if (!isAmount(atMs) || typeof project !== 'string' || typeof canister !== 'string') return undefined;
  if (!isAmount(durationMs) || (outcome !== 'hit' && outcome !== 'built' && outcome !== 'failed')) return undefined;
  return {
    atMs,
    project,
    canister,
    outcome,
    durationMs,
    tier: textOf(record.tier),
    cause: textOf(record.cause),
    stage: textOf(record.stage),
    uncacheable: textOf(record.uncacheable),
    failure: textOf(record.failure),
    files: textOf(record.files),
    waited: record.waited === true,
    key: parseActionKey(record.key),
    compileKey: parseActionKey(record.compileKey),
    optimizeKey: parseActionKey(record.optimizeKey),
    compileMs: isAmount(record.compileMs) ? record.compileMs : undefined,
    wasm: parsePair(record.wasm),
    stored: Array.isArray(record.stored) ? record.stored.flatMap((pair) => parsePair(pair) ?? []) : NONE,
  };
}

const NONE: readonly StoredBlob[] = [];

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function parsePair(value: unknown): StoredBlob | undefined {
  if (!Array.isArray(value)) return undefined;
  const digest = parseDigest(value[0]);
  const sizeBytes: unknown = value[1];
  return digest !== undefined && isAmount(sizeBytes) ? { digest, sizeBytes } : undefined;
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

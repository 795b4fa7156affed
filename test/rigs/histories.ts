import { digestOf, actionKeyOf } from '../../src/cache/digest.ts';
import type { HistoryRecord } from '../../src/build/history.ts';

/** Wednesday, noon, in the time zone of the tests. */
export const NOON = new Date(2026, 10, 25, 12).getTime();
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** A hit that saved 4 s, unless told otherwise. */
export function record(change: Partial<HistoryRecord> = {}): HistoryRecord {
  return {
    atMs: NOON,
    project: '/home/me/shop',
    canister: 'backend',
    outcome: 'hit',
    tier: 'local',
    cause: undefined,
    stage: undefined,
    uncacheable: undefined,
    failure: undefined,
    waited: false,
    files: 'unchanged',
    key: actionKeyOf('finish'),
    compileKey: actionKeyOf('compile'),
    optimizeKey: undefined,
    durationMs: 12,
    compileMs: 4_000,
    wasm: { digest: digestOf('wasm'), sizeBytes: 250_000 },
    stored: [],
    ...change,
  };
}

/** A compile of 4 s that stored a wasm of 1,000 bytes, which `text` stands for. */
export function compiled(text: string, change: Partial<HistoryRecord> = {}): HistoryRecord {
  const stored = [{ digest: digestOf(text), sizeBytes: 1_000 }];
  return record({
    outcome: 'built',
    tier: undefined,
    cause: 'absent',
    stage: 'compile',
    durationMs: 4_100,
    stored,
    ...change,
  });
}

/** Two weeks of builds of some canisters, one of which has a name that wants to be a program. */
export function twoWeeks(): readonly HistoryRecord[] {
  const canisters = ['backend', 'ledger', HOSTILE, 'a_name_that_is_as_long_as_names_get_before_somebody_complains'];
  return Array.from({ length: 14 * 12 }, (_, index) => {
    const at = { atMs: NOON - (14 * 12 - index) * 2 * HOUR_MS, canister: canisters[index % canisters.length] ?? '' };
    const project = index % 5 === 0 ? '/home/me/other' : '/home/me/shop';
    return index % 7 < 2 + (14 * 12 - index) / 60
      ? compiled(`${index}`, { ...at, project })
      : record({ ...at, project });
  });
}

export const HOSTILE = `"><img src=/leak onerror="parent.document.title='pwned'"><script>fetch('/leak')</script>&amp;`;

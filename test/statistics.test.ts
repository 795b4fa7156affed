import { expect, test } from 'vitest';
import { periodsBetween } from '../src/build/periods.ts';
import { statisticsOf } from '../src/build/statistics.ts';
import { PLAIN } from '../src/cli/paint.ts';
import { blocksFor, statsText } from '../src/cli/stats-text.ts';
import { compiled, DAY_MS, HOUR_MS, NOON, record } from './rigs/histories.ts';

const of = (records: Parameters<typeof statisticsOf>[0]['records'], sinceMs?: number) =>
  statisticsOf({ records, skipped: 0 }, sinceMs, NOON);

test('nothing built is nothing to divide by', () => {
  const stats = of([]);
  expect(stats).toMatchObject({
    builds: 0,
    hits: 0,
    hitRate: undefined,
    fromMs: undefined,
    periods: [],
    canisters: [],
  });
  expect(statsText(stats, 'ascii', PLAIN)).toBe('nothing was built so far\n');
});

test('hits save what a compile took, misses cost it, and a finish alone does both jobs', () => {
  const stats = of([
    compiled('one'),
    record(),
    record({ tier: 'ci' }),
    record({ outcome: 'built', tier: undefined, cause: 'absent', stage: 'finish' }),
    compiled('two', { cause: 'damaged', compileMs: 5_000 }),
    record({ outcome: 'failed', tier: undefined, failure: 'rejected', compileMs: undefined }),
  ]);
  expect(stats).toMatchObject({
    ...{ builds: 6, hits: 2, misses: 3, compiles: 2, finishes: 1, failures: 1, hitRate: 0.4 },
    ...{ savedMs: 12_000, spentMs: 9_000 },
    causes: { absent: 2, damaged: 1 },
    failureKinds: { rejected: 1 },
    tiers: [
      { tier: 'local', hits: 1, savedMs: 4_000 },
      { tier: 'ci', hits: 1, savedMs: 4_000 },
    ],
  });
});

test('what was forced or cannot be cached is neither hit nor miss', () => {
  const stats = of([record(), compiled('a', { cause: 'forced' }), compiled('b', { cause: 'uncacheable', stored: [] })]);
  expect(stats).toMatchObject({ hitRate: 1, misses: 0, compiles: 2, causes: { forced: 1, uncacheable: 1 } });
});

test('waits are counted, and what those saved that got what they waited for', () => {
  const stats = of([record({ waited: true }), compiled('a', { waited: true }), record()]);
  expect(stats.waits).toEqual({ count: 2, hits: 1, savedMs: 4_000 });
});

test('bytes that were stored before are deduplicated, also where that was before the time asked for', () => {
  const old = compiled('old', { atMs: NOON - 2 * DAY_MS });
  const records = [old, compiled('new'), compiled('old'), compiled('new')];
  expect(of(records)).toMatchObject({ storedBytes: 2_000, deduplicatedBytes: 2_000 });
  expect(of(records, NOON - DAY_MS)).toMatchObject({ builds: 3, storedBytes: 1_000, deduplicatedBytes: 2_000 });
});

test('canisters of one name in two projects are two, the one that saved most first', () => {
  const other = { project: '/home/me/other', wasm: undefined };
  const { canisters } = of([record(), record(other), record(other), compiled('x', { compileMs: 7_000 })]);
  expect(canisters).toMatchObject([
    { project: '/home/me/other', hits: 2, savedMs: 8_000, wasmBytes: undefined },
    { project: '/home/me/shop', hits: 1, misses: 1, savedMs: 4_000, compileMs: 7_000, wasmBytes: 250_000 },
  ]);
});

test.each([
  ['hour', 30 * HOUR_MS, 31],
  ['day', 14 * DAY_MS, 15],
  ['week', 100 * DAY_MS, 16],
  ['month', 800 * DAY_MS, 28],
] as const)('time is told by the %s', (unit, lengthMs, count) => {
  const found = periodsBetween(NOON - lengthMs, NOON);
  expect(found.unit).toBe(unit);
  expect(Math.abs(found.periods.length - count)).toBeLessThanOrEqual(1);
  expect(found.periods[0]?.fromMs).toBeLessThanOrEqual(NOON - lengthMs);
  expect(found.periods.at(-1)?.toMs).toBeGreaterThan(NOON);
  for (const [index, { toMs }] of found.periods.slice(0, -1).entries()) {
    expect(found.periods[index + 1]?.fromMs).toBe(toMs);
  }
});

test('every build is in one period', () => {
  const records = Array.from({ length: 200 }, (_, index) => record({ atMs: NOON - (200 - index) * 5 * HOUR_MS }));
  const { periods } = of(records);
  expect(periods.reduce((sum, { builds }) => sum + builds, 0)).toBe(200);
});

test('a record of the future, from before the clock was set back, counts too', () => {
  const stats = of([record(), record({ atMs: NOON + 3 * DAY_MS })]);
  expect(stats.periods.reduce((sum, { hits }) => sum + hits, 0)).toBe(2);
});

test('the text says it all, in ASCII for files and in blocks for terminals', () => {
  const records = [
    compiled('one', { atMs: NOON - 5 * DAY_MS }),
    record({ atMs: NOON - 4 * DAY_MS }),
    record(),
    record({ waited: true }),
    compiled('one', { canister: 'ledger', cause: 'damaged' }),
    record({ outcome: 'failed', tier: undefined, failure: 'rejected', compileMs: undefined }),
  ];
  const stats = statisticsOf({ records, skipped: 2 }, undefined, NOON);
  expect(statsText(stats, 'ascii', PLAIN)).toBe(`6 builds of 2 canisters since 2026-11-20 12:00

  hit rate  ##############..........  60 %  3 of 5
  by day    09...6  11-20 to 11-25; 0 to 9: none to all

  hits                         3  saved 12.0 s of compiling
  misses                       2
    not in the cache           1
    damaged in the cache       1
  compiles                     2  took 8.0 s
  failures                     1
    rejected                   1
  waits                        1  for another build; 1 hit then, saving 4.0 s
  stored                  1000 B  and 1000 B that was there already

  canister               hit  hits   saved  compile       wasm
  backend   ########..  75 %   3/4  12.0 s    4.0 s  244.1 KiB
  ledger    ..........   0 %   0/1    0 ms    4.0 s  244.1 KiB
(2 lines of the journal could not be read)
`);
  const blocks = statsText(stats, 'unicode', PLAIN);
  expect(blocks).toContain('██████████████░░░░░░░░░░  60 %');
  expect(blocks).toContain('▁█···▆');
});

test.each([
  [true, { LANG: 'de_DE.UTF-8' }, 'unicode'],
  [true, { LANG: 'de_DE.UTF-8', LC_ALL: 'C' }, 'ascii'],
  [true, { LC_CTYPE: 'C.utf8' }, 'unicode'],
  [true, {}, 'ascii'],
  [false, { LANG: 'de_DE.UTF-8' }, 'ascii'],
] as const)('on a terminal (%s) with %j bars are %s', (isTerminal, env, blocks) => {
  expect(blocksFor(isTerminal, env)).toBe(blocks);
});

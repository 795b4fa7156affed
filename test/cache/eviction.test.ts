import { describe, expect, test } from 'vitest';
import type { Census, CountedResult } from '../../src/cache/census.ts';
import { actionKeyOf, digestOf, type ActionKey } from '../../src/cache/digest.ts';
import { planEviction, planRemoval, type EvictionPolicy } from '../../src/cache/eviction.ts';

const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const POLICY: EvictionPolicy = { maxBytes: 1_000_000, maxAgeMs: 30 * DAY_MS, workingSetMs: 0 };

/** A result of 10 bytes, and blobs by name of 90 bytes each. */
function result(name: string, ageMs: number, blobs: readonly string[] = [name]): CountedResult {
  const counted = blobs.map((blob) => ({ digest: digestOf(blob), sizeBytes: 90, uses: 1 }));
  return { key: actionKeyOf(name), usedMs: NOW_MS - ageMs, sizeBytes: 10, blobs: counted };
}

function census(given: readonly CountedResult[], more: Partial<Census> = {}): Census {
  const all = given.flatMap((one) => one.blobs);
  const usesOf = (digest: string) => all.filter((blob) => blob.digest === digest).length;
  const blobs = new Map(all.map((blob) => [blob.digest, { ...blob, uses: usesOf(blob.digest) }]));
  const results = given.map((one) => ({ ...one, blobs: one.blobs.map((blob) => blobs.get(blob.digest) ?? blob) }));
  return {
    atMs: NOW_MS,
    results,
    loose: [],
    leased: new Set(),
    leftovers: [],
    sizeBytes: results.length * 10 + blobs.size * 90,
    blobCount: blobs.size,
    ...more,
  };
}

function keysOf(plan: { readonly results: readonly { readonly result: CountedResult }[] }): readonly ActionKey[] {
  return plan.results.map(({ result }) => result.key);
}

describe('by age', () => {
  test('what was not used for so long goes, the oldest first, and what was used since stays', () => {
    const all = census([result('new', DAY_MS), result('old', 31 * DAY_MS), result('older', 32 * DAY_MS)]);
    const plan = planEviction(all, POLICY, NOW_MS);
    expect(keysOf(plan)).toEqual([actionKeyOf('older'), actionKeyOf('old')]);
    expect(plan.results.map(({ why }) => why)).toEqual(['age', 'age']);
    expect(plan.keptBytes).toBe(100);
  });

  test('a time in the future is no age', () => {
    expect(keysOf(planEviction(census([result('odd', -90 * DAY_MS)]), POLICY, NOW_MS))).toEqual([]);
  });

  test.each([
    ['what somebody works on', { leased: new Set([actionKeyOf('old')]) }, 31 * DAY_MS],
    ['what was used this moment', {}, 1_000],
  ])('%s stays even so', (_, more, ageMs) => {
    const plan = planEviction(census([result('old', ageMs)], more), { ...POLICY, maxAgeMs: 0 }, NOW_MS);
    expect(keysOf(plan)).toEqual([]);
  });
});

describe('by size', () => {
  const ten = Array.from({ length: 10 }, (_, index) => result(`entry ${index}`, (10 - index) * HOUR_MS));

  test('nothing goes at the limit', () => {
    expect(keysOf(planEviction(census(ten), { ...POLICY, maxBytes: 1_000 }, NOW_MS))).toEqual([]);
  });

  test('above it the least recently used go, down to 90 % of the limit', () => {
    const plan = planEviction(census(ten), { ...POLICY, maxBytes: 890 }, NOW_MS);
    expect(keysOf(plan)).toEqual(ten.slice(0, 2).map(({ key }) => key)); // 1,000 to 800: at 900 it is above 801
    expect(plan).toMatchObject({ keptBytes: 800, overBytes: 0 });
  });

  test('a blob goes with the last result that names it', () => {
    const shared = [result('a', 5 * HOUR_MS, ['common', 'a']), result('b', 4 * HOUR_MS, ['common', 'b'])];
    const one = planEviction(census(shared), { ...POLICY, maxBytes: 280 }, NOW_MS);
    expect(one.blobs.map(({ digest }) => digest)).toEqual([digestOf('a')]);
    const both = planEviction(census(shared), { ...POLICY, maxBytes: 10 }, NOW_MS);
    expect(both.blobs.map(({ digest }) => digest)).toEqual([digestOf('a'), digestOf('common'), digestOf('b')]);
    expect(both.keptBytes).toBe(0);
  });

  test('a working set larger than the limit is kept, and how much too large it is', () => {
    const plan = planEviction(census(ten), { ...POLICY, maxBytes: 300, workingSetMs: 4.5 * HOUR_MS }, NOW_MS);
    expect(keysOf(plan)).toEqual(ten.slice(0, 6).map(({ key }) => key));
    expect(plan).toMatchObject({ keptBytes: 400, overBytes: 100 });
  });

  test('what goes by age counts for the size', () => {
    const plan = planEviction(census([result('old', 31 * DAY_MS), ...ten]), { ...POLICY, maxBytes: 1_000 }, NOW_MS);
    expect(keysOf(plan)).toEqual([actionKeyOf('old')]);
  });
});

test('blobs that nothing names go once no result can be on its way', () => {
  const loose = (name: string, ageMs: number) => ({
    digest: digestOf(name),
    sizeBytes: 5,
    changedMs: NOW_MS - ageMs,
  });
  const plan = planEviction(census([], { loose: [loose('old', HOUR_MS), loose('new', 1_000)] }), POLICY, NOW_MS);
  expect(plan.loose.map(({ digest }) => digest)).toEqual([digestOf('old')]);
});

test('leftovers go by their kind: the unfinished at once, what was set aside after a week, the rest by age', () => {
  const left = (what: 'set-aside' | 'unfinished' | 'note' | 'stamp', ageMs: number) => {
    return { path: `${what} ${ageMs / DAY_MS}`, what, sizeBytes: 1, changedMs: NOW_MS - ageMs };
  };
  const kinds = ['set-aside', 'unfinished', 'note', 'stamp'] as const;
  const leftovers = [6, 8, 31].flatMap((days) => kinds.map((what) => left(what, days * DAY_MS)));
  const plan = planEviction(census([], { leftovers }), POLICY, NOW_MS);
  expect(plan.leftovers.map(({ path }) => path).sort()).toEqual(
    ['note 31', 'set-aside 31', 'set-aside 8', 'stamp 31', 'unfinished 31', 'unfinished 6', 'unfinished 8'].sort(),
  );
});

test('a removal takes what was chosen, by key and by age, and not what somebody works on', () => {
  const results = [result('a', HOUR_MS), result('b', HOUR_MS), result('c', 0)];
  const plan = (keys: readonly string[] | undefined, olderThanMs: number, leased: readonly string[] = []) =>
    keysOf(
      planRemoval(
        census(results, { leased: new Set(leased.map(actionKeyOf)) }),
        { keys: keys === undefined ? undefined : new Set(keys.map(actionKeyOf)), olderThanMs },
        NOW_MS,
      ),
    );
  expect(plan(['a', 'c'], 0)).toEqual(['a', 'c'].map(actionKeyOf));
  expect(plan(undefined, 1_000)).toEqual(['a', 'b'].map(actionKeyOf));
  expect(plan(['a', 'c'], 1_000)).toEqual([actionKeyOf('a')]);
  expect(plan(undefined, 0, ['b'])).toEqual(['a', 'c'].map(actionKeyOf));
});

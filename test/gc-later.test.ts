import { expect, test } from 'vitest';
import { isCollectionDue } from '../src/cli/gc-later.ts';

const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

test.each([
  ['an hour later, far below the limit', { ageHours: 1, sizeBytes: 100, grownBytes: 500 }, false],
  ['a day later', { ageHours: 25, sizeBytes: 100, grownBytes: 0 }, true],
  ['with a time that is yet to come', { ageHours: -25, sizeBytes: 100, grownBytes: 0 }, true],
  ['past the limit', { ageHours: 0, sizeBytes: 900, grownBytes: 101 }, true],
  [
    'past the limit, of which all is in use, with little that is new',
    { ageHours: 0, sizeBytes: 2_000, grownBytes: 50 },
    false,
  ],
])('is a collection due %s: %j, of 1000', (_, { ageHours, ...sizes }, isDue) => {
  const upkeep = { atMs: NOW_MS - ageHours * HOUR_MS, overBytes: 0, ...sizes };
  expect(isCollectionDue(upkeep, 1_000, NOW_MS)).toBe(isDue);
});

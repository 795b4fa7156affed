import { expect, test } from 'vitest';
import { parseAge, parseSize } from '../src/cli/quantities.ts';

test.each([
  ['0', 0],
  ['1000000', 1_000_000],
  ['800k', 819_200],
  ['500MB', 500_000_000],
  ['1.5 GB', 1_500_000_000],
  ['5GiB', 5 * 1024 ** 3],
  ['2 tib', 2 * 1024 ** 4],
  [' 12B ', 12],
])('%j is %i bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

test.each(['', 'big', '-1', '1.5', '5 iB', '5GiBs', 'GiB', '1e3', '9'.repeat(20), '1,5GB', '5 G iB'])(
  '%j is no size',
  (text) => expect(parseSize(text)).toBeUndefined(),
);

test.each([
  ['30d', 30 * 86_400_000],
  ['1.5h', 5_400_000],
  ['0d', 0],
])('%j is %i ms', (text, ms) => expect(parseAge(text)).toBe(ms));

test.each(['', '30', 'd', '-1d', '1y'])('%j is no age', (text) => expect(parseAge(text)).toBeUndefined());

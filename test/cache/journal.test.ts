import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openCache } from '../../src/cache/cache.ts';
import { appendRecord, parseJournal, readJournal } from '../../src/cache/journal.ts';
import { storePathsOf } from '../../src/cache/store-folder.ts';
import { startWorkers } from '../rigs/cache-processes.ts';
import { tempDir } from '../rigs/cache-temp.ts';

const NOW = Date.UTC(2026, 10, 25);
const MIB = 1024 * 1024;

test('what is appended is read back in order, and only its owner may read it', () => {
  const dir = join(tempDir(), 'journal');
  expect(readJournal(dir)).toEqual({ records: [], skipped: 0 });
  for (const n of [1, 2, 3]) appendRecord(dir, { n, text: 'line\nend' }, NOW);
  expect(readJournal(dir).records).toEqual([1, 2, 3].map((n) => ({ format: 1, n, text: 'line\nend' })));
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  expect(statSync(join(dir, 'journal.jsonl')).mode & 0o777).toBe(0o600);
});

test.each([
  ['a line that a full disk cut off', '\n{"format":1,"n":', 1],
  ['zeros after a power cut', `\n${'\0'.repeat(100)}`, 1],
  ['another program’s JSON', '\n{"name":"x"}\n[1]\nnull\n12', 4],
  ['a newer version’s line', '\n{"format":2,"n":1}', 1],
  ['empty lines', '\n\n\n', 0],
])('%s is skipped and counted, and takes no other line with it', (_, text, skipped) => {
  const dir = tempDir();
  appendRecord(dir, { n: 1 }, NOW);
  appendFileSync(join(dir, 'journal.jsonl'), text);
  appendRecord(dir, { n: 2 }, NOW);
  const journal = readJournal(dir);
  expect(journal.records.map(({ n }) => n)).toEqual([1, 2]);
  expect(journal.skipped).toBe(skipped);
});

test.each([
  ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
  ['a folder', (path: string) => mkdirSync(path)],
])('%s in its place takes no line, and nobody waits for it', (_, make) => {
  const dir = tempDir();
  make(join(dir, 'journal.jsonl'));
  appendRecord(dir, { n: 1 }, NOW);
  expect(readdirSync(dir)).toEqual(['journal.jsonl']);
});

test('a pipe in its place is read as empty', () => {
  const dir = tempDir();
  execFileSync('mkfifo', [join(dir, 'journal.jsonl')]);
  expect(readJournal(dir)).toEqual({ records: [], skipped: 0 });
});

test('a journal cut off at any byte loses its last line and no other', () => {
  const dir = tempDir();
  for (const n of [1, 2]) appendRecord(dir, { n }, NOW);
  const whole = readFileSync(join(dir, 'journal.jsonl'), 'utf8');
  const first = whole.indexOf('}') + 1;
  for (let length = first; length < whole.length; length += 1) {
    const { records, skipped } = parseJournal(whole.slice(0, length));
    expect(records).toEqual([{ format: 1, n: 1 }]);
    expect(skipped).toBe(length > first + 1 ? 1 : 0);
  }
});

test('lines are found by a text in them', () => {
  const dir = tempDir();
  for (const name of ['one', 'two', 'one']) appendRecord(dir, { name }, NOW);
  expect(readJournal(dir, '"one"').records).toHaveLength(2);
});

test('however much is appended, the newest 6 to 8 MiB are kept', () => {
  const dir = tempDir();
  const filler = 'x'.repeat(60_000);
  const count = Math.ceil((20 * MIB) / 60_000);
  for (let n = 0; n < count; n += 1) appendRecord(dir, { n, filler }, NOW + n);
  const { records, skipped } = readJournal(dir);
  const numbers = records.map(({ n }) => Number(n));
  const first = numbers[0] ?? 0;
  expect(numbers).toEqual(Array.from({ length: count - first }, (_, index) => first + index));
  expect(skipped).toBe(0);
  const sizes = readdirSync(dir).map((name) => statSync(join(dir, name)).size);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  expect(bytes).toBeGreaterThan(6 * MIB);
  expect(bytes).toBeLessThan(8 * MIB + 60_100);
});

test('a line that is too long is left out', () => {
  const dir = tempDir();
  appendRecord(dir, { filler: 'x'.repeat(100_000) }, NOW);
  appendRecord(dir, { n: 1 }, NOW);
  expect(readJournal(dir).records).toEqual([{ format: 1, n: 1 }]);
});

test('8 processes that append at once, over several files, lose no line and tear none', async () => {
  const home = tempDir();
  const dir = join(home, 'store');
  const lines = 1_000;
  const names = Array.from('abcdefgh');
  const workers = await startWorkers(
    home,
    names.map((name) => ({ kind: 'journal', dir, name, lines })),
  );
  for (const worker of workers) await worker.next('end');
  const { records, skipped } = readJournal(storePathsOf(dir).journal);
  expect(skipped).toBe(0);
  for (const name of names) {
    const own = records.filter((record) => record.name === name).map(({ line }) => line);
    expect(own).toEqual(Array.from({ length: lines }, (_, line) => line));
  }
  expect(readdirSync(storePathsOf(dir).journal).length).toBeGreaterThan(3);
});

test('a journal that cannot be written or read is no reason to stop', () => {
  const dir = tempDir();
  const { journal } = storePathsOf(dir);
  const cache = openCache({ dir, mode: 'read-write', leaseWaitMs: 0 });
  writeFileSync(journal, 'a file in its place');
  cache.appendRecord({ n: 1 });
  expect(cache.readJournal().records).toEqual([]);
  expect(readFileSync(journal, 'utf8')).toBe('a file in its place');
});

test.each(['read-only', 'off'] as const)('a cache that is %s journals nothing', (mode) => {
  const dir = tempDir();
  openCache({ dir, mode: 'read-write', leaseWaitMs: 0 }).appendRecord({ n: 1 });
  const cache = openCache({ dir, mode, leaseWaitMs: 0 });
  cache.appendRecord({ n: 2 });
  expect(cache.readJournal().records).toHaveLength(mode === 'off' ? 0 : 1);
  expect(readJournal(storePathsOf(dir).journal).records).toHaveLength(1);
});

test('a store whose version file is lost is still known by its journal', () => {
  const dir = tempDir();
  for (let n = 0; n < 40; n += 1) appendRecord(storePathsOf(dir).journal, { filler: 'x'.repeat(60_000) }, NOW);
  expect(readdirSync(storePathsOf(dir).journal)).toHaveLength(3);
  const events: unknown[] = [];
  openCache({ dir, mode: 'read-write', leaseWaitMs: 0, onEvent: (event) => events.push(event) });
  expect(events).toEqual([]);
});

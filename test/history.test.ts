import { join } from 'node:path';
import { expect, test } from 'vitest';
import { historyOf, keysOfCanister, type HistoryRecord } from '../src/build/history.ts';
import { actionKeyOf, digestOf } from '../src/cache/digest.ts';
import { readJournal } from '../src/cache/journal.ts';
import { storePathsOf } from '../src/cache/store-folder.ts';
import { scene, tomlOf, until, type Scene } from './rigs/stand-in-project.ts';

function recordsIn(on: Scene): readonly HistoryRecord[] {
  const { records, skipped } = historyOf(readJournal(storePathsOf(on.store).journal));
  expect(skipped).toBe(0);
  return records;
}

test('a compile, a hit, a finish and a failure are journalled with what is known of them', async () => {
  const on = scene();
  const before = Date.now();
  await on.mops(['build']);
  await on.mops(['build']);
  on.put({ 'mops.toml': tomlOf({}, `[canisters.a]\nmain = "src/A.mo"\ninitArg = '("x")'`) });
  await on.mops(['build']);
  on.put({ 'src/A.mo': '// stand-in: exit 3\nactor { }\n' });
  expect((await on.mops(['build'])).code).toBe(3);

  const [built, hit, finished, failed, ...more] = recordsIn(on);
  expect(more).toEqual([]);
  expect(built).toMatchObject({ outcome: 'built', cause: 'absent', stage: 'compile', canister: 'a', waited: false });
  expect(built).toMatchObject({ project: on.root, files: 'written' });
  expect(built?.atMs).toBeGreaterThanOrEqual(before);
  expect(built?.stored.length).toBe(7); // wasm, did, most, stdout, stderr, importers; and the final wasm
  expect(hit).toMatchObject({ outcome: 'hit', tier: 'local', files: 'unchanged', stored: [], key: built?.key });
  expect(finished).toMatchObject({ outcome: 'built', stage: 'finish', compileKey: built?.compileKey });
  expect(finished?.stored).toEqual([finished?.wasm]);
  expect(finished?.wasm?.digest).toBe(on.files()['a.wasm']);
  expect(failed).toMatchObject({ outcome: 'failed', failure: 'rejected', key: undefined });
});

test('a build that waited for another says so', async () => {
  const on = scene();
  const env = { STAND_IN: 'hold', STAND_IN_HOLD: join(on.base, 'go') };
  const first = on.start(['build'], { env });
  await until(() => on.starts().length === 1, first);
  const second = on.start(['build'], { env });
  await until(() => second.said().includes('waiting for it'), second);
  on.put({ '../go': '' });
  await Promise.all([first.ended, second.ended]);
  expect(
    recordsIn(on)
      .map(({ outcome, waited }) => [outcome, waited])
      .sort(),
  ).toEqual([
    ['built', false],
    ['hit', true],
  ]);
});

test('what is not cached is journalled; a build without the cache leaves no trace', async () => {
  const on = scene();
  await on.mops(['build', '--', '--frobnicate']);
  await on.mops(['build', '--no-cache']);
  await on.mops(['build'], { env: { MOCCACHE_DISABLE: '1' } });
  await on.mops(['build'], { env: { MOCCACHE_READONLY: '1' } });
  expect(recordsIn(on)).toMatchObject([{ outcome: 'built', cause: 'uncacheable', key: undefined, stored: [] }]);
});

test('the keys of a canister are those of both its stages, in every project', () => {
  const [a, b, c] = ['a', 'b', 'c'].map(actionKeyOf);
  const line = { format: 1, atMs: 1, outcome: 'hit', durationMs: 1 };
  const { records, skipped } = historyOf({
    records: [
      { ...line, project: '/one', canister: 'x', key: a, compileKey: b },
      { ...line, project: '/two', canister: 'x', key: c, compileKey: b },
      { ...line, project: '/two', canister: 'y', key: digestOf('y'), compileKey: digestOf('z') },
      { ...line, project: '/two', canister: 'x', outcome: 'failed' },
      { ...line, project: '/two', canister: 'x', outcome: 'odd' },
      { ...line, canister: 'x' },
    ],
    skipped: 1,
  });
  expect(skipped).toBe(3);
  expect([...keysOfCanister(records, 'x')]).toEqual([a, b, c]);
  expect(keysOfCanister(records, 'nobody').size).toBe(0);
});

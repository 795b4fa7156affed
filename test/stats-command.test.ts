import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Stats } from '../src/build/statistics.ts';
import { scene } from './rigs/stand-in-project.ts';

test('builds of every kind are in the text and in the JSON', async () => {
  const on = scene();
  const empty = await on.mops(['cache', 'stats']);
  expect([empty.code, empty.stdout]).toEqual([0, 'nothing was built so far\n']);
  await on.mops(['build']);
  await on.mops(['build']);
  await on.mops(['build']);
  on.put({ 'src/A.mo': '// stand-in: exit 1\nactor { }\n' });
  await on.mops(['build']);

  const { stdout } = await on.mops(['cache', 'stats']);
  expect(stdout).toMatch(/^4 builds of 1 canister since \d{4}-\d\d-\d\d \d\d:\d\d\n/);
  expect(stdout).toContain('67 %  2 of 3');
  const json = JSON.parse((await on.mops(['cache', 'stats', '--json'])).stdout) as Stats;
  expect(json).toMatchObject({
    ...{ schema: 1, ok: true, builds: 4, hits: 2, misses: 1, compiles: 1, failures: 1, skippedLines: 0 },
    causes: { absent: 1 },
    failureKinds: { rejected: 1 },
    canisters: [{ canister: 'a', project: on.root, hits: 2 }],
  });
  expect(json.storedBytes).toBeGreaterThan(0);
});

test('--since leaves out what was before', async () => {
  const on = scene();
  await on.mops(['build']);
  const buildsSince = async (since: string) => {
    const { stdout } = await on.mops(['cache', 'stats', '--json', '--since', since]);
    return (JSON.parse(stdout) as Stats).builds;
  };
  expect(await buildsSince('7d')).toBe(1);
  expect(await buildsSince('2026-01-01')).toBe(1);
  expect(await buildsSince('2026-01-01T10:00Z')).toBe(1);
  expect(await buildsSince('0s')).toBe(0);
});

test('--html writes the report, again too, and nothing else is written over', async () => {
  const on = scene();
  await on.mops(['build']);
  for (const round of [1, 2]) {
    const end = await on.mops(['cache', 'stats', '--html', '../report.html']);
    expect([round, end.code, end.stdout]).toEqual([round, 0, 'written to ../report.html\n']);
  }
  const report = readFileSync(join(on.base, 'report.html'), 'utf8');
  expect(report).toContain('<h1>Build cache</h1>');
  const before = on.files(on.base);
  for (const [file, says] of [
    ['mops.toml', 'is there already and is no report'],
    ['no/such/folder.html', 'cannot be written (ENOENT)'],
    ['src', 'cannot be written (EISDIR)'],
  ] as const) {
    const end = await on.mops(['cache', 'stats', '--html', file]);
    expect([end.code, end.stderr]).toEqual([1, expect.stringContaining(`${file}: ${says}`)]);
  }
  expect(on.files(on.base)).toEqual(before);
});

test.each([
  [['--since', 'tomorrow'], /--since takes an age such as 30d.*not "tomorrow"/],
  [['--since', '7'], /not "7"/],
  [['--since', '2026-13-01'], /not "2026-13-01"/],
  [['--since', '2999-01-01'], /yet to come/],
  [['--json', '--html', 'x'], /exclude each other/],
  [['--html', ''], /takes the file/],
  [['all'], /"all" is too much/],
  [['--nope'], /unknown option '--nope'/],
])('stats %j is refused, and nothing is touched', async (args, says) => {
  const on = scene();
  const end = await on.mops(['cache', 'stats', ...args]);
  expect([end.code, end.stdout]).toEqual([1, '']);
  expect(end.stderr).toMatch(says);
});

test('a folder that is no store is refused; lines that are torn are counted', async () => {
  const on = scene();
  on.put({ '../docs/thesis.txt': 'precious' });
  const refused = await on.mops(['cache', 'stats'], { env: { MOCCACHE_DIR: join(on.base, 'docs') } });
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('holds something else')]);
  await on.mops(['build']);
  writeFileSync(join(on.store, 'journal', 'journal.jsonl'), '\n{"format":1,"outc', { flag: 'a' });
  expect((await on.mops(['cache', 'stats'])).stdout).toMatch(/\(1 line of the journal could not be read\)\n$/);
});

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seal } from '../src/cache/sealed.ts';
import { digestOf } from '../src/cache/digest.ts';
import { openLocalStore } from '../src/cache/local-store.ts';
import type { Verification } from '../src/cache/verify.ts';
import { blobFile, bytesOf, entryOf, resultFile } from './rigs/cache-entries.ts';
import { report } from './rigs/report.ts';
import { scene, tomlOf, type RunOptions, type Scene } from './rigs/stand-in-project.ts';

const verify = (on: Scene, options?: RunOptions) => on.mops(['cache', 'verify'], options);

const verifyJson = async (on: Scene) => {
  const { code, stdout } = await on.mops(['cache', 'verify', '--json']);
  return { code, ...(JSON.parse(stdout) as Verification & { readonly ok: boolean; readonly schema: number }) };
};

test('damage is told by canister and taken away, the next build makes it anew, and then there is none', async () => {
  const on = scene();
  const empty = await verify(on);
  expect([empty.code, empty.stdout]).toEqual([0, expect.stringContaining('checked 0 results and 0 blobs')]);
  await on.mops(['build']);
  const whole = await verify(on);
  expect([whole.code, whole.stderr]).toEqual([0, '']);
  expect(whole.stdout).toMatch(/^checked 2 results and 6 blobs, \d\S* (?:B|KiB): \d+ ms\nno damage found\n$/);

  const most = digestOf(readFileSync(join(on.out, 'a.most')));
  writeFileSync(blobFile(on.store, most), 'nonsense');
  const readOnly = await verify(on, { env: { MOCCACHE_READONLY: '1' } });
  expect([readOnly.code, readOnly.stdout]).toEqual([1, expect.stringContaining(': left where it is\n')]);
  const { code, stdout } = await verify(on);
  expect(code).toBe(1);
  expect(stdout.split('\n').slice(2)).toEqual([
    `blob ${most.slice(0, 12)} has other bytes than its name says: set aside`,
    expect.stringMatching(`^result [0-9a-f]{12} \\(a\\) lacks its most, blob ${most.slice(0, 12)}: removed$`),
    '',
    '2 problems found',
    'the next builds make anew what they need of it',
    '',
  ]);
  expect(await verifyJson(on)).toMatchObject({ code: 0, schema: 1, ok: true, results: 1, problems: [] });
  expect((await on.mops(['build'])).stderr).toContain('compiled');
  expect(await verifyJson(on)).toMatchObject({ code: 0, results: 2, orphans: { blobs: 0 }, problems: [] });
  rmSync(blobFile(on.store, most));
  expect(await verifyJson(on)).toMatchObject({
    ...{ code: 1, schema: 1, ok: false },
    problems: [{ kind: 'incomplete-result', what: 'most', digest: most, done: 'removed' }],
  });
});

test('what is no store of this version, or none at all, is refused, and nothing is touched', async () => {
  const on = scene();
  const dir = join(on.base, 'other');
  for (const [file, text, says] of [
    ['thesis.txt', 'precious', 'holds something else'],
    ['version', seal('moccache store 99'), 'newer version (store format 99)'],
  ] as const) {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir);
    writeFileSync(join(dir, file), text);
    const end = await verify(on, { env: { MOCCACHE_DIR: dir } });
    expect([end.code, end.stdout, end.stderr]).toEqual([1, '', expect.stringContaining(says)]);
    expect(readdirSync(dir)).toEqual([file]);
    expect(readFileSync(join(dir, file), 'utf8')).toBe(text);
  }
  const off = await verify(on, { env: { MOCCACHE_DISABLE: '1' } });
  expect([off.code, off.stderr]).toEqual([1, expect.stringContaining('the cache is off')]);
  const more = await on.mops(['cache', 'verify', 'all']);
  expect([more.code, more.stderr]).toEqual([1, expect.stringContaining('"all" is too much after verify')]);
});

test('beside builds, and beside entries that come and go, it finds nothing and harms nothing', async () => {
  const names = ['a', 'b', 'c'];
  const sources = (round: number) =>
    Object.fromEntries(names.map((name) => [`src/${name}.mo`, `actor { /* ${name} ${round % 3} */ }\n`]));
  const on = scene({
    'mops.toml': tomlOf(Object.fromEntries(names.map((name) => [name, `src/${name}.mo`]))),
    ...sources(0),
  });
  await on.mops(['build']);

  let verifications = 0;
  const over = new AbortController();
  const verifying = (async () => {
    for (; verifications < 6; verifications += 1) {
      expect(await verifyJson(on)).toMatchObject({ code: 0, problems: [] });
    }
  })().finally(() => over.abort());
  const building = (async () => {
    let round = 0;
    for (; !over.signal.aborted; round += 1) {
      on.put(sources(round));
      expect(await on.mops(['build'])).toMatchObject({ code: 0 });
    }
    return round;
  })();
  const store = openLocalStore(on.store);
  const comingAndGoing = (async () => {
    let evictions = 0;
    for (; !over.signal.aborted; evictions += 1) {
      const document = `a document ${evictions}\n`;
      const artifacts = { wasm: bytesOf(20_000, evictions), did: bytesOf(200, evictions + 1) };
      await store.put(document, await entryOf(document, artifacts));
      await new Promise((next) => setImmediate(next));
      // As a collector does: the result first.
      rmSync(resultFile(on.store, document));
      for (const bytes of Object.values(artifacts)) rmSync(blobFile(on.store, digestOf(bytes)));
    }
    return evictions;
  })();
  const [, builds, evictions] = await Promise.all([verifying, building, comingAndGoing]);
  report('mops cache verify beside others', [
    { what: 'runs', found: `${verifications}` },
    { what: 'builds', found: `${builds} of 3` },
    { what: 'entries that came and went', found: `${evictions}` },
  ]);
  expect(builds).toBeGreaterThan(0);
  expect(evictions).toBeGreaterThan(0);
  expect((await on.mops(['build'])).stderr).not.toContain('compiled');
}, 60_000);

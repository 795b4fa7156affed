import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  artifactsOf,
  TRIAL_STEP,
  expectHealed,
  firstCallFrom,
  leaveTrail,
  manySources,
  PRELOAD,
} from '../rigs/faults-scene.ts';
import { report } from '../rigs/report.ts';
import { scene, type Ended, type Scene } from '../rigs/stand-in-project.ts';

/** How a build ended of which one call failed. */
interface Failed extends Ended {
  /** The call, as `NAME PATH`. */
  readonly call: string;
}

/** A build whose n-th call under a folder fails, for n after n until none did; then one that has nothing in its way. */
async function atEveryCall(
  on: Scene,
  under: string,
  prepare: () => void,
  judge: (failed: Failed) => void,
): Promise<readonly Failed[]> {
  await on.mops(['build']);
  const good = artifactsOf(on);
  const all: Failed[] = [];
  const calls = join(on.base, 'calls');
  for (let at = firstCallFrom(1, TRIAL_STEP); ; at += TRIAL_STEP) {
    prepare();
    rmSync(on.out, { recursive: true, force: true });
    rmSync(calls, { force: true });
    const fault = { FAULT_AT: `${at}`, FAULT_DO: 'fail', FAULT_UNDER: under, FAULT_CALLS: calls };
    const end = await on.mops(['build'], { env: { ...fault, NODE_OPTIONS: PRELOAD } });
    const call = readFileSync(calls, 'utf8').split('\n')[at - 1] ?? '';
    if (call === '') return all;
    const failed = { ...end, call };
    if (end.code === 0) expect(artifactsOf(on), call).toEqual(good);
    judge(failed);
    await expectHealed(on, good, call);
    all.push(failed);
  }
}

test('a cold build, each call on the cache fails once: it succeeds, and warns once of each thing', async () => {
  const on = scene();
  const all = await atEveryCall(
    on,
    on.store,
    () => rmSync(on.store, { recursive: true, force: true }),
    ({ call, code, stderr }) => {
      expect(code, `${call}\n${stderr}`).toBe(0);
      const warnings = stderr.match(/^warning: .*$/gm) ?? [];
      expect(new Set(warnings).size, stderr).toBe(warnings.length);
      expect(warnings.length, stderr).toBeLessThanOrEqual(2); // of the store, of the lease
    },
  );
  report('A cold build, each call on the cache fails once', rowsOf(all));
  expect((all.length + 1) * TRIAL_STEP).toBeGreaterThan(200);
});

test('a hit, each call on the cache or the project fails once: only the project can fail it, and in a line', async () => {
  const on = scene(manySources());
  const all = await atEveryCall(
    on,
    on.base,
    () => rmSync(join(on.store, 'trails'), { recursive: true, force: true }), // else little is read
    ({ call, code, stderr }) => {
      if (code === 0) return;
      expect([code, stderr], call).toEqual([1, expect.stringMatching(/^error: .+/m)]);
      expect(call).not.toContain(on.store);
    },
  );
  report('A hit, each call on the cache or the project fails once', rowsOf(all));
  expect((all.length + 1) * TRIAL_STEP).toBeGreaterThan(150);
});

test('a hit on the trail of the last, each call on the cache or the project fails once: it succeeds', async () => {
  const on = scene(manySources());
  await on.mops(['build']);
  await leaveTrail(on);
  const all = await atEveryCall(
    on,
    on.base,
    () => undefined,
    ({ call, code, stderr }) => expect([code, stderr], call).toEqual([0, expect.not.stringMatching(/^warning: /m)]),
  );
  report('A hit on the trail of the last, each call on the cache or the project fails once', rowsOf(all));
  expect((all.length + 1) * TRIAL_STEP).toBeGreaterThan(40);
});

function rowsOf(all: readonly Failed[]) {
  const count = (isSo: (failed: Failed) => boolean) => `${all.filter(isSo).length} of ${all.length}`;
  return [
    { what: 'succeeded', found: count(({ code }) => code === 0) },
    { what: 'warned', found: count(({ stderr }) => /^warning: /m.test(stderr)) },
    { what: 'failed with one clear line', found: count(({ code }) => code === 1) },
    { what: 'next build right, without litter', found: count(() => true), asked: 'all' },
  ];
}

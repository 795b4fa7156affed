import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { report } from '../rigs/report.ts';
import {
  artifactsOf,
  TRIAL_STEP,
  expectHealed,
  firstCallFrom,
  hasEnded,
  KILLED,
  leaveTrail,
  manySources,
  PRELOAD,
} from '../rigs/faults-scene.ts';
import { scene, until } from '../rigs/stand-in-project.ts';

type Fault = 'kill' | 'torn';

/** Runs `act` with a build that is killed at its n-th call, for n after n until it lives to its end. Gives the number of kills. */
async function atEveryCall(
  fault: Fault,
  act: (env: Readonly<Record<string, string>>) => Promise<number>,
  first = 1,
): Promise<number> {
  let points = 0;
  for (let at = firstCallFrom(first, stepOf(fault)); ; at += stepOf(fault)) {
    const code = await act({ NODE_OPTIONS: PRELOAD, FAULT_AT: `${at}`, FAULT_DO: fault });
    if (code === 0) return points;
    expect(code, `call ${at}`).toBe(KILLED);
    points += 1;
  }
}

/** Only a few calls write. */
function stepOf(fault: Fault): number {
  return fault === 'torn' ? 1 : TRIAL_STEP;
}

function pointsOf(fault: Fault, points: number, least: number) {
  const step = stepOf(fault);
  const found = step === 1 ? `${points}` : `${points}, one call in ${step}`;
  return { what: 'points', found, asked: `at least ${least} calls` };
}

test.each<[Fault, number]>([
  ['kill', 200],
  ['torn', 20],
])(
  'a cold build, %s at every call: the next one is right, waits for nobody and leaves no litter',
  async (fault, least) => {
    const on = scene();
    await on.mops(['build']);
    const good = artifactsOf(on);
    const points = await atEveryCall(fault, async (env) => {
      rmSync(on.store, { recursive: true, force: true });
      rmSync(on.out, { recursive: true, force: true });
      const { code } = await on.mops(['build'], { env });
      await expectHealed(on, good, `${fault} at call ${env.FAULT_AT}`);
      return code;
    });
    report(`A cold build, ${fault} at every call of the file system`, [
      pointsOf(fault, points, least),
      { what: 'next build right, without litter', found: `${points} of ${points}`, asked: 'all' },
    ]);
    expect((points + 1) * stepOf(fault)).toBeGreaterThanOrEqual(least);
  },
);

test.each<[string, Fault, number]>([
  ['that reads everything', 'kill', 200],
  ['that reads everything', 'torn', 3],
  ['on the trail of the last', 'kill', 60],
  ['on the trail of the last', 'torn', 3],
])(
  'a hit %s, %s, at every call: the next one is right, compiles nothing and leaves no litter',
  async (how, fault, least) => {
    const on = scene(manySources());
    await on.mops(['build']);
    const good = artifactsOf(on);
    const trails = join(on.store, 'trails');
    if (how === ON_TRAIL) await leaveTrail(on);
    const points = await atEveryCall(fault, async (env) => {
      rmSync(on.out, { recursive: true, force: true });
      if (how !== ON_TRAIL) rmSync(trails, { recursive: true, force: true });
      const { code } = await on.mops(['build'], { env });
      await expectHealed(on, good, `${fault} at call ${env.FAULT_AT}`);
      return code;
    });
    report(`A hit ${how}, and restores its files, ${fault} at every call of the file system`, [
      pointsOf(fault, points, least),
      { what: 'next build right, without litter', found: `${points} of ${points}`, asked: 'all' },
      { what: 'compiles', found: `${on.starts().length}`, asked: '1' },
    ]);
    expect((points + 1) * stepOf(fault)).toBeGreaterThanOrEqual(least);
    expect(on.starts()).toHaveLength(1);
  },
);

test('one that waits, killed at every call: the holder and the next build take no notice', async () => {
  const on = scene();
  const go = join(on.base, 'go');
  const calls = join(on.base, 'calls');
  let round = 0;
  let waiting = 0;

  /** One holds the lease, one waits for it: the calls of the latter, and its exit code. */
  const wait = async (env: Readonly<Record<string, string>>) => {
    round += 1;
    on.put({ 'src/Lib.mo': `module { /* ${round} */ }\n` });
    for (const path of [go, calls]) rmSync(path, { force: true });
    const holder = on.start(['build'], { env: { STAND_IN: 'hold', STAND_IN_HOLD: go } });
    await until(() => on.starts().length === round, holder);
    const waiter = on.start(['build'], { env: { NODE_OPTIONS: PRELOAD, FAULT_CALLS: calls, ...env } });
    await until(() => hasEnded(waiter) || callsIn(calls).some(isLook), holder);
    if (!hasEnded(waiter)) waiting += 1;
    writeFileSync(go, '');
    expect((await holder.ended).code).toBe(0);
    const { code } = await waiter.ended;
    const good = artifactsOf(on);
    expect(Object.keys(good)).toEqual(['a.did', 'a.most', 'a.wasm']);
    await expectHealed(on, good, `kill at call ${env.FAULT_AT ?? ''}`);
    expect(on.starts()).toHaveLength(round);
    return code;
  };

  expect(await wait({})).toBe(0);
  // Up to here a waiter does what a hit does, which has been tried.
  const first = callsIn(calls).findIndex((call) => call.includes('/lease/')) + 1;
  const points = await atEveryCall('kill', wait, first);
  report('One that waits, killed at every call of the file system from its first look at the lease', [
    pointsOf('kill', points, 1),
    { what: 'of these while it waited or after', found: `${waiting - 2}` },
    {
      what: 'next build right, without litter, holder undisturbed, one compile',
      found: `${points} of ${points}`,
      asked: 'all',
    },
  ]);
  expect(waiting * TRIAL_STEP).toBeGreaterThan(20);
});

const ON_TRAIL = 'on the trail of the last';

const isLook = (call: string): boolean => /^lstatSync .*\.lock$/.test(call);

function callsIn(path: string): readonly string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
}

import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  asNobody,
  cacheHomeOf,
  clocked,
  dateFiles,
  deletedAgainAndAgain,
  expectGood,
  expectWarnings,
  failing,
  filesOf,
  filled,
  filledWithFiles,
  GOOD,
  goodFiles,
  inContainer,
  isRoot,
  killHolder,
  mount,
  mountLayers,
  mountSmall,
  noContainers,
  noMounts,
  readOnly,
  REJECTED,
  run,
  saidIn,
  tryFault,
  under,
  whileCompiling,
  withClock,
  withEnv,
  type Fault,
  type Files,
  type State,
} from '../rigs/faults-surroundings.ts';
import { report, type Row } from '../rigs/report.ts';
import { MOPS, scene, until, type RunOptions, type Scene } from '../rigs/stand-in-project.ts';

// Whatever is wrong around a build, it succeeds, says so once, and gives the compiler's exit code.

const rows: Row[] = [];
const tell = (row: Row) => void rows.push(row);
afterAll(() =>
  report('Builds in hostile surroundings: exit codes of a good program and of one that is rejected', rows),
);

const noUsers = isRoot ? undefined : 'only the superuser can start a process as somebody else';

const tmpOf = (on: Scene) => join(on.base, 'tmp');

const DISKS: readonly Fault[] = [
  {
    what: 'full disk under the cache',
    warnings: { empty: 1, cold: 1, hit: 0 },
    cause: /ENOSPC/,
    ready: (on) => mountSmall(cacheHomeOf(on), 'size=1m'),
    impose: (on) => filled(on, cacheHomeOf(on)),
  },
  {
    what: 'disk under the cache that takes no more files',
    warnings: { empty: 1, cold: 1, hit: 0 },
    cause: /ENOSPC/,
    ready: (on) => mountSmall(cacheHomeOf(on), 'size=1m,nr_inodes=150'),
    impose: (on) => filledWithFiles(on, cacheHomeOf(on)),
  },
  {
    what: 'read-only disk under the cache',
    warnings: { empty: 1, cold: 1, hit: 0 },
    cause: /EROFS/,
    ready: (on) => mountSmall(cacheHomeOf(on), 'size=1m'),
    impose: (on) => readOnly(on, cacheHomeOf(on)),
  },
  {
    what: 'full disk under temporary files',
    warnings: { cold: 0, hit: 0 },
    ready: (on) => mountSmall(tmpOf(on), 'size=64k'),
    impose: (on) => filled(on, tmpOf(on)),
  },
  {
    what: 'read-only disk under temporary files',
    warnings: { cold: 0, hit: 0 },
    ready: (on) => mountSmall(tmpOf(on), 'size=64k'),
    impose: (on) => readOnly(on, tmpOf(on)),
  },
  {
    what: 'full disk under both',
    warnings: { cold: 1 },
    cause: /ENOSPC/,
    error: /^error: .*the compiler cannot be given a folder to work in here \(the disk is full, ENOSPC\)/m,
    rejected: 1,
    impose: (on) => {
      const disk = join(on.base, 'disk');
      mountSmall(disk, 'size=1m');
      for (const [index, dir] of [cacheHomeOf(on), tmpOf(on)].entries()) {
        cpSync(dir, join(disk, String(index)), { recursive: true });
        mount(dir, '--bind', join(disk, String(index)));
      }
      return filled(on, disk);
    },
  },
  {
    what: 'full disk under the outputs',
    warnings: { cold: 0 },
    error: /^error: .*cannot be written \(the disk is full, ENOSPC\)/m,
    ready: (on) => mountSmall(on.out, 'size=64k'),
    impose: (on) => filled(on, on.out),
  },
  {
    what: 'read-only disk under the outputs',
    warnings: { cold: 0 },
    error: /^error: .*cannot be written \(.*EROFS\)/m,
    ready: (on) => mountSmall(on.out, 'size=64k'),
    impose: (on) => readOnly(on, on.out),
  },
  {
    what: 'read-only disk under the project, outputs elsewhere',
    warnings: { cold: 0, hit: 0 },
    impose: (on) => {
      mount(on.root, '--bind', on.root);
      run('mount', '-o', 'remount,bind,ro', on.root);
      const out = join(on.base, 'elsewhere');
      const { build } = under(on);
      const buildThere: typeof build = ({ args, order }) => build({ args: ['-o', out, ...args], order });
      return { build: buildThere, out, lift: () => run('umount', on.root) };
    },
  },
  {
    what: 'cache on tmpfs',
    warnings: { empty: 0, cold: 0, hit: 0 },
    ready: (on) => mountSmall(cacheHomeOf(on), 'size=16m'),
    impose: (on) => under(on),
  },
  {
    what: 'cache on overlayfs',
    warnings: { empty: 0, cold: 0, hit: 0 },
    ready: (on) => mountLayers(on, cacheHomeOf(on)),
    impose: (on) => under(on),
  },
  {
    what: 'cache in the lower layer of an overlayfs',
    warnings: { cold: 0, hit: 0 },
    impose: (on) => {
      mountLayers(on, cacheHomeOf(on));
      return under(on);
    },
  },
  {
    what: 'lease of a killed build in the lower layer of an overlayfs',
    warnings: { cold: 0 },
    impose: async (on) => {
      await killHolder(on);
      mountLayers(on, cacheHomeOf(on));
      return under(on);
    },
  },
  {
    what: 'project in the lower layer of an overlayfs',
    warnings: { cold: 0, hit: 0 },
    impose: (on) => {
      mountLayers(on, on.root);
      return under(on);
    },
  },
];

const USERS: readonly Fault[] = [
  {
    what: 'cache that may only be read',
    warnings: { empty: 1, cold: 1, hit: 0 },
    cause: /EACCES/,
    impose: (on) => {
      mkdirSync(cacheHomeOf(on), { recursive: true });
      run('chmod', '-R', 'a+rX,a-w', cacheHomeOf(on));
      return asNobody(on, () => run('chmod', '-R', 'u+w', cacheHomeOf(on)));
    },
  },
  {
    what: 'cache that may not be looked into',
    warnings: { cold: 1 },
    cause: /EACCES/,
    impose: (on) => {
      chmodSync(on.store, 0o000);
      return asNobody(on, () => chmodSync(on.store, 0o700));
    },
  },
  {
    what: 'outputs that may not be written',
    warnings: { cold: 0 },
    error: /^error: .*cannot be written \(no permission, EACCES\)/m,
    impose: (on) => {
      const imposed = asNobody(on, () => chmodSync(on.out, 0o755));
      run('chown', '-R', '65534', cacheHomeOf(on));
      run('chown', '0', on.out);
      chmodSync(on.out, 0o555);
      return imposed;
    },
  },
];

const DELETIONS: readonly Fault[] = [
  ...Object.entries({
    'cache deleted': (on: Scene) => on.store,
    'folder around the cache deleted': cacheHomeOf,
    'temporary files deleted': tmpOf,
    'outputs deleted': (on: Scene) => on.out,
    '.mops deleted': (on: Scene) => dirname(on.out),
  }).map(([what, dirOf]): Fault => ({
    what: `${what} while the compiler runs`,
    warnings: { cold: 0 },
    impose: (on) => whileCompiling(on, () => rmSync(dirOf(on), { recursive: true, force: true })),
  })),
  {
    what: 'cache deleted again and again',
    warnings: { cold: 'at most 1' },
    cause: /ENOENT|ENOTEMPTY|ENOTDIR/,
    impose: (on) => deletedAgainAndAgain(on, on.store),
  },
];

const YEAR_MS = 365 * 24 * 3_600_000;

const CLOCKS: readonly Fault[] = [
  {
    what: 'clock set back a year',
    warnings: { empty: 0, cold: 0, hit: 0 },
    impose: (on) => clocked(on, -YEAR_MS),
  },
  {
    what: 'clock set back a year, to what is right',
    warnings: { hit: 0 },
    impose: async (on) => {
      rmSync(on.store, { recursive: true });
      await on.mops(['build'], withClock(YEAR_MS));
      rmSync(on.out, { recursive: true });
      dateFiles(on.base, YEAR_MS);
      return under(on);
    },
  },
  { what: 'clock a year ahead', warnings: { empty: 0, cold: 0, hit: 0 }, impose: (on) => clocked(on, YEAR_MS) },
  ...[
    { since: 'then the clock was set back a year', heldMs: 0, buildMs: -YEAR_MS },
    { since: 'then the clock was set back a year, to what is right', heldMs: YEAR_MS, buildMs: 0 },
  ].flatMap(({ since, heldMs, buildMs }): Fault[] => [
    {
      what: `build was killed, ${since}`,
      warnings: { cold: 0 },
      impose: async (on) => {
        await killHolder(on, withClock(heldMs));
        dateFiles(on.store, heldMs);
        return clocked(on, buildMs);
      },
    },
    {
      what: `build runs, ${since}`,
      warnings: { cold: 0 },
      impose: async (on) => {
        const go = join(on.base, 'go');
        const held = on.start(['build'], withEnv(withClock(heldMs), { STAND_IN: 'hold', STAND_IN_HOLD: go }));
        await until(() => on.starts().length === 2, held);
        dateFiles(on.store, heldMs);
        const build = async ({ args, order }: typeof GOOD) => {
          const running = on.start(['build', ...args], withEnv(withClock(buildMs), { STAND_IN: order }));
          if (order === '') {
            await until(() => running.said().includes('another build compiles it already'), running);
            writeFileSync(go, '');
            expect((await held.ended).code).toBe(0);
            expect((await running.ended).stderr).toContain('compiled by another build meanwhile');
          }
          return running.ended;
        };
        return { build, lift: () => undefined };
      },
    },
  ]),
];

const LEASE = String.raw`/lease/[0-9a-f]{64}\.lock$`;
const RESULT = '/builds/ac/';
const BLOB = '/builds/cas/';
const COMPILED = '/builds/sandbox/.*/out/';
const outputOf = (name: string) => String.raw`/\.${name}\..*\.tmp$`;

const never: Fault['warnings'] = { cold: 0, hit: 0 };
const coldNever: Fault['warnings'] = { cold: 0 };
const always: Fault['warnings'] = { cold: 1, hit: 1 };
const maybe: Fault['warnings'] = { cold: 'at most 1' };

// What NFS does: a file is gone on the server while we look (ESTALE); an answer is lost, and the client asks again for
// what is done already (`done`). And a disk that cannot be read (EIO).
const CALLS = (
  [
    ['ESTALE at the first read of a result', 'readFile', RESULT, 'ESTALE', 'once', never],
    ['ESTALE at each read of a result', 'readFile', RESULT, 'ESTALE', 'always', coldNever],
    ['ESTALE at the first read of a blob', 'readFile', BLOB, 'ESTALE', 'once', never],
    ['ESTALE at each read of a blob', 'readFile', BLOB, 'ESTALE', 'always', always],
    ['ESTALE at the first look at a lock', 'lstat', LEASE, 'ESTALE', 'once', maybe],
    ['ESTALE when a lease is given back', 'rename', LEASE, 'ESTALE', 'once', coldNever],
    ['ESTALE in the sandbox', 'writeFile', '/builds/sandbox/', 'ESTALE', 'once', maybe],
    ['ESTALE at what the compiler wrote', 'readFile', COMPILED, 'ESTALE', 'once', maybe],
    ['EIO at the first read of a result', 'readFile', RESULT, 'EIO', 'once', always],
    ['EIO at each read of a blob', 'readFile', BLOB, 'EIO', 'always', always],
    ['EIO at each read of the cache', 'readFile', '/mops/builds/', 'EIO', 'always', always],
    ['EIO at what the compiler wrote', 'readFile', COMPILED, 'EIO', 'once', maybe],
    ['mkdir makes the lease and says EEXIST', 'mkdir', LEASE, 'EEXIST', 'done', coldNever],
    [
      'mkdir makes the lock on the outputs and says EEXIST',
      'mkdir',
      String.raw`\.buildlock\.lock$`,
      'EEXIST',
      'done',
      never,
    ],
    ['mkdir makes a folder of the cache and says EEXIST', 'mkdir', '/builds/ac/..$', 'EEXIST', 'done', coldNever],
    [
      'rename puts a result in place and says ENOENT',
      'rename',
      `/builds/tmp/.* -> .*${RESULT}`,
      'ENOENT',
      'done',
      coldNever,
    ],
    [
      'rename puts a blob in place and says ENOENT',
      'rename',
      `/builds/tmp/.* -> .*${BLOB}`,
      'ENOENT',
      'done',
      coldNever,
    ],
    ['rename puts an output in place and says ENOENT', 'rename', outputOf('a.most'), 'ENOENT', 'done', never],
    ['rename takes an output away and says ENOENT', 'rename', String.raw`/a\.wasm$`, 'ENOENT', 'done', coldNever],
  ] as const
).map(([what, call, path, code, when, warnings]): Fault => ({
  what,
  warnings,
  // Where a blob is gone each time, we say what we see.
  cause: code === 'ESTALE' ? /ESTALE|does not read back/ : new RegExp(code),
  impose: (on) => failing(on, { call, path, code, ...(when === 'always' ? {} : { times: 1, done: when === 'done' }) }),
}));

/** Each fault in each state; where it cannot be tried here, that is printed. */
function tryAll(faults: readonly Fault[], impossible: string | undefined): void {
  for (const fault of faults) {
    for (const state of Object.keys(fault.warnings) as State[]) {
      const name = `${fault.what} (${state})`;
      if (impossible !== undefined) console.log(`skipped: ${name}: ${impossible}`);
      test.skipIf(impossible !== undefined)(name, () => tryFault(fault, state, tell));
    }
  }
}

tryAll(DISKS, noMounts);
tryAll(USERS, noUsers);
tryAll(DELETIONS, undefined);
tryAll(CLOCKS, undefined);
tryAll(CALLS, undefined);

for (const { unit, step, most, optionsOf } of [
  { unit: 'KiB', step: 8, most: 128, optionsOf: (count: number) => `size=${count}k` },
  { unit: 'files', step: 4, most: 76, optionsOf: (count: number) => `size=1m,nr_inodes=${count}` },
]) {
  test.skipIf(noMounts !== undefined)(`disk under the cache with room for a few ${unit}`, async () => {
    const good = await goodFiles();
    const on = scene();
    const found = new Map<string, number[]>();
    for (let count = step; count <= most; count += step) {
      mountSmall(cacheHomeOf(on), optionsOf(count));
      note(found, await bothUnder(on, good), count);
      run('umount', cacheHomeOf(on));
      rmSync(on.out, { recursive: true, force: true });
    }
    tellAll(found, `disk under the cache with room for ${unit}:`, 'exit 0 and 3, at most one warning: ENOSPC');
    expect([...found.keys()].filter((seen) => !/^exit 0 and 3, (?:no warning|ENOSPC)$/.test(seen))).toEqual([]);
    expect(found.size).toBe(2);
    await expectGood(on, good);
  });
}

for (const state of ['cold', 'hit']) {
  test(`a build with a few file handles (${state}) does all, or says why not`, async () => {
    const good = await goodFiles();
    const on = scene();
    const empty = join(on.base, 'empty.cjs');
    writeFileSync(empty, '');
    const withHandles = (count: number, script: string): RunOptions => ({
      command: ['sh', '-c', `ulimit -n ${count}; exec "$@"`, 'sh', process.execPath, script],
    });
    // With fewer than that Node itself does not start.
    let lowest = 4;
    while ((await on.mops([], withHandles(lowest, empty)).catch(() => undefined))?.code !== 0) lowest += 1;
    const found = new Map<string, number[]>();
    for (let count = lowest; count < lowest + 12; count += 1) {
      rmSync(on.out, { recursive: true, force: true });
      if (state === 'cold') rmSync(on.store, { recursive: true, force: true });
      else await on.mops(['build', '-o', join(on.base, 'elsewhere')]);
      note(found, await bothUnder(on, good, withHandles(count, MOPS)), count);
    }
    tellAll(found, `file handles (${state}):`, 'exit 0, or an error that says EMFILE; at most one warning');
    const allowed = /^exit (?:0 and [13], (?:no warning|EMFILE)|1 and 1, (?:EMFILE, )?error: .*EMFILE.*)$/;
    expect([...found.keys()].filter((seen) => !allowed.test(seen))).toEqual([]);
    expect([...found.keys()]).toContain('exit 0 and 3, no warning');
    // Who could not open a file to learn who it is left its folders without a name: they go after a day.
    for (const dir of [join(on.store, 'sandbox'), on.env.TMPDIR ?? '']) rmSync(dir, { recursive: true, force: true });
    await expectGood(on, good);
  });
}

/** What comes of a good program, whose bytes are right if it is built, and of one that is rejected; in a few words. */
async function bothUnder(on: Scene, good: Files, options?: RunOptions): Promise<string> {
  const { build } = under(on, undefined, options);
  try {
    const end = await build(GOOD);
    if (end.code === 0) expect(filesOf(on)).toEqual(good);
    const rejected = await build(REJECTED);
    const said = saidIn(on, end)
      .split(' | ')
      .map((line) => (line.startsWith('error:') ? line : (/\bE[A-Z]{3,}\b/.exec(line)?.[0] ?? line)));
    return `exit ${end.code} and ${rejected.code}, ${said.join(', ')}`;
  } catch (thrown) {
    return String(thrown).split('\n').slice(0, 3).join(' ');
  }
}

function note(found: Map<string, number[]>, seen: string, count: number): void {
  found.set(seen, [...(found.get(seen) ?? []), count]);
}

function tellAll(found: ReadonlyMap<string, readonly number[]>, what: string, asked: string): void {
  for (const [seen, counts] of found) tell({ what: `${what} ${counts.join(' ')}`, found: seen, asked });
}

test('outputs deleted again and again: the files are there in the end, or an error says who is in the way', async () => {
  const good = await goodFiles();
  const on = scene();
  const imposed = deletedAgainAndAgain(on, on.out);
  const end = await imposed.build(GOOD);
  const rejected = await imposed.build(REJECTED);
  const found = `exit ${end.code} and ${rejected.code}, ${saidIn(on, end)}`;
  tell({ what: 'outputs deleted again and again', found, asked: 'exit 0 (or 1, with an error) and 3, no warning' });
  expectWarnings(end, 0);
  if (end.code !== 0) {
    expect(end.code).toBe(1);
    expect(end.stderr).toMatch(/^error: .*another build keeps writing these files$/m);
  }
  expect(rejected.code).toBe(3);
  await expectGood(on, good);
});

if (noContainers !== undefined) console.log(`skipped: builds in two containers, and on two hosts: ${noContainers}`);

// Each build is process 1 of its container.
const HOSTS = [
  { what: 'two containers with other host names', other: () => inContainer('other') },
  { what: 'two containers with the same host name', other: () => inContainer('one') },
  {
    what: 'two hosts with the same name',
    other: (on: Scene) => {
      const boot = join(on.base, 'boot');
      writeFileSync(boot, '00000000-1111-2222-3333-444444444444\n');
      return inContainer('one', boot);
    },
  },
];

for (const { what, other } of HOSTS) {
  test.skipIf(noContainers !== undefined)(`${what}: one build compiles, and all get the same files`, async () => {
    const good = await goodFiles();
    const on = scene();
    const go = join(on.base, 'go');
    const [here, there] = [inContainer('one'), other(on)].map((options) =>
      withEnv(options, { STAND_IN: 'hold', STAND_IN_HOLD: go }),
    );
    const checkout = join(on.base, 'checkout');
    cpSync(on.root, checkout, { recursive: true });
    const first = on.start(['build'], here);
    await until(() => on.starts().length === 1, first);
    const others = [on.start(['build'], there), on.start(['build'], { ...there, cwd: checkout })];
    for (const waiter of others)
      await until(() => waiter.said().includes('another build compiles it already (process 1 on one'), waiter);
    writeFileSync(go, '');
    const ends = await Promise.all([first, ...others].map(({ ended }) => ended));
    const compiles = on.starts().length;
    const rejected = await Promise.all(
      [inContainer('one'), other(on)].map((options) => under(on, undefined, options).build(REJECTED)),
    );
    tell({
      what: `${what}, three builds`,
      found: `exit ${codesOf(ends)} and ${codesOf(rejected)}, compiles: ${compiles}`,
      asked: 'exit 0 0 0 and 3 3, compiles: 1, no warning',
    });
    expect([codesOf(ends), codesOf(rejected)]).toEqual(['0 0 0', '3 3']);
    for (const end of ends) expectWarnings(end, 0);
    expect(compiles).toBe(1);
    for (const out of [on.out, join(checkout, '.mops/.build')]) expect(filesOf(on, out)).toEqual(good);
    await expectGood(on, good);
  });
}

test.skipIf(noContainers !== undefined)(
  'a build that is killed in another container or on another host is taken over within 15 seconds, by one',
  async () => {
    const good = await goodFiles();
    // All of them wait for heartbeats that do not come, so they wait together.
    await Promise.all(
      HOSTS.map(async ({ what, other }) => {
        const on = scene();
        const never = { STAND_IN: 'hold', STAND_IN_HOLD: join(on.base, 'never') };
        const holder = on.start(['build'], withEnv(inContainer('one'), never));
        await until(() => on.starts().length === 1, holder);
        const waiters = [other(on), other(on)].map((options) => on.start(['build'], options));
        for (const waiter of waiters) await until(() => waiter.said().includes('another build compiles it'), waiter);
        const killedMs = performance.now();
        holder.child.kill('SIGKILL');
        const ends = await Promise.all(waiters.map(({ ended }) => ended));
        const tookMs = performance.now() - killedMs;
        tell({
          what: `${what}, one of three builds killed`,
          found: `exit ${codesOf(ends)}, compiles: ${on.starts().length}, after ${(tookMs / 1000).toFixed(1)} s`,
          asked: 'exit 0 0, compiles: 2, within 15 s; no warning',
        });
        expect(codesOf(ends)).toBe('0 0');
        for (const end of ends) expectWarnings(end, 0);
        expect(tookMs).toBeLessThan(15_000);
        expect(on.starts()).toHaveLength(2);
        expect(filesOf(on)).toEqual(good);
      }),
    );
  },
);

test.skipIf(noContainers !== undefined)(
  'a build whose clock is a year ahead does no harm to one in another container',
  async () => {
    const good = await goodFiles();
    const on = scene();
    const go = join(on.base, 'go');
    const held = on.start(['build'], withEnv(inContainer('one'), { STAND_IN: 'hold', STAND_IN_HOLD: go }));
    await until(() => on.starts().length === 1, held);
    // By that clock what the other leaves is a year old.
    const beside = await on.mops(['build', '--', '--release'], withClock(YEAR_MS));
    writeFileSync(go, '');
    const end = await held.ended;
    const what = 'build in a container, beside one whose clock is a year ahead';
    tell({ what, found: `exit ${codesOf([end, beside])}, ${saidIn(on, end)}`, asked: 'exit 0 0, no warning' });
    expect(codesOf([end, beside])).toBe('0 0');
    expectWarnings(end, 0);
    await expectGood(on, good);
  },
);

function codesOf(ends: readonly { readonly code: number }[]): string {
  return ends.map(({ code }) => code).join(' ');
}

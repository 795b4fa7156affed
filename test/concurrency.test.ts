import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PRELOAD } from './rigs/faults-scene.ts';
import { CANISTER_A, processExists, scene, tomlOf, until, type Scene } from './rigs/stand-in-project.ts';

const UPSTREAM = [process.execPath, join(import.meta.dirname, 'rigs', 'stand-in-upstream-lock.mjs')];

/** Copies of the project, as two clones or two users have them. */
function checkouts(on: Scene, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => {
    const root = join(on.base, `checkout ${index}`);
    cpSync(on.root, root, { recursive: true });
    return root;
  });
}

/** Of which version an output is: the stand-in leaves the same mark in the .most and the .wasm. */
function versionOf(dir: string): { readonly most: string; readonly wasm: string; readonly did: string } | undefined {
  try {
    const [wasm, most, did] = ['wasm', 'most', 'did'].map((name) => readFileSync(join(dir, `a.${name}`), 'latin1'));
    const markIn = (text = '') => /[0-9a-f]{64}/.exec(text)?.[0] ?? '';
    return { most: markIn(most), wasm: markIn(wasm), did: did ?? '' };
  } catch {
    return undefined;
  }
}

test.each([
  [8, 1],
  [16, 4],
])('%i identical cold builds from %i checkouts compile once, and all get the same files', async (count, folders) => {
  const on = scene();
  const roots = checkouts(on, folders);
  const builds = Array.from({ length: count }, (_, index) =>
    on.start(['build'], { cwd: roots[index % folders] ?? '' }),
  );
  const ends = await Promise.all(builds.map(({ ended }) => ended));
  expect(ends.map(({ code }) => code)).toEqual(ends.map(() => 0));
  expect(on.starts()).toHaveLength(1);
  expect(ends.filter(({ stderr }) => stderr.includes('compiled: '))).toHaveLength(1);
  const [first, ...others] = roots.map((root) => on.files(join(root, '.mops/.build')));
  expect(Object.keys(first ?? {})).toEqual(['.a.buildlock', 'a.did', 'a.most', 'a.wasm']);
  for (const other of others) expect(other).toEqual(first);
  expect(on.litter()).toEqual([]);
});

test('three canisters, each built by a process of its own, are compiled once each', async () => {
  const names = ['a', 'b', 'c'];
  const on = scene({
    'mops.toml': tomlOf({ a: 'src/A.mo', b: 'src/B.mo', c: 'src/C.mo' }),
    'src/B.mo': 'import Lib "./Lib";\nactor { }\n// b',
    'src/C.mo': 'import Lib "./Lib";\nactor { }\n// c',
  });
  const ends = await Promise.all(names.map((name) => on.mops(['build', name])));
  expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(on.starts()).toHaveLength(3);
  const apart = on.files();
  expect((await on.mops(['build'])).stderr.match(/files up to date/g)).toHaveLength(3);
  expect(on.files()).toEqual(apart);
});

test('two builds of different sources into the same outputs: the files are always those of one of the two', async () => {
  const on = scene();
  const [one = '', two = ''] = checkouts(on, 2);
  writeFileSync(join(one, 'src/A.mo'), '// did: service : { one : () -> () }\nactor { }\n');
  writeFileSync(join(two, 'src/A.mo'), '// did: service : { two : () -> () }\nactor { }\n');
  const out = join(on.base, 'out');
  const known = new Set<string>();
  for (const cwd of [one, two]) {
    expect((await on.mops(['build', '-o', out], { cwd })).code).toBe(0);
    known.add(JSON.stringify(versionOf(out)));
  }
  expect(known.size).toBe(2);

  let seen = 0;
  for (let round = 0; round < 6; round += 1) {
    const builds = [one, two, one, two].map((cwd) => on.start(['build', '-o', out], { cwd }));
    let over = false;
    const ends = Promise.all(builds.map(({ ended }) => ended)).finally(() => (over = true));
    while (over === (false as boolean)) {
      // The wasm is there only beside its own interface: if it stays the same file while we read, so do the others.
      const before = wasmIdentity(out);
      const version = versionOf(out);
      if (version !== undefined && before === wasmIdentity(out)) {
        expect(known).toContain(JSON.stringify(version));
        seen += 1;
      }
      await new Promise((next) => setImmediate(next));
    }
    expect((await ends).map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(known).toContain(JSON.stringify(versionOf(out)));
  }
  expect(seen).toBeGreaterThan(0);
  expect(on.starts()).toHaveLength(2);
  expect(readdirSync(out).sort()).toEqual(['.a.buildlock', 'a.did', 'a.most', 'a.wasm']);
});

function wasmIdentity(dir: string): string {
  const stats = lstatSync(join(dir, 'a.wasm'), { bigint: true, throwIfNoEntry: false });
  return `${stats?.ino ?? ''} ${stats?.ctimeNs ?? ''}`;
}

test("upstream's lock is respected: ours waits, says so, and writes when it is free", async () => {
  const on = scene();
  mkdirSync(on.out, { recursive: true });
  const go = join(on.base, 'go');
  const upstream = on.start([join(on.out, '.a.buildlock'), go], { command: UPSTREAM });
  await until(() => upstream.said().includes('held'), upstream);
  const build = on.start(['build']);
  await until(() => build.said().includes('another build is writing its files'), build);
  expect(existsSync(join(on.out, 'a.wasm'))).toBe(false);
  writeFileSync(go, '');
  expect((await upstream.ended).code).toBe(0);
  expect((await build.ended).code).toBe(0);
  expect(Object.keys(on.files())).toEqual(['.a.buildlock', 'a.did', 'a.most', 'a.wasm']);
  expect(on.litter()).toEqual([]);
});

test('a build that has nothing to write does not wait for the lock', async () => {
  const on = scene();
  await on.mops(['build']);
  const go = join(on.base, 'go');
  const upstream = on.start([join(on.out, '.a.buildlock'), go], { command: UPSTREAM });
  await until(() => upstream.said().includes('held'), upstream);
  expect((await on.mops(['build'])).stderr).toContain('files up to date');
  writeFileSync(go, '');
  await upstream.ended;
});

test('the lock of an upstream build that was killed five minutes ago is taken', async () => {
  const on = scene();
  const lock = join(on.out, '.a.buildlock.lock');
  mkdirSync(lock, { recursive: true });
  const then = (Date.now() - 301_000) / 1000;
  utimesSync(lock, then, then);
  expect((await on.mops(['build'])).code).toBe(0);
  expect(on.litter()).toEqual([]);
});

test('a holder that is killed while it compiles: one of those who wait takes over, and one more compile is all', async () => {
  const on = scene();
  const [one = '', two = '', three = ''] = checkouts(on, 3);
  const holder = on.start(['build'], { cwd: one, env: { STAND_IN: 'hold', STAND_IN_HOLD: join(on.base, 'never') } });
  await until(() => on.starts().length === 1, holder);
  const waiters = [two, three].map((cwd) => on.start(['build'], { cwd }));
  for (const waiter of waiters) await until(() => waiter.said().includes('another build compiles it'), waiter);
  holder.child.kill('SIGKILL');
  const ends = await Promise.all(waiters.map(({ ended }) => ended));
  expect(ends.map(({ code }) => code)).toEqual([0, 0]);
  expect(on.starts()).toHaveLength(2);
  const [left, right] = [two, three].map((root) => on.files(join(root, '.mops/.build')));
  expect(left).toEqual(right);
  expect(on.files(join(one, '.mops/.build'))).toEqual({});
  expect(on.litter()).toEqual([]);
});

test('a failed compile is handed to those who wait for it, and forgotten', async () => {
  const on = scene({ 'src/A.mo': '// stand-in: exit 2\nactor { }\n' });
  const roots = checkouts(on, 3);
  const go = join(on.base, 'go');
  const env = { STAND_IN: 'hold', STAND_IN_HOLD: go };
  const holder = on.start(['build'], { cwd: roots[0] ?? '', env });
  await until(() => on.starts().length === 1, holder);
  const waiters = roots.slice(1).map((cwd) => on.start(['build'], { cwd, env }));
  for (const waiter of waiters) await until(() => waiter.said().includes('another build compiles it'), waiter);
  writeFileSync(go, '');
  for (const build of [holder, ...waiters]) {
    const end = await build.ended;
    expect(end.code).toBe(2);
    expect(end.stderr).toContain('src/A.mo:1.1-1.19: type error [M0050], told to stop');
  }
  expect(on.starts()).toHaveLength(1);
  expect((await on.mops(['build'])).code).toBe(2);
  expect(on.starts()).toHaveLength(2);
  expect(on.litter()).toEqual([]);
});

test('a wait longer than MOCCACHE_LEASE_WAIT ends in compiling alone', async () => {
  const on = scene();
  const [one = '', two = ''] = checkouts(on, 2);
  const go = join(on.base, 'go');
  const holder = on.start(['build'], { cwd: one, env: { STAND_IN: 'hold', STAND_IN_HOLD: go } });
  await until(() => on.starts().length === 1, holder);
  const end = await on.mops(['build'], { cwd: two, env: { MOCCACHE_LEASE_WAIT: '100ms' } });
  expect(end.code).toBe(0);
  expect(end.stderr).toMatch(/^warning: a: waited .* for another build; compiling now$/m);
  writeFileSync(go, '');
  expect((await holder.ended).code).toBe(0);
  expect(on.files(join(one, '.mops/.build'))).toEqual(on.files(join(two, '.mops/.build')));
  expect(on.starts()).toHaveLength(2);
});

test('killed at any moment of putting files in place: never a mix, and the next build is right and waits for nobody', async () => {
  const on = scene();
  const other = { 'src/A.mo': '// did: service : { other : () -> () }\nactor { }\n' };
  const version = async (files: Readonly<Record<string, string>>) => {
    on.put(files);
    expect((await on.mops(['build'])).code).toBe(0);
    return JSON.stringify(versionOf(on.out));
  };
  const known = [await version(other), await version(CANISTER_A)];

  const states = new Set<string>();
  for (let at = 1; ; at += 1) {
    on.put(other);
    const env = { NODE_OPTIONS: PRELOAD, FAULT_DO: 'kill', FAULT_UNDER: on.out, FAULT_AT: `${at}` };
    const { code } = await on.mops(['build'], { env });
    if (code === 0) break;
    expect(code).toBe(128 + 9);
    const found = versionOf(on.out);
    states.add(JSON.stringify(found ?? 'not whole'));
    if (found !== undefined) expect(known).toContain(JSON.stringify(found));

    const next = await on.mops(['build']);
    expect(next.code).toBe(0);
    expect(JSON.stringify(versionOf(on.out))).toBe(known[0]);
    expect(next.stderr).not.toContain('waiting');
    // What the killed one left goes when there is next something to write.
    await version(CANISTER_A);
    expect(readdirSync(on.out).sort()).toEqual(['.a.buildlock', 'a.did', 'a.most', 'a.wasm']);
  }
  // It was killed before, in between and after.
  expect([...states].sort()).toEqual([...known, '"not whole"'].sort());
  expect(on.starts()).toHaveLength(2);
});

test('a build whose starter is killed leaves a compiler that does no harm', async () => {
  const on = scene();
  const go = join(on.base, 'go');
  const build = on.start(['build'], { env: { STAND_IN: 'hold', STAND_IN_HOLD: go } });
  await until(() => on.starts().length === 1, build);
  build.child.kill('SIGKILL');
  await build.ended;
  const [orphan = 0] = on.starts();
  const end = await on.mops(['build']);
  expect(end.code).toBe(0);
  const files = on.files();
  writeFileSync(go, '');
  while (processExists(orphan)) await new Promise((next) => setTimeout(next, 5));
  expect(on.files()).toEqual(files);
  expect((await on.mops(['build'])).stderr).toContain('files up to date');
});

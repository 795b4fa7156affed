import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { seal } from '../src/cache/sealed.ts';
import type { Finding } from '../src/cache/doctor/finding.ts';
import { checkIcMops } from '../src/build/doctor/ic-mops.ts';
import { tempDir } from './rigs/cache-temp.ts';
import { cacheHomeOf, isRoot, mountSmall, noMounts, run } from './rigs/faults-surroundings.ts';
import { scene, tomlOf, until, type RunOptions, type Scene } from './rigs/stand-in-project.ts';

const FS_PRELOAD = join(import.meta.dirname, 'rigs', 'doctor-preload.cjs');
const CLOCK_PRELOAD = join(import.meta.dirname, 'rigs', 'faults-clock.cjs');

interface Diagnosis {
  readonly code: number;
  readonly findings: readonly Finding[];
  /** The findings of one name. */
  readonly of: (check: string) => readonly Finding[];
}

async function diagnose(on: Scene, options?: RunOptions): Promise<Diagnosis> {
  const { code, stdout, stderr } = await on.mops(['cache', 'doctor', '--json'], options);
  expect(stderr).toBe('');
  const { schema, ok, findings } = JSON.parse(stdout) as { schema: number; ok: boolean; findings: readonly Finding[] };
  expect([schema, ok]).toEqual([1, code === 0]);
  return { code, findings, of: (check) => findings.filter((finding) => finding.check === check) };
}

/** A scene with a store in it, in which is no more than a folder for results. */
function sceneWithStore(): Scene {
  const on = scene();
  putStore(on);
  mkdirSync(join(on.store, 'ac'), { mode: 0o700 });
  return on;
}

function putStore(on: Scene, format = 1): void {
  mkdirSync(on.store, { recursive: true, mode: 0o700 });
  writeFileSync(join(on.store, 'version'), seal(`moccache store ${format}`), { mode: 0o600 });
}

test('where all is well each check says so, in a line each, and nothing is left behind', async () => {
  const on = scene();
  await on.mops(['build']);
  const before = on.files(on.base);
  const end = await on.mops(['cache', 'doctor']);
  expect([end.code, end.stderr]).toEqual([0, '']);
  const lines = end.stdout.split('\n').slice(0, -3);
  // How much room there is, is not ours to say.
  expect(lines.filter((line) => !/^(?:ok {5}| {24}|note {3} {2}free space)/.test(line))).toEqual([]);
  for (const check of [
    ...['settings', 'cache folder', 'permissions', 'owners', 'free space', 'file system', 'clock', 'leases'],
    ...['ic-mops', 'compiler', 'deterministic', 'output folder', 'link'],
  ]) {
    expect(lines.some((line) => line.slice(9).startsWith(`${check} `))).toBe(true);
  }
  expect(end.stdout).toMatch(/\nnothing is wrong(?:; 1 note)?\n$/);
  const { COUNT_FILE = '' } = on.env;
  const count = COUNT_FILE.slice(on.base.length + 1);
  expect({ ...on.files(on.base), [count]: '' }).toEqual({ ...before, [count]: '' });
  expect(on.litter()).toEqual([]);
});

test('outside a project, and before the first build, it says what it did not look at', async () => {
  const on = scene();
  const { code, of } = await diagnose(on, { cwd: on.base });
  expect(code).toBe(0);
  expect(of('cache folder')).toMatchObject([
    { state: 'ok', says: expect.stringContaining('nothing is there yet') as unknown },
  ]);
  expect(of('compiler')).toMatchObject([
    { state: 'skipped', says: expect.stringContaining('no mops.toml') as unknown },
  ]);
  expect(of('output folder')).toMatchObject([{ state: 'skipped' }]);
  expect(of('file system')).toMatchObject([{ state: 'skipped' }]);
  expect(on.files(on.store)).toEqual({});
});

interface Fault {
  readonly what: string;
  /** Makes it, and says how to run. */
  readonly make: (on: Scene) => RunOptions | undefined;
  readonly check: string;
  readonly state?: Finding['state'];
  readonly says: RegExp;
  /** Why it cannot be tried here. */
  readonly not?: string | undefined;
}

const env = (of: Readonly<Record<string, string>>): RunOptions => ({ env: of });
const broken = (name: string) => env({ NODE_OPTIONS: `--require=${FS_PRELOAD}`, BROKEN: name });
const OF_PROJECTS = new Set(['compiler', 'deterministic', 'output folder', 'link']);
const noChown = isRoot ? undefined : 'only root can give files away';

const FAULTS: readonly Fault[] = [
  {
    what: 'a compiler that is not there',
    make: (on) => {
      on.put({ 'mops.toml': tomlOf({ a: 'src/A.mo' }).replace('./moc', './nope') });
      return undefined;
    },
    check: 'compiler',
    says: /nope/,
  },
  {
    what: 'a compiler that may not be run',
    make: (on) => {
      chmodSync(join(on.root, 'moc'), 0o644);
      return undefined;
    },
    check: 'compiler',
    says: /it is not executable/,
  },
  {
    what: 'a compiler that rejects all',
    make: () => env({ STAND_IN: 'exit 3' }),
    check: 'deterministic',
    says: /exit code 3/,
  },
  {
    what: 'a compiler that writes random bytes',
    make: () => env({ STAND_IN: 'random' }),
    check: 'deterministic',
    says: /another wasm: byte \d+ differs/,
  },
  {
    what: 'a folder for temporary files that is none',
    make: (on) => {
      writeFileSync(join(on.env.TMPDIR ?? '', `moccache-${process.getuid?.() ?? 'user'}`), '');
      return undefined;
    },
    check: 'compiler',
    says: /EEXIST|ENOTDIR/,
  },
  {
    what: 'a random .did',
    make: () => env({ STAND_IN: 'differ did' }),
    check: 'deterministic',
    says: /another did: byte \d+ differs, in its line 2/,
  },
  {
    what: "somebody else's folder",
    make: (on) => (on.put({ '../docs/thesis.txt': 'precious' }), env({ MOCCACHE_DIR: join(on.base, 'docs') })),
    check: 'cache folder',
    says: /holds something else/,
  },
  {
    what: 'a store of a newer version',
    make: (on) => {
      putStore(on, 99);
      return undefined;
    },
    check: 'cache folder',
    says: /newer version \(store format 99\)/,
  },
  {
    what: 'a folder that cannot be one',
    make: (on) => env({ MOCCACHE_DIR: join(on.root, 'mops.toml', 'x') }),
    check: 'cache folder',
    says: /cannot be used \(ENOTDIR\)/,
  },
  {
    what: 'a disk that is read-only',
    make: (on) => {
      mountSmall(cacheHomeOf(on), 'size=64m');
      putStore(on);
      run('mount', '-o', 'remount,ro', cacheHomeOf(on));
      return undefined;
    },
    check: 'cache folder',
    says: /cannot be used \(EROFS\)/,
    not: noMounts,
  },
  {
    what: 'a disk that is nearly full',
    make: (on) => {
      mountSmall(cacheHomeOf(on), 'size=4m');
      mkdirSync(on.store, { recursive: true });
      return undefined;
    },
    check: 'free space',
    says: /^[0-4] MiB are free/,
    not: noMounts,
  },
  {
    what: 'a folder that all may write to',
    make: (on) => {
      chmodSync(on.store, 0o777);
      return undefined;
    },
    check: 'permissions',
    says: /every user/,
  },
  {
    what: 'results that all may write to',
    make: (on) => {
      chmodSync(join(on.store, 'ac'), 0o777);
      return undefined;
    },
    check: 'permissions',
    says: /\/ac: every user/,
  },
  {
    what: 'a folder that a group may write to',
    make: (on) => {
      chmodSync(on.store, 0o770);
      return undefined;
    },
    check: 'permissions',
    state: 'note',
    says: /its group/,
  },
  {
    what: "a result that is another user's",
    make: (on) => {
      const key = 'ab'.repeat(32);
      mkdirSync(join(on.store, 'ac', 'ab'));
      writeFileSync(join(on.store, 'ac', 'ab', key), '');
      chownSync(join(on.store, 'ac', 'ab', key), 65_534, 65_534);
      return undefined;
    },
    check: 'owners',
    says: /belongs to another user \(65534/,
    not: noChown,
  },
  {
    what: 'no renaming over a file',
    make: () => broken('rename'),
    check: 'file system',
    says: /^rename over a file: refused \(EPERM\)/,
  },
  {
    what: 'folders made twice',
    make: () => broken('folders'),
    check: 'file system',
    says: /^exclusive folders: does not do/,
  },
  {
    what: 'files made twice',
    make: () => broken('files'),
    check: 'file system',
    says: /^exclusive files: does not do/,
  },
  {
    what: 'times that cannot be set',
    make: () => broken('times'),
    check: 'file system',
    says: /^file times: does not do/,
  },
  {
    what: 'appends that overwrite',
    make: () => broken('append'),
    check: 'file system',
    says: /^appending: does not do/,
  },
  { what: 'no fsync', make: () => broken('fsync'), check: 'file system', says: /^fsync: refused \(EINVAL\)/ },
  {
    what: "a clock that is not the disk's",
    make: () => env({ NODE_OPTIONS: `--require=${CLOCK_PRELOAD}`, CLOCK_SHIFT_MS: '-3600000' }),
    check: 'clock',
    says: /3600 s apart/,
  },
  {
    what: 'a file from the future',
    make: (on) => {
      utimesSync(join(on.store, 'version'), 4_000_000_000, 4_000_000_000);
      return undefined;
    },
    check: 'clock',
    state: 'note',
    says: /written in the future/,
  },
  {
    what: "a killed upstream build's lock",
    make: (on) => {
      mkdirSync(join(on.out, '.a.buildlock.lock'), { recursive: true });
      return undefined;
    },
    check: 'output folder',
    state: 'note',
    says: /\.a\.buildlock\.lock: held by another program/,
  },
  {
    what: 'a link that was undone',
    make: (on) => {
      on.put({ 'package.json': '{ "scripts": { "dependencies": "moccache link" } }', 'node_modules/.bin/x': '' });
      symlinkSync('../moccache/dist/moccache.cjs', join(on.root, 'node_modules/.bin/moccache'));
      symlinkSync('../ic-mops/bin/mops.js', join(on.root, 'node_modules/.bin/mops'));
      return undefined;
    },
    check: 'link',
    says: /does not start moccache any more/,
  },
  {
    what: 'a setting that is none',
    make: () => env({ MOCCACHE_LEASE_WAIT: 'long' }),
    check: 'settings',
    says: /MOCCACHE_LEASE_WAIT|lease-wait/,
  },
  {
    what: 'a remote cache',
    make: () => env({ MOCCACHE_REMOTE: 'https://cache.test' }),
    check: 'remote',
    state: 'note',
    says: /this version has no remote caches/,
  },
  {
    what: 'the cache being off',
    make: () => env({ MOCCACHE_DISABLE: '1' }),
    check: 'cache',
    state: 'note',
    says: /every build compiles/,
  },
];

for (const { not, what } of FAULTS) if (not !== undefined) console.info(`not tried: ${what}: ${not}`);

test.each(FAULTS.filter(({ not }) => not === undefined))(
  '$what is told',
  async ({ make, check, state = 'wrong', says }) => {
    const on = sceneWithStore();
    const options = make(on);
    // Outside the project no time goes into compiling.
    const { code, of } = await diagnose(on, OF_PROJECTS.has(check) ? options : { ...options, cwd: on.base });
    const told = of(check).filter((finding) => finding.state === state);
    expect(told, JSON.stringify(of(check))).toHaveLength(1);
    expect(`${told[0]?.says ?? ''}\n${told[0]?.advice ?? ''}`).toMatch(says);
    expect(code).toBe(state === 'wrong' ? 1 : 0);
  },
);

test('who holds a lease is told, and whether that process lives', async () => {
  const on = scene({ 'src/A.mo': '// stand-in: hold\nactor { }\n' });
  const running = on.start(['build'], { env: { STAND_IN_HOLD: join(on.base, 'go') } });
  await until(() => on.starts().length > 0, running);
  const held = await diagnose(on, { cwd: on.base });
  const [lease] = held.of('leases');
  expect(lease).toMatchObject({
    state: 'note',
    says: expect.stringMatching(`^a: held by process ${running.child.pid ?? 0} on `) as unknown,
  });
  expect(held.code).toBe(0);
  running.child.kill('SIGKILL');
  await running.ended;
  const [dead] = (await diagnose(on, { cwd: on.base })).of('leases');
  expect(dead).toMatchObject({ state: 'note', says: expect.stringContaining(', which is dead') as unknown });
});

test('settings are told with where they come from', async () => {
  const on = scene({
    '../home/.config/mops/builds.toml': 'lease-wait = "90s"\nreadonly = true\n[remote]\nurl = "https://cache.test"\n',
  });
  const dir = dirname(mkdtempSync(join(on.base, 'x')));
  const { of } = await diagnose(
    on,
    env({ MOCCACHE_DIR: join(dir, 'builds'), HOME: join(on.base, 'home'), XDG_CONFIG_HOME: '' }),
  );
  const file = join(on.base, 'home/.config/mops/builds.toml');
  expect(of('settings').map(({ says }) => says)).toEqual([
    `dir is ${join(dir, 'builds')} (MOCCACHE_DIR)`,
    `mode is read-only (${file})`,
    `lease-wait is 90 s (${file})`,
    'max-size is 5.0 GiB (default)',
    'max-age is 30 days (default)',
  ]);
  expect(of('remote')).toMatchObject([
    { state: 'note', says: expect.stringContaining(`[remote] in ${file}`) as unknown },
  ]);
});

test('ic-mops that is missing, too old, or without its module is told', () => {
  const dir = tempDir();
  const look = () => checkIcMops({ from: [dir], path: join(dir, 'bin'), node: process.execPath });
  expect(look()).toMatchObject({ state: 'wrong', says: expect.stringContaining('not found') as unknown });
  mkdirSync(join(dir, 'bin'));
  writeFileSync(join(dir, 'bin', 'ic-mops'), '#!/bin/sh\n', { mode: 0o755 });
  expect(look()).toMatchObject({ state: 'wrong', says: expect.stringContaining('is a launcher') as unknown });
  rmSync(join(dir, 'bin'), { recursive: true });
  const packageDir = join(dir, 'node_modules', 'ic-mops');
  mkdirSync(packageDir, { recursive: true });
  for (const [version, says] of [
    ['2.8.1', 'is too old; 2.9 is needed'],
    ['1.12.0', 'is too old'],
    ['2.10.0', 'lacks its WebAssembly module'],
  ] as const) {
    writeFileSync(
      join(packageDir, 'package.json'),
      JSON.stringify({ name: 'ic-mops', version, bin: { mops: 'x.js' } }),
    );
    expect(look()).toMatchObject({ state: 'wrong', says: expect.stringContaining(says) as unknown });
  }
});

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Row } from './report.ts';
import { CANISTER_A, MOPS, scene, until, type Ended, type RunOptions, type Scene } from './stand-in-project.ts';

/**
 * What was there when it went wrong: nothing (`empty`), a store with another program in it (`cold`), or one that has
 * the program, whose files are gone (`hit`).
 */
export type State = 'empty' | 'cold' | 'hit';

/** Something wrong around a build, and how it is to show. */
export interface Fault {
  readonly what: string;
  /** How many warnings in which state; each of them matches `cause`. Without a warning a `hit` is one all the same. */
  readonly warnings: Readonly<Partial<Record<State, 0 | 1 | 'at most 1'>>>;
  readonly cause?: RegExp;
  /** Where no build can succeed: what the error says. The exit code is 1 then, and the files are as they were. */
  readonly error?: RegExp;
  /** The exit code for a program that the compiler rejects; if not the compiler's, which is 3. */
  readonly rejected?: 1;
  /** Readies the scene before anything is built in it. */
  readonly ready?: (on: Scene) => void;
  /** Makes it so. */
  readonly impose: (on: Scene) => Imposed | Promise<Imposed>;
}

/** A fault that is there. */
export interface Imposed {
  /** A build under it. */
  readonly build: (ask: Ask) => Promise<Ended>;
  /** Where that build puts its files; default: where it belongs. */
  readonly out?: string;
  /** Ends the fault. */
  readonly lift: () => void;
}

/** What a build is asked for beyond the fault: arguments, and an order for the stand-in. */
export interface Ask {
  readonly args: readonly string[];
  readonly order: string;
}

export const GOOD: Ask = { args: [], order: '' };
/** Other flags, so that no entry answers it; the order itself is none of the key's business. */
export const REJECTED: Ask = { args: ['--', '--release'], order: 'exit 3' };

/**
 * Builds under a fault a good program, and one that the compiler rejects; then lifts it and builds twice more. The bytes
 * are those of a build in good surroundings, the second build after the fault is a hit, and nothing is left behind.
 */
export async function tryFault(fault: Fault, state: State, tell: (row: Row) => void): Promise<void> {
  const {
    cause,
    error,
    rejected: codeRejected = 3,
    warnings: { [state]: expected = 0 },
  } = fault;
  const code = error === undefined ? 0 : 1;
  const good = await goodFiles();
  const on = scene();
  fault.ready?.(on);
  if (state !== 'empty') {
    on.put(state === 'hit' ? CANISTER_A : { 'src/A.mo': 'actor { }\n// another\n' });
    expect((await on.mops(['build'])).code).toBe(0);
    if (state === 'hit') rmSync(on.out, { recursive: true });
    on.put(CANISTER_A);
  }
  const before = filesOf(on);
  const imposed = await fault.impose(on);
  const compiled = on.starts().length;
  const asked = `exit ${code} and ${codeRejected}, ${askedText(expected, cause)}`;
  const show = (found: string) => tell({ what: `${fault.what} (${state})`, found, asked });
  const [end, files, rejected] = await (async () => {
    try {
      const first = await imposed.build(GOOD);
      return [first, filesOf(on, imposed.out), await imposed.build(REJECTED)] as const;
    } catch (thrown) {
      show(String(thrown).split('\n')[0] ?? ''); // a stack trace was printed, or the fault did not come to pass
      throw thrown;
    }
  })();
  show(`exit ${end.code} and ${rejected.code}, ${saidIn(on, end)}`);

  expect(end.code, end.stderr).toBe(code);
  expectWarnings(end, expected, cause);
  expect(files).toEqual(error === undefined ? good : before);
  if (error !== undefined) expect(end.stderr).toMatch(error);
  if (state === 'hit' && expected === 0) expect(end.stderr).toMatch(/^ {2}a {2}hit/m);

  expect(rejected.code, rejected.stderr).toBe(codeRejected);
  expectWarnings(rejected, 'at most 1', cause);
  if (codeRejected === 3) {
    expect(rejected.stderr).toContain('told to stop');
    expect(on.starts().length).toBeGreaterThan(compiled);
  }

  imposed.lift();
  await expectGood(on, good);
}

/** After whatever happened: a right build without a warning, then a hit, and nothing left behind. */
export async function expectGood(on: Scene, good: Files): Promise<void> {
  for (const says of [/^ {2}a {2}(?:compiled|finished|hit)/m, /^ {2}a {2}hit, files up to date/m]) {
    const next = await on.mops(['build']);
    expect(next.code, next.stderr).toBe(0);
    expectWarnings(next, 0);
    expect(next.stderr).toMatch(says);
    expect(filesOf(on)).toEqual(good);
  }
  // Where the clock jumped by more than a day a build has started a collection, which holds a lock until it is done.
  await expect.poll(() => on.litter(), { timeout: 10_000 }).toEqual([]);
}

export function expectWarnings({ stderr }: Ended, expected: 0 | 1 | 'at most 1', cause = /^$/): void {
  const warnings = stderr.split('\n').filter((line) => line.startsWith('warning:'));
  if (expected === 'at most 1') expect(warnings.length, stderr).toBeLessThanOrEqual(1);
  else expect(warnings, stderr).toHaveLength(expected);
  for (const warning of warnings) expect(warning).toMatch(cause);
}

/** The three files of canister `a`, as digests. */
export type Files = Readonly<Record<string, string>>;

export function filesOf(on: Scene, out = on.out): Files {
  const files = on.files(out);
  return Object.fromEntries(['a.did', 'a.most', 'a.wasm'].map((name) => [name, files[name] ?? 'not there']));
}

let known: Promise<Files> | undefined;

/** What the program's files are when all is well: from another project, built without a cache. */
export function goodFiles(): Promise<Files> {
  known ??= (async () => {
    const on = scene();
    const out = join(on.base, 'fresh');
    expect((await on.mops(['build', '--no-cache', '-o', out])).code).toBe(0);
    return filesOf(on, out);
  })();
  return known;
}

function askedText(expected: 0 | 1 | 'at most 1', cause = /^$/): string {
  if (expected === 0) return 'no warning';
  return `${expected === 1 ? 'one warning' : 'at most one warning'}: ${cause.source}`;
}

/** The warnings and the errors of a run, with short names for long ones. */
export function saidIn(on: Scene, { stderr }: Ended): string {
  const lines = stderr.split('\n').filter((line) => /^(?:warning|error):/.test(line));
  const text = lines
    .map((line) => line.replace(/; building without it$|; going on alone$|^warning: /g, ''))
    .join(' | ');
  const shorter = [on.store, on.root, `${on.base}/`].reduce(
    (said, dir, index) => said.replaceAll(dir, ['CACHE', 'PROJECT', ''][index] ?? ''),
    text,
  );
  return shorter.replace(/\b([0-9a-f]{6})[0-9a-f]{20,}|\d+-[0-9a-f]{8}-[0-9a-f-]+/g, '$1…') || 'no warning';
}

/** Builds as they are, with options of their own, until what was done is undone. */
export function under(on: Scene, lift: () => void = () => undefined, options: RunOptions = {}): Imposed {
  return {
    build: ({ args, order }) => on.mops(['build', ...args], withEnv(options, { STAND_IN: order })),
    lift,
  };
}

/** Builds whose compiler is held until something has been done. */
export function whileCompiling(on: Scene, act: () => void): Imposed {
  const build = async ({ args, order }: Ask) => {
    const before = on.starts().length;
    const go = join(on.base, `go ${before}`);
    const running = on.start(['build', ...args], { env: { STAND_IN: `hold; ${order}`, STAND_IN_HOLD: go } });
    await until(() => on.starts().length > before, running);
    act();
    writeFileSync(go, '');
    return running.ended;
  };
  return { build, lift: () => undefined };
}

/** Deletes something again and again while builds run. */
export function deletedAgainAndAgain(on: Scene, dir: string): Imposed {
  const build = async ({ args, order }: Ask) => {
    const { child, ended } = on.start(['build', ...args], { env: { STAND_IN: order } });
    while (child.exitCode === null && child.signalCode === null) {
      deleteQuietly(dir);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return ended;
  };
  return { build, lift: () => undefined };
}

/** Builds by a user who owns the project and not the cache. */
export function asNobody(on: Scene, lift: () => void): Imposed {
  writeFileSync(join(on.base, 'starts'), '', { flag: 'a' });
  for (const name of ['project', 'home', 'tmp', 'starts']) run('chown', '-R', '65534', join(on.base, name));
  chmodSync(on.base, 0o755);
  const liftBoth = () => {
    run('chown', '-R', '0', on.base);
    lift();
  };
  return under(on, liftBoth, { uid: 65_534 });
}

/** Fills the disk of a folder to the last byte. */
export function filled(on: Scene, dir: string): Imposed {
  const filler = join(dir, 'filler');
  run('sh', '-c', `! cat /dev/zero > '${filler}' 2> /dev/null`);
  return under(on, () => rmSync(filler));
}

/** Fills the disk of a folder with empty files until it takes no more. */
export function filledWithFiles(on: Scene, dir: string): Imposed {
  const filler = join(dir, 'filler');
  mkdirSync(filler);
  for (let count = 0, full = false; !full; count += 1) {
    try {
      writeFileSync(join(filler, String(count)), '');
    } catch {
      full = true;
    }
  }
  return under(on, () => rmSync(filler, { recursive: true }));
}

/** Makes the file system that is mounted on a folder read-only. */
export function readOnly(on: Scene, dir: string): Imposed {
  run('mount', '-o', 'remount,ro', dir);
  return under(on, () => run('mount', '-o', 'remount,rw', dir));
}

/** Mounts something on a folder, which is made, until the test is over. */
export function mount(dir: string, ...args: readonly string[]): void {
  mkdirSync(dir, { recursive: true });
  run('mount', ...args, dir);
  onTestFinished(() => void spawnSync('umount', ['-l', dir]));
}

/** A file system in memory, of its own, on a folder. */
export function mountSmall(dir: string, options: string): void {
  mount(dir, '-t', 'tmpfs', '-o', options, 'none');
}

/** An overlayfs on a folder; what is in the folder becomes the lower layer. */
export function mountLayers(on: Scene, dir: string): void {
  const layers = join(on.base, 'layers');
  mountSmall(layers, 'size=16m');
  for (const name of ['lower', 'upper', 'work']) mkdirSync(join(layers, name));
  mkdirSync(dir, { recursive: true });
  run('cp', '-a', `${dir}/.`, join(layers, 'lower'));
  const options = ['lower', 'upper', 'work'].map((name) => `${name}dir=${join(layers, name)}`);
  mount(dir, '-t', 'overlay', '-o', options.join(','), 'overlay');
}

/** A build that was killed while its compiler ran. */
export async function killHolder(on: Scene, options: RunOptions = {}): Promise<void> {
  const before = on.starts().length;
  const never = { STAND_IN: 'hold', STAND_IN_HOLD: join(on.base, 'never') };
  const holder = on.start(['build'], withEnv(options, never));
  await until(() => on.starts().length > before, holder);
  holder.child.kill('SIGKILL');
  await holder.ended;
}

/** The CLI with a clock that is off. */
export function withClock(shiftMs: number): RunOptions {
  return preload('faults-clock.cjs', { CLOCK_SHIFT_MS: String(shiftMs) });
}

/** Builds with a clock that is off; by their own word it is. */
export function clocked(on: Scene, shiftMs: number): Imposed {
  const log = join(on.base, 'log');
  const { build, lift } = under(on, undefined, withEnv(withClock(shiftMs), { MOCCACHE_LOG: log }));
  const buildAndLook = async (ask: Ask) => {
    const end = await build(ask);
    const last = readFileSync(log, 'utf8').trimEnd().split('\n').at(-1) ?? '';
    const { at } = JSON.parse(last) as { readonly at: string };
    expect(Math.abs(Date.parse(at) - Date.now() - shiftMs)).toBeLessThan(60_000);
    return end;
  };
  return { build: buildAndLook, lift };
}

/** A call of the file system that fails: see faults-calls.cjs. */
interface FailingCall {
  readonly call: string;
  readonly path: string;
  readonly code: string;
  readonly times?: number;
  readonly done?: boolean;
}

/** Builds during which a call fails. */
export function failing(on: Scene, call: FailingCall): Imposed {
  const log = join(on.base, 'failures');
  const { build, lift } = under(
    on,
    undefined,
    preload('faults-calls.cjs', { FAULT_CALLS: JSON.stringify([call]), FAULT_LOG: log }),
  );
  const buildAndLook = async (ask: Ask) => {
    const end = await build(ask);
    expect(existsSync(log), 'the call never came').toBe(true);
    return end;
  };
  return { build: buildAndLook, lift };
}

function preload(name: string, env: Readonly<Record<string, string>>): RunOptions {
  return { env: { ...env, NODE_OPTIONS: `--require=${join(import.meta.dirname, name)}` } };
}

export function withEnv(options: RunOptions, env: Readonly<Record<string, string>>): RunOptions {
  return { ...options, env: { ...options.env, ...env } };
}

/** Gives all files below a folder the time that a clock `shiftMs` ahead would have given them. */
export function dateFiles(dir: string, shiftMs: number): void {
  const then = new Date(Date.now() + shiftMs);
  for (const path of readdirSync(dir, { recursive: true, encoding: 'utf8' })) utimesSync(join(dir, path), then, then);
}

/**
 * The CLI in a container with a host name of its own, as that container's process 1. With `boot`, a file, it has the boot
 * id in there too, as on another host.
 */
export function inContainer(host: string, boot = ''): RunOptions {
  const script = [
    'hostname "$0"',
    ...(boot === '' ? [] : [`mount --bind '${boot}' /proc/sys/kernel/random/boot_id`]),
    'exec "$@"',
  ];
  const unshare = ['unshare', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc'];
  return { command: [...unshare, 'sh', '-ec', script.join('; '), host, process.execPath, MOPS] };
}

/** The folder that XDG_CACHE_HOME names. */
export function cacheHomeOf({ store }: Scene): string {
  return dirname(dirname(store));
}

export function run(command: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

function deleteQuietly(dir: string): void {
  try {
    rmSync(dir, { recursive: true, force: true });
  } catch {
    // something was made in it meanwhile
  }
}

export const isRoot = process.getuid?.() === 0;

/** Why something cannot be tried here, or undefined where it can. */
export const noMounts = canMount() ? undefined : 'file systems cannot be mounted here';
export const noContainers =
  spawnSync('unshare', ['--uts', '--pid', '--fork', '--mount-proc', 'true']).status === 0
    ? undefined
    : 'no container can be made here (unshare --uts --pid is not permitted)';

function canMount(): boolean {
  if (!isRoot) return false;
  const dir = mkdtempSync(join(tmpdir(), 'moccache-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', dir]).status === 0;
  if (mounted) spawnSync('umount', ['-l', dir]);
  rmdirSync(dir);
  return mounted;
}

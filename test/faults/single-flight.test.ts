import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { artifactsOf, hasEnded } from '../rigs/faults-scene.ts';
import { quantileOf, report } from '../rigs/report.ts';
import { scene, until, type Running, type Scene } from '../rigs/stand-in-project.ts';

const ROUNDS_OF_EIGHT = Number(process.env.MOCCACHE_ROUNDS ?? 60);
const linux = process.platform === 'linux';
if (!linux) console.log('skipped: who listens to a local socket can be seen on Linux only');
const nowMs = (): number => performance.timeOrigin + performance.now();

/** Copies of the project, as clones have them. */
function checkouts(on: Scene, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => {
    const root = join(on.base, `checkout ${index}`);
    cpSync(on.root, root, { recursive: true });
    return root;
  });
}

/** Gives all checkouts the same new source, which has never been compiled. */
function edit(roots: readonly string[], text: string): void {
  for (const root of roots) writeFileSync(join(root, 'src/Lib.mo'), `module { /* ${text} */ }\n`);
}

interface Built {
  readonly code: number;
  readonly waited: boolean;
  readonly endedMs: number;
}

/** Starts one, and notes when its process has ended. */
function build(on: Scene, cwd: string): Promise<Built> {
  const running = on.start(['build', '--json'], { cwd });
  const gone = new Promise<number>((done) => running.child.once('exit', () => done(nowMs())));
  return Promise.all([running.ended, gone]).then(([{ code, stdout }, endedMs]) => {
    const { canisters } = JSON.parse(stdout) as { canisters: { waited: boolean }[] };
    return { code, endedMs, waited: canisters[0]?.waited === true };
  });
}

/** When the last result was published: it is written a moment before it is renamed into its place. */
function publishedMs(on: Scene): number {
  const dir = join(on.store, 'ac');
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((path) => path.length > 60);
  return Math.max(...files.map((path) => statSync(join(dir, path)).mtimeMs));
}

/** One round: all at once, one compile, the same files for all. Gives how long after the publish those that waited ended. */
async function round(on: Scene, roots: readonly string[], count: number): Promise<readonly number[]> {
  const before = on.starts().length;
  const all = await Promise.all(
    Array.from({ length: count }, (_, index) => build(on, roots[index % roots.length] ?? '')),
  );
  expect(all.map(({ code }) => code)).toEqual(all.map(() => 0));
  expect(on.starts().length - before).toBe(1);
  const files = roots.slice(0, count).map((root) => artifactsOf(on, join(root, '.mops/.build')));
  expect(Object.keys(files[0] ?? {})).toEqual(['a.did', 'a.most', 'a.wasm']);
  for (const other of files) expect(other).toEqual(files[0]);
  const publish = publishedMs(on);
  return all.filter(({ waited }) => waited).map(({ endedMs }) => endedMs - publish);
}

const CASES = [
  [2, 1, 20],
  [2, 4, 20],
  [8, 1, ROUNDS_OF_EIGHT / 2],
  [8, 4, ROUNDS_OF_EIGHT / 2],
  [32, 1, 3],
  [32, 4, 3],
  [64, 1, 2],
  [64, 4, 2],
] as const;

test('identical cold builds started at once compile once, in every round', async () => {
  const rows = [];
  for (const [count, folders, rounds] of CASES) {
    const on = scene();
    const roots = checkouts(on, folders);
    const tookMs: number[] = [];
    for (let index = 0; index < rounds; index += 1) {
      edit(roots, `${index}`);
      tookMs.push(...(await round(on, roots, count)));
    }
    expect(on.litter()).toEqual([]);
    const waits = `publish to a waiter's exit: median ${msOf(tookMs, 0.5)}, 95 % ${msOf(tookMs, 0.95)}`;
    rows.push({
      what: `${count} builds, ${folders} checkouts, ${rounds} rounds`,
      found: `${on.starts().length} compiles; ${waits}`,
      asked: `${rounds} compiles`,
    });
    expect(on.starts()).toHaveLength(rounds);
  }
  report('Identical cold builds at once', rows);
});

test.skipIf(!linux)('from the publish to the exit of one that waits', async () => {
  const on = scene();
  const [one = '', two = ''] = checkouts(on, 2);
  const tookMs: number[] = [];
  for (let index = 0; index < 60; index += 1) {
    const { holder, waiters } = await holding(on, [one, two], `${index}`, 1);
    const [waiter] = waiters;
    const gone = new Promise<number>((done) => waiter?.child.once('exit', () => done(nowMs())));
    writeFileSync(join(on.base, `go ${index}`), '');
    const endedMs = await gone;
    expect((await holder.ended).code).toBe(0);
    tookMs.push(endedMs - publishedMs(on));
  }
  expect(on.starts()).toHaveLength(60);
  report('From the publish of the result to the exit of the one that waits (60 rounds, one waiter)', [
    { what: 'median', found: msOf(tookMs, 0.5), asked: 'at most 50 ms' },
    { what: '95 %', found: msOf(tookMs, 0.95), asked: 'at most 150 ms' },
  ]);
  expect(quantileOf(tookMs, 0.5)).toBeLessThan(50);
  expect(quantileOf(tookMs, 0.95)).toBeLessThan(150);
});

test.skipIf(!linux)(
  'when the holder is killed, the next one starts its compile at once, and only one does',
  async () => {
    const on = scene();
    const roots = checkouts(on, 3);
    const tookMs: number[] = [];
    for (let index = 0; index < 40; index += 1) {
      const { holder, waiters } = await holding(on, roots, `${index}`, 2);
      const killedMs = nowMs();
      holder.child.kill('SIGKILL');
      await until(() => compilingMs(on, waiters) !== undefined, waiters[0] ?? holder);
      tookMs.push((compilingMs(on, waiters) ?? NaN) - killedMs);
      writeFileSync(join(on.base, `go ${index}`), '');
      for (const { ended } of waiters) expect((await ended).code).toBe(0);
      expect(on.starts()).toHaveLength(2 * (index + 1));
    }
    report('From SIGKILL of the holder to the start of the next compile (40 rounds, two waiters)', [
      { what: 'median', found: msOf(tookMs, 0.5) },
      { what: '95 %', found: msOf(tookMs, 0.95), asked: 'at most 250 ms' },
      { what: 'compiles more than without the kill', found: '1 in each round', asked: 'at most 1' },
    ]);
    expect(quantileOf(tookMs, 0.95)).toBeLessThan(250);
    expect(on.litter()).toEqual([]);
  },
);

/** A holder that compiles until the file `go NAME` is there, and others that wait for it. */
async function holding(on: Scene, roots: readonly string[], name: string, count: number) {
  const before = on.starts().length;
  edit(roots, name);
  const env = { STAND_IN: 'hold', STAND_IN_HOLD: join(on.base, `go ${name}`) };
  const holder = on.start(['build'], { cwd: roots[0] ?? '', env });
  await until(() => on.starts().length > before, holder);
  const waiters = Array.from({ length: count }, (_, index) => {
    const log = join(on.base, `log ${name} ${index}`);
    return Object.assign(on.start(['build'], { cwd: roots[index + 1] ?? '', env: { ...env, MOCCACHE_LOG: log } }), {
      log,
    });
  });
  await until(() => listenersIn(on) >= count, holder);
  return { holder, waiters };
}

/** How many listen to the holder: a local socket is listed once for whoever hangs it, and once for each that is let in. */
function listenersIn(on: Scene): number {
  const sockets = readFileSync('/proc/net/unix', 'utf8').split('\n');
  return sockets.filter((line) => line.includes(` ${on.env.TMPDIR ?? ''}/`)).length - 1;
}

/** When the first of them said that it compiles; undefined as long as none has. */
function compilingMs(on: Scene, waiters: readonly (Running & { readonly log: string })[]): number | undefined {
  const times = waiters.flatMap(({ log }) => eventsIn(log)).filter(({ kind }) => kind === 'compiling');
  const [first] = times.map(({ at }) => Date.parse(at)).sort((a, b) => a - b);
  if (first === undefined && waiters.every(hasEnded)) throw new Error(`none compiled: ${on.starts().join(' ')}`);
  return first;
}

function eventsIn(log: string): readonly { readonly kind: string; readonly at: string }[] {
  try {
    const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as { kind: string; at: string });
  } catch {
    return []; // nothing has happened there yet
  }
}

function msOf(tookMs: readonly number[], part: number): string {
  return tookMs.length === 0 ? 'none' : `${quantileOf(tookMs, part).toFixed(0)} ms`;
}

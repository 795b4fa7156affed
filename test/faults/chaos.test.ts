import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { artifactsOf } from '../rigs/faults-scene.ts';
import { report } from '../rigs/report.ts';
import { scene, type Running, type Scene } from '../rigs/stand-in-project.ts';

// `npm run soak` sets more.
const MINUTES = Number(process.env.MOCCACHE_SOAK_MINUTES ?? 0.5);
const SEED = Number(process.env.MOCCACHE_SEED ?? 1);
const BUILDERS = 6;
const SOURCES = 4;

test('builds that are killed, stopped and robbed of their files at random: the next one is right, every time', async () => {
  const random = randomFrom(SEED);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const on = scene();
  const roots = ['one', 'two'].map((name) => join(on.base, name));
  for (const root of roots) cpSync(on.root, root, { recursive: true });
  const edit = (root: string, source: number) =>
    writeFileSync(join(root, 'src/Lib.mo'), `module { /* source ${source} */ }\n`);
  const good = await goodFiles(on, edit);

  const counts = { rounds: 0, builds: 0, killed: 0, stopped: 0, flipped: 0, 'store deleted': 0, 'outputs deleted': 0 };
  const endMs = performance.now() + MINUTES * 60_000;
  while (performance.now() < endMs) {
    counts.rounds += 1;
    const sources = roots.map(() => Math.floor(random() * SOURCES));
    roots.forEach((root, index) => edit(root, sources[index] ?? 0));
    const builds = Array.from({ length: BUILDERS }, (_, index) => {
      const root = roots[index % roots.length] ?? '';
      return { ...on.start(['build'], { cwd: root }), harmed: false };
    });
    counts.builds += builds.length;
    const isOver = over(builds);
    while (!isOver()) {
      await new Promise((next) => setTimeout(next, random() * 60));
      const harm = random();
      const victim = pick(builds);
      if (harm < 0.15) {
        victim.harmed = true;
        if (victim.child.kill('SIGKILL')) counts.killed += 1;
      } else if (harm < 0.25) {
        if (victim.child.kill('SIGSTOP')) counts.stopped += 1;
        setTimeout(() => victim.child.kill('SIGCONT'), random() * 1_500);
      } else if (harm < 0.35) counts.flipped += flipOneBit(on.store, pick, random);
      else if (harm < 0.37) counts['store deleted'] += remove(on.store);
      else if (harm < 0.4) counts['outputs deleted'] += remove(join(pick(roots), '.mops'));
    }
    for (const build of builds) {
      const end = await build.ended;
      if (!build.harmed) expect(end.code, `round ${counts.rounds}, seed ${SEED}\n${end.stderr}`).toBe(0);
    }
    for (const [index, root] of roots.entries()) {
      const end = await on.mops(['build'], { cwd: root });
      expect(end.code, end.stderr).toBe(0);
      expect(artifactsOf(on, join(root, '.mops/.build')), `round ${counts.rounds}, seed ${SEED}`).toEqual(
        good[sources[index] ?? 0],
      );
    }
  }
  report(`Builds harmed at random for ${MINUTES} minutes (seed ${SEED})`, [
    ...Object.entries(counts).map(([what, count]) => ({ what, found: `${count}` })),
    { what: 'wrong or mixed files, unharmed builds that failed', found: '0', asked: '0' },
  ]);
  expect(counts.killed).toBeGreaterThan(0);
});

/** The files of each source, made without the cache. */
async function goodFiles(on: Scene, edit: (root: string, source: number) => void) {
  const good: Readonly<Record<string, string>>[] = [];
  for (let source = 0; source < SOURCES; source += 1) {
    edit(on.root, source);
    expect((await on.mops(['build', '--no-cache'])).code).toBe(0);
    good.push(artifactsOf(on));
  }
  return good;
}

function over(builds: readonly Running[]): () => boolean {
  let running = builds.length;
  for (const { ended } of builds) void ended.finally(() => (running -= 1)).catch(() => undefined);
  return () => running === 0;
}

/** Flips a bit of any file of the store, where there is one. Gives how many. */
function flipOneBit(store: string, pick: <T>(from: readonly T[]) => T, random: () => number): number {
  try {
    const kept = readdirSync(store, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const files = kept
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => /\/(?:ac|store)\//.test(path));
    const path = pick(files);
    const bytes = readFileSync(path);
    const at = Math.floor(random() * bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    writeFileSync(path, bytes);
    return 1;
  } catch {
    return 0; // nothing there, or gone meanwhile
  }
}

function remove(dir: string): number {
  try {
    rmSync(dir, { recursive: true, force: true });
    return 1;
  } catch {
    return 0; // something was made in it meanwhile
  }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

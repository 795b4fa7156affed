import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { processExists, type Running, type Scene } from './stand-in-project.ts';

/** For NODE_OPTIONS: what faults-preload.cjs says. */
export const PRELOAD = `--require=${join(import.meta.dirname, 'faults-preload.cjs')}`;

export const KILLED = 128 + 9;

/** The next build is right, at once, and has cleaned up. */
export async function expectHealed(on: Scene, good: Readonly<Record<string, string>>, where: string): Promise<void> {
  await compilerGone(on);
  const next = await on.mops(['build']);
  expect(next.code, where).toBe(0);
  expect(next.stderr, where).not.toMatch(/warning|waiting/);
  expect(artifactsOf(on), where).toEqual(good);
  expect(on.litter(), where).toEqual([]);
}

/**
 * A compiler whose starter was killed lives on for a moment, in a folder that goes with the next sweep. Only the latest
 * is asked for: after hundreds of builds the process ids of earlier ones have gone to others.
 */
async function compilerGone(on: Scene): Promise<void> {
  const latest = on.starts().at(-1);
  while (latest !== undefined && processExists(latest)) await new Promise((next) => setImmediate(next));
}

/** Has a build leave a trail, as one does that comes a while after the files were written. */
export async function leaveTrail(on: Scene): Promise<void> {
  const clock = join(import.meta.dirname, 'faults-clock.cjs');
  await on.mops(['build'], { env: { NODE_OPTIONS: `--require=${clock}`, CLOCK_SHIFT_MS: '10000' } });
  expect(readdirSync(join(on.store, 'trails'))).toHaveLength(1);
}

/** The canister files as digests, without what lies beside them. */
export function artifactsOf(on: Scene, dir?: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(on.files(dir)).filter(([name]) => !name.startsWith('.')));
}

export function hasEnded({ child }: Running): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Enough sources that a hit makes 200 calls of the file system. */
export function manySources(): Readonly<Record<string, string>> {
  const names = Array.from({ length: 20 }, (_, index) => `Lib${index}`);
  return {
    'src/A.mo': `${names.map((name) => `import ${name} "./${name}";\n`).join('')}actor { }\n`,
    ...Object.fromEntries(names.map((name) => [`src/${name}.mo`, `module { /* ${name} */ }\n`])),
  };
}

/**
 * Of the calls that a build makes, and of the lengths at which a file may be cut off, every so many are tried, beginning
 * with a random one: `npm test` has no time for all in each run. `npm run soak` tries every one.
 */
export const TRIAL_STEP = Number(process.env.MOCCACHE_TRIAL_STEP ?? 3);

/** The first call to try, from `first` on. */
export function firstCallFrom(first: number, step: number): number {
  return first + Math.floor(Math.random() * step);
}

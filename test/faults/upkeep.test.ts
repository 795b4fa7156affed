import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { artifactsOf } from '../rigs/faults-scene.ts';
import { report } from '../rigs/report.ts';
import { scene, tomlOf, type Scene } from '../rigs/stand-in-project.ts';

// `npm run soak` sets more.
const MINUTES = Number(process.env.MOCCACHE_SOAK_MINUTES ?? 1);
const BUILDERS = 8;
/** Sources that are built again and again; the others are built once. */
const KNOWN = 6;
/**
 * What was used in the last half minute is not evicted. So new sources come at a pace that keeps them, in that time,
 * below the limit: at most three in a second, of some 5 KB each. The store begins full of what is old.
 */
const LIMIT_BYTES = 900_000;
const NEW_EVERY_MS = 350;
const OLD_ENTRIES = 1_330;

test('gc, verify and clean beside builders: no build fails, none is stale, and the store keeps to its limit', async () => {
  const on = scene({ 'mops.toml': tomlOf({ a: 'src/A.mo' }) });
  execFileSync(process.execPath, [join(import.meta.dirname, '../../bench/big-store.mjs'), on.store, `${OLD_ENTRIES}`]);
  const seededBytes = sizeOf(on.store);
  const good = await goodFiles(on);
  const counts = { builds: 0, hits: 0, gc: 0, evicted: 0, verify: 0, 'clean --builds': 0, cleaned: 0 };
  let mostBytes = 0;
  let lastNewMs = 0;
  const endMs = performance.now() + MINUTES * 60_000;
  const isOver = () => performance.now() >= endMs;

  const buildOn = async (index: number) => {
    const root = join(on.base, `checkout-${index}`);
    const name = index < 2 ? 'b' : 'a'; // one canister is cleaned now and then, the other is not
    cpSync(on.root, root, { recursive: true });
    writeFileSync(join(root, 'mops.toml'), tomlOf({ [name]: 'src/A.mo' }));
    for (let round = index; !isOver(); round += 1) {
      const isNew = performance.now() - lastNewMs > NEW_EVERY_MS;
      if (isNew) lastNewMs = performance.now();
      const source = isNew ? `new${counts.builds}x${index}` : `known${round % KNOWN}`;
      writeFileSync(join(root, 'src/A.mo'), sourceOf(source));
      const end = await on.mops(['build'], { cwd: root });
      expect(end.code, end.stderr).toBe(0);
      counts.builds += 1;
      if (end.stderr.includes('hit')) counts.hits += 1;
      const out = join(root, '.mops/.build');
      // The interface tells which source it is of, and the mark in the other two that they are of one run.
      expect(readFileSync(join(out, `${name}.did`), 'utf8'), end.stderr).toBe(didOf(source));
      const mark = /[0-9a-f]{64}/.exec(readFileSync(join(out, `${name}.most`), 'utf8'))?.[0];
      expect(readFileSync(join(out, `${name}.wasm`), 'latin1')).toContain(mark);
      if (name === 'a' && !isNew) expect(artifactsOf(on, out), source).toEqual(good.get(source));
    }
  };
  const again = async (args: readonly string[], pauseMs: number, count: (stdout: string) => void) => {
    while (!isOver()) {
      const end = await on.mops(['cache', ...args]);
      // A canister that nobody has built since the journal went with the store is not known, and that is said.
      if (!end.stderr.includes('no build of a canister "b"')) expect(end.code, end.stdout + end.stderr).toBe(0);
      count(end.stdout);
      await new Promise((next) => setTimeout(next, Math.min(pauseMs, Math.max(0, endMs - performance.now()))));
    }
  };
  const weigh = async () => {
    while (!isOver()) {
      mostBytes = Math.max(mostBytes, sizeOf(on.store));
      await new Promise((next) => setTimeout(next, 500));
    }
  };
  const hasVerify = (await on.mops(['cache', '--help'])).stdout.includes('cache verify');
  await Promise.all([
    ...Array.from({ length: BUILDERS }, (_, index) => buildOn(index)),
    weigh(),
    again(['gc', '--json', '--max-size', `${LIMIT_BYTES}`], 0, (stdout) => {
      const { removed } = JSON.parse(stdout) as { removed?: { results: unknown[] } };
      counts.gc += 1;
      counts.evicted += removed?.results.length ?? 0;
    }),
    ...(hasVerify ? [again(['verify'], 0, () => (counts.verify += 1))] : []),
    (async () => {
      await until(() => counts.evicted > 0 || isOver());
      await until(() => counts.builds > BUILDERS * 2 || isOver()); // until then b is not known
      const choices = [['--canister', 'b'], ['--older-than', '15s'], []];
      const loops = choices.map((args, index) =>
        again(['clean', '--builds', ...args], 4_000 * (index + 1), (stdout) => {
          counts['clean --builds'] += 1;
          counts.cleaned += Number(/^(\d+) entr/.exec(stdout)?.[1] ?? 0);
        }),
      );
      await Promise.all(loops);
    })(),
  ]);
  report(
    `Upkeep beside ${BUILDERS} builders for ${MINUTES} minutes${hasVerify ? '' : ' (without verify: there is none yet)'}`,
    [
      ...Object.entries(counts).map(([what, count]) => ({ what, found: `${count}` })),
      { what: 'failed builds; wrong, mixed or stale files', found: '0', asked: '0' },
      {
        what: `largest size (at the start ${seededBytes})`,
        found: `${((100 * mostBytes) / LIMIT_BYTES).toFixed(1)} % of the limit`,
        asked: '<= 110 %',
      },
    ],
  );
  expect(mostBytes).toBeLessThanOrEqual(LIMIT_BYTES * 1.1);
  for (const what of ['hits', 'evicted', 'cleaned'] as const) expect(counts[what], what).toBeGreaterThan(0);
});

function sourceOf(name: string): string {
  return `import Lib "./Lib";\n// ${didOf(name).replace('service', 'did: service')}actor { }\n`;
}

function didOf(name: string): string {
  return `service : { ${name} : () -> () }\n`;
}

/** The files of each known source, made without the cache. */
async function goodFiles(on: Scene): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const good = new Map<string, Readonly<Record<string, string>>>();
  for (let number = 0; number < KNOWN; number += 1) {
    on.put({ 'src/A.mo': sourceOf(`known${number}`) });
    expect((await on.mops(['build', '--no-cache'])).code).toBe(0);
    good.set(`known${number}`, artifactsOf(on));
  }
  return good;
}

/** Of results and blobs, while they come and go. */
function sizeOf(store: string): number {
  return ['ac', 'cas'].reduce((sum, dir) => sum + sizeOfFolder(join(store, dir)), 0);
}

function sizeOfFolder(dir: string): number {
  try {
    return readdirSync(dir, { withFileTypes: true }).reduce((sum, entry) => {
      const path = join(dir, entry.name);
      return sum + (entry.isDirectory() ? sizeOfFolder(path) : (statSync(path, { throwIfNoEntry: false })?.size ?? 0));
    }, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((next) => setTimeout(next, 20));
}

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * A case is a function that runs something, or `{ before, run }`, of which only `run` is timed. All cases of a group take
 * turns, so that a busy moment of the machine falls on each of them; medians are reported. Wall time of whole processes.
 */

/** Runs every case once for each round, in turn; before that `warmUps` times without counting. */
export function measure(title, rounds, cases, warmUps = 1) {
  const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = -warmUps; round < rounds; round++) {
    process.stderr.write(`\r${title}: round ${Math.max(0, round + 1)} of ${rounds} `);
    for (const [name, found] of Object.entries(cases)) {
      const { before = () => undefined, run: measured } = typeof found === 'function' ? { run: found } : found;
      before();
      const start = performance.now();
      measured();
      if (round >= 0) times[name].push(performance.now() - start);
    }
  }
  process.stderr.write('\n');
  return { title, rounds, cases: Object.entries(times).map(([name, all]) => summaryOf(name, all)) };
}

export function summaryOf(name, times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return { name, medianMs: at(0.5), minMs: sorted[0], p90Ms: at(0.9) };
}

export function medianIn({ cases }, name) {
  return cases.find((found) => found.name === name)?.medianMs;
}

/** Runs a program to its end in a scene; throws where it fails. */
export function run(scene, command, args, env = {}) {
  const { status, stderr, error } = spawnSync(command, args, {
    cwd: scene.project,
    env: { ...scene.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${status}\n${stderr}`, { cause: error });
}

/** The most memory that a Node process held, in MiB: the median of some runs. */
export function peakMiB(scene, args, runs = 7, before = () => undefined) {
  const file = join(scene.folder, 'peak');
  const preload = join(import.meta.dirname, 'peak.cjs');
  const seen = Array.from({ length: runs }, () => {
    before();
    run(scene, process.execPath, ['--require', preload, ...args], { PEAK_FILE: file });
    return Number(readFileSync(file, 'utf8')) / 1024;
  });
  return seen.sort((a, b) => a - b)[runs >> 1];
}

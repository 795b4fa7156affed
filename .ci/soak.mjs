// `npm run soak [-- MINUTES]`: the tests of single flight, of builds harmed at random and of upkeep beside builds, for
// longer than `npm test` has time for. MINUTES (default: 10) of random harm with a seed of its own, as many of upkeep, a
// thousand rounds of eight builds at once, each call of the file system as the moment of a kill and of a failure,
// and each length at which a stored file may be cut off.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const minutes = Number(process.argv[2] ?? 10);
if (!(minutes > 0)) throw new Error(`not a number of minutes: ${process.argv[2]}`);

await build();
const long = `${(minutes * 60 + 3_600) * 1000}`;
const { status } = spawnSync(
  process.execPath,
  [
    ...[join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--testTimeout', long],
    ...['chaos', 'upkeep', 'single-flight', 'kill', 'fail', 'damage'].map((name) => `test/faults/${name}.test.ts`),
  ],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      MOCCACHE_SEED: String(Date.now() % 1_000_000),
      MOCCACHE_ROUNDS: '1000',
      MOCCACHE_TRIAL_STEP: '1',
      ...process.env,
      MOCCACHE_SOAK_MINUTES: String(minutes),
    },
  },
);
process.exitCode = status ?? 1;

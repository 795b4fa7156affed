// `npm run bench [-- --quick] [-- --out FILE]`: what a build costs, hit and miss, beside what it is compared with.
//
// Ours is started as `node dist/mops.cjs` (npx and npm's links add their own 130 ms), but for the comparison with others.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join, relative } from 'node:path';
import { build } from '../.ci/build.mjs';
import { measureAll, measureOne, measureOverhead, measureTwo, measureWaiters } from './cold.mjs';
import { measureHits, measureTerminal } from './hits.mjs';
import { measurePeers } from './peers.mjs';
import { reportText } from './report.mjs';
import { root } from './scenes.mjs';
import { measureUpkeep } from './upkeep.mjs';
import { measureWrapper } from './wrapper.mjs';

const quick = process.argv.includes('--quick');
const at = process.argv.indexOf('--out');
const out = at === -1 ? join(root, 'bench/results.json') : process.argv[at + 1];
const rounds = quick
  ? { hits: 10, peers: 2, one: 1, overhead: 1 }
  : { hits: 40, peers: 20, one: 9, all: 5, overhead: 9 };

await build();
const top = realpathSync(mkdtempSync(join(tmpdir(), 'moccache-bench-')));
try {
  const report = {
    date: new Date().toISOString(),
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}`,
    cores: cpus().length,
    node: process.version,
    load: loadavg().map((value) => Number(value.toFixed(2))),
    groups: [
      await measureHits(top, rounds.hits),
      await measureTerminal(top, rounds.hits),
      await measureWrapper(top, rounds.hits),
      await measurePeers(top, rounds.peers),
      measureOverhead(top, rounds.overhead),
      measureOne(top, rounds.one),
      ...(quick ? [] : [measureAll(top, rounds.all), measureTwo(top, rounds.all)]),
      await measureWaiters(top, 8),
    ].filter((group) => group !== undefined),
  };
  console.log(reportText(report));
  if (quick) console.log('\nleft out by --quick: three canisters compiled, two canisters at once, 50 by the stand-in');
  report.upkeep = await measureUpkeep({ root, top, quick });
  writeFileSync(out, `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(`\nwritten to ${relative(process.cwd(), out)}`);
} finally {
  rmSync(top, { recursive: true, force: true });
}

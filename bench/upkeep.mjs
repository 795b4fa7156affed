// Upkeep, for `npm run bench`: what one key costs that is built again and again, what a collection of a big store takes,
// and what starting one costs a build.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { makeBigStore } from './big-store.mjs';

/** Measures in folders under `top`; answers `{ title, rows }` and prints them. `quick` takes a fiftieth of everything. */
export async function measureUpkeep({ root, top, quick }) {
  const part = quick ? 50 : 1;
  const rows = [
    ...(await measureOneKey(root, join(top, 'one-key'), 10_000 / part)),
    ...(await measureGc(root, join(top, 'big'), 100_000 / part)),
    ...measureStart(root, join(top, 'start'), quick ? 5 : 60),
  ];
  const title = quick ? 'upkeep (a fiftieth of everything: --quick)' : 'upkeep';
  console.log(`\n${title}`);
  for (const { what, found, asked } of rows)
    console.log(`${what.padEnd(66)}${found.padStart(12)}${asked.padStart(16)}`);
  return { title, rows };
}

/** The same action stored again and again, with the same bytes: nothing may grow, and a lookup not slow down. */
async function measureOneKey(root, dir, count) {
  const { openCache } = await import(pathToFileURL(join(root, 'dist/index.js')));
  const cache = openCache({ dir, mode: 'read-write', leaseWaitMs: 0 });
  const wasm = new Uint8Array(250_000).fill(7);
  const fresh = { document: `["format",1]\n["main","src/Main.mo"]\n`, artifacts: { wasm }, costMs: 4_000 };
  const { result } = await cache.record(fresh);
  process.stderr.write(`one key, stored ${count} times\n`);
  for (let number = 1; number < count; number += 1) await cache.record(fresh);
  const times = [];
  for (let number = 0; number < 1_000; number += 1) {
    const start = performance.now();
    const found = await cache.lookUp(result.key, []);
    times.push(performance.now() - start);
    if (found.kind !== 'hit') throw new Error(`not a hit: ${JSON.stringify(found)}`);
  }
  const keptBytes = sizeOf(dir) - wasm.length - statSync(join(dir, 'version')).size;
  return [
    { what: `one key after ${count} rebuilds: its result and blobs`, found: `${keptBytes} B`, asked: '<= 4096 B' },
    { what: 'its lookup, median of 1000', found: ms(medianOf(times)), asked: '<= 1 ms' },
  ];
}

/** A tenth is to go. The dry run has to list the very same. */
async function measureGc(root, dir, count) {
  process.stderr.write(`a store with ${count} entries\n`);
  const sizeBytes = await makeBigStore(dir, count);
  const gc = (...args) => {
    const limit = String(Math.floor(sizeBytes * 0.999));
    const start = performance.now();
    const env = { PATH: process.env.PATH, HOME: dir, MOCCACHE_DIR: dir };
    const command = [join(root, 'dist/mops.cjs'), 'cache', 'gc', '--json', '--max-size', limit, ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, {
      env,
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    });
    if (status !== 0) throw new Error(`gc: exit ${status}\n${stdout}${stderr}`);
    return { tookMs: performance.now() - start, ...JSON.parse(stdout) };
  };
  const dry = gc('--dry-run');
  const real = gc();
  const isSame = JSON.stringify(dry.removed) === JSON.stringify(real.removed);
  const { results, blobs } = real.removed;
  const likewiseMs = deleteLikewise(dir, results.length, blobs.length);
  return [
    { what: `gc of ${count} entries, dry run`, found: ms(dry.tookMs), asked: '' },
    { what: `gc of ${count} entries`, found: ms(real.tookMs), asked: '<= 5000 ms' },
    { what: '  which deleted results', found: String(results.length), asked: '' },
    { what: '  and files', found: String(blobs.length), asked: '' },
    { what: '  deleting as many others, one after the other, and no more', found: ms(likewiseMs), asked: '' },
    { what: '  the dry run listed the same', found: isSame ? 'yes' : 'no', asked: 'yes' },
  ];
}

/** What the file system takes for as many deletions as a collection of so much. */
function deleteLikewise(dir, resultCount, blobCount) {
  const some = (folder, count) => filesIn(join(dir, folder)).slice(0, count);
  const paths = [...some('ac', resultCount), ...some('cas', blobCount)];
  const start = performance.now();
  for (const path of paths) unlinkSync(path);
  return performance.now() - start;
}

function filesIn(dir) {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Builds with a compiler that takes no time, of which each second one starts a collection of a small store. */
function measureStart(root, folder, rounds) {
  const project = join(folder, 'project');
  mkdirSync(join(project, 'src'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{}'); // what kind of script the compiler is
  writeFileSync(join(project, 'mops.toml'), '[toolchain]\nmoc = "./moc"\n\n[canisters]\na = "src/A.mo"\n');
  copyFileSync(join(root, 'test/rigs/stand-in-moc.cjs'), join(project, 'moc'));
  chmodSync(join(project, 'moc'), 0o755);
  const dir = join(folder, 'store');
  let edits = 0;
  const build = (limit) => {
    edits += 1;
    writeFileSync(join(project, 'src/A.mo'), `// edit ${edits}\nactor { }\n`);
    const env = { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, MOCCACHE_DIR: dir, MOCCACHE_MAX_SIZE: limit };
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'dist/mops.cjs'), 'build'], {
      cwd: project,
      env,
    });
    if (status !== 0) throw new Error(`build: exit ${status}\n${stderr}`);
    const tookMs = performance.now() - start;
    // The next build is not to share the machine with it. The note that it leaves says that all of this is in use.
    while (limit === STARTS && !/"overBytes":[1-9]/.test(notesIn(dir)));
    return tookMs;
  };
  const [without, starting] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    process.stderr.write(`start of a collection: round ${round + 1} of ${rounds}\n`);
    without.push(build('5GiB'));
    starting.push(build(STARTS));
  }
  const more = medianOf(starting) - medianOf(without);
  return [
    { what: `a build that starts a collection, over one that does not (${rounds})`, found: ms(more), asked: '<= 5 ms' },
  ];
}

/** Whatever the store holds is more: a collection each time. */
const STARTS = '100';

function notesIn(dir) {
  const notes = join(dir, 'notes');
  return readdirSync(notes)
    .map((name) => readFileSync(join(notes, name), 'utf8'))
    .join('');
}

function sizeOf(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

function medianOf(times) {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
}

function ms(value) {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}

// `npm run bench [-- --quick] [-- --out FILE]`: what a build costs, hit and miss, beside what it is compared with.
//
// All cases of a group take turns, so that a busy moment of the machine falls on each of them; medians are reported. Wall
// time of whole processes, started as `node dist/mops.cjs` (npx and npm's links would add their own 130 ms).
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from '../.ci/build.mjs';
import { measureUpkeep } from './upkeep.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const quick = process.argv.includes('--quick');
const out = process.argv.includes('--out')
  ? process.argv[process.argv.indexOf('--out') + 1]
  : join(root, 'bench/results.json');
const rounds = quick ? { hits: 15, one: 2, all: 1 } : { hits: 40, one: 9, all: 5 };

const COLD = 'mops build (ours), empty cache';

await build();
const top = mkdtempSync(join(tmpdir(), 'moccache-bench-'));
try {
  const groups = [measureHits(), measureOne(), measureAll()];
  const report = {
    date: new Date().toISOString(),
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}`,
    node: process.version,
    load: loadavg().map((value) => Number(value.toFixed(2))),
    groups,
  };
  print(report);
  report.upkeep = await measureUpkeep({ root, top, quick });
  writeFileSync(out, `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(`\nwritten to ${relative(process.cwd(), out)}`);
} finally {
  rmSync(top, { recursive: true, force: true });
}

/** All three canisters are in the cache. */
function measureHits() {
  const scene = openScene('hits');
  mops(scene, ['build']);
  return measure('three canisters, all in the cache', rounds.hits, {
    'node -e 0': () => run(scene, ['-e', '0']),
    'hit, files up to date': () => mops(scene, ['build']),
    'hit, files restored': { before: () => removeOutputs(scene), run: () => mops(scene, ['build']) },
  });
}

/** One canister, compiled. The compiler alone runs with the very arguments that the build gives it. */
function measureOne() {
  const scene = openScene('one');
  const alone = openScene('alone');
  const upstream = openUpstream('upstream-one');
  const log = join(scene.folder, 'log.jsonl');
  const phases = {
    'before the compiler': [],
    'the compiler in the build': [],
    'after it (finish, record, put in place)': [],
  };
  const before = () => {
    removeOutputs(scene);
    for (const path of [scene.cache, log]) rmSync(path, { recursive: true, force: true });
  };
  before();
  mops(scene, ['build', 'loyalty'], { MOCCACHE_LOG: log });
  const [, ...compilerArgs] = eventsIn(log).find(({ kind }) => kind === 'compiling').command;
  compilerArgs[compilerArgs.indexOf('-o') + 1] = join(outputsOf(alone), 'loyalty.wasm');
  const group = measure('one canister, compiled (loyalty)', rounds.one, {
    'node -e 0': () => run(scene, ['-e', '0']),
    'compiler alone': {
      before: () => {
        removeOutputs(alone);
        mkdirSync(outputsOf(alone), { recursive: true });
      },
      run: () => run(alone, [join(root, 'dist/moc-js.cjs'), ...compilerArgs]),
    },
    [COLD]: {
      before,
      run: () => {
        const startMs = Date.now();
        mops(scene, ['build', 'loyalty'], { MOCCACHE_LOG: log });
        const compiling = atMs(log, ({ kind }) => kind === 'compiling');
        const compiled = atMs(log, ({ kind }) => kind === 'compiled');
        phases['before the compiler'].push(compiling - startMs);
        phases['the compiler in the build'].push(compiled - compiling);
        phases['after it (finish, record, put in place)'].push(Date.now() - compiled);
      },
    },
    'ic-mops build': { before: () => removeOutputs(upstream), run: () => icMops(upstream, ['build', 'loyalty']) },
  });
  const parts = Object.entries(phases).map(([name, times]) =>
    summaryOf(`  of ours: ${name}`, times.slice(-rounds.one)),
  );
  return { ...group, cases: [...group.cases, ...parts] };
}

/** Three canisters, compiled. */
function measureAll() {
  const scene = openScene('all');
  const upstream = openUpstream('upstream-all');
  const before = () => {
    removeOutputs(scene);
    rmSync(scene.cache, { recursive: true, force: true });
  };
  return measure('three canisters, compiled', rounds.all, {
    [COLD]: { before, run: () => mops(scene, ['build']) },
    ...(!quick && {
      'mops build (ours), empty cache, --jobs 1': { before, run: () => mops(scene, ['build', '--jobs', '1']) },
    }),
    'ic-mops build': { before: () => removeOutputs(upstream), run: () => icMops(upstream, ['build']) },
  });
}

/** Runs every case once for each round, in turn. */
function measure(title, count, cases) {
  const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = 0; round < count; round++) {
    process.stderr.write(`${title}: round ${round + 1} of ${count}\n`);
    for (const [name, found] of Object.entries(cases)) {
      const { before = () => undefined, run: measured } = typeof found === 'function' ? { run: found } : found;
      before();
      const start = performance.now();
      measured();
      times[name].push(performance.now() - start);
    }
  }
  return { title, rounds: count, cases: Object.entries(times).map(([name, all]) => summaryOf(name, all)) };
}

function summaryOf(name, times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return { name, medianMs: at(0.5), minMs: sorted[0], p90Ms: at(0.9) };
}

function print({ date, machine, node, load, groups }) {
  console.log(`${date}, node ${node}, ${machine}, load ${load.join(' ')}`);
  const alone = medianOf(groups[1].cases, 'compiler alone');
  if (load[0] > cpus().length) console.log('the machine was busy: take ratios, and not too seriously');
  for (const { title, rounds: count, cases } of groups) {
    const floor = medianOf(cases, 'node -e 0') ?? medianOf(groups[0].cases, 'node -e 0');
    console.log(`\n${title} (medians of ${count})`);
    console.log(
      `${''.padEnd(52)}${['median', 'least', '90 %', 'x node', 'x compiler'].map((text) => text.padStart(11)).join('')}`,
    );
    for (const { name, medianMs, minMs, p90Ms } of cases) {
      const numbers = [
        ...[medianMs, minMs, p90Ms].map(ms),
        (medianMs / floor).toFixed(2),
        (medianMs / alone).toFixed(3),
      ];
      console.log(`${name.padEnd(52)}${numbers.map((text) => text.padStart(11)).join('')}`);
    }
  }
  const cold = medianOf(groups[1].cases, COLD);
  const share = ((100 * (cold - alone)) / alone).toFixed(1);
  console.log(
    `\ncold build of one canister over the compiler alone: ${ms(cold - alone)} (${share} %), the finish stage included`,
  );
}

function medianOf(cases, wanted) {
  return cases.find(({ name }) => name === wanted)?.medianMs;
}

function ms(value) {
  return `${value.toFixed(value < 1000 ? 1 : 0)} ms`;
}

/** A copy of the fixture with a cache and a configuration of its own. */
function openScene(name) {
  const folder = join(top, name);
  const project = join(folder, 'shop');
  cpSync(join(root, 'fixtures/shop'), project, { recursive: true });
  const cache = join(folder, 'cache');
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    XDG_CACHE_HOME: join(folder, 'xdg'),
    XDG_CONFIG_HOME: join(folder, 'config'),
    MOCCACHE_DIR: cache,
  };
  const scene = { folder, project, cache, env };
  removeOutputs(scene);
  return scene;
}

/** The same for ic-mops: with its own cache filled, and with nowhere to go on the network. */
function openUpstream(name) {
  const scene = openScene(name);
  const packages = join(scene.env.XDG_CACHE_HOME, 'mops/packages');
  cpSync(join(scene.project, '.mops'), packages, { recursive: true });
  return { ...scene, env: { ...scene.env, MOPS_REGISTRY_HOST: 'http://127.0.0.1:9' } };
}

function mops(scene, args, env = {}) {
  run(scene, [join(root, 'dist/mops.cjs'), ...args], env);
}

function icMops(scene, args) {
  run(scene, [join(root, 'node_modules/ic-mops/dist/bin/mops.js'), ...args]);
}

function run(scene, args, env = {}) {
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: scene.project,
    env: { ...scene.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`node ${args.join(' ')}: exit ${status}\n${stderr}`);
}

function outputsOf({ project }) {
  return join(project, '.mops/.build');
}

function removeOutputs(scene) {
  rmSync(outputsOf(scene), { recursive: true, force: true });
}

function eventsIn(log) {
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

function atMs(log, wanted) {
  return Date.parse(eventsIn(log).find(wanted).at);
}

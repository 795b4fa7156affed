import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { measure, medianIn, run, summaryOf } from './measure.mjs';
import { forget, icMops, MOPS, mops, openGenerated, openShop, outputsOf, removeOutputs, root } from './scenes.mjs';

/** One canister of the fixture, compiled. The compiler alone runs with the very arguments that the build gives it. */
export function measureOne(top, rounds) {
  const scene = openShop(top, 'one');
  const alone = openShop(top, 'alone');
  const upstream = openShop(top, 'upstream-one');
  const log = join(scene.folder, 'log.jsonl');
  const phases = {
    'before the compiler': [],
    'the compiler in the build': [],
    'after it (finish, record, put in place)': [],
  };
  const before = () => {
    forget(scene);
    rmSync(log, { force: true });
  };
  const compilerArgs = compilerArgsOf(scene, 'loyalty', outputsOf(alone));
  const group = measure(
    'one canister, compiled (loyalty)',
    rounds,
    {
      'the compiler alone': {
        before: () => {
          removeOutputs(alone);
          mkdirSync(outputsOf(alone), { recursive: true });
        },
        run: () => run(alone, process.execPath, compilerArgs),
      },
      'ours, empty cache': {
        before,
        run: () => {
          const startMs = Date.now();
          mops(scene, ['build', 'loyalty'], { MOCCACHE_LOG: log });
          const compilingMs = Date.parse(eventIn(log, 'compiling').at);
          const compiledMs = Date.parse(eventIn(log, 'compiled').at);
          phases['before the compiler'].push(compilingMs - startMs);
          phases['the compiler in the build'].push(compiledMs - compilingMs);
          phases['after it (finish, record, put in place)'].push(Date.now() - compiledMs);
        },
      },
      'ic-mops build': { before: () => removeOutputs(upstream), run: () => icMops(upstream, ['build', 'loyalty']) },
    },
    0,
  );
  const parts = Object.entries(phases).map(([name, times]) => summaryOf(`  of ours: ${name}`, times.slice(-rounds)));
  const over = medianIn(group, 'ours, empty cache') - medianIn(group, 'the compiler alone');
  return { ...group, cases: [...group.cases, ...parts], overCompilerMs: over };
}

/** The three canisters of the fixture, compiled. */
export function measureAll(top, rounds) {
  const scene = openShop(top, 'all');
  const upstream = openShop(top, 'upstream-all');
  const before = () => forget(scene);
  return measure(
    'three canisters, compiled',
    rounds,
    {
      'ours, empty cache': { before, run: () => mops(scene) },
      'ours, empty cache, --jobs 1': { before, run: () => mops(scene, ['build', '--jobs', '1']) },
      'ic-mops build': { before: () => removeOutputs(upstream), run: () => icMops(upstream) },
    },
    0,
  );
}

/**
 * Two canisters that have nothing to do with each other, at once, beside each of them alone; and the same with nothing but
 * the compiler: what two of it take from each other is the machine's, and no build can give it back.
 */
export function measureTwo(top, rounds) {
  const scene = openShop(top, 'two');
  const bare = openShop(top, 'two-bare');
  const build = (...names) => ({ before: () => forget(scene), run: () => mops(scene, ['build', ...names]) });
  const commands = Object.fromEntries(
    ['loyalty', 'catalog'].map((name) => [name, compilerArgsOf(scene, name, outputsOf(bare))]),
  );
  const compile = (...names) => ({
    before: () => {
      removeOutputs(bare);
      mkdirSync(outputsOf(bare), { recursive: true });
    },
    run: () => run(bare, 'sh', ['-c', atOnce(names.map((name) => [process.execPath, ...commands[name]]))]),
  });
  return measure(
    'two canisters, compiled',
    rounds,
    {
      loyalty: build('loyalty'),
      catalog: build('catalog'),
      'both at once': build('loyalty', 'catalog'),
      'the compiler alone: loyalty': compile('loyalty'),
      'the compiler alone: catalog': compile('catalog'),
      'two compilers at once': compile('loyalty', 'catalog'),
    },
    0,
  );
}

/** A script that runs commands at once and fails where one does. */
function atOnce(commands) {
  const quoted = commands.map((words) => words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' '));
  const starts = quoted.map((command, index) => `${command} & p${index}=$!`);
  return [...starts, ...quoted.map((_, index) => `wait $p${index} || exit 1`)].join('\n');
}

/** What the build gives the JS compiler for a canister of the fixture, with its output in another folder. */
function compilerArgsOf(scene, name, outputDir) {
  const log = join(scene.folder, 'first.jsonl');
  rmSync(log, { force: true });
  mops(scene, ['build', name], { MOCCACHE_LOG: log });
  const [, ...args] = eventIn(log, 'compiling').command;
  args[args.indexOf('-o') + 1] = join(outputDir, `${name}.wasm`);
  return [join(root, 'dist/moc-js.cjs'), ...args];
}

/** What is ours of a build that compiles: the stand-in takes no time worth mentioning. */
export function measureOverhead(top, rounds) {
  const shapes = [
    { canisters: 1, sources: 10 },
    { canisters: 10, sources: 300 },
    { canisters: 50, sources: 100 },
  ];
  const isQuick = rounds === 1;
  const cases = shapes.slice(0, isQuick ? 2 : 3).map(({ canisters, sources }) => {
    const scene = openGenerated(top, `cold-${canisters}-${sources}`, { canisters, sources, wasmBytes: 1e5 });
    return [`${canisters} canisters, ${sources} sources`, { before: () => forget(scene), run: () => mops(scene) }];
  });
  return measure('compiled by a stand-in that takes no time', rounds, Object.fromEntries(cases), isQuick ? 0 : 1);
}

/** Builds of the same thing, started at once: one compiles, and the others have it when it has. */
export async function measureWaiters(top, waiters) {
  const scene = openShop(top, 'waiters');
  const start = performance.now();
  const ends = Array.from({ length: waiters }, async () => {
    const child = spawn(process.execPath, [MOPS, 'build', 'loyalty'], {
      cwd: scene.project,
      env: scene.env,
      stdio: 'ignore',
    });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`a waiter ended with ${code}`);
    return performance.now() - start;
  });
  const times = (await Promise.all(ends)).sort((a, b) => a - b);
  const cases = [
    { name: `the first of ${waiters} has it after`, medianMs: times[0], minMs: times[0], p90Ms: times[0] },
    { name: 'the last has it after', medianMs: times.at(-1), minMs: times.at(-1), p90Ms: times.at(-1) },
  ];
  return { title: `${waiters} builds of one canister at once`, rounds: 1, cases };
}

function eventIn(log, kind) {
  const lines = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line)).find((event) => event.kind === kind);
}

// `npm run demo`: builds a real project twice with the real compiler. The first build is all misses, the second all hits.
// Fails unless the second ran no compiler, gave the same bytes and was at least 20 times faster. `--keep` leaves the folder.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const LEAST_RATIO = 20;
const root = fileURLToPath(new URL('..', import.meta.url));
const mops = join(root, 'dist', 'mops.cjs');

const { files } = await build();
console.log(`built the command: dist/mops.cjs (and ${files - 1} files beside it)`);

const folder = mkdtempSync(join(tmpdir(), 'moccache-demo-'));
try {
  process.exitCode = demo() ? 0 : 1;
} finally {
  if (process.argv.includes('--keep')) console.log(`kept: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}

function demo() {
  const project = join(folder, 'shop');
  const outputs = join(project, '.mops', '.build');
  cpSync(join(root, 'fixtures', 'shop'), project, { recursive: true });
  rmSync(outputs, { recursive: true, force: true });
  console.log(`copied fixtures/shop to ${project}: three canisters, compiler pinned to moc-js`);
  console.log(`the cache is an empty folder: ${join(folder, 'cache')}`);

  const first = mopsBuild(project, 'first');
  const made = digestsIn(outputs);
  rmSync(outputs, { recursive: true, force: true });
  console.log('\n$ rm -r .mops/.build');
  const second = mopsBuild(project, 'second');
  const restored = digestsIn(outputs);

  const ratio = first.ms / second.ms;
  const same = made.length > 0 && made.join() === restored.join();
  const checks = [
    [first.ok && second.ok, 'both builds succeeded'],
    [
      first.compiled === 3 && second.compiled === 0,
      `the compiler ran ${first.compiled} times, then ${second.compiled} times`,
    ],
    [same, `the second build put back the same ${restored.length} files, byte for byte`],
    [ratio >= LEAST_RATIO, `the second build was ${ratio.toFixed(0)} times faster (at least ${LEAST_RATIO} is asked)`],
  ];
  console.log('');
  for (const [ok, text] of checks) console.log(`${ok ? 'ok  ' : 'FAIL'} ${text}`);
  return checks.every(([ok]) => ok);
}

/** Runs the command as a user would, on a cache and a configuration of its own. */
function mopsBuild(project, which) {
  const log = join(folder, `${which}.jsonl`);
  const ours = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MOCCACHE|MOPS)_/.test(name)));
  const env = {
    ...ours,
    XDG_CONFIG_HOME: join(folder, 'config'),
    MOCCACHE_DIR: join(folder, 'cache'),
    MOCCACHE_LOG: log,
  };
  console.log(`\n$ mops build   (in ${relative(folder, project)}, the ${which} time)`);
  const start = performance.now();
  const { status } = spawnSync(process.execPath, [mops, 'build'], {
    cwd: project,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ms = performance.now() - start;
  console.log(`${(ms / 1000).toFixed(2)} s`);
  return { ok: status === 0, ms, compiled: eventsIn(log).filter(({ kind }) => kind === 'compiled').length };
}

function eventsIn(log) {
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : [];
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

function digestsIn(folder) {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /\.(wasm|did|most)$/.test(name)) : [];
  return names.sort().map(
    (name) =>
      `${name} ${createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex')}`,
  );
}

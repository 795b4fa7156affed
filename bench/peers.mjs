import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { measure, run } from './measure.mjs';
import { openScene, root, settle, writeProject } from './scenes.mjs';

const folder = join(root, 'bench/peers');
const SHAPE = { canisters: 1, sources: 300, wasmBytes: 1e6 };

/**
 * The same unchanged project built by each as npm users start it, with `npm run`: ours; `ic-mops build`, which compiles
 * each time (a stand-in that takes no time); and task caches around that, on their own hit. Each has outputs of its own.
 */
export async function measurePeers(top, rounds) {
  install();
  const scene = { ...openScene(top, 'peers'), project: folder };
  const env = {
    NX_DAEMON: 'false',
    NX_TUI: 'false',
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_CACHE_DIR: join(top, 'turbo'),
  };
  const all = { ...scene, env: { ...scene.env, ...env, NX_CACHE_DIRECTORY: join(top, 'nx'), DO_NOT_TRACK: '1' } };
  const npm = (script) => () => run(all, 'npm', ['run', '--silent', script]);
  clean();
  writeProject(folder, SHAPE);
  try {
    await settle(['build', '--output', '.mops/ours'], all);
    return measure('1 canister, 300 sources, unchanged, by npm run', rounds, {
      'node -e 0': npm('nothing'),
      ours: npm('ours'),
      ...Object.fromEntries(['turbo', 'nx', 'wireit'].map((name) => [`${name} ${versionOf(name)}`, npm(name)])),
      'ic-mops build': npm('ic-mops'),
    });
  } finally {
    clean();
  }
}

function install() {
  if (['turbo', 'nx', 'wireit'].every((name) => existsSync(join(folder, 'node_modules', name)))) return;
  const args = ['install', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('npm could not install the peers');
}

function versionOf(name) {
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
}

function clean() {
  for (const name of ['src', 'moc', 'mops.toml', 'mops.lock', '.mops', '.wireit', '.turbo', '.nx'])
    rmSync(join(folder, name), { recursive: true, force: true });
}

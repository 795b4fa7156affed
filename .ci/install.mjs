// Brings node_modules to what package-lock.json says, where it is not there already. Uses Node alone.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Runs `npm ci` only where something is missing or of another version. Throws when that fails. */
export function ensureInstalled(root) {
  const reason = staleness(root);
  if (reason === undefined) return;
  console.log(`npm ci (${reason})`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status, error } = spawnSync(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`npm ci failed${error ? `: ${error.message}` : ''}`);
}

function staleness(root) {
  const wanted = packagesIn(join(root, 'package-lock.json'));
  const present = packagesIn(join(root, 'node_modules', '.package-lock.json'));
  if (present === undefined) return 'nothing is installed';
  for (const [path, { version, optional }] of Object.entries(wanted)) {
    if (path === '' || present[path]?.version === version) continue;
    if (present[path] === undefined && optional) continue; // for another platform
    return `${path} is ${present[path]?.version ?? 'missing'}, the lock says ${version}`;
  }
  return undefined;
}

function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

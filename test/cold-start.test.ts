import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { IC_MOPS } from './rigs/project-tools.ts';
import { lockText } from './rigs/packages-scene.ts';
import { MOPS, scene, tomlOf, until, type Running, type Scene } from './rigs/stand-in-project.ts';

const NAMES = ['a', 'b', 'c', 'd'];

/** As the deploy tool starts them, and somebody else at the same time. */
const BUILDS = [...NAMES, ...NAMES];

const TOML = [
  '[toolchain]',
  'moc = "1.2.3"',
  '[dependencies]',
  'p = "1.0.0"',
  '[canisters]',
  ...NAMES.map((name) => `${name} = "src/${name}.mo"`),
  '',
].join('\n');

/**
 * Stands for ic-mops as an installer: appends its arguments to a log, waits for a file, and then puts the package or the
 * compiler where ic-mops would, or fails. The module that finishes a wasm is the real one.
 */
const INSTALLER = `
const { appendFileSync, cpSync, existsSync, mkdirSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const base = process.env.INSTALLER_BASE;
const [command] = process.argv.slice(2);
appendFileSync(join(base, 'installs'), command + '\\n');
const gate = join(base, 'gate-' + command);
while (!existsSync(gate)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
if (process.env.INSTALLER_FAILS) {
  console.error('Error: the registry is on holiday');
  process.exit(1);
}
const cache = join(process.env.XDG_CACHE_HOME, 'mops');
if (command === 'install') {
  mkdirSync(join(cache, 'packages/p@1.0.0/src'), { recursive: true });
  writeFileSync(join(cache, 'packages/p@1.0.0/src/lib.mo'), 'module { }');
  writeFileSync(join(cache, 'packages/p@1.0.0/mops.toml'), '');
} else cpSync(join(base, 'stand-in'), join(cache, 'moc/1.2.3/moc'), { recursive: true });
`;

/** A project of which nothing is there but its sources: no package, no compiler, no lock file, no output folder. */
function coldScene(): Scene {
  const sources = NAMES.map((name) => [`src/${name}.mo`, `import P "mo:p";\nactor { /* ${name} */ }\n`] as const);
  const on = scene({
    'mops.toml': TOML,
    ...Object.fromEntries(sources),
    'node_modules/ic-mops/package.json': '{ "name": "ic-mops", "version": "2.9.0", "bin": "mops.js" }',
    'node_modules/ic-mops/mops.js': INSTALLER,
  });
  cpSync(join(IC_MOPS, 'dist/wasm'), join(on.root, 'node_modules/ic-mops/dist/wasm'), { recursive: true });
  cpSync(join(on.root, 'moc'), join(on.base, 'stand-in'));
  on.put({ moc: undefined });
  return on;
}

function startAll(on: Scene, env: Readonly<Record<string, string>> = {}): readonly Running[] {
  return BUILDS.map((name) => on.start(['build', name], { env: { INSTALLER_BASE: on.base, ...env } }));
}

/** Lets the installer go on when all others are known to wait for it. */
async function openGate(on: Scene, command: string, running: readonly Running[], label: string): Promise<void> {
  const waits = (one: Running) => one.said().includes(`${label}: another build does so already`);
  const [first] = running;
  if (first === undefined) throw new Error('nobody runs');
  await until(() => running.filter(waits).length === running.length - 1, first);
  writeFileSync(join(on.base, `gate-${command}`), '');
}

function installs(on: Scene): readonly string[] {
  const file = join(on.base, 'installs');
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
}

test('eight builds at once of a project where nothing is there yet: each thing is done once', async () => {
  const on = coldScene();
  const running = startAll(on);
  await openGate(on, 'install', running, `installing packages ${on.root}`);
  await openGate(on, 'toolchain', running, 'installing moc 1.2.3');
  const ends = await Promise.all(running.map(({ ended }) => ended));
  expect(ends.map(({ code, stderr }) => (code === 0 ? 'built' : stderr))).toEqual(BUILDS.map(() => 'built'));
  expect(installs(on)).toEqual(['install', 'toolchain']);
  expect(on.starts()).toHaveLength(NAMES.length);
  const made = Object.keys(on.files()).filter((path) => !path.startsWith('.'));
  expect(made).toEqual(NAMES.flatMap((name) => ['did', 'most', 'wasm'].map((end) => `${name}.${end}`)));
  expect(existsSync(join(on.root, 'mops.lock'))).toBe(false);
  expect(Object.keys(on.files(join(on.root, '.mops/p@1.0.0')))).toEqual(['mops.toml', 'src/lib.mo']);
  expect(on.litter()).toEqual([]);

  const again = await Promise.all(startAll(on).map(({ ended }) => ended));
  expect(again.map(({ code }) => code)).toEqual(BUILDS.map(() => 0));
  expect([installs(on).length, on.starts().length]).toEqual([2, NAMES.length]);
});

test('an install that fails is run once, and all who waited for it are told why', async () => {
  const on = coldScene();
  const running = startAll(on, { INSTALLER_FAILS: 'yes' });
  await openGate(on, 'install', running, `installing packages ${on.root}`);
  for (const { code, stderr } of await Promise.all(running.map(({ ended }) => ended))) {
    expect(code).toBe(1);
    expect(stderr).toContain('package p (p@1.0.0) is not installed');
    expect(stderr).toContain('the registry is on holiday');
  }
  expect(installs(on)).toEqual(['install']);
});

/** Starts a program where there is no network at all, not even this machine's own. */
const WITHOUT_NETWORK = ['unshare', '--net', '--map-root-user'];
const hasNamespaces = spawnSync(WITHOUT_NETWORK[0] ?? '', [...WITHOUT_NETWORK.slice(1), 'true']).status === 0;
if (!hasNamespaces) console.log('skipped: no network namespace can be made here (unshare --net is not permitted)');

test.skipIf(!hasNamespaces)('where all is installed nothing is asked of a network, --locked included', async () => {
  const dependencies = { p: '1.0.0' };
  const on = scene({
    'mops.toml': tomlOf({ a: 'src/A.mo' }, '[dependencies]\np = "1.0.0"'),
    'mops.lock': lockText({ dependencies }, dependencies),
    'src/A.mo': 'import P "mo:p";\nactor { }\n',
    '.mops/p@1.0.0/mops.toml': '',
    '.mops/p@1.0.0/src/lib.mo': 'module { }\n',
  });
  const build = (...args: readonly string[]) =>
    on.mops(['build', ...args], { command: [...WITHOUT_NETWORK, process.execPath, MOPS] });
  const first = await build();
  expect([first.code, first.stderr]).toEqual([0, expect.stringMatching(/^ {2}a {2}compiled: .*\n$/)]);
  const locked = await build('--locked');
  expect(locked.code).toBe(0);
  expect(locked.stderr).toMatch(/^note: mops\.lock fits, .*; the registry was not asked\n {2}a {2}hit, .*\n$/);
});

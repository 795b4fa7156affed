import { chmodSync, copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './measure.mjs';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const MOPS = join(root, 'dist/mops.cjs');
export const IC_MOPS = join(root, 'node_modules/ic-mops/dist/bin/mops.js');

/** A copy of the fixture with a cache and a configuration of its own, and with nowhere to go on the network. */
export function openShop(top, name) {
  const scene = openScene(top, name);
  cpSync(join(root, 'fixtures/shop'), scene.project, { recursive: true });
  cpSync(join(scene.project, '.mops'), join(scene.env.XDG_CACHE_HOME, 'mops/packages'), { recursive: true });
  removeOutputs(scene);
  return scene;
}

/** A project of so many canisters over the same sources, with the stand-in as its compiler. */
export function openGenerated(top, name, { canisters, sources, wasmBytes }) {
  const scene = openScene(top, name);
  writeProject(scene.project, { canisters, sources, wasmBytes });
  return scene;
}

/** Sources are a tree: each imports two more. Some 7 KB each. */
export function writeProject(project, { canisters, sources, wasmBytes }) {
  const lib = join(project, 'src/lib');
  rmSync(join(project, 'src'), { recursive: true, force: true });
  mkdirSync(lib, { recursive: true });
  for (let index = 0; index < sources; index++) {
    const imports = [2 * index + 1, 2 * index + 2].filter((next) => next < sources);
    const heads = imports.map((next) => `import L${next} "./L${next}";\n`).join('');
    const line = `  /// A line of documentation that stands for code number ${index}.\n  public func f(x : Nat) : Nat { x };\n`;
    writeFileSync(join(lib, `L${index}.mo`), `${heads}module {\n${line.repeat(70)}};\n`);
  }
  const names = Array.from({ length: canisters }, (_, index) => `c${index}`);
  for (const name of names)
    writeFileSync(join(project, `src/${name}.mo`), `// ${wasmBytes} bytes\nimport L0 "./lib/L0";\nactor ${name} { }\n`);
  const rows = names.map((name) => `${name} = "src/${name}.mo"\n`).join('');
  writeFileSync(join(project, 'mops.toml'), `[toolchain]\nmoc = "./moc"\n\n[canisters]\n${rows}`);
  copyFileSync(join(import.meta.dirname, 'stand-in-moc.cjs'), join(project, 'moc'));
  chmodSync(join(project, 'moc'), 0o755);
}

export function openScene(top, name) {
  const folder = join(top, name);
  const project = join(folder, 'project');
  mkdirSync(join(folder, 'tmp'), { recursive: true });
  mkdirSync(project);
  const env = {
    ...{ PATH: process.env.PATH, HOME: folder, TMPDIR: join(folder, 'tmp') },
    ...{ XDG_CACHE_HOME: join(folder, 'xdg'), XDG_CONFIG_HOME: join(folder, 'config') },
    ...{ MOPS_REGISTRY_HOST: 'http://127.0.0.1:9', MOCCACHE_DIR: join(folder, 'cache') },
  };
  return { folder, project, env };
}

export function outputsOf({ project }) {
  return join(project, '.mops/.build');
}

export function removeOutputs(scene) {
  rmSync(outputsOf(scene), { recursive: true, force: true });
}

/** As if nothing had ever been built. */
export function forget(scene) {
  removeOutputs(scene);
  rmSync(scene.env.MOCCACHE_DIR, { recursive: true, force: true });
}

export function mops(scene, args = ['build'], env = {}) {
  run(scene, process.execPath, [MOPS, ...args], env);
}

export function icMops(scene, args = ['build']) {
  run(scene, process.execPath, [IC_MOPS, ...args]);
}

/** Builds until the next build finds files that have been lying there for longer than the steps of a clock. */
export async function settle(args, ...scenes) {
  for (const scene of scenes) mops(scene, args);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  for (const scene of scenes) mops(scene, args);
}

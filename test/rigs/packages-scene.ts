import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** A project and mops's global cache, in a temporary folder of their own. */
export interface Scene {
  readonly root: string;
  readonly globalCacheDir: string;
  readonly toolchainsDir: string;
  /** What child processes get: nothing of the user's but PATH, and no way to the network. */
  readonly environment: Readonly<Record<string, string>>;
  write(files: Files): void;
  remove(): void;
}

/** Path, relative to the project root, to text. */
export type Files = Readonly<Record<string, string>>;

export interface CachedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly baseDir?: string;
}

export interface SceneOptions {
  readonly files?: Files;
  /** What is installed in the global cache and in the project, by the place in it. */
  readonly installed?: Readonly<Record<string, CachedPackage>>;
  /** What is in the global cache only. */
  readonly cached?: Readonly<Record<string, CachedPackage>>;
  /** What is in the project's `.mops` only. */
  readonly inProject?: Readonly<Record<string, CachedPackage>>;
}

export function openScene({ files = {}, installed = {}, cached = {}, inProject = {} }: SceneOptions = {}): Scene {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'moccache-packages-')));
  const root = join(top, 'work', 'project');
  const globalCacheDir = join(top, 'xdg', 'mops');
  const home = join(top, 'home');
  for (const dir of [root, globalCacheDir, home]) mkdirSync(dir, { recursive: true });
  for (const packages of [installed, cached]) {
    for (const [place, found] of Object.entries(packages))
      writePackage(join(globalCacheDir, 'packages', place), place, found);
  }
  for (const packages of [installed, inProject]) {
    for (const [place, found] of Object.entries(packages)) writePackage(join(root, '.mops', place), place, found);
  }
  writeAll(root, files);
  return {
    root,
    globalCacheDir,
    toolchainsDir: globalCacheDir,
    environment: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      XDG_CACHE_HOME: join(top, 'xdg'),
      XDG_CONFIG_HOME: join(top, 'config'),
      MOPS_REGISTRY_HOST: 'http://127.0.0.1:9', // fetch refuses this port, so nothing leaves the machine
    },
    write: (more) => writeAll(root, more),
    remove: () => rmSync(top, { recursive: true, force: true }),
  };
}

function writePackage(dir: string, place: string, { dependencies, devDependencies, baseDir }: CachedPackage): void {
  const [name = '', version = ''] = place.split('@');
  const about = [
    `name = "${name}"`,
    `version = "${version}"`,
    ...(baseDir === undefined ? [] : [`baseDir = "${baseDir}"`]),
  ];
  const sections = [
    section('package', about),
    table('dependencies', dependencies),
    table('dev-dependencies', devDependencies),
  ];
  const manifest: Files = place.startsWith('_github/') ? {} : { 'mops.toml': sections.join('\n') };
  writeAll(dir, { ...manifest, [`${baseDir ?? 'src'}/lib.mo`]: 'module {}' });
}

export function writeAll(dir: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    const file = resolve(dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

export interface Declared {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** A mops.toml with one canister, a compiler pinned by path, and these dependencies. */
export function mopsToml({ dependencies, devDependencies }: Declared): string {
  return [
    section('toolchain', ['moc = "./moc"']),
    section('canisters', ['main = "Main.mo"']),
    table('dependencies', dependencies),
    table('dev-dependencies', devDependencies),
  ].join('\n');
}

function table(name: string, values: Readonly<Record<string, string>> | undefined): string {
  if (values === undefined) return '';
  return section(
    name,
    Object.entries(values).map(([key, value]) => `"${key}" = "${value}"`),
  );
}

function section(name: string, lines: readonly string[]): string {
  return `[${name}]\n${lines.join('\n')}\n`;
}

/** A mops.lock as upstream 3 writes it, its hash of the declared dependencies computed by the book. */
export function lockText(
  { dependencies, devDependencies }: Declared,
  deps: Readonly<Record<string, string>>,
  rest: Readonly<Record<string, unknown>> = {},
): string {
  const declared = { ...dependencies, ...devDependencies };
  const sorted = Object.fromEntries(Object.entries(declared).sort(([a], [b]) => (a < b ? -1 : 1)));
  const ids = Object.entries(deps)
    .filter(([, value]) => !/^(https:|\.)/.test(value))
    .map(([name, version]) => `${name.split('@')[0] ?? ''}@${version}`);
  const lock = {
    version: 3,
    mopsTomlDepsHash: sha256(JSON.stringify(sorted)),
    deps,
    hashes: Object.fromEntries(ids.map((id) => [id, { [`${id}/mops.toml`]: 'f'.repeat(64) }])),
    ...rest,
  };
  return JSON.stringify(lock, null, 2);
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Stands for the compiler: writes down its arguments, and the least that upstream needs to go on. */
const RECORDING_MOC = `#!/usr/bin/env node
const { writeFileSync } = require('node:fs');
const args = process.argv.slice(2);
writeFileSync('moc-arguments.json', JSON.stringify(args));
const wasm = args[args.indexOf('-o') + 1];
writeFileSync(wasm, Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
writeFileSync(wasm.replace(/wasm$/, 'did'), 'service : {}');
writeFileSync(wasm.replace(/wasm$/, 'most'), '');
`;

/** What the real ic-mops passes to the compiler for a scene's packages: names and folders, in its order. */
export async function upstreamPackages(scene: Scene, more: Readonly<Record<string, string>> = {}) {
  writeFileSync(join(scene.root, 'moc'), RECORDING_MOC, { mode: 0o755 });
  const script = resolve(import.meta.dirname, '../../node_modules/ic-mops/dist/bin/mops.js');
  const run = await runNode([script, 'build'], { cwd: scene.root, env: { ...scene.environment, ...more } });
  if (run.code !== 0) throw new Error(`ic-mops failed: ${run.output}`);
  const args = JSON.parse(readFileSync(join(scene.root, 'moc-arguments.json'), 'utf8')) as string[];
  return args.flatMap((arg, index) =>
    arg === '--package' ? [{ name: args[index + 1] ?? '', dir: args[index + 2] ?? '' }] : [],
  );
}

async function runNode(
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return await new Promise((settle, reject) => {
    child.on('error', reject);
    child.on('close', (code) => settle({ code, output }));
  });
}

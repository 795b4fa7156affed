import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMPILER_INPUT_LINE } from '../src/build/js-compiler/locate.ts';
import { built, repository } from './rigs/built.ts';
import { openNpmScene, type NpmScene } from './rigs/npm.ts';

/** The package as npm packs it, installed from its tarball into an empty folder, with motoko beside it and no ic-mops. */
let scene: NpmScene;
let packed: readonly string[];
let project: string;

beforeAll(async () => {
  built('mops.cjs');
  scene = await openNpmScene();
  packed = await scene.publishFolder(repository);
  project = scene.project();
  const { exitCode, stderr } = await scene.npm(project, 'install', 'moccache', '--legacy-peer-deps');
  if (exitCode !== 0) throw new Error(stderr);
  // A peer that npm would fetch; here the one that is installed already.
  const motoko = join(project, 'node_modules', 'motoko');
  symlinkSync(join(repository, 'node_modules', 'motoko'), motoko);
});
afterAll(() => scene.close());

test('holds the executables, the library, its types, the licences and what to read, and nothing else', () => {
  expect(packed.filter((path) => !path.startsWith('dist/types/')).sort()).toEqual(
    [
      'ARCHITECTURE.md',
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist/THIRD-PARTY.txt',
      'dist/index.js',
      'dist/lib-live.cjs',
      'dist/lib-lockfile.cjs',
      'dist/moc-js.cjs',
      'dist/moccache-moc-whole.cjs',
      'dist/moccache-moc.cjs',
      'dist/moccache.cjs',
      'dist/mops-main.cjs',
      'dist/mops-restore.cjs',
      'dist/mops.cjs',
      'dist/store-helper.cjs',
      'package.json',
    ].sort(),
  );
  expect(packed.filter((path) => path.startsWith('dist/types/') && !path.endsWith('.d.ts'))).toEqual([]);
});

test('brings no package along', () => {
  expect(readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
    'moccache',
    'motoko',
  ]);
});

test('moccache --version says the version', async () => {
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };
  const { stdout } = await scene.npm(project, 'exec', '--', 'moccache', '--version');
  expect(stdout.trim()).toBe(`moccache ${version}`);
});

test('moc-js --version finds the compiler that is installed beside it', async () => {
  const { stdout } = await scene.run(project, 'moc-js', '--version');
  expect(stdout).toMatch(/^Motoko compiler 1\./);
});

test('mops build builds a canister and then has it in the cache', async () => {
  mkdirSync(join(project, 'src'));
  writeFileSync(
    join(project, 'src/Main.mo'),
    'persistent actor { public query func hello() : async Text { "hello" } };\n',
  );
  writeFileSync(
    join(project, 'mops.toml'),
    '[toolchain]\nmoc = "./node_modules/.bin/moc-js"\n\n[canisters]\nhello = "src/Main.mo"\n',
  );
  const first = await scene.run(project, 'mops', 'build', '--json');
  expect(outcomesIn(first.stdout)).toEqual(['built']);
  const second = await scene.run(project, 'mops', 'build', '--json');
  expect(outcomesIn(second.stdout)).toEqual(['hit']);
});

test('the library can be imported', async () => {
  writeFileSync(join(project, 'use.mjs'), 'import { openCache } from "moccache"; console.log(typeof openCache);\n');
  const { stdout, stderr } = await scene.run(project, process.execPath, 'use.mjs');
  expect(stderr).toBe('');
  expect(stdout.trim()).toBe('function');
});

test('the types of the library resolve and are checked', () => {
  writeFileSync(
    join(project, 'use.mts'),
    'import { openCache, type Outcome } from "moccache";\n' +
      'export const isHit = (outcome: Outcome): boolean => outcome.outcome === "hit";\n' +
      'export const wrong: number = openCache;\n',
  );
  const tsc = join(repository, 'node_modules/typescript/bin/tsc');
  const types = join(repository, 'node_modules/@types');
  const flags = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--types',
    'node',
    '--typeRoots',
    types,
  ];
  const { stdout } = failing(() => execFileSync(process.execPath, [tsc, ...flags, 'use.mts'], { cwd: project }));
  // The one mistake, and nothing about the declarations.
  expect(stdout.trim().split('\n')).toHaveLength(1);
  expect(stdout).toMatch(/^use\.mts\(3,14\): error TS2322/);
});

test('moccache-moc has both its files, and says which compiler it lacks', async () => {
  const { exitCode, stderr } = await scene.run(project, 'moccache-moc', '--check', 'src/Main.mo');
  expect(exitCode).toBe(127);
  expect(stderr).toMatch(/^moccache-moc: .*--setup/);
});

test('moc-js says which file of which package is its compiler, as the build expects it', () => {
  expect(readFileSync(built('moc-js.cjs'), 'utf8').split('\n')[1]).toBe(COMPILER_INPUT_LINE);
});

test.each(['mops.cjs', 'moccache.cjs', 'moc-js.cjs', 'moccache-moc.cjs'])(
  '%s is started by plain node and leads to no place of this checkout',
  (name) => {
    const text = readFileSync(built(name), 'utf8');
    expect(text).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(text).not.toContain(repository);
  },
);

function outcomesIn(json: string): readonly string[] {
  const { canisters } = JSON.parse(json) as { readonly canisters: readonly { readonly outcome: string }[] };
  return canisters.map(({ outcome }) => outcome);
}

function failing(run: () => void): { readonly stdout: string } {
  try {
    run();
  } catch (error) {
    return { stdout: String((error as { readonly stdout: unknown }).stdout) };
  }
  throw new Error('it was expected to fail');
}

import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { findMopsOwner, findUndoneLink, linkMops } from '../src/cli/link.ts';
import { built, repository } from './rigs/built.ts';
import { openNpmScene, type NpmScene } from './rigs/npm.ts';

describe('npm, with our package and a stand-in for ic-mops that has the same executables', () => {
  let scene: NpmScene;
  beforeAll(async () => {
    built('mops.cjs');
    scene = await openNpmScene();
    await scene.publishFolder(repository);
    await publishIcMops('2.9.0');
  });
  afterAll(() => scene.close());

  test.each([
    { order: [['moccache']], owner: 'ic-mops' },
    { order: [['moccache', 'ic-mops']], owner: 'ic-mops' },
    { order: [['ic-mops'], ['moccache']], owner: 'moccache' },
    { order: [['moccache'], ['ic-mops']], owner: 'ic-mops' },
  ])('moccache works and mops is of $owner after installing $order', async ({ order, owner }) => {
    const project = scene.project();
    for (const names of order) await succeed(scene.npm(project, 'install', ...names));
    expect(ownerIn(project)).toBe(owner);
    expect((await scene.run(project, 'moccache', '--version')).stdout).toMatch(/^moccache /);
  });

  test('with the script "dependencies", mops is ours after every run of npm that changes something', async () => {
    const project = scene.project({ scripts: { dependencies: 'moccache link' } });
    await succeed(scene.npm(project, 'install', 'moccache'));
    expect(ownerIn(project)).toBe('moccache');

    await succeed(scene.npm(project, 'ci'));
    expect(ownerIn(project)).toBe('moccache');

    await publishIcMops('2.9.1');
    await succeed(scene.npm(project, 'update'));
    expect(await versionOfIcMops(project)).toBe('ic-mops 2.9.1');
    expect(ownerIn(project)).toBe('moccache');

    await succeed(scene.npm(project, 'install', 'ic-mops@2.9.0'));
    expect(await versionOfIcMops(project)).toBe('ic-mops 2.9.0');
    expect(ownerIn(project)).toBe('moccache');
  });

  test('what undoes the link without a word is noticed afterwards, and mended by hand', async () => {
    const project = scene.project({ scripts: { dependencies: 'moccache link' } });
    await succeed(scene.npm(project, 'install', 'moccache'));
    expect(findUndoneLink(project)).toBeUndefined();

    await succeed(scene.npm(project, 'rebuild', 'ic-mops'));
    expect(findUndoneLink(project)).toBe(join(project, 'node_modules/.bin'));
    expect((await scene.run(project, 'moccache', 'link', '--check')).exitCode).toBe(1);

    expect((await scene.run(project, 'moccache', 'link')).exitCode).toBe(0);
    expect((await scene.run(project, 'moccache', 'link', '--check')).exitCode).toBe(0);
    expect(findUndoneLink(project)).toBeUndefined();
  });

  test('in a project that never asked for the link, ic-mops may keep its name', async () => {
    const project = scene.project();
    await succeed(scene.npm(project, 'install', 'moccache'));
    expect(findUndoneLink(project)).toBeUndefined();
  });

  test('moccache can be taken out again: ic-mops gets its name back', async () => {
    const project = scene.project({ scripts: { dependencies: 'moccache link' } });
    await succeed(scene.npm(project, 'install', 'moccache', 'ic-mops'));
    await succeed(scene.npm(project, 'pkg', 'delete', 'scripts.dependencies'));
    await succeed(scene.npm(project, 'uninstall', 'moccache'));
    await succeed(scene.npm(project, 'rebuild', 'ic-mops'));
    expect((await scene.run(project, 'mops')).stdout).toMatch(/^ic-mops /);
  });

  test('installed globally by itself, moccache is mops too and brings an ic-mops of its own', async () => {
    const prefix = scene.project();
    await succeed(scene.npm(prefix, 'install', '--global', '--prefix', prefix, 'moccache'));
    expect((await scene.run(prefix, join(prefix, 'bin/moccache'), '--version')).stdout).toMatch(/^moccache /);
    expect((await scene.run(prefix, join(prefix, 'bin/mops'), 'search', 'json')).stdout).toMatch(
      /^ic-mops .* search json/,
    );
  });

  test.each([
    ['moccache', 'ic-mops'],
    ['ic-mops', 'moccache'],
  ])('globally, after %s npm refuses to install %s: no mops is replaced unseen', async (first, second) => {
    const prefix = scene.project();
    const globally = ['install', '--global', '--prefix', prefix];
    await succeed(scene.npm(prefix, ...globally, first));
    const refused = await scene.npm(prefix, ...globally, second);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain('EEXIST');
    expect(realpathSync(join(prefix, 'bin/mops'))).toContain(`/node_modules/${first}/`);
  });

  function publishIcMops(version: string): Promise<void> {
    const program = `#!/usr/bin/env node\nconsole.log('ic-mops ${version}', ...process.argv.slice(2));\n`;
    const bin = { mops: 'dist/bin/mops.js', 'ic-mops': 'dist/bin/mops.js', 'moc-wrapper': 'bin/moc-wrapper.sh' };
    return scene.publish(
      { name: 'ic-mops', version, bin },
      { 'dist/bin/mops.js': program, 'bin/moc-wrapper.sh': '#!/bin/sh\n' },
    );
  }

  async function versionOfIcMops(project: string): Promise<string> {
    return (await scene.run(project, 'ic-mops')).stdout.trim();
  }
});

describe('link', () => {
  test('scripts as npm makes them on Windows are made anew for mops', async () => {
    const binDir = binDirWith({
      moccache: '#!/bin/sh\nexec node "$basedir/../moccache/dist/moccache.cjs" "$@"\n',
      'moccache.cmd': '@"%_prog%" "%dp0%\\..\\moccache\\dist\\moccache.cjs" %*\r\n',
      'moccache.ps1': '& "node$exe" "$basedir/../moccache/dist/moccache.cjs" $args\r\n',
      mops: '#!/bin/sh\nexec node "$basedir/../ic-mops/dist/bin/mops.js" "$@"\n',
      'mops.cmd': '@"%_prog%" "%dp0%\\..\\ic-mops\\dist\\bin\\mops.js" %*\r\n',
      'mops.ps1': '& "node$exe" "$basedir/../ic-mops/dist/bin/mops.js" $args\r\n',
    });
    expect(await linkMops(binDir)).toBe('ic-mops');
    expect(readFileSync(join(binDir, 'mops.cmd'), 'utf8')).toBe(
      '@"%_prog%" "%dp0%\\..\\moccache\\dist\\mops.cjs" %*\r\n',
    );
    expect(readFileSync(join(binDir, 'mops.ps1'), 'utf8')).toContain('/moccache/dist/mops.cjs"');
    expect(await linkMops(binDir)).toBe('moccache');
  });

  test('of three scripts, one that is still of ic-mops is noticed', () => {
    const binDir = binDirWith({
      moccache: 'moccache/dist/moccache.cjs',
      'moccache.cmd': 'moccache/dist/moccache.cjs',
      mops: 'moccache/dist/mops.cjs',
      'mops.cmd': 'ic-mops/dist/bin/mops.js',
    });
    expect(findMopsOwner(binDir)).toBe('ic-mops');
  });

  test('a mops that nobody put there is put there', async () => {
    const binDir = binDirWith({});
    symlinkSync('../moccache/dist/moccache.cjs', join(binDir, 'moccache'));
    expect(await linkMops(binDir)).toBe('nobody');
    expect(readlinkSync(join(binDir, 'mops'))).toBe('../moccache/dist/mops.cjs');
  });

  test('a mops of neither is left alone', async () => {
    const binDir = binDirWith({ mops: '#!/bin/sh\nmy own\n' });
    symlinkSync('../moccache/dist/moccache.cjs', join(binDir, 'moccache'));
    expect(await linkMops(binDir)).toBe('stranger');
    expect(readFileSync(join(binDir, 'mops'), 'utf8')).toBe('#!/bin/sh\nmy own\n');
  });

  function binDirWith(files: Readonly<Record<string, string>>): string {
    const top = mkdtempSync(join(tmpdir(), 'moccache-bins-'));
    onTestFinished(() => rmSync(top, { recursive: true, force: true }));
    const binDir = join(top, 'node_modules', '.bin');
    mkdirSync(binDir, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(binDir, name), text);
    return binDir;
  }
});

function ownerIn(project: string): string {
  return findMopsOwner(join(project, 'node_modules', '.bin'));
}

async function succeed<T extends { readonly exitCode: number; readonly stderr: string }>(
  running: Promise<T>,
): Promise<T> {
  const run = await running;
  expect(run.stderr).not.toContain('npm error');
  expect(run.exitCode).toBe(0);
  return run;
}

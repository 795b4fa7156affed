import { randomBytes } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { readdir, lstat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { clearStore } from '../cache/clear.ts';
import { makeDir } from '../cache/make-dir.ts';
import { mopsDirs } from '../build/mops-dirs.ts';
import { findProject } from '../build/project.ts';
import type { Host } from './host.ts';
import type { Command } from './options.ts';
import { readSettings } from './settings.ts';

type CacheCommand = Extract<Command, { kind: 'cache-show' | 'cache-size' | 'cache-clean' }>;

/** `mops cache show | size | clean`. Answers the exit code. */
export async function cacheCommand(command: CacheCommand, host: Host): Promise<number> {
  const dirs = mopsDirs(host);
  switch (command.kind) {
    case 'cache-show':
      host.out.write(`${dirs.cache}\n`);
      return 0;
    case 'cache-size':
      try {
        makeDir(dirs.cache, 0o777);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === undefined) throw error; // a bug, not the disk
        host.err.write(`error: ${dirs.cache}: cannot be made or looked at: ${(error as Error).message}\n`);
        return 1;
      }
      host.out.write(`Cache size is ${sizeText(await sizeOf(dirs.cache))}\n`);
      return 0;
    case 'cache-clean':
      return clean(command.scope, host);
  }
}

/**
 * Deletes what was asked for. Safe beside running builds: the store is moved away first, so that no build ever sees half
 * of it, and a build that finds it gone compiles.
 */
function clean(scope: 'project-and-global' | 'global' | 'builds', host: Host): number {
  const dirs = mopsDirs(host);
  const { dir: store } = readSettings(host.env, dirs, host.cwd);
  if (scope !== 'builds' && !isMopsFolder(dirs.cache, dirs.toolchains)) {
    host.err.write(`error: ${dirs.cache}: does not look like mops's cache folder; nothing was deleted\n`);
    return 1;
  }
  const cleared = clearStore(store);
  if (cleared.kind === 'refused') {
    host.err.write(`error: ${store}: ${cleared.reason}; nothing was deleted\n`);
    return 1;
  }
  if (scope !== 'builds') {
    const project = scope === 'global' ? undefined : findProject(host.cwd);
    const folders = [...(project === undefined ? [] : [join(dirname(project), '.mops')]), dirs.cache];
    for (const folder of folders) {
      const problem = deleteFolder(folder);
      if (problem === undefined) continue;
      host.err.write(`error: ${folder}: could not be deleted: ${problem}\n`);
      return 1;
    }
  }
  host.out.write('Cache cleaned\n');
  return 0;
}

/** Deletes a folder as a whole, or says why not: what a running build writes meanwhile goes into a new one. */
function deleteFolder(dir: string): string | undefined {
  const aside = `${dir}.${randomBytes(6).toString('hex')}.deleted`;
  try {
    rmSync(moveAway(dir, aside) ? aside : dir, { recursive: true, force: true, maxRetries: 3 });
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error; // a bug, not the disk
    return (error as Error).message;
  }
}

/** False where it cannot be moved: it is not there, a mount point, or in a folder that is not ours. */
function moveAway(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

/** A slip in the environment must not delete a home: the folder is mops's own by name, or a network's inside it. */
function isMopsFolder(dir: string, toolchains: string): boolean {
  const named = basename(toolchains) === 'mops' || toolchains.replaceAll('\\', '/').endsWith('mops/cache');
  const inside = relative(toolchains, dir);
  return named && !inside.startsWith('..') && !/[\\/]/.test(inside);
}

async function sizeOf(path: string): Promise<number> {
  try {
    const stats = await lstat(path);
    if (!stats.isDirectory()) return stats.size;
    const names = await readdir(path);
    const sizes = await Promise.all(names.map((name) => sizeOf(join(path, name))));
    return sizes.reduce((sum, size) => sum + size, stats.size); // upstream counts the folders themselves too
  } catch {
    return 0; // gone while we looked
  }
}

/** As upstream prints it: two decimals, KB below 1 MiB and MB from there. */
function sizeText(bytes: number): string {
  const kib = bytes / 1024;
  return kib < 1024 ? `${kib.toFixed(2)} KB` : `${(kib / 1024).toFixed(2)} MB`;
}

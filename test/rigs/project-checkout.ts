import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeAll, type Files } from './packages-scene.ts';
import { MOTOKO, type Tools } from './project-tools.ts';

/** A project's folder, with a home and a cache of its own around it. Paths are absolute. */
export interface Checkout {
  /** A temporary folder that holds everything. */
  readonly top: string;
  readonly root: string;
  /** What child processes get: nothing of the user's but PATH, and no way to the network. */
  readonly environment: Readonly<Record<string, string>>;
  /** Puts the project back as it was laid out: every file written anew, whatever else was there removed. */
  reset(): void;
  remove(): void;
}

export interface Layout {
  /** A project to copy; what it has built is left out. */
  readonly copyOf?: string;
  /** Path, relative to the project's root, to text. */
  readonly files?: Files;
  /** The cache's folder, where several checkouts are to share one. */
  readonly cacheDir?: string;
  /** The name of the project's folder. */
  readonly folder?: string;
}

/** The compiler of these projects: `[toolchain] moc = "./node_modules/.bin/moc-js"`. */
export const MOC_PIN = './node_modules/.bin/moc-js';

export function layOut(tools: Tools, { copyOf, files = {}, cacheDir, folder = 'project' }: Layout): Checkout {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'moccache-project-')));
  const work = join(top, 'work');
  const root = join(work, folder);
  const home = join(top, 'home');
  mkdirSync(home);
  const fill = () => {
    rmSync(work, { recursive: true, force: true });
    mkdirSync(root, { recursive: true });
    if (copyOf !== undefined) copyProject(copyOf, root);
    writeAll(root, files);
    link(tools.mocJs, join(root, MOC_PIN));
    link(MOTOKO, join(root, 'node_modules/motoko')); // for compilers that a test writes into the project
  };
  fill();
  return {
    top,
    root,
    environment: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      XDG_CACHE_HOME: join(top, 'xdg'),
      XDG_CONFIG_HOME: join(top, 'config'),
      MOCCACHE_DIR: cacheDir ?? join(top, 'builds'),
      MOPS_REGISTRY_HOST: 'http://127.0.0.1:9', // fetch refuses this port, so nothing leaves the machine
    },
    reset: fill,
    remove: () => rmSync(top, { recursive: true, force: true }),
  };
}

/** Gives mops's global cache the packages that the project has installed: upstream asks there. */
export function fillGlobalCache({ root, environment }: Checkout): void {
  const installed = join(root, '.mops');
  const packages = join(environment.XDG_CACHE_HOME ?? '', 'mops/packages');
  if (!existsSync(installed)) return;
  for (const id of readdirSync(installed)) if (id.includes('@')) link(join(installed, id), join(packages, id));
}

function copyProject(from: string, to: string): void {
  const left = [join(from, '.mops/.build'), join(from, 'node_modules')];
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, filter: (path) => !left.includes(path) });
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) symlinkSync(target, path);
}

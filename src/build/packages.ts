import { join, posix, resolve } from 'node:path';
import { existsSync, readFileSync } from '../cache/disk.ts';
import { installedDirOf, type Dependency } from './dependency.ts';
import { fromRoot } from './local-path.ts';
import { judgeLock } from './lockfile.ts';
import { BuildError } from './outcome.ts';
import { copyPackage } from './package-copy.ts';
import { readManifest, type Manifest, type Project } from './project.ts';
import { resolveDependencies, type MajorConflict } from './resolve.ts';

/** A package as the compiler is told of it: `--package NAME DIR`. */
export interface Package {
  readonly name: string;
  /** Relative to the project root, with `/`: the very string that goes to the compiler. */
  readonly dir: string;
}

/** What a build needs and this machine does not have: neither in the project's `.mops` nor in the global cache. */
export interface MissingPackage {
  readonly name: string;
  /** `core@1.0.0`, or the URL of a GitHub dependency. */
  readonly id: string;
  /** Where it would lie, relative to the project root. */
  readonly dir: string;
}

export interface Resolution {
  /** In the order in which upstream passes them. To be used only when nothing is missing. */
  readonly packages: readonly Package[];
  readonly missing: readonly MissingPackage[];
  /** Found only by resolving: a usable mops.lock has them settled. */
  readonly conflicts: readonly MajorConflict[];
  readonly source: 'lock' | 'resolved';
  /** Why mops.lock was not used; NO_LOCK where there is none. */
  readonly lockDefect?: string;
}

export interface PackagesOptions {
  /** mops's global cache for the chosen network (`MopsDirs.cache`). */
  readonly globalCacheDir: string;
  /** MOPS_ENV; mops takes `local` where it is not set or empty. */
  readonly mopsEnv: string | undefined;
  /** mops.lock must be usable: resolving anew is not allowed. */
  readonly locked?: boolean;
  /** Whether to leave the project as it is: what is in the global cache only is then missing. */
  readonly lookOnly?: boolean;
}

/**
 * The packages of a project: what a usable mops.lock says, else what upstream's resolution gives. Works without the
 * network. mops.lock is read, never written. What is in the global cache only is copied into `.mops`, unless `lookOnly`.
 *
 * Throws a BuildError: bad-lock (with `locked`), bad-toml or bad-config of a package's manifest, output-unwritable.
 */
export async function resolvePackages(project: Project, options: PackagesOptions): Promise<Resolution> {
  const { root } = project;
  const manifestAt = manifestReader();
  const mopsEnv = options.mopsEnv === undefined || options.mopsEnv === '' ? 'local' : options.mopsEnv;
  const registryManifest = (id: string) =>
    manifestAt(join(options.globalCacheDir, 'packages', id, 'mops.toml')) ??
    manifestAt(join(root, '.mops', id, 'mops.toml'));
  const place = (dependencies: readonly Dependency[]) => placeAll(dependencies, { root, manifestAt, ...options });

  const lockFile = join(root, 'mops.lock');
  const lock = judgeLock(readIfThere(lockFile), { project, mopsEnv, manifestAt });
  if (lock.kind === 'usable') return { ...place(lock.dependencies), conflicts: [], source: 'lock' };
  const { defect, graph } = lock;
  if (options.locked === true) throw new BuildError({ kind: 'bad-lock', file: lockFile, defect });

  const resolved = await resolveDependencies(project, { mopsEnv, graph, manifestAt, registryManifest });
  const rest = { conflicts: resolved.conflicts, source: 'resolved', lockDefect: defect } as const;
  if (resolved.unknown.length > 0) return { packages: [], missing: resolved.unknown.map(missingOf), ...rest };
  return { ...place(resolved.dependencies), ...rest };
}

interface Placement {
  readonly root: string;
  readonly globalCacheDir: string;
  readonly lookOnly?: boolean;
  readonly manifestAt: (file: string) => Manifest | undefined;
}

function placeAll(dependencies: readonly Dependency[], placement: Placement) {
  const missing: MissingPackage[] = [];
  const packages = dependencies.map((dependency) => {
    const dir =
      dependency.kind === 'local' ? placeLocal(dependency.path, placement) : placeInstalled(dependency, placement);
    if (dir === undefined && dependency.kind !== 'local') missing.push(missingOf(dependency));
    return { name: dependency.name, dir: dir ?? '' };
  });
  return { packages, missing };
}

/** A local package may do without a folder for its sources. One that is not there at all is the compiler's to report. */
function placeLocal(path: string, { root, manifestAt }: Placement): string {
  const absolute = resolve(root, path);
  const dir = fromRoot(root, absolute);
  const base = posix.join(dir, manifestAt(join(absolute, 'mops.toml'))?.baseDir ?? 'src');
  return existsSync(resolve(root, base)) ? base : dir;
}

function placeInstalled(
  dependency: Exclude<Dependency, { kind: 'local' }>,
  { root, globalCacheDir, lookOnly, manifestAt }: Placement,
): string | undefined {
  const place = installedDirOf(dependency);
  const dir = posix.join('.mops', place);
  const installed = join(root, dir);
  const manifest = () => manifestAt(join(installed, 'mops.toml'));
  let found = manifest();
  if (found === undefined && !existsSync(installed)) {
    if (lookOnly === true) return undefined;
    const from = join(globalCacheDir, 'packages', place);
    const proof = dependency.kind === 'registry' ? join(from, 'mops.toml') : from;
    if (!existsSync(proof) || !copyPackage({ from, mopsDir: join(root, '.mops'), place })) return undefined;
    found = readManifest(join(installed, 'mops.toml'));
  }
  return posix.join(dir, found?.baseDir ?? 'src');
}

function missingOf(dependency: Exclude<Dependency, { kind: 'local' }>): MissingPackage {
  const place = installedDirOf(dependency);
  const id = dependency.kind === 'registry' ? place : dependency.url;
  return { name: dependency.name, id, dir: posix.join('.mops', place) };
}

/** Reads each manifest once. One that another process is about to install is asked for again in the next call. */
function manifestReader(): Placement['manifestAt'] {
  const read = new Map<string, Manifest | undefined>();
  return (file) => {
    if (!read.has(file)) read.set(file, readManifest(file));
    return read.get(file);
  };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === undefined) throw error;
    throw new BuildError({ kind: 'bad-lock', file, defect: `it cannot be read (${code})` });
  }
}

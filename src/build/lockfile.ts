import { isAbsolute, join, resolve } from 'node:path';
import { digestOf } from '../cache/digest.ts';
import { dependencyOf, githubRefOf, packageIdOf, valueOf, type Dependency } from './dependency.ts';
import { expandEnv, lockPathOf } from './local-path.ts';
import { BuildError } from './outcome.ts';
import type { Manifest, Project } from './project.ts';

/** mops.lock as far as a build needs it. Only `usable` answers which packages there are; edges never go stale. */
export type Lock =
  | { readonly kind: 'usable'; readonly dependencies: readonly Dependency[]; readonly graph: Graph }
  | { readonly kind: 'unusable'; readonly defect: string; readonly graph: Graph };

/** What each version of a registry package depends on, by package id: name to value. Published versions do not change. */
export type Graph = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface LockSurroundings {
  readonly project: Project;
  readonly mopsEnv: string;
  /** The manifest at a path, or undefined where there is none. Throws a BuildError where it cannot be read. */
  readonly manifestAt: (file: string) => Manifest | undefined;
}

/** The defect of a mops.lock that is not there. */
export const NO_LOCK = 'there is none';

/** Judges the text of a mops.lock as upstream does: by the text, mops.toml and local manifests; not by what is installed. */
export function judgeLock(text: string | undefined, surroundings: LockSurroundings): Lock {
  if (text === undefined) return unusable(NO_LOCK);
  const json = parseJson(text);
  const version = isRecord(json) ? json.version : undefined;
  if (!isRecord(json) || typeof version !== 'number') return unusable('it is not a lock file of mops, or is damaged');
  if (version !== 3) return unusable(`it has version ${version}; only version 3 can be used`);
  const { mopsTomlDepsHash, localDepsHash, deps, hashes } = json;
  if (
    typeof mopsTomlDepsHash !== 'string' ||
    !(localDepsHash === undefined || typeof localDepsHash === 'string') ||
    !isStringRecord(deps) ||
    !isRecord(hashes) ||
    !Object.values(hashes).every(isStringRecord)
  ) {
    return unusable('it is not a lock file of mops, or is damaged');
  }
  const graph = graphIn(json.graph);
  const defect = findDefect({ mopsTomlDepsHash, localDepsHash, deps, hashes, github: json.github }, surroundings);
  if (defect !== undefined) return { kind: 'unusable', defect, graph };
  return {
    kind: 'usable',
    dependencies: Object.entries(deps).map(([name, value]) => dependencyOf(name, value)),
    graph,
  };
}

interface LockText {
  readonly mopsTomlDepsHash: string;
  readonly localDepsHash: string | undefined;
  readonly deps: Readonly<Record<string, string>>;
  readonly hashes: Readonly<Record<string, unknown>>;
  readonly github: unknown;
}

function findDefect(lock: LockText, surroundings: LockSurroundings): string | undefined {
  const declared = declaredIn(surroundings.project);
  if (lock.mopsTomlDepsHash !== declaredHashOf(declared)) {
    return 'the dependencies in mops.toml have changed since it was written';
  }
  if (lock.localDepsHash !== localHashOf(declared, surroundings)) {
    return 'the mops.toml of a local dependency, or MOPS_ENV, has changed since it was written';
  }
  const locked = Object.entries(lock.deps).map(([name, value]) => dependencyOf(name, value));
  return (
    firstOf(locked, (found) =>
      found.kind === 'local' && isAbsolute(found.path) ? `it has an absolute path for ${found.name}` : undefined,
    ) ??
    firstOf(declared, (wanted) => {
      const has = Object.hasOwn(lock.deps, wanted.name) ? lock.deps[wanted.name] : undefined;
      if (wanted.kind === 'local' || has === valueOf(wanted)) return undefined;
      return `mops.toml wants ${wanted.name} = "${valueOf(wanted)}", and it has ${has === undefined ? 'none' : `"${has}"`}`;
    }) ??
    findHashDefect(locked, lock.hashes) ??
    findGithubDefect(locked, lock.github)
  );
}

/** Hashes themselves are for whoever downloads; here it counts that the same packages have them as are locked. */
function findHashDefect(locked: readonly Dependency[], hashes: LockText['hashes']): string | undefined {
  const ids = new Set(
    locked.flatMap((found) => (found.kind === 'registry' ? packageIdOf(found.name, found.version) : [])),
  );
  return (
    firstOf([...ids], (id) => (Object.hasOwn(hashes, id) ? undefined : `it has no file hashes for ${id}`)) ??
    firstOf(Object.keys(hashes), (id) =>
      ids.has(id) ? undefined : `it has file hashes for ${id}, but no such package`,
    )
  );
}

/** Each GitHub dependency has the commit it was resolved to and a hash; a commit that is declared is the one resolved. */
function findGithubDefect(locked: readonly Dependency[], github: unknown): string | undefined {
  const entries = isRecord(github) ? github : {};
  return firstOf(locked, (found) => {
    if (found.kind !== 'github') return undefined;
    const entry = Object.hasOwn(entries, found.name) ? entries[found.name] : undefined;
    const { resolved, hash } = isRecord(entry) ? entry : {};
    if (typeof resolved !== 'string' || resolved === '' || typeof hash !== 'string' || hash === '') {
      return `it does not say which commit ${found.name} is`;
    }
    return resolved.startsWith(githubRefOf(found.url).commit)
      ? undefined
      : `it has another commit of ${found.name} than mops.toml`;
  });
}

/** SHA-256 over the declared dependencies, sorted by name; a development dependency replaces one of the same name. */
function declaredHashOf(declared: readonly Dependency[]): string {
  return digestOf(JSON.stringify(sortedValuesOf(declared)));
}

/**
 * SHA-256 over the dependencies of every local package that can be reached by paths, sorted by folder. Undefined where
 * no path is declared: locks of such projects have no such field.
 */
function localHashOf(declared: readonly Dependency[], surroundings: LockSurroundings): string | undefined {
  const { project, mopsEnv } = surroundings;
  const found = new Map<string, Readonly<Record<string, string>> | 'unreadable' | null>();
  const seen = new Set<string>();
  const visit = (dependencies: readonly Dependency[], from: string): void => {
    for (const dependency of dependencies) {
      if (dependency.kind !== 'local') continue;
      const dir = expandEnv(resolve(from, dependency.path), mopsEnv);
      if (seen.has(dir)) continue;
      seen.add(dir);
      const nested = readableDependencies(join(dir, 'mops.toml'), surroundings);
      found.set(lockPathOf(project.root, dir), Array.isArray(nested) ? sortedValuesOf(nested) : nested);
      if (Array.isArray(nested)) visit(nested, dir);
    }
  };
  visit(declared, project.root);
  if (found.size === 0) return undefined;
  return digestOf(JSON.stringify([...found.keys()].sort().map((path) => [path, found.get(path)])));
}

function readableDependencies(file: string, { manifestAt }: LockSurroundings): Dependency[] | 'unreadable' | null {
  try {
    const manifest = manifestAt(file);
    return manifest === undefined ? null : [...manifest.dependencies];
  } catch (error) {
    if (error instanceof BuildError) return 'unreadable'; // reported by the walk, which needs it
    throw error;
  }
}

/** What mops.toml declares, a name once: the later of two stands in the place of the earlier. */
function declaredIn({ dependencies, devDependencies }: Project): readonly Dependency[] {
  return [...new Map([...dependencies, ...devDependencies].map((found) => [found.name, found])).values()];
}

function sortedValuesOf(dependencies: readonly Dependency[]): Record<string, string> {
  const values = new Map(dependencies.map((found) => [found.name, valueOf(found)]));
  return Object.fromEntries([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function graphIn(value: unknown): Graph {
  return isRecord(value) && Object.values(value).every(isStringRecord) ? (value as Graph) : {};
}

function unusable(defect: string): Lock {
  return { kind: 'unusable', defect, graph: {} };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function firstOf<T>(items: readonly T[], defectOf: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const defect = defectOf(item);
    if (defect !== undefined) return defect;
  }
  return undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A record of texts, none of them empty. */
function isStringRecord(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.values(value).every((item) => typeof item === 'string' && item !== '');
}

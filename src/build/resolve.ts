import { join, resolve } from 'node:path';
import { dependencyOf, packageIdOf, valueOf, type Dependency } from './dependency.ts';
import { expandEnv, lockPathOf } from './local-path.ts';
import type { Graph } from './lockfile.ts';
import type { BuildEvent } from './outcome.ts';
import type { Manifest, Project } from './project.ts';

/** What the dependencies of a project come to: one package for each name. */
export interface Resolved {
  /** In code-unit order of their names; paths are seen from the root. */
  readonly dependencies: readonly Dependency[];
  readonly conflicts: readonly MajorConflict[];
  /** Registry packages whose manifest is nowhere on this machine: what they depend on is not known. */
  readonly unknown: readonly Extract<Dependency, { kind: 'registry' }>[];
}

/** A registry package that is wanted in more than one major version; `resolved` is what all of them get. */
export type MajorConflict = Extract<BuildEvent, { kind: 'major-conflict' }>;

export interface ResolveOptions {
  readonly mopsEnv: string;
  /** Edges of the last mops.lock, stale or not: they stand in for manifests. */
  readonly graph: Graph;
  readonly manifestAt: (file: string) => Manifest | undefined;
  readonly registryManifest: (id: string) => Manifest | undefined;
}

/**
 * Resolves without a usable mops.lock: walks everything that is declared anywhere, gives each name its highest version,
 * or what the root declares, and keeps what the root reaches through those winners.
 */
export async function resolveDependencies(project: Project, options: ResolveOptions): Promise<Resolved> {
  const walk = walkFrom(project, options);
  const winners = new Map<string, Sighting>();
  const conflicts: MajorConflict[] = [];
  for (const [name, sightings] of walk.sightings) {
    const winner = await winnerOf(sightings);
    winners.set(name, winner);
    const versions = await conflictingVersions(sightings);
    if (versions !== undefined) {
      conflicts.push({ kind: 'major-conflict', name, versions, resolved: valueOf(winner.dependency) });
    }
  }
  const reached = reachable(project, winners, walk.edges);
  const dependencies = [...winners.values()].map((winner) => winner.dependency).filter(({ name }) => reached.has(name));
  return { dependencies: dependencies.sort((a, b) => (a.name < b.name ? -1 : 1)), conflicts, unknown: walk.unknown };
}

/** One declaration of a name, met on the walk. */
interface Sighting {
  /** Local paths are already seen from the root. */
  readonly dependency: Dependency;
  /** The package itself, whatever it is called: what decides whether it was walked before. */
  readonly identity: string;
  readonly isRoot: boolean;
  readonly by: string;
}

interface Walk {
  readonly sightings: ReadonlyMap<string, readonly Sighting[]>;
  /** Names that a package depends on, by identity. */
  readonly edges: ReadonlyMap<string, readonly string[]>;
  readonly unknown: Resolved['unknown'];
}

/** Visits every declaration once, depth first. Who wins has no say in where the walk goes: losers count in comparisons. */
function walkFrom(project: Project, options: ResolveOptions): Walk {
  const sightings = new Map<string, Sighting[]>();
  const edges = new Map<string, readonly string[]>();
  const unknown: Resolved['unknown'][number][] = [];

  const visit = (dependencies: readonly Dependency[], from: string, by: string, isRoot: boolean): void => {
    for (const declared of dependencies) {
      const { name } = declared;
      const dir = declared.kind === 'local' ? resolve(expandEnv(resolve(from, declared.path), options.mopsEnv)) : '';
      const dependency: Dependency =
        declared.kind === 'local' ? { kind: 'local', name, path: lockPathOf(project.root, dir) } : declared;
      const identity = identityOf(declared, dir);
      const known = sightings.get(name);
      const sighting = { dependency, identity, isRoot, by };
      if (known === undefined) sightings.set(name, [sighting]);
      else known.push(sighting);

      if (edges.has(identity) || declared.kind === 'github') continue; // what is on GitHub declares nothing to mops
      const nested =
        declared.kind === 'local' ? options.manifestAt(join(dir, 'mops.toml')) : registryEdges(declared, options);
      if (nested === undefined && declared.kind === 'registry') unknown.push(declared);
      edges.set(identity, nested?.dependencies.map((found) => found.name) ?? []);
      // A published package has no folder of its own to start from; upstream takes the one it runs in.
      const start = declared.kind === 'local' ? dir : project.root;
      if (nested !== undefined) visit(nested.dependencies, start, titleOf(nested, valueOf(dependency)), false);
    }
  };
  const title = titleOf({ name: project.packageName, version: project.packageVersion }, '<root>');
  visit([...project.dependencies, ...project.devDependencies], project.root, title, true);
  return { sightings, edges, unknown };
}

function registryEdges(
  { name, version }: Extract<Dependency, { kind: 'registry' }>,
  { graph, registryManifest }: ResolveOptions,
): Manifest | undefined {
  const id = packageIdOf(name, version);
  const edges = Object.hasOwn(graph, id) ? graph[id] : undefined;
  if (edges === undefined) return registryManifest(id);
  const dependencies = Object.entries(edges).map(([to, value]) => dependencyOf(to, value));
  return { name, version, dependencies };
}

function identityOf(declared: Dependency, dir: string): string {
  switch (declared.kind) {
    case 'registry':
      return `registry ${packageIdOf(declared.name, declared.version)}`;
    case 'github':
      return `github ${declared.url}`;
    case 'local':
      return `local ${dir}`;
  }
}

function titleOf(by: { name?: string | undefined; version?: string | undefined }, otherwise: string): string {
  return by.name === undefined ? otherwise : packageIdOf(by.name, by.version ?? '');
}

/** The root's last word, else the highest of what was met, in the order in which it was met. */
async function winnerOf(sightings: readonly Sighting[]): Promise<Sighting> {
  const [first, ...rest] = sightings;
  if (first === undefined) throw new Error('a name that was never met');
  const own = sightings.findLast((sighting) => sighting.isRoot);
  if (own !== undefined) return own;
  if (rest.every(({ identity }) => identity === first.identity)) return first;
  const { compareGithub, compareVersions } = await import('./versions.ts');
  return rest.reduce((best, next) => {
    if (best.dependency.kind === 'github' && next.dependency.kind === 'github') {
      return compareGithub(best.dependency.url, next.dependency.url) === -1 ? next : best;
    }
    return compareVersions(versionOf(best.dependency), versionOf(next.dependency)) === -1 ? next : best;
  }, first);
}

/** A path or a URL counts as the lowest version, so that any published one above it displaces it. */
function versionOf(dependency: Dependency): string {
  return dependency.kind === 'registry' ? dependency.version : '0.0.0';
}

/** The versions of a name that are wanted and by whom, if they are of more than one major. */
async function conflictingVersions(sightings: readonly Sighting[]): Promise<MajorConflict['versions'] | undefined> {
  const wanted = sightings.flatMap(({ dependency, by }) =>
    dependency.kind === 'registry' ? [{ version: dependency.version, by }] : [],
  );
  if (new Set(wanted.map(({ version }) => version)).size < 2) return undefined;
  const { majorOf } = await import('./versions.ts');
  if (new Set(wanted.map(({ version }) => majorOf(version))).size < 2) return undefined;
  return [...new Map(wanted.map((row) => [`${row.version} ${row.by}`, row])).values()];
}

function reachable(project: Project, winners: Map<string, Sighting>, edges: Walk['edges']): ReadonlySet<string> {
  const reached = new Set<string>();
  const queue = [...project.dependencies, ...project.devDependencies].map(({ name }) => name);
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    queue.push(...(edges.get(winners.get(name)?.identity ?? '') ?? []));
  }
  return reached;
}

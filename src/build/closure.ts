import { candidImportsOf } from './candid-imports.ts';
import { isPrincipal, targetOf, type Import } from './imports.ts';
import type { Invocation } from './moc-args.ts';
import {
  checkDetours,
  lookUpFile,
  lookUpFolder,
  lookUpModules,
  lookUpTree,
  startLookups,
  type Found,
  type Lookups,
} from './lookups.ts';
import { below, concat, dirnameOf, normalise } from './moc-paths.ts';
import { BuildError, type MissingImport } from './outcome.ts';
import type { Package } from './packages.ts';
import { openSources, remember, type SourceFile, type Sources } from './sources.ts';

export type { SourceFile } from './sources.ts';

/** The main file and all that it reaches (REAPI's input root): what the compiler may see, and nothing else. */
export interface Closure {
  /** As given. */
  readonly main: string;
  /** In code-unit order of their paths, each path once. */
  readonly inputs: readonly SourceFile[];
  /**
   * Paths that the compiler looks for and does not find, in code-unit order: what appears there changes the result.
   * Among them the folders of packages that are not installed.
   */
  readonly absent: readonly string[];
  /** Folders whose listing the compiler reads, with the names that matter, both in code-unit order. */
  readonly listings: readonly { readonly dir: string; readonly names: readonly string[] }[];
  /** Folders that the compiler wants to be there, files in them or not: those of packages and of migrations. */
  readonly folders: readonly string[];
  /** Of each input that some file asks for: which one, on the shortest way from the main file. */
  readonly importers: ReadonlyMap<string, string>;
  /** Imports that lead nowhere. The compiler has the last word; these make its message easier to act on. */
  readonly missing: readonly MissingImport[];
  /** Why the result must not be cached, where something is not fully understood (unknown URL scheme, ...). */
  readonly uncacheable?: string;
}

export interface ClosureRequest {
  readonly canister: string;
  /** Absolute path of the folder in which the compiler runs. */
  readonly root: string;
  /** As the compiler is told of it. */
  readonly main: string;
  readonly packages: readonly Package[];
  readonly invocation: Invocation;
  /** Shared by the canisters of one build, so that each file is read once. */
  readonly sources?: Sources;
}

/**
 * Follows the imports as the compiler does, and names exactly the files that it opens.
 *
 * Folders count by their path strings, as for the compiler; on a disk that ignores case, two spellings of one name are
 * two files. Throws a BuildError where the main file cannot be read; whatever else is wrong is part of the closure.
 */
export function readClosure(request: ClosureRequest): Promise<Closure> {
  return new Promise((done) => {
    done(walk(request));
  });
}

/** A walk under way. */
interface Walk {
  readonly invocation: Invocation;
  /** Name to folder, folded. */
  readonly packages: ReadonlyMap<string, string>;
  readonly lookups: Lookups;
  /** Every module found, in the order of finding; the walk goes along it while it grows. */
  readonly modules: Module[];
  /** Modules by path, and whether each was reached through packages only. */
  readonly known: Map<string, boolean>;
  /** Whether an import leads somewhere: by whoever asks (a folder, in a package or not), then by URL. */
  readonly answers: Map<string, Map<string, boolean>>;
  /** Candid files by path. */
  readonly interfaces: Set<string>;
  readonly missing: Map<string, MissingImport>;
  readonly importers: Map<string, string>;
  /** The file whose imports are followed now: the walk goes in rings around the main file, so the first is the nearest. */
  importer: string | undefined;
}

interface Module {
  readonly file: SourceFile;
  /** What its relative imports are relative to, not folded. */
  readonly dir: string;
  /** Reached through a package: then it loads no whole packages. */
  readonly inPackage: boolean;
}

function walk({ canister, root, main, packages, invocation, sources }: ClosureRequest): Closure {
  const lookups = startLookups(sources ?? openSources(root), invocation.uncacheable);
  const on: Walk = {
    invocation,
    packages: packageDirsOf([...packages, ...invocation.packages]),
    lookups,
    modules: [],
    known: new Map(),
    answers: new Map(),
    interfaces: new Set(),
    missing: new Map(),
    importers: new Map(),
    importer: undefined,
  };
  if (typeof takeModule(on, main, false) === 'string')
    throw new BuildError({ kind: 'main-missing', canister, path: main });
  const mainPath = on.modules[0]?.file.path;
  for (const dir of on.packages.values()) lookUpFolder(lookups, dir);
  for (const path of invocation.argsFiles) lookUpFile(lookups, path);
  if (invocation.stableBaseline !== undefined) lookUpFile(lookups, invocation.stableBaseline);
  on.importer = mainPath;
  if (invocation.migrationDir !== undefined) takeMigrations(on, invocation.migrationDir);
  for (const module of on.modules) followImports(on, module);
  checkDetours(lookups);
  if (mainPath !== undefined) on.importers.delete(mainPath); // what imports the main file is no way to it
  return {
    main,
    inputs: [...lookups.inputs.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
    absent: [...lookups.absent].sort(),
    listings: [...lookups.listings].map(([dir, names]) => ({ dir, names })).sort((a, b) => (a.dir < b.dir ? -1 : 1)),
    folders: [...lookups.folders].sort(),
    importers: on.importers,
    missing: [...on.missing.values()],
    ...(lookups.uncacheable === undefined ? {} : { uncacheable: lookups.uncacheable }),
  };
}

/** The first of a name counts: where there are two, the compiler says so and stops. */
function packageDirsOf(packages: readonly Package[]): ReadonlyMap<string, string> {
  return new Map([...packages].reverse().map(({ name, dir }) => [name, normalise(dir)]));
}

/** Modules of one folder import the same things, so each of these is looked for once. */
function followImports(on: Walk, module: Module): void {
  on.importer = module.file.path;
  if (!module.inPackage) takeWholePackages(on, module.dir);
  const answers = remember(on.answers, `${module.inPackage} ${module.dir}`, () => new Map<string, boolean>());
  for (const imported of on.lookups.sources.importsOf(module.file)) {
    const leads = remember(answers, imported.url, () => leadsSomewhere(on, module, imported));
    if (!leads) noteMissing(on, module.file.path, imported);
  }
}

/** Takes what the import asks for. What is found and cannot be used leads somewhere too: it is no missing file. */
function leadsSomewhere(on: Walk, { file, dir, inPackage }: Module, { url, line }: Import): boolean {
  const target = targetOf(url);
  switch (target.kind) {
    case 'built-in':
      return true;
    case 'relative':
      return takeEither(on, below(dir, target.path), inPackage);
    case 'package': {
      const packageDir = on.packages.get(target.name);
      return packageDir !== undefined && takeEither(on, below(packageDir, target.path), true);
    }
    case 'canister': {
      const alias = on.invocation.aliases.find(({ name }) => name === target.alias);
      if (alias === undefined) return false;
      return 'candid' in alias ? takeCandid(on, alias.candid) : takeInterface(on, alias.principal);
    }
    case 'principal':
      return takeInterface(on, target.principal);
    case 'blob':
      return take(on, below(dir, target.path)) !== 'absent';
    case 'candid':
      return takeCandid(on, below(dir, target.path));
    case 'unknown':
      on.lookups.uncacheable ??= `${file.path}:${line}: ${target.reason}`;
      return true;
  }
}

/** `X.mo` comes before `X/lib.mo`; a slash at the end asks for the latter alone. */
function takeEither(on: Walk, path: string, inPackage: boolean): boolean {
  if (!path.endsWith('/') && takeModule(on, `${path}.mo`, inPackage) !== 'absent') return true;
  return takeModule(on, concat(path, 'lib.mo'), inPackage) !== 'absent';
}

function take(on: Walk, path: string): Found {
  const found = lookUpFile(on.lookups, path);
  if (typeof found !== 'string' && on.importer !== undefined && !on.importers.has(found.path))
    on.importers.set(found.path, on.importer);
  return found;
}

/** A module reached through a package and again from outside is followed again: what it may load has grown. */
function takeModule(on: Walk, path: string, inPackage: boolean): Found {
  const found = take(on, path);
  if (typeof found === 'string') return found;
  const before = on.known.get(found.path);
  if (before === undefined || (before && !inPackage)) {
    on.known.set(found.path, inPackage);
    on.modules.push({ file: found, dir: dirnameOf(path), inPackage });
  }
  return found;
}

/** The Candid file of a principal. It lies under `--actor-idl`, without which the compiler refuses the import. */
function takeInterface(on: Walk, principal: string): boolean {
  const { actorIdl } = on.invocation;
  if (actorIdl === undefined || !isPrincipal(principal)) return false;
  return takeCandid(on, below(actorIdl, `${principal}.did`));
}

/** Candid files import one another; an absolute path is allowed there. */
function takeCandid(on: Walk, path: string): boolean {
  const found = take(on, path);
  if (typeof found === 'string') return found !== 'absent';
  if (on.interfaces.has(found.path)) return true;
  on.interfaces.add(found.path);
  const { importer } = on;
  for (const imported of candidImportsOf(found.bytes)) {
    const target = imported.url.startsWith('/') ? imported.url : concat(dirnameOf(path), imported.url);
    on.importer = found.path;
    if (!takeCandid(on, target)) noteMissing(on, found.path, imported);
  }
  on.importer = importer;
  return true;
}

/** Each migration is imported by the main module, unseen; the names of the files go into the output. */
function takeMigrations(on: Walk, dir: string): void {
  for (const name of lookUpModules(on.lookups, dir)) takeListed(on, concat(dir, name), false);
}

/** `--all-libs` and its kin load packages whole, for each module outside of packages; but no package for its own. */
function takeWholePackages(on: Walk, dir: string): void {
  const { wholePackages } = on.invocation;
  for (const [name, packageDir] of on.packages) {
    if (wholePackages !== 'every' && !wholePackages.includes(name)) continue;
    const within = `${normalise(dir)}/`.startsWith(normalise(`${packageDir}/`));
    if (within) continue;
    for (const path of lookUpTree(on.lookups, packageDir)) takeListed(on, concat(packageDir, path), true);
  }
}

/** A name in a folder that the compiler lists. It would see the name even where nothing can be opened; a sandbox has neither. */
function takeListed(on: Walk, path: string, inPackage: boolean): void {
  if (takeModule(on, path, inPackage) === 'absent') on.lookups.uncacheable ??= `${path} is listed and leads nowhere`;
}

function noteMissing(on: Walk, importer: string, { url, line }: Import): void {
  on.missing.set(`${importer}:${line}:${url}`, { importer, line, target: url });
}

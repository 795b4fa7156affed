import { resolve } from 'node:path';
import { digestOf } from '../cache/digest.ts';
import { fromRoot } from './local-path.ts';
import { concat, dirnameOf } from './moc-paths.ts';
import { BuildError, type MigrationProblem } from './outcome.ts';
import type { Canister, Project } from './project.ts';
import { stagedNameOf } from './staged-name.ts';
import type { Source, Sources } from './sources.ts';

/** What the compiler is told of a canister's migrations. */
export interface MigrationPlan {
  readonly flags: readonly string[];
  /** The folders that were listed, seen from the root. */
  readonly dirs: readonly string[];
  /** Where they do not lie in one folder as they are to be seen. */
  readonly staged?: StagedFolder;
}

/** A folder that the compiler is to see, and that is not there. Paths are seen from the root. */
export interface StagedFolder {
  readonly dir: string;
  /** Names in it to the files that stand for them. */
  readonly files: ReadonlyMap<string, string>;
  /** How many files there are in all. */
  readonly of: number;
}

/**
 * Which migrations count, as upstream chooses them: those of the chain and the one that is next, of these the last
 * `build-limit`. Where they are all that is in one folder that folder is named; else they are staged in one beside the
 * chain, so that what they import is where it was. Its name follows from what is in it: it ends up in the wasm.
 * Throws a BuildError bad-migrations.
 */
export function planMigrations(
  { root, file, mocArgs, build }: Pick<Project, 'root' | 'file' | 'mocArgs' | 'build'>,
  { name, args, migrations }: Canister,
  sources: Sources,
): MigrationPlan {
  if (migrations === undefined) return { flags: [], dirs: [] };
  const refuse = (problem: MigrationProblem) =>
    new BuildError({ kind: 'bad-migrations', file, canister: name, problem });
  const seen = (dir: string) => fromRoot(root, resolve(root, dir));
  const chain = seen(migrations.chain);
  const next = migrations.next === undefined ? undefined : seen(migrations.next);
  if (next !== undefined && parentOf(root, chain) !== parentOf(root, next))
    throw refuse({ what: 'apart', chain, next });
  // Upstream looks only where the canister has arguments of its own, and passes both flags on where it has none.
  const given = args.length === 0 ? [] : [...mocArgs, ...build.args, ...args];
  if (given.some((arg) => arg.startsWith('--enhanced-migration'))) throw refuse({ what: 'flag' });

  const nextNames = next === undefined ? [] : (modulesIn(sources, next) ?? []);
  if (next !== undefined && nextNames.length > 1) throw refuse({ what: 'many-next', next, names: nextNames });
  const chainNames = modulesIn(sources, chain);
  const [nextName] = nextNames;
  if (chainNames === undefined && nextName === undefined) throw refuse({ what: 'absent', chain });
  const last = chainNames?.at(-1);
  if (nextName !== undefined && last !== undefined && nextName <= last)
    throw refuse({ what: 'next-first', name: nextName, last });

  const all = [
    ...(chainNames ?? []).map((name) => ({ name, dir: chain })),
    ...nextNames.map((name) => ({ name, dir: next ?? '' })),
  ];
  const limit = migrations.buildLimit ?? all.length;
  const included = limit < all.length ? all.slice(-limit) : all;
  const isTrimmed = included.length < all.length;
  const dirs = [chain, ...(next === undefined ? [] : [next])];
  const flagsFor = (dir: string) => [`--enhanced-migration=${dir}`, ...(isTrimmed ? ['-A=M0254'] : [])];
  const [only] = included;
  if (!isTrimmed && nextName === undefined) return { dirs, flags: flagsFor(chain) };
  if (included.length === 1 && only !== undefined && only.dir === next) return { dirs, flags: flagsFor(only.dir) };

  const files = new Map(included.map(({ name, dir }) => [name, concat(dir, name)]));
  const dir = concat(parentIn(chain), stagedName(name, files, sources));
  return { dirs, flags: flagsFor(dir), staged: { dir, files, of: all.length } };
}

/** The same files, and among them those of a folder that is only to be seen. */
export function withStaged(sources: Sources, { dir, files }: StagedFolder): Sources {
  const real = new Map([...files].map(([name, path]) => [concat(dir, name), path]));
  return {
    read: (path) => {
      const at = real.get(path);
      return at === undefined ? sources.read(path) : readAs(sources.read(at), path);
    },
    importsOf: (file) => sources.importsOf(file),
    list: (path) => {
      if (path !== dir) return sources.list(path);
      return [...files.keys()].map((name) => ({ name, kind: 'file' }));
    },
    isFolder: (path) => path === dir || sources.isFolder(path),
    isPlainFolder: (path) => path === dir || sources.isPlainFolder(path),
  };
}

function readAs(source: Source, path: string): Source {
  return source.kind === 'file' ? { kind: 'file', file: { ...source.file, path } } : source;
}

function stagedName(canister: string, files: StagedFolder['files'], sources: Sources): string {
  const contents = [...files].map(([name, path]) => {
    const source = sources.read(path);
    return [name, source.kind === 'file' ? source.file.digest : source.kind];
  });
  return stagedNameOf(canister, digestOf(JSON.stringify(contents)));
}

/** Undefined where there is no such folder. */
function modulesIn(sources: Sources, dir: string): readonly string[] | undefined {
  return sources
    .list(dir === '' ? '.' : dir)
    ?.map(({ name }) => name)
    .filter((name) => name.endsWith('.mo'));
}

function parentOf(root: string, dir: string): string {
  return resolve(root, dir, '..');
}

/** Seen from the root, for a name below it; empty for the root itself. */
function parentIn(dir: string): string {
  const parent = dirnameOf(dir);
  return parent === '.' ? '' : parent;
}

import { resolve, sep } from 'node:path';
import type { Context } from './context.ts';
import { readClosure, type Closure } from './closure.ts';
import { parseMocArgs, type Invocation } from './moc-args.ts';
import { normalise } from './moc-paths.ts';
import type { MigrationPlan, StagedFolder } from './migrations.ts';
import { BuildError, type Outcome } from './outcome.ts';
import type { Canister, Project } from './project.ts';
import { fromRoot } from './local-path.ts';
import { openSources, type Sources } from './sources.ts';

/** All that the compiler will be given for one canister. */
export interface Inputs {
  readonly flags: readonly string[];
  readonly invocation: Invocation;
  readonly closure: Closure;
  /** Migrations that the compiler is to see in a folder that is not there. */
  readonly staged?: StagedFolder;
}

/**
 * Reads a canister's inputs. Where they lie among the outputs (another canister's `.did` as an interface, say), the
 * canisters before this one are built first, as upstream's order has it, and the inputs are read after that.
 */
export async function readInputs(
  context: Context,
  canister: Canister,
  earlier: readonly Promise<Outcome>[],
): Promise<Inputs> {
  const { project, packages, outputDir } = context;
  const file = `${project.root}/mops.toml`;
  if (canister.main === undefined) throw new BuildError({ kind: 'no-main', file, canister: canister.name });
  const main = fromRoot(project.root, resolve(project.root, canister.main));
  warnOfManagedFlags(context, canister);
  const baseline = canister.migrations === undefined ? [] : await baselineOf(context, canister);
  const read = async (from: Sources): Promise<Inputs & { readonly dirs: readonly string[] }> => {
    const { flags: migrating, dirs, staged, sources } = await migrationsOf(project, canister, from);
    const flags = flagsOf(context, canister, [...migrating, ...baseline]);
    const invocation = parseMocArgs(flags, (path) => textAt(sources, path));
    const request = { canister: canister.name, root: project.root, main, packages, invocation, sources };
    return {
      flags,
      invocation,
      closure: await readClosure(request),
      dirs,
      ...(staged === undefined ? {} : { staged }),
    };
  };
  let inputs = await read(context.sources);
  const published = canister.candid === undefined ? [] : [canister.candid];
  const paths = [
    ...inputs.closure.inputs.map(({ path }) => path),
    ...inputs.closure.absent,
    ...inputs.dirs,
    ...published,
  ];
  const mayChange = earlier.length > 0 && paths.some((path) => isWithin(resolve(project.root, path), outputDir));
  if (mayChange) {
    await Promise.all(earlier);
    inputs = await read(openSources(project.root));
  }
  const { staged } = inputs;
  if (staged !== undefined)
    context.emit({ kind: 'migrations-chosen', canister: canister.name, count: staged.files.size, of: staged.of });
  return inputs;
}

/** What mops adds to moc's command line for a canister, in upstream's order. */
function flagsOf(
  { project, mocArgs = [] }: Context,
  canister: Canister,
  migrating: readonly string[],
): readonly string[] {
  return [...project.mocArgs, ...migrating, ...project.build.args, ...canister.args, ...mocArgs];
}

/** Loaded for the few projects that have migrations. */
async function migrationsOf(
  project: Project,
  canister: Canister,
  sources: Sources,
): Promise<MigrationPlan & { readonly sources: Sources }> {
  if (canister.migrations === undefined) return { flags: [], dirs: [], sources };
  const { planMigrations, withStaged } = await import('./migrations.ts');
  const plan = planMigrations(project, canister, sources);
  return { ...plan, sources: plan.staged === undefined ? sources : withStaged(sources, plan.staged) };
}

async function baselineOf(context: Context, canister: Canister): Promise<readonly string[]> {
  const { baselineFlagsOf } = await import('./stable-baseline.ts');
  return baselineFlagsOf(context, canister);
}

/** Flags that mops build sets itself; given again they are passed on, with a warning. */
const MANAGED = new Set(['-o', '-c', '--idl', '--stable-types', '--public-metadata']);

function warnOfManagedFlags(context: Context, canister: Canister): void {
  const given = [...context.project.build.args, ...canister.args, ...(context.mocArgs ?? [])];
  for (const flag of new Set(given.filter((arg) => MANAGED.has(arg)))) {
    context.emit({ kind: 'managed-flag', canister: canister.name, flag });
  }
}

function textAt(sources: Sources, path: string): string | undefined {
  const found = sources.read(normalise(path));
  return found.kind === 'file' ? Buffer.from(found.file.bytes).toString('utf8') : undefined;
}

/** Whether a path lies in a folder. Both absolute. */
function isWithin(path: string, dir: string): boolean {
  return path.startsWith(dir.endsWith(sep) ? dir : dir + sep);
}

import { resolve, sep } from 'node:path';
import type { Context } from './context.ts';
import { readClosure, type Closure } from './closure.ts';
import { parseMocArgs, type Invocation } from './moc-args.ts';
import { normalise } from './moc-paths.ts';
import { BuildError, type Outcome } from './outcome.ts';
import type { Canister, Project } from './project.ts';
import { fromRoot } from './local-path.ts';
import { openSources, type Sources } from './sources.ts';

/** All that the compiler will be given for one canister. */
export interface Inputs {
  readonly flags: readonly string[];
  readonly invocation: Invocation;
  readonly closure: Closure;
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
  const flags = flagsOf(project, canister, context.mocArgs ?? []);
  warnOfManagedFlags(context, canister);
  const read = async (sources: Sources): Promise<Inputs> => {
    const invocation = parseMocArgs(flags, (path) => textAt(sources, path));
    const request = { canister: canister.name, root: project.root, main, packages, invocation, sources };
    return { flags, invocation, closure: await readClosure(request) };
  };
  const inputs = await read(context.sources);
  const published = canister.candid === undefined ? [] : [canister.candid];
  const paths = [...inputs.closure.inputs.map(({ path }) => path), ...inputs.closure.absent, ...published];
  if (earlier.length === 0 || !paths.some((path) => isWithin(resolve(project.root, path), outputDir))) return inputs;
  await Promise.all(earlier);
  return read(openSources(project.root));
}

/** What mops adds to moc's command line for a canister, in upstream's order. */
function flagsOf(project: Project, canister: Canister, extra: readonly string[]): readonly string[] {
  return [
    ...project.mocArgs,
    ...migrationFlagsOf(project, canister),
    ...project.build.args,
    ...canister.args,
    ...extra,
  ];
}

/** A whole chain is passed as it is. What has to be staged first (a next file, a limit) is refused, never left out. */
function migrationFlagsOf({ root, file }: Project, { name, migrations }: Canister): readonly string[] {
  if (migrations === undefined) return [];
  const staged =
    migrations.next !== undefined ? 'next' : migrations.buildLimit !== undefined ? 'build-limit' : undefined;
  if (staged !== undefined) {
    throw new BuildError({
      kind: 'unsupported',
      what: `${file}: [canisters.${name}.migrations] ${staged}`,
      instead: 'build this canister with ic-mops build',
    });
  }
  return [`--enhanced-migration=${fromRoot(root, resolve(root, migrations.chain))}`];
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

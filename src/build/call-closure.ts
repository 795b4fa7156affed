import { isAbsolute } from 'node:path';
import { readClosure, type Closure } from './closure.ts';
import { lookUpFile, startLookups } from './lookups.ts';
import type { MocCall } from './moc-call.ts';
import { normalise } from './moc-paths.ts';
import type { Sources } from './sources.ts';

/** What a call of the compiler reads: the closures of its main files together, or the files that it compares. */
export async function readCallClosure(call: MocCall, root: string, sources: Sources): Promise<Closure> {
  const { mains, signatures, invocation } = call;
  if (signatures.length > 0) return signaturesOf(signatures, sources);
  const closures: Closure[] = [];
  for (const main of mains)
    closures.push(await readClosure({ canister: main, root, main, packages: [], invocation, sources }));
  const [first, ...others] = closures;
  if (first === undefined) throw new Error('a call without a file');
  return others.reduce(together, first);
}

/**
 * Why the compiler's answer is to be had from the real folder alone; undefined where a folder that holds the closure and
 * nothing else gives the same. What leads nowhere is left to the compiler: it may see more in the real folder than we do.
 */
export function outsideClosure(closure: Closure, { invocation }: MocCall, sources: Sources): string | undefined {
  const [missing] = closure.missing;
  if (missing !== undefined) return `${missing.importer}:${missing.line}: nothing at ${missing.target}`;
  const dirs = [
    ...invocation.packages.map(({ dir }) => dir),
    ...(invocation.actorIdl === undefined ? [] : [invocation.actorIdl]),
  ];
  const lacking = dirs.find((dir) => !sources.isFolder(normalise(dir)));
  if (lacking !== undefined) return `there is no folder ${lacking}`;
  return closure.uncacheable;
}

/** Folders that must be in the sandbox, beside those of files. */
export function dirsOf(closure: Closure, { invocation }: MocCall): readonly string[] {
  const dirs = [...closure.folders, ...(invocation.actorIdl === undefined ? [] : [invocation.actorIdl])];
  return dirs.filter((dir) => !isAbsolute(dir));
}

function signaturesOf(paths: readonly string[], sources: Sources): Closure {
  const lookups = startLookups(sources, undefined);
  for (const path of paths) lookUpFile(lookups, path);
  const [absent] = lookups.absent;
  const reason = lookups.uncacheable ?? (absent === undefined ? undefined : `there is no ${absent}`);
  return {
    ...{ main: '', absent: [], listings: [], folders: [], importers: new Map(), missing: [] },
    inputs: [...lookups.inputs.values()],
    ...(reason === undefined ? {} : { uncacheable: reason }),
  };
}

/** The same paths lead to the same files in both: they share their sources. */
function together(one: Closure, other: Closure): Closure {
  const inputs = new Map([...one.inputs, ...other.inputs].map((input) => [input.path, input]));
  const listings = new Map([...one.listings, ...other.listings].map((listing) => [listing.dir, listing]));
  const uncacheable = one.uncacheable ?? other.uncacheable;
  return {
    main: one.main,
    inputs: [...inputs.values()],
    absent: [...new Set([...one.absent, ...other.absent])],
    listings: [...listings.values()],
    folders: [...new Set([...one.folders, ...other.folders])],
    importers: new Map([...other.importers, ...one.importers]),
    missing: [...one.missing, ...other.missing],
    ...(uncacheable === undefined ? {} : { uncacheable }),
  };
}

import type { Importers } from './chain.ts';
import { compareFiles, type FileChange } from './file-changes.ts';
import type { Keys } from './keys.ts';
import { withoutStagedEnds } from './staged-name.ts';
import { factsOf, type Facts, type Program } from './facts.ts';

/**
 * One thing that decides a canister's bytes and is not what it was. `before` and `after` say what it is on either side;
 * where one of them is missing the thing was not there. Digests are SHA-256, 64 hex digits.
 */
export type Change =
  | { readonly kind: 'compiler'; readonly before?: Program; readonly after?: Program }
  /** Other words on the compiler's command line. Nothing added and nothing removed: another order. */
  | {
      readonly kind: 'flags';
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly before: readonly string[];
      readonly after: readonly string[];
    }
  | { readonly kind: 'main'; readonly before?: string; readonly after?: string }
  /** A `MOC_*` variable of the environment. */
  | { readonly kind: 'variable'; readonly name: string; readonly before?: string; readonly after?: string }
  /**
   * A package at another place, which is another version, or one more or less. `files` is how many of its files are read
   * on that side, `same` how many of them are the same; they have no change of their own.
   */
  | {
      readonly kind: 'package';
      readonly name: string;
      readonly before?: string;
      readonly after?: string;
      readonly files: { readonly before: number; readonly after: number; readonly same: number };
    }
  | FileChange
  /** The modules in a folder whose listing the compiler reads. */
  | {
      readonly kind: 'folder';
      readonly dir: string;
      readonly added: readonly string[];
      readonly removed: readonly string[];
    }
  /** What the compiler is asked for, and the name that it writes into a source map. */
  | { readonly kind: 'outputs'; readonly added: readonly string[]; readonly removed: readonly string[] }
  | { readonly kind: 'output-name'; readonly before?: string; readonly after?: string }
  /** The configured Candid file, the init argument, another section of metadata: by digest. */
  | { readonly kind: 'candid' | 'init-arg'; readonly before?: string; readonly after?: string }
  | { readonly kind: 'metadata'; readonly name: string; readonly before?: string; readonly after?: string }
  | { readonly kind: 'finisher' | 'optimizer'; readonly before?: Program; readonly after?: Program }
  /** What wasm-opt is told. */
  | {
      readonly kind: 'optimizer-flags';
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly before: readonly string[];
      readonly after: readonly string[];
    }
  /** A row that this version does not know. */
  | { readonly kind: 'other'; readonly row: string; readonly before?: string; readonly after?: string };

/** All that was known of a canister when it was built: its documents, and how its files are reached. */
export interface Described {
  readonly compileDocument: string;
  /** Undefined where that is not known. Which wasm and did it is about does not matter: they are a consequence. */
  readonly finishDocument: string | undefined;
  /** Empty where nothing was optimized, undefined where that is not known. */
  readonly optimizeDocument?: string | undefined;
  readonly importers: Importers;
}

/** The keys of an earlier build. */
export interface Baseline extends Keys {
  /** The root of the project, where it was another: then a canister of the same name was built there. */
  readonly project?: string;
}

/** Why something is not what it was, or why that cannot be said. */
export type Explanation =
  /** There is at least one change. */
  | { readonly kind: 'changed'; readonly since: Baseline; readonly changes: readonly Change[] }
  /** The very same documents: only the result can be gone. */
  | { readonly kind: 'same'; readonly since: Baseline }
  /** What the earlier build was made of is no longer in the cache. */
  | { readonly kind: 'gone'; readonly since: Baseline }
  /** No earlier build is known. */
  | { readonly kind: 'first' };

/**
 * What changed from one description of a canister to another: causes first, the files in code-unit order. Empty where the
 * two say the same. Documents are read leniently, for an explanation is no proof: a row that is no JSON is skipped.
 */
export function explain(before: Described, after: Described): readonly Change[] {
  const old = factsOf(before.compileDocument);
  const fresh = factsOf(after.compileDocument);
  const { packages, files } = compareFiles(
    { facts: old, importers: plainOf(before.importers) },
    { facts: fresh, importers: plainOf(after.importers) },
  );
  return [
    ...changeOf('compiler', old.compiler, fresh.compiler),
    ...flagsChange('flags', old.flags, fresh.flags),
    ...changeOf('main', old.main, fresh.main),
    ...named('variable', old.variables, fresh.variables),
    ...packages,
    ...files,
    ...folderChanges(old.listings, fresh.listings),
    ...outputsChange(old.outputs, fresh.outputs),
    ...changeOf('output-name', old.outputName, fresh.outputName),
    ...otherChanges(old, fresh),
    ...finishChanges(before.finishDocument, after.finishDocument),
    ...optimizeChanges(before.optimizeDocument, after.optimizeDocument),
  ];
}

/** With the names of files as facts have them. */
function plainOf(importers: Importers): Importers {
  return new Map([...importers].map(([path, importer]) => [withoutStagedEnds(path), withoutStagedEnds(importer)]));
}

/** Of two finishes, whatever compiles are before them. Nothing where one is not known. */
function finishChanges(before: string | undefined, after: string | undefined): readonly Change[] {
  if (before === undefined || after === undefined) return [];
  const [old, fresh] = [factsOf(before), factsOf(after)];
  return [
    ...changeOf('candid', old.candid, fresh.candid),
    ...named('metadata', old.metadata, fresh.metadata).flatMap((change): readonly Change[] => {
      if (change.name === SERVICE) return []; // it is the Candid file's text
      if (change.name !== INIT_ARG) return [change];
      return changeOf('init-arg', change.before, change.after);
    }),
    ...changeOf('finisher', old.finisher, fresh.finisher),
    ...otherChanges(old, fresh),
  ];
}

/** Of two runs of the optimizer, of which either may be none. */
function optimizeChanges(before: string | undefined, after: string | undefined): readonly Change[] {
  if (before === undefined || after === undefined) return [];
  const [old, fresh] = [factsOf(before), factsOf(after)];
  return [
    ...changeOf('optimizer', old.optimizer, fresh.optimizer),
    ...flagsChange('optimizer-flags', old.optimizerFlags, fresh.optimizerFlags),
    ...named('variable', old.variables, fresh.variables),
    // Of a run that was not there all rows are new, and say nothing.
    ...(before === '' || after === '' ? [] : otherChanges(old, fresh)),
  ];
}

const SERVICE = 'icp:public candid:service';
const INIT_ARG = 'icp:public candid:args';

interface Sides<T> {
  readonly before?: T;
  readonly after?: T;
}

function changeOf<K extends string, T>(
  kind: K,
  before: T | undefined,
  after: T | undefined,
): readonly ({ readonly kind: K } & Sides<T>)[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ kind, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}

function named<K extends string, T>(kind: K, before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>) {
  return namesIn(before, after).flatMap((name) =>
    changeOf(kind, before.get(name), after.get(name)).map((change) => ({ name, ...change })),
  );
}

function namesIn(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])].sort();
}

function flagsChange(
  kind: 'flags' | 'optimizer-flags',
  before: readonly string[],
  after: readonly string[],
): readonly Change[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ kind, added: lacking(after, before), removed: lacking(before, after), before, after }];
}

/** Of the first what the second has not, each as often as it has too few of it. */
function lacking(of: readonly string[], than: readonly string[]): readonly string[] {
  const rest = [...than];
  return of.filter((word) => {
    const at = rest.indexOf(word);
    if (at !== -1) rest.splice(at, 1);
    return at === -1;
  });
}

function outputsChange(before: readonly string[], after: readonly string[]): readonly Change[] {
  const [added, removed] = [lacking(after, before), lacking(before, after)];
  return added.length + removed.length === 0 ? [] : [{ kind: 'outputs', added, removed }];
}

function folderChanges(before: Facts['listings'], after: Facts['listings']): readonly Change[] {
  return namesIn(before, after).flatMap((dir): readonly Change[] => {
    const [old, fresh] = [before.get(dir) ?? [], after.get(dir) ?? []];
    const [added, removed] = [lacking(fresh, old), lacking(old, fresh)];
    return added.length + removed.length === 0 ? [] : [{ kind: 'folder', dir, added, removed }];
  });
}

function otherChanges(before: Facts, after: Facts): readonly Change[] {
  return namesIn(before.others, after.others).flatMap((row) =>
    changeOf('other', before.others.get(row), after.others.get(row)).map((change) => ({ row, ...change })),
  );
}

import { detoursOf, dirnameOf, normalise } from './moc-paths.ts';
import type { SourceFile, Sources } from './sources.ts';

/** Everything that was looked up on the disk for one compile, and what was there. */
export interface Lookups {
  readonly sources: Sources;
  /** By path, folded. */
  readonly inputs: Map<string, SourceFile>;
  readonly absent: Set<string>;
  /** Names by folder. */
  readonly listings: Map<string, readonly string[]>;
  /** Folders that must be there, and are. */
  readonly folders: Set<string>;
  /** Folders that some path enters and leaves again by `..`. */
  readonly detours: Set<string>;
  /** Why the result must not be cached: the first reason. */
  uncacheable: string | undefined;
}

/** `unusable`: the compiler finds something there and fails on it. */
export type Found = SourceFile | 'absent' | 'unusable';

export function startLookups(sources: Sources, uncacheable: string | undefined): Lookups {
  return {
    sources,
    inputs: new Map(),
    absent: new Set(),
    listings: new Map(),
    folders: new Set(),
    detours: new Set(),
    uncacheable,
  };
}

/** Looks for a file and keeps the answer. */
export function lookUpFile(on: Lookups, path: string): Found {
  const folded = fold(on, path);
  const source = on.sources.read(folded);
  if (source.kind === 'file') {
    on.inputs.set(folded, source.file);
    return source.file;
  }
  if (source.kind === 'absent') {
    on.absent.add(folded);
    return 'absent';
  }
  on.uncacheable ??= `${folded} cannot be read: ${source.kind === 'folder' ? 'it is a folder' : source.code}`;
  return 'unusable';
}

/** Looks whether there is a folder, and keeps the answer. */
export function lookUpFolder(on: Lookups, dir: string): void {
  const folded = fold(on, dir);
  (on.sources.isFolder(folded) ? on.folders : on.absent).add(folded);
}

/** Lists the names in a folder that end in `.mo`, whatever they are, and keeps the answer. */
export function lookUpModules(on: Lookups, dir: string): readonly string[] {
  const folded = fold(on, dir);
  const entries = on.sources.list(folded);
  if (entries === undefined) {
    on.absent.add(folded);
    return [];
  }
  on.folders.add(folded);
  const names = entries.map(({ name }) => name).filter((name) => name.endsWith('.mo'));
  on.listings.set(folded, names);
  return names;
}

/** Lists all modules in a folder and its subfolders by their paths below it, and keeps the answer. */
export function lookUpTree(on: Lookups, dir: string): readonly string[] {
  const known = on.listings.get(dir);
  if (known !== undefined) return known;
  const paths: string[] = [];
  collectModules(on, dir, '', paths);
  paths.sort();
  on.listings.set(dir, paths);
  return paths;
}

/**
 * The compiler folds `a/../b` in the text in one place and leaves it to the disk in another. Both mean the same where
 * `a` is a plain folder, here and in the sandbox, which has no folders but those that were found and those of inputs.
 */
export function checkDetours(on: Lookups): void {
  if (on.detours.size === 0) return;
  const folders = new Set(on.folders);
  for (const path of [...on.inputs.keys(), ...folders]) {
    for (let dir = dirnameOf(path); dir !== '.' && dir !== '/'; dir = dirnameOf(dir)) folders.add(dir);
  }
  for (const dir of on.detours) {
    const staged = dir.startsWith('/') || folders.has(dir);
    if (!staged || !on.sources.isPlainFolder(dir)) on.uncacheable ??= `a path leaves the folder ${dir} by ".."`;
  }
}

/** Ends with the first link that leads nowhere: the compiler does, and links in a circle are as good as endless. */
function collectModules(on: Lookups, top: string, within: string, paths: string[]): void {
  const entries = on.sources.list(`${top}/${within}`);
  if (entries === undefined && within !== '') on.uncacheable ??= `${top}/${within} cannot be listed`;
  for (const { name, kind } of entries ?? []) {
    if (on.uncacheable !== undefined) return;
    const path = within + name;
    if (kind === 'broken') on.uncacheable = `${top}/${path} leads nowhere`;
    else if (kind === 'folder') collectModules(on, top, `${path}/`, paths);
    else if (MODULE_NAME.test(name)) paths.push(path);
  }
}

function fold(on: Lookups, path: string): string {
  const folded = normalise(path);
  if (folded !== path && path.includes('..')) for (const dir of detoursOf(path)) on.detours.add(dir);
  return folded;
}

/** What has the extension `.mo`: a name of dots alone before it has none. */
const MODULE_NAME = /[^.]\.*\.mo$/;

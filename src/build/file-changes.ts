import { chainTo, type Importers } from './chain.ts';
import type { Facts } from './facts.ts';
import { normalise } from './moc-paths.ts';

/**
 * A file that the compiler reads. `chain` leads from the main file to it along imports, both among them, as it was on the
 * side where the file is there (on the later one where it is on both); missing where no import leads there, or where that
 * was not kept.
 */
export type FileChange =
  | {
      readonly kind: 'file-edited';
      readonly path: string;
      readonly before: string;
      readonly after: string;
      readonly chain?: readonly string[];
    }
  /** `sought`: the path was looked for before, in vain. */
  | {
      readonly kind: 'file-added';
      readonly path: string;
      readonly after: string;
      readonly chain?: readonly string[];
      readonly sought: boolean;
    }
  /** `sought`: the path is still looked for, in vain. */
  | {
      readonly kind: 'file-removed';
      readonly path: string;
      readonly before: string;
      readonly chain?: readonly string[];
      readonly sought: boolean;
    }
  | {
      readonly kind: 'file-moved';
      readonly path: string;
      readonly from: string;
      readonly after: string;
      readonly chain?: readonly string[];
    }
  /** A path that is looked for and not there. It goes with an import that is written differently, or one more or less. */
  | { readonly kind: 'path-sought'; readonly path: string }
  | { readonly kind: 'path-not-sought'; readonly path: string };

interface PackageChange {
  readonly kind: 'package';
  readonly name: string;
  readonly before?: string;
  readonly after?: string;
  readonly files: { readonly before: number; readonly after: number; readonly same: number };
}

interface Side {
  readonly facts: Facts;
  readonly importers: Importers;
}

/**
 * Packages and files together: a package at another place has all its files at another place, and that is one change, not
 * one for each file. Of such a package only those files are named that are not the same, and by their new paths.
 */
export function compareFiles(
  before: Side,
  after: Side,
): { readonly packages: readonly PackageChange[]; readonly files: readonly FileChange[] } {
  const old = before.facts;
  const fresh = after.facts;
  const packages = packageChanges(old, fresh);
  const gone = packages.flatMap(({ before, after }) => (before !== undefined && after === undefined ? [before] : []));
  const added = packages.flatMap(({ before, after }) => (before === undefined && after !== undefined ? [after] : []));
  const renamed = renaming(packages);
  const was = new Map([...old.inputs].map(([path, digest]) => [renamed(path), { digest, from: path }]));

  const changes: FileChange[] = [];
  const appeared: string[] = [];
  for (const [path, digest] of fresh.inputs) {
    const before = was.get(path);
    was.delete(path);
    if (before === undefined) appeared.push(path);
    else if (before.digest !== digest)
      changes.push({ kind: 'file-edited', path, before: before.digest, after: digest, ...chainOf(after, path) });
  }
  for (const path of appeared) {
    const digest = fresh.inputs.get(path) ?? '';
    const twin = [...was].find(([, { digest: other }]) => other === digest);
    if (twin !== undefined) {
      was.delete(twin[0]);
      changes.push({ kind: 'file-moved', path, from: twin[1].from, after: digest, ...chainOf(after, path) });
    } else if (!isWithin(path, added)) {
      const sought = old.absent.has(path);
      changes.push({ kind: 'file-added', path, after: digest, ...chainOf(after, path), sought });
    }
  }
  for (const { digest, from } of was.values()) {
    if (isWithin(from, gone)) continue;
    const sought = fresh.absent.has(from);
    changes.push({ kind: 'file-removed', path: from, before: digest, ...chainOf(before, from), sought });
  }
  changes.sort((a, b) => RANK[a.kind] - RANK[b.kind] || (a.path < b.path ? -1 : 1));
  return { packages, files: [...changes, ...lookupChanges(old, fresh, renamed)] };
}

const RANK: Readonly<Record<FileChange['kind'], number>> = {
  'file-edited': 0,
  'file-added': 1,
  'file-moved': 2,
  'file-removed': 3,
  'path-sought': 4,
  'path-not-sought': 4,
};

function lookupChanges(old: Facts, fresh: Facts, renamed: (path: string) => string): readonly FileChange[] {
  const was = new Set([...old.absent].map(renamed));
  const wasInput = new Set([...old.inputs.keys()].map(renamed));
  return [
    ...[...fresh.absent]
      .filter((path) => !was.has(path) && !wasInput.has(path))
      .map((path) => ({ kind: 'path-sought', path }) as const),
    ...[...was]
      .filter((path) => !fresh.absent.has(path) && !fresh.inputs.has(path))
      .map((path) => ({ kind: 'path-not-sought', path }) as const),
  ];
}

function packageChanges(old: Facts, fresh: Facts): readonly PackageChange[] {
  const names = [...new Set([...old.packages.keys(), ...fresh.packages.keys()])].sort();
  return names.flatMap((name): readonly PackageChange[] => {
    const [before, after] = [old.packages.get(name), fresh.packages.get(name)];
    if (before === after) return [];
    const [was, is] = [filesIn(old, before), filesIn(fresh, after)];
    const same = [...is].filter(([path, digest]) => was.get(path) === digest).length;
    return [
      {
        kind: 'package',
        name,
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
        files: { before: was.size, after: is.size, same },
      },
    ];
  });
}

/** Paths below the folder to digests. */
function filesIn({ inputs }: Facts, dir: string | undefined): ReadonlyMap<string, string> {
  if (dir === undefined) return new Map();
  const prefix = prefixOf(dir);
  return new Map(
    [...inputs].flatMap(([path, digest]) => (path.startsWith(prefix) ? [[path.slice(prefix.length), digest]] : [])),
  );
}

/** Old paths to where they would be now, had their packages only been moved. */
function renaming(packages: readonly PackageChange[]): (path: string) => string {
  const moves = packages
    .flatMap(({ before, after }) =>
      before === undefined || after === undefined ? [] : [{ from: prefixOf(before), to: prefixOf(after) }],
    )
    .sort((a, b) => b.from.length - a.from.length);
  return (path) => {
    const move = moves.find(({ from }) => path.startsWith(from));
    return move === undefined ? path : move.to + path.slice(move.from.length);
  };
}

function isWithin(path: string, dirs: readonly string[]): boolean {
  return dirs.some((dir) => path.startsWith(prefixOf(dir)));
}

function prefixOf(dir: string): string {
  const folded = normalise(dir);
  return folded === '.' ? '' : `${folded.replace(/\/$/, '')}/`;
}

function chainOf({ importers }: Side, path: string): { readonly chain?: readonly string[] } {
  const chain = chainTo(importers, path);
  return chain === undefined ? {} : { chain };
}

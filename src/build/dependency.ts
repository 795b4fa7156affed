import { posix } from 'node:path';

/** A dependency as declared. `name` is the key, whole: `core@1` is a name of its own. */
export type Dependency =
  | { readonly kind: 'registry'; readonly name: string; readonly version: string }
  | { readonly kind: 'github'; readonly name: string; readonly url: string }
  | { readonly kind: 'local'; readonly name: string; readonly path: string };

/** What mops takes for a path, in dependencies and in pins of tools: `./x`, `../x`, `/x`. */
export const LOOKS_LIKE_PATH = /^(\.?\.)?\//;

/** A declared value, classed by its prefix. */
export function dependencyOf(name: string, value: string): Dependency {
  if (value.startsWith('https://github.com/')) return { kind: 'github', name, url: value };
  if (LOOKS_LIKE_PATH.test(value)) return { kind: 'local', name, path: value };
  return { kind: 'registry', name, version: value };
}

/** The value as mops.toml and mops.lock write it. */
export function valueOf(dependency: Dependency): string {
  switch (dependency.kind) {
    case 'registry':
      return dependency.version;
    case 'github':
      return dependency.url;
    case 'local':
      return dependency.path;
  }
}

/** The registry's name for a package version: an alias (`core@1`) and the plain name share it. */
export function packageIdOf(name: string, version: string): string {
  return `${name.split('@')[0] ?? ''}@${version}`;
}

/** Branch (or tag) and commit of a GitHub URL, which has them as `#branch@commit`. */
export function githubRefOf(url: string): { readonly branch: string; readonly commit: string } {
  const [branch = '', commit = ''] = new URL(url).hash.slice(1).split('@');
  return { branch: branch === '' ? 'master' : branch, commit };
}

/** Where an installed package lies, seen from a project's `.mops` and from the global cache's `packages`. */
export function installedDirOf(dependency: Exclude<Dependency, { kind: 'local' }>): string {
  if (dependency.kind === 'registry') return packageIdOf(dependency.name, dependency.version);
  const { branch, commit } = githubRefOf(dependency.url);
  const ref = branch.replaceAll('/', '___') + (commit === '' ? '' : `@${commit}`);
  return `_github/${dependency.name}#${ref}`;
}

/** Whether such a place is within its parent: names and versions come from files that anyone may have written. */
export function staysInside(dir: string): boolean {
  const normal = posix.normalize(dir.replaceAll('\\', '/'));
  return normal !== '.' && normal !== '..' && !normal.startsWith('../') && !normal.startsWith('/');
}

import { relative, resolve, sep } from 'node:path';

/** A local dependency's path with `{MOPS_ENV}` filled in. */
export function expandEnv(path: string, mopsEnv: string): string {
  return path.replaceAll('{MOPS_ENV}', mopsEnv);
}

/** A folder seen from the project root, with `/`: what reaches the compiler. The root itself is the empty string. */
export function fromRoot(root: string, dir: string): string {
  return relative(root, dir).split(sep).join('/');
}

/** A folder as mops.lock writes it: seen from the root, and told from a version by its first characters. */
export function lockPathOf(root: string, dir: string): string {
  const path = fromRoot(root, resolve(root, dir));
  return path.startsWith('../') ? path : `./${path}`;
}

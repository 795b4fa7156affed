/*
 * Path strings as the compiler makes them. It folds `..` in the text, not on the disk, and hashes the result into type
 * names, so node:path will not do: it drops trailing slashes and treats a leading `/..` otherwise.
 */

/** Folds empty, `.` and `..` segments. A trailing slash stays: it asks for `lib.mo`. */
export function normalise(path: string): string {
  if (path === '' || !FOLDABLE.test(path)) return path;
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..' && kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else kept.push(segment);
  }
  const absolute = path.startsWith('/');
  const slash = path.endsWith('/');
  if (kept.length === 0) return absolute ? '/' : slash ? './' : '.';
  return `${absolute ? '/' : ''}${kept.join('/')}${slash ? '/' : ''}`;
}

/** Joins without folding. An absolute `name` is not special: it too is hung below `dir`. */
export function concat(dir: string, name: string): string {
  return dir === '' || dir.endsWith('/') ? dir + name : `${dir}/${name}`;
}

/** As `concat`, but below the current directory a path is left as it is: this alone keeps an absolute one absolute. */
export function below(dir: string, path: string): string {
  return dir === '.' ? path : concat(dir, path);
}

/** The folder part: `.` for a bare name, without slashes at its end. */
export function dirnameOf(path: string): string {
  const slash = path.lastIndexOf('/');
  if (slash === -1) return '.';
  let end = slash;
  while (end > 0 && path.charCodeAt(end - 1) === 0x2f) end -= 1;
  return end === 0 ? '/' : path.slice(0, end);
}

/** The folders that a path enters and leaves again by `..`, folded: on the disk they must be there, and be plain. */
export function detoursOf(path: string): readonly string[] {
  const detours: string[] = [];
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..' && kept.length > 0 && kept.at(-1) !== '..') {
      detours.push((path.startsWith('/') ? '/' : '') + kept.join('/'));
      kept.pop();
    } else kept.push(segment);
  }
  return detours;
}

/** An empty, `.` or `..` segment anywhere; an empty last one is a trailing slash, which is kept. */
const FOLDABLE = /(?:^|\/)\.{0,2}\/|(?:^|\/)\.{1,2}$/;

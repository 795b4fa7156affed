import fs, { constants, type Dirent, type Stats } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { createRequire } from 'node:module';
import { namesOf, note, noteFile, spoilSurvey } from './sights.ts';

/*
 * Node's own functions for looking at the disk, by their own names, which note what they see (sights.ts). Everything that
 * decides what a build gives is looked at through these: what is seen in another way is not missed when it changes.
 * Paths are absolute.
 */

export function readFileSync(path: string): Buffer;
export function readFileSync(path: string, encoding: 'utf8'): string;
export function readFileSync(path: string, encoding?: 'utf8'): Buffer | string {
  return noting(path, () => {
    const beforeMs = Date.now();
    const file = fs.openSync(path, 'r');
    try {
      const stats = fs.fstatSync(file);
      const content = fs.readFileSync(file, encoding);
      noteFile('file', path, stats, beforeMs);
      return content;
    } finally {
      fs.closeSync(file);
    }
  });
}

export function existsSync(path: string): boolean {
  const found = fs.existsSync(path);
  note([found ? 'there' : 'absent', path]);
  return found;
}

/** Undefined where nothing is there. */
export function statSync(path: string): Stats | undefined {
  return noting(path, () => {
    const beforeMs = Date.now();
    const stats = fs.statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) note(['absent', path]);
    else if (stats.isFile()) noteFile('file', path, stats, beforeMs);
    else if (stats.isDirectory()) note(['folder', path]);
    else spoilSurvey();
    return stats;
  });
}

/** Undefined where nothing is there. */
export function lstatSync(path: string): Stats | undefined {
  return noting(path, () => {
    const stats = fs.lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) note(['absent', path]);
    else note(['real', path, fs.realpathSync(path)]);
    return stats;
  });
}

export function realpathSync(path: string): string {
  return noting(path, () => {
    const real = fs.realpathSync(path);
    note(['real', path, real]);
    return real;
  });
}

export function readlinkSync(path: string): string {
  return noting(path, () => {
    const target = fs.readlinkSync(path);
    if (fs.existsSync(path)) note(['real', path, fs.realpathSync(path)]);
    else note(['absent', path]); // to whoever follows it
    return target;
  });
}

export function readdirSync(path: string): Dirent[] {
  return noting(path, () => {
    const entries = fs.readdirSync(path, { withFileTypes: true });
    note(['names', path, ...namesOf(entries)]);
    return entries;
  });
}

/** Throws where the file may not be executed. */
export function checkExecutable(path: string): void {
  noting(path, () => fs.accessSync(path, constants.X_OK));
  note(['runs', path]);
}

/** Where Node finds a file of a package from `script`, an absolute path. Throws as `require` does. */
export function resolveModule(script: string, specifier: string): string {
  const found = createRequire(script).resolve(specifier);
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  for (let dir = dirname(script); ; dir = dirname(dir)) {
    const candidate = join(dir, 'node_modules', name);
    if (existsSync(candidate)) {
      statSync(join(candidate, 'package.json')); // may say which file is meant
      if (found.startsWith(`${realpathSync(candidate)}${sep}`)) return found;
    }
    if (dir === dirname(dir)) break;
  }
  spoilSurvey(); // NODE_PATH and the like
  return found;
}

/** That nothing is there is a sight; what cannot be looked at for another reason is none. */
function noting<T>(path: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') note(['absent', path]);
    else if (code !== 'EINVAL') spoilSurvey(); // EINVAL: it is no link, and will be read as what it is
    throw error;
  }
}

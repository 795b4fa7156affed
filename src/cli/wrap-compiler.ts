import { isAbsolute, join, resolve } from 'node:path';
import { readFileSync, realpathSync } from '../cache/disk.ts';
import type { MopsDirs } from '../build/mops-dirs.ts';

/** Set for the compiler that the wrapper starts: should that start the wrapper again, it would go on without end. */
export const IN_WRAPPER = 'MOCCACHE_IN_WRAPPER';

export interface Whereabouts {
  /** Real path of the wrapper. */
  readonly self: string;
  readonly dirs: MopsDirs;
  readonly environment: Readonly<Record<string, string>>;
}

export type FoundCompiler =
  { readonly kind: 'found'; readonly path: string } | { readonly kind: 'none'; readonly message: string };

/**
 * The real compiler: MOCCACHE_MOC, or what `--setup` recorded among the user's settings. Nothing in the project's folder
 * has a say in which program is run (invariant 10).
 */
export function findCompiler({ self, dirs, environment }: Whereabouts): FoundCompiler {
  const named = environment.MOCCACHE_MOC ?? '';
  const path = named === '' ? recordedCompiler(dirs) : resolve(named);
  if (path === undefined) {
    return none('which compiler? set MOCCACHE_MOC to its path, or run once: moccache-moc --setup PATH');
  }
  if (environment[IN_WRAPPER] !== undefined) return none(`${path} leads back to moccache-moc`);
  const trouble = troubleWith(path, self);
  return trouble === undefined ? { kind: 'found', path } : none(trouble);
}

/** Why the path cannot be the real compiler. */
export function troubleWith(path: string, self: string): string | undefined {
  try {
    return realpathSync(path) === self ? `${path} is moccache-moc itself, not the compiler` : undefined;
  } catch (error) {
    return `${path} cannot be used (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
  }
}

/** One line: the path. Undefined without a home, where the settings' folder would be the project's. */
export function recordPathOf(dirs: MopsDirs): string | undefined {
  return isAbsolute(dirs.config) ? join(dirs.config, 'moccache-moc') : undefined;
}

function recordedCompiler(dirs: MopsDirs): string | undefined {
  const file = recordPathOf(dirs);
  if (file === undefined) return undefined;
  try {
    const path = readFileSync(file, 'utf8').trim();
    return isAbsolute(path) ? path : undefined;
  } catch {
    return undefined; // nothing was recorded
  }
}

function none(message: string): FoundCompiler {
  return { kind: 'none', message };
}

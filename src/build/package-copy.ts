import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { staysInside } from './dependency.ts';
import { BuildError } from './outcome.ts';

export interface PackageCopy {
  /** The package in the global cache, absolute. */
  readonly from: string;
  /** The project's `.mops`, absolute. */
  readonly mopsDir: string;
  /** Where in it the package belongs. */
  readonly place: string;
}

/**
 * Copies a package from the global cache into a project, as upstream does: whole or not at all, beside other processes
 * that do the same. False where it is no longer in the cache, or its name would lead out of `.mops`.
 * Throws a BuildError output-unwritable where the project's folder does not take it.
 */
export function copyPackage({ from, mopsDir, place }: PackageCopy): boolean {
  if (!staysInside(place)) return false;
  const to = join(mopsDir, place);
  let staging: string | undefined;
  try {
    mkdirSync(dirname(to), { recursive: true });
    staging = mkdtempSync(join(dirname(to), '.staging-')); // upstream's name: it sweeps what a killed process left
    cpSync(from, staging, { recursive: true });
    renameSync(staging, to);
    return true;
  } catch (error) {
    if (staging !== undefined) rmSync(staging, { recursive: true, force: true });
    if (existsSync(to)) return true; // another process put the same package there first
    if (!existsSync(from)) return false;
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new BuildError({ kind: 'output-unwritable', path: to, code });
  }
}

import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Cache } from '../cache/cache.ts';
import { actionKeyOf } from '../cache/digest.ts';
import type { StagedFolder } from './migrations.ts';

/**
 * Makes a folder of migrations be there, in the project itself, while `work` goes on: for a compiler that has to run there
 * because not all that it is told is understood. Of two builds that need the same folder one waits for the other.
 */
export async function withMigrationsStaged<T>(
  { cache, root, label, signal }: StagingPlace,
  { dir, files }: StagedFolder,
  work: () => Promise<T>,
): Promise<T> {
  const folder = resolve(root, dir);
  const stageAndWork = async () => {
    rmSync(folder, { recursive: true, force: true }); // a killed build may have left it
    mkdirSync(folder);
    try {
      writeFileSync(join(folder, '.gitignore'), '*\n');
      for (const [name, path] of files) symlinkSync(resolve(root, path), join(folder, name));
      return await work();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  const { value } = await cache.withLease(
    actionKeyOf(`migrations ${folder}`),
    label,
    () => Promise.resolve(undefined),
    stageAndWork,
    { signal },
  );
  return value;
}

export interface StagingPlace {
  readonly cache: Pick<Cache, 'withLease'>;
  /** The project's, absolute. */
  readonly root: string;
  readonly label: string;
  readonly signal: AbortSignal;
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const repository = join(import.meta.dirname, '../..');

/** A file of dist/, absolute. The tests run what users run; `npm test` builds it first. */
export function built(name: string): string {
  const path = join(repository, 'dist', name);
  if (!existsSync(path)) throw new Error(`dist/${name} is missing: npm run build`);
  return path;
}

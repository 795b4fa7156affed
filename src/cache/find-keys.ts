import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseActionKey, type ActionKey } from './digest.ts';
import type { StorePaths } from './store-folder.ts';

/** The keys of all results that begin with some digits, two or more, in order. Throws the system's error. */
export function keysWith({ results }: Pick<StorePaths, 'results'>, prefix: string): readonly ActionKey[] {
  const names = namesIn(join(results, prefix.slice(0, 2)));
  return names.flatMap((name) => (name.startsWith(prefix) ? (parseActionKey(name) ?? []) : [])).sort();
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

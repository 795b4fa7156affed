import { readdirSync } from 'node:fs';
import type { StorePaths } from './store-paths.ts';

/**
 * Whether there is something in the store that a killed process may have left, or that one uses right now. Quicker than
 * the sweep, which tells the two apart. Never throws.
 */
export function mayHoldLeftovers(paths: StorePaths): boolean {
  const ofOneProcess = [paths.tmp, paths.sandbox, paths.lease];
  return (
    ofOneProcess.some((dir) => namesIn(dir).length > 0) || namesIn(paths.stamps).some((name) => name.includes('-'))
  );
}

/** The names in a folder; none where it cannot be read. */
export function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

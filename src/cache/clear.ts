import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkStoreFolder } from './store-folder.ts';
import { isSystemError, TierError } from './tier.ts';

export type Cleared = { readonly kind: 'cleared' } | { readonly kind: 'refused'; readonly reason: string };

/**
 * Deletes a store, and nothing that is not marked as one. Safe beside running builds: the folder is moved away whole
 * before it is deleted, so that a build sees all of it or none; what it finds gone, it makes anew.
 */
export function clearStore(dir: string): Cleared {
  try {
    if (!existsSync(dir)) return { kind: 'cleared' };
    if (checkStoreFolder(dir) === 'empty') return { kind: 'cleared' };
    const aside = `${dir}.${process.pid}-${randomBytes(4).toString('hex')}.deleted`;
    try {
      renameSync(dir, aside);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      // A mount point, or a parent that is not ours: it cannot be moved, only emptied.
      for (const name of readdirSync(dir)) rmSync(join(dir, name), DELETE);
      return { kind: 'cleared' };
    }
    rmSync(aside, DELETE);
    return { kind: 'cleared' };
  } catch (error) {
    if (!(error instanceof Error) || (!(error instanceof TierError) && !isSystemError(error))) throw error;
    return { kind: 'refused', reason: error.message };
  }
}

const DELETE = { recursive: true, force: true, maxRetries: 3 } as const;

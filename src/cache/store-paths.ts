import { join } from 'node:path';

/** Where things lie in the store's folder. */
export interface StorePaths {
  readonly version: string;
  readonly blobs: string;
  readonly results: string;
  readonly damaged: string;
  readonly lease: string;
  readonly sandbox: string;
  readonly stamps: string;
  readonly notes: string;
  readonly journal: string;
  readonly trails: string;
  /** Files on their way to being renamed. What is old in here was left by a killed process. */
  readonly tmp: string;
}

export function storePathsOf(dir: string): StorePaths {
  return {
    version: join(dir, 'version'),
    blobs: join(dir, 'cas'),
    results: join(dir, 'ac'),
    damaged: join(dir, 'damaged'),
    lease: join(dir, 'lease'),
    sandbox: join(dir, 'sandbox'),
    stamps: join(dir, 'stamps'),
    notes: join(dir, 'notes'),
    journal: join(dir, 'journal'),
    trails: join(dir, 'trails'),
    tmp: join(dir, 'tmp'),
  };
}

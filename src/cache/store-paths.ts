import { sep } from 'node:path';

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

/** `dir` is absolute and normal. Not by join(): it looks at each character, which is felt where little else is done. */
export function storePathsOf(dir: string): StorePaths {
  const at = (name: string) => `${dir}${sep}${name}`;
  return {
    version: at('version'),
    blobs: at('cas'),
    results: at('ac'),
    damaged: at('damaged'),
    lease: at('lease'),
    sandbox: at('sandbox'),
    stamps: at('stamps'),
    notes: at('notes'),
    journal: at('journal'),
    trails: at('trails'),
    tmp: at('tmp'),
  };
}

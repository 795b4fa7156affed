import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '../..');

/** Where `npm run build` leaves the executables; the larger collection of programs lies beside the repository. */
export const FIXTURES = join(repository, 'fixtures');
export const CORPUS = resolve(repository, '../shared/corpus');

/** The real ic-mops, as npm installs it. */
export const IC_MOPS = join(repository, 'node_modules/ic-mops');
export const UPSTREAM = join(IC_MOPS, 'dist/bin/mops.js');

/** npm's motoko, the package that holds the compiler. */
export const MOTOKO = join(repository, 'node_modules/motoko');

/** Our executables, as they were when the test began: somebody may build anew meanwhile. Absolute paths. */
export interface Tools {
  readonly mops: string;
  readonly mocJs: string;
  readonly wrapper: string;
  remove(): void;
}

/** Copies them to where they still find the packages of this repository. */
export function copyTools(): Tools {
  const cache = join(repository, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const dir = mkdtempSync(join(cache, 'moccache-tools-'));
  for (const name of readdirSync(join(repository, 'dist')))
    if (name.endsWith('.cjs')) copyFileSync(join(repository, 'dist', name), join(dir, name));
  const place = (name: string) => {
    if (!existsSync(join(dir, name))) throw new Error(`dist/${name} is not there: npm run build makes it`);
    return join(dir, name);
  };
  return {
    mops: place('mops.cjs'),
    mocJs: place('moc-js.cjs'),
    wrapper: place('moccache-moc.cjs'),
    remove: () => rmSync(dir, { recursive: true }),
  };
}

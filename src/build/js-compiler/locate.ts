import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The file that holds the compiler, as a module specifier. Beside the script itself, it alone decides the output. */
export const COMPILER_FILE = 'motoko/versions/latest/moc.min.js';

/** The line by which a script tells the cache that another file determines what it writes. Belongs in its first 4 KiB. */
export const COMPILER_INPUT_LINE = `// moccache-compiler-input: ${COMPILER_FILE}`;

export interface CompilerPackage {
  /** Absolute path of the compiler's file. */
  readonly file: string;
  /** The version of the npm package. */
  readonly version: string;
}

/**
 * Finds the compiler as Node would from `script`, an absolute path without symbolic links. Nowhere else: the cache
 * resolves it from the same place, and the folder of the call may be a sandbox. Undefined where it is not installed.
 */
export function findCompiler(script: string): CompilerPackage | undefined {
  try {
    const file = createRequire(script).resolve(COMPILER_FILE);
    const manifest = readFileSync(join(dirname(file), '..', '..', 'package.json'), 'utf8');
    const { version } = JSON.parse(manifest) as { readonly version: string };
    return { file, version };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'MODULE_NOT_FOUND' || code === 'ENOENT') return undefined;
    throw error;
  }
}

import { delimiter, dirname, join } from 'node:path';
import { readFileSync, realpathSync } from '../cache/disk.ts';

/** Upstream's mops, which does what is not ours to do: install, test, publish, and the finish stage's module. */
export interface IcMops {
  /** What to run, without arguments: Node and a script, or an executable. */
  readonly command: readonly string[];
  /** Absent where only an executable was found that does not lie in its package (a launcher). */
  readonly packageDir?: string;
  readonly version?: string;
}

export interface IcMopsPlaces {
  /** Folders (absolute) from which it is looked for as Node looks for a package: the project's, then our own. */
  readonly from: readonly string[];
  /** PATH. */
  readonly path?: string | undefined;
  /** The Node that runs its script, absolute. */
  readonly node: string;
}

/** Finds ic-mops: in node_modules above each folder, in order, then on PATH. */
export function findIcMops({ from, path = '', node }: IcMopsPlaces): IcMops | undefined {
  for (const dir of from.flatMap(upwards)) {
    const found = packageAt(join(dir, 'node_modules', 'ic-mops'), node);
    if (found !== undefined) return found;
  }
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  // `mops` may be anybody, ourselves included: that name counts only if it leads into the package.
  for (const name of ['ic-mops', 'mops']) {
    for (const folder of folders) {
      const executable = realPathOf(join(folder, name));
      if (executable === undefined) continue;
      const found = upwards(dirname(executable)).flatMap((dir) => packageAt(dir, node) ?? [])[0];
      if (found !== undefined) return found;
      if (name === 'ic-mops') return { command: [executable] };
    }
  }
  return undefined;
}

/** The ic-mops package in a folder, if that is what the folder holds. */
function packageAt(dir: string, node: string): IcMops | undefined {
  const manifest = readJson(join(dir, 'package.json'));
  if (manifest?.name !== 'ic-mops' || typeof manifest.version !== 'string') return undefined;
  const bin = typeof manifest.bin === 'string' ? manifest.bin : binOf(manifest.bin);
  if (bin === undefined) return undefined;
  return { command: [node, join(dir, bin)], packageDir: dir, version: manifest.version };
}

function binOf(bin: unknown): string | undefined {
  const { 'ic-mops': own, mops } = (bin ?? {}) as Readonly<Record<string, unknown>>;
  return [own, mops].find((script) => typeof script === 'string');
}

function readJson(file: string): Readonly<Record<string, unknown>> | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined; // whatever keeps it from being read, it is not the package that is looked for
  }
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function realPathOf(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined; // not there, or a dangling link: the next folder of PATH
  }
}

function upwards(dir: string): readonly string[] {
  const parent = dirname(dir);
  return parent === dir ? [dir] : [dir, ...upwards(parent)];
}

import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readFileSync, readlinkSync } from '../cache/disk.ts';

/**
 * Who answers to `mops` in a folder of executables.
 *
 * ic-mops has an executable of that name too. npm gives the name to ic-mops where it links both in one run (the first of the
 * alphabet), else to the package that it linked last. So `moccache link` wants to run after every run of npm that changed
 * something: as the script `dependencies` of the project's package.json. (npm runs `postinstall` neither after `npm update`
 * nor after `npm install ic-mops@2`.)
 */
export type MopsOwner = 'moccache' | 'ic-mops' | 'nobody' | 'stranger';

/**
 * Makes `mops` in `binDir` start moccache, and answers whose it was. What is neither ours nor ic-mops's is left alone.
 * Throws where `binDir` cannot be written.
 */
export async function linkMops(binDir: string): Promise<MopsOwner> {
  const shims = shimsIn(binDir);
  const owner = ownerOf(shims);
  if (owner === 'moccache' || owner === 'stranger') return owner;
  for (const { path, wanted } of shims) await putShim(path, wanted);
  return owner;
}

/** The same answer, changing nothing. On POSIX: two system calls. */
export function findMopsOwner(binDir: string): MopsOwner {
  return ownerOf(shimsIn(binDir));
}

/** The nearest `node_modules/.bin` at or above `from` that has a `moccache`. */
export function findBinDir(from: string): string | undefined {
  const binDir = join(from, 'node_modules', '.bin');
  if (findShim(join(binDir, 'moccache')) !== undefined) return binDir;
  const parent = dirname(from);
  return parent === from ? undefined : findBinDir(parent);
}

/**
 * The folder in which the user asked for `mops` to be ours (a script of its package.json runs `moccache link`) and in
 * which it is not, at or above `from`: npm was run with --ignore-scripts, say, or `npm rebuild` made all links again.
 */
export function findUndoneLink(from: string): string | undefined {
  const binDir = findBinDir(from);
  if (binDir === undefined) return undefined;
  const manifest = readIfPossible(join(binDir, '..', '..', 'package.json'));
  if (!/:\s*"[^"\n]*\bmoccache link\b/.test(manifest)) return undefined;
  return findMopsOwner(binDir) === 'moccache' ? undefined : binDir;
}

/** What a package manager puts in a folder of executables: a symbolic link, or a script that starts the real file. */
type Shim = { readonly kind: 'link'; readonly target: string } | { readonly kind: 'script'; readonly text: string };

/** One file of `mops`: what is there, and what would be if it were ours. */
interface MopsShim {
  readonly path: string;
  readonly found: Shim | undefined;
  readonly wanted: Shim;
}

/** On Windows npm makes three scripts for one executable: for sh, cmd and PowerShell. */
const SUFFIXES = ['', '.cmd', '.ps1'] as const;

/** Whatever the package manager made for `moccache` is right for `mops` too, but for the file that it starts. */
function shimsIn(binDir: string): readonly MopsShim[] {
  const shims: MopsShim[] = [];
  for (const suffix of SUFFIXES) {
    const moccache = findShim(join(binDir, `moccache${suffix}`));
    if (moccache === undefined) break;
    const path = join(binDir, `mops${suffix}`);
    shims.push({ path, found: findShim(path), wanted: shimOf(moccache.kind, toMops(sourceOf(moccache))) });
    if (moccache.kind === 'link') break; // links are of POSIX: no scripts beside them
  }
  return shims;
}

function ownerOf(shims: readonly MopsShim[]): MopsOwner {
  const others = shims.flatMap(({ found, wanted }) =>
    found === undefined || sourceOf(found) === sourceOf(wanted) ? [] : [sourceOf(found)],
  );
  if (others.some((source) => !/\bic-mops[/\\]/.test(source))) return 'stranger';
  if (others.length > 0) return 'ic-mops';
  return shims.every(({ found }) => found !== undefined) ? 'moccache' : 'nobody';
}

function toMops(source: string): string {
  return source.replaceAll('moccache.cjs', 'mops.cjs');
}

function sourceOf(shim: Shim): string {
  return shim.kind === 'link' ? shim.target : shim.text;
}

function shimOf(kind: Shim['kind'], source: string): Shim {
  return kind === 'link' ? { kind, target: source } : { kind, text: source };
}

function findShim(path: string): Shim | undefined {
  try {
    return { kind: 'link', target: readlinkSync(path) };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    return { kind: 'script', text: readFileSync(path, 'utf8') }; // no link, then (EINVAL)
  }
}

function readIfPossible(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Put beside and renamed, so that whoever starts `mops` meanwhile finds the one or the other. */
async function putShim(path: string, shim: Shim): Promise<void> {
  const beside = `${path}.${String(process.pid)}`;
  await rm(beside, { force: true });
  if (shim.kind === 'link') await symlink(shim.target, beside);
  else await writeFile(beside, shim.text, { mode: 0o755 });
  await rename(beside, path);
}

import { closeSync, openSync, readSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { digestOf, type Digest } from '../cache/digest.ts';
import { realpathSync, resolveModule } from '../cache/disk.ts';
import { digestOfFile } from '../cache/stamps.ts';
import type { CompilerIdentity } from './action.ts';
import { BuildError } from './outcome.ts';

/** An executable that is the compiler, or runs it. */
export interface CompilerFile {
  /** Absolute. */
  readonly path: string;
  /** The version that mops.toml pins; undefined for a pin by path. */
  readonly version: string | undefined;
  /** Where digests of big files are remembered; undefined: they are computed anew. */
  readonly stampsDir: string | undefined;
}

/**
 * A binary is what its bytes are. A script is its own bytes and those of the files it runs, if it names them; a script
 * that names none could run anything, so it is asked for its version each time, which notices an upgrade behind it.
 */
export async function identifyCompiler(
  name: string,
  { path, version, stampsDir }: CompilerFile,
  askVersion: () => Promise<string>,
): Promise<CompilerIdentity> {
  const parts: Digest[] = [];
  const opaque = collectParts(path, stampsDir, parts, new Set());
  const [only] = parts;
  return {
    name,
    version: version ?? (opaque ? await askVersion() : ''),
    digest: parts.length === 1 && only !== undefined ? only : digestOf(parts.join('\n')),
  };
}

/** Adds the digest of a file and of what it declares to run. True where a script declares nothing. */
function collectParts(path: string, stampsDir: string | undefined, parts: Digest[], seen: Set<string>): boolean {
  const real = onDisk(path, () => realpathSync(path));
  if (seen.has(real)) return false;
  seen.add(real);
  parts.push(onDisk(real, () => digestOfFile(real, stampsDir)));
  const head = onDisk(real, () => readHead(real));
  const declared = declaredInputsOf(head);
  let opaque = head.startsWith('#!') && declared.length === 0;
  for (const specifier of declared) {
    const file = onDisk(real, () => resolveFrom(real, specifier));
    opaque = collectParts(file, stampsDir, parts, seen) || opaque;
  }
  return opaque;
}

/** The files that a script says it runs: comment lines `moccache-compiler-input: SPECIFIER` in its first 4 KiB. */
function declaredInputsOf(head: string): readonly string[] {
  return [...head.matchAll(/^\s*(?:#|\/\/)\s*moccache-compiler-input:\s*(\S+)\s*$/gm)].map((match) => match[1] ?? '');
}

function resolveFrom(script: string, specifier: string): string {
  if (specifier.startsWith('.') || isAbsolute(specifier)) return resolve(dirname(script), specifier);
  return resolveModule(script, specifier);
}

function readHead(path: string): string {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(4096);
    return head.toString('latin1', 0, readSync(file, head, 0, head.length, 0));
  } finally {
    closeSync(file);
  }
}

/** What `read` gives; the system's refusal is a compiler that cannot be used. */
export function onDisk<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error; // a bug, not the disk
    throw new BuildError({ kind: 'compiler-unusable', path, code, detail: message });
  }
}

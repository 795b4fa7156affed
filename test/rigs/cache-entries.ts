import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadChecksum } from '../../src/cache/checksum.ts';
import { actionKeyOf, digestOf, type Digest } from '../../src/cache/digest.ts';
import type { BlobRef, Entry, Lookup } from '../../src/cache/entry.ts';

/** An entry as a run would give it. */
export async function entryOf(document: string, artifacts: Readonly<Record<string, Uint8Array>>): Promise<Entry> {
  const checksumOf = await loadChecksum();
  const refOf = (bytes: Uint8Array): BlobRef => ({
    digest: digestOf(bytes),
    checksum: checksumOf(bytes),
    sizeBytes: bytes.length,
  });
  const refs = Object.entries(artifacts).map(([name, bytes]) => [name, refOf(bytes)] as const);
  return {
    result: {
      key: actionKeyOf(document),
      artifacts: Object.fromEntries(refs),
      costMs: 4_012,
      createdMs: 1_700_000_000_000,
    },
    bytes: artifacts,
  };
}

/** What a hit holds, by digest (a comparison of megabytes takes vitest a minute); a miss as its cause. */
export function heldBy(found: Lookup): Readonly<Record<string, Digest>> | string {
  if (found.kind === 'miss') return found.cause;
  return digestsOf(found.entry.bytes);
}

export function digestsOf(artifacts: Readonly<Record<string, Uint8Array>>): Readonly<Record<string, Digest>> {
  return Object.fromEntries(Object.entries(artifacts).map(([name, bytes]) => [name, digestOf(bytes)]));
}

/** Bytes that repeat nowhere, the same for the same seed. */
export function bytesOf(sizeBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = seed;
  for (let index = 0; index < sizeBytes; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

/** Where the store in `dir` keeps the result of a document. */
export function resultFile(dir: string, document: string): string {
  const key = actionKeyOf(document);
  return join(dir, 'ac', key.slice(0, 2), key);
}

/** Where the store in `dir` keeps a blob. */
export function blobFile(dir: string, digest: Digest): string {
  return join(dir, 'cas', digest.slice(0, 2), digest);
}

/** All files under a folder with their bytes as latin1, folders with their mode: to see that nothing was touched. */
export function snapshotOf(dir: string): Readonly<Record<string, string>> {
  const entries = readdirSync(dir, { withFileTypes: true, recursive: true });
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { mode, mtimeMs } = statSync(path);
      return [path, entry.isFile() ? `${mtimeMs} ${readFileSync(path, 'latin1')}` : `${mode}`];
    }),
  );
}

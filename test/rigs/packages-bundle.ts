import { buildSync } from 'esbuild';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A rig written in TypeScript as one file that plain Node runs. */
export function bundleRig(entry: string): { readonly file: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'moccache-rig-'));
  const file = join(dir, 'rig.cjs');
  buildSync({
    entryPoints: [join(import.meta.dirname, entry)],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
  });
  return { file, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

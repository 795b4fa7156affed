import { join } from 'node:path';
import type { Host } from './host.ts';
import { findBinDir, findMopsOwner, linkMops } from './link.ts';

/** `moccache link [--check]`. Answers the exit code. */
export async function linkCommand({ check }: { readonly check: boolean }, host: Host): Promise<number> {
  const binDir = findBinDir(host.cwd);
  if (binDir === undefined) {
    host.err.write(
      'error: no node_modules/.bin with moccache here or above\ninstall it: npm install --save-dev moccache\n',
    );
    return 1;
  }
  const path = join(binDir, 'mops');
  const owner = check ? findMopsOwner(binDir) : await linkMops(binDir);
  if (owner === 'moccache') {
    host.out.write(`${path} starts moccache\n`);
    return 0;
  }
  if (owner === 'stranger') {
    host.err.write(`error: ${path} belongs to neither moccache nor ic-mops; it is left alone\n`);
    return 1;
  }
  const was = owner === 'nobody' ? 'was not there' : 'started ic-mops';
  if (!check) {
    host.out.write(`${path} starts moccache now; it ${was}\n`);
    return 0;
  }
  host.err.write(`${path} ${owner === 'nobody' ? 'is not there' : 'starts ic-mops'}\nmake it ours: moccache link\n`);
  return 1;
}

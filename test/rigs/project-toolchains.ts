import { chmodSync, copyFileSync, cpSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { MOC_PIN } from './project-checkout.ts';
import { append, change, replace, write, type Edit } from './project-edits.ts';
import { IC_MOPS, MOTOKO } from './project-tools.ts';

/** A compiler of the project's own: the same, with a line of comment more. */
export const otherCompiler = change((root) => {
  copyCompiler(root);
  append(MOC_PIN, '// rebuilt\n')(root);
});

/** moc-js as it is, and beside it another build of what it runs. */
export const otherMotoko = change((root) => {
  copyCompiler(root);
  const copy = join(root, 'node_modules/motoko');
  rmSync(copy);
  for (const part of ['package.json', 'versions/latest/moc.min.js']) cpSync(join(MOTOKO, part), join(copy, part));
  append('node_modules/motoko/versions/latest/moc.min.js', '\n// rebuilt\n')(root);
});

/** The same compiler, where mops keeps those that are pinned by version. */
export const pinByVersion: Edit = (root) => {
  const cacheHome = join(root, '../xdg');
  write('../xdg/mops/moc/1.10.1/moc.js', '')(root);
  symlinkSync(realpathSync(join(root, MOC_PIN)), join(cacheHome, 'mops/moc/1.10.1/moc'));
  replace('mops.toml', MOC_PIN, '1.10.1')(root);
  return { environment: { XDG_CACHE_HOME: cacheHome } };
};

/** ic-mops in the project itself: the same version, its module with a line of comment more. */
export const otherFinisher = change((root) => {
  const copy = join(root, 'node_modules/ic-mops');
  for (const part of ['package.json', 'dist/wasm/pkg/nodejs'])
    cpSync(join(IC_MOPS, part), join(copy, part), { recursive: true });
  append('node_modules/ic-mops/dist/wasm/pkg/nodejs/wasm.js', '// rebuilt\n')(root);
});

/** In the place of the link a file. */
function copyCompiler(root: string): void {
  const pin = join(root, MOC_PIN);
  const real = realpathSync(pin);
  rmSync(pin);
  copyFileSync(real, pin);
  chmodSync(pin, 0o755);
}

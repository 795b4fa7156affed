import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { measure, run } from './measure.mjs';
import { openGenerated, root } from './scenes.mjs';

const WRAPPER = join(root, 'dist/moccache-moc.cjs');

/** Compiles by moccache-moc of which nothing has changed. A program that runs the compiler makes its files anew each time. */
export async function measureWrapper(top, rounds) {
  const scene = openGenerated(top, 'wrapper', { canisters: 1, sources: 300, wasmBytes: 1e6 });
  const compiler = join(scene.folder, 'moc');
  copyFileSync(join(scene.project, 'moc'), compiler);
  const files = ['wasm', 'did', 'most'].map((end) => join(scene.project, `c0.${end}`));
  const env = { MOCCACHE_MOC: compiler };
  const compile = () =>
    run(scene, process.execPath, [WRAPPER, '-c', '--idl', '--stable-types', 'src/c0.mo', '-o', 'c0.wasm'], env);
  const remove = () => files.forEach((file) => rmSync(file, { force: true }));
  compile();
  await new Promise((resolve) => setTimeout(resolve, 2_500)); // until its files are older than the steps of a clock
  compile();
  return measure('moccache-moc, nothing to compile', rounds, {
    'node -e 0': () => run(scene, process.execPath, ['-e', '0']),
    'files there: 300 sources, 1 MB': compile,
    'files restored: 300 sources, 1 MB': { before: remove, run: compile },
  });
}

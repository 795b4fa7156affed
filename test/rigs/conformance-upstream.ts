import { buildSync } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IC_MOPS } from './project-tools.ts';

/**
 * The real ic-mops as one file with V8's code cache beside it, its WebAssembly module not optimized: a third of the CPU time
 * of running it as it is installed, and it is run often. Only its formatter, which a build never calls, is left out.
 */
export function bundleUpstream(): { readonly script: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'moccache-upstream-'));
  const dist = join(IC_MOPS, 'dist');
  const bundle = join(dir, 'mops.cjs');
  const nothing = join(dir, 'nothing.cjs');
  writeFileSync(nothing, 'module.exports = {};\n');
  buildSync({
    stdin: {
      contents: [
        "import { setWasmBindings } from './wasm.js';",
        `setWasmBindings(hostRequire(${JSON.stringify(join(dist, 'wasm/pkg/nodejs/wasm.js'))}));`,
        "import './cli.js';",
      ].join('\n'),
      resolveDir: dist,
    },
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['@napi-rs/*'],
    supported: { 'dynamic-import': false },
    alias: { prettier: nothing, 'prettier-plugin-motoko': nothing },
    define: { 'import.meta.url': 'ownUrl' },
    banner: { js: `const hostRequire = require, ownUrl = ${JSON.stringify(`file://${join(dist, 'cli.js')}`)};` },
    logLevel: 'error',
  });
  const script = join(dir, 'start.cjs');
  writeFileSync(script, startOf(bundle, join(dist, 'cli.js')));
  spawnSync(process.execPath, [script, '--version']); // writes the code cache
  return { script, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** A script that runs the bundle with its code cache, which the first run writes. */
function startOf(bundle: string, original: string): string {
  return `
const { readFileSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname } = require('node:path');
const { setFlagsFromString } = require('node:v8');
const { Script } = require('node:vm');
setFlagsFromString('--liftoff-only');
const [bundle, original] = ${JSON.stringify([bundle, original])};
let cachedData;
try { cachedData = readFileSync(bundle + '.cache'); } catch {}
const text = '(function (exports, require, module, __filename, __dirname) {' + readFileSync(bundle, 'utf8') + '\\n})';
const script = new Script(text, { filename: bundle, cachedData });
if (cachedData === undefined) process.on('exit', () => writeFileSync(bundle + '.cache', script.createCachedData()));
script.runInThisContext()({}, createRequire(original), { exports: {} }, original, dirname(original));
`;
}

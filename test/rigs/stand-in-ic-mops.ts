import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { IC_MOPS } from './project-tools.ts';
import type { Scene } from './stand-in-project.ts';

const MODULE = 'dist/wasm/pkg/nodejs';

/**
 * Puts a stand-in for ic-mops 3 into a project, for npm has no such release: the module of the real ic-mops, with an
 * analysis that finds a function of complexity N where the wasm holds the text `complexity=N`. Other texts that make it
 * fail: `complexity=fails`, `complexity=odd`. Each analysis is a line in a file: `optimized` or `finished`.
 */
export function putAnalyser(on: Scene): void {
  const dir = packageOf(on);
  mkdirSync(join(dir, MODULE), { recursive: true });
  const manifest = { name: 'ic-mops', version: '3.1.0', bin: { 'ic-mops': 'bin.js' } };
  writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest));
  copyFileSync(join(IC_MOPS, MODULE, 'wasm_bg.wasm'), join(dir, MODULE, 'wasm_bg.wasm'));
  writeFileSync(join(dir, MODULE, 'wasm.js'), textOf(join(IC_MOPS, MODULE, 'wasm.js'), linesFile(on)));
}

/**
 * The same with a check of deploys, whose modules lie, are named and are called as in ic-mops 3. It asks of each canister
 * what that asks: whether its stable state can begin with nothing (here: it is not named `grown`), whether the init
 * argument can be encoded (here: it is not `(odd)`), whether PocketIC installs it. That is the one at MOPS_POCKET_IC_URL,
 * which gets `POST /NAME` with the wasm and answers 200 or a reason; else the pinned program, started with the wasm's path.
 * An init argument `(exit N)` makes the check end its process, as ic-mops does here and there.
 */
export function putDeployChecker(on: Scene): void {
  putAnalyser(on);
  const dist = join(packageOf(on), 'dist');
  const put = (file: string, text: string) => {
    mkdirSync(dirname(join(dist, file)), { recursive: true });
    writeFileSync(join(dist, file), text);
  };
  put('package.json', '{ "type": "module" }');
  put('wasm/pkg/nodejs/package.json', '{}');
  put('wasm.js', BINDINGS);
  put('helpers/check-deploy.js', readFileSync(join(import.meta.dirname, 'stand-in-check-deploy.mjs'), 'utf8'));
}

const BINDINGS = `
let bindings;
export const setWasmBindings = (given) => (bindings = given);
export const getWasmBindings = () => bindings;
`;

function packageOf(on: Scene): string {
  return join(on.root, 'node_modules/ic-mops');
}

/** What has been analysed so far. */
export function analysed(on: Scene): readonly string[] {
  return existsSync(linesFile(on)) ? readFileSync(linesFile(on), 'utf8').trim().split('\n') : [];
}

function linesFile(on: Scene): string {
  return join(on.base, 'analysed');
}

function textOf(real: string, lines: string): string {
  return `
const { appendFileSync } = require('node:fs');
Object.assign(exports, require(${JSON.stringify(real)}));
exports.encode_candid_args = (args, candid) => {
  if (args === '(odd)') throw new Error('told that the argument is odd');
  return Buffer.from(args + ' for ' + candid);
};
exports.analyze_wasm_function_complexity = (wasm) => {
  const text = Buffer.from(wasm).toString('latin1');
  appendFileSync(${JSON.stringify(lines)}, text.includes('optimized') ? 'optimized\\n' : 'finished\\n');
  const found = [...text.matchAll(/complexity=(\\w+)/g)].map(([, value]) => value);
  if (found.includes('fails')) throw new Error('told to fail');
  const breakdown = { calls: { instructionCount: 1, complexity: 1 } };
  const riskyFunctions = found.map((value, index) => ({ index, name: 'f' + index, complexity: Number(value), instructionCount: 10, breakdown }));
  return { functionCount: 100, riskyFunctions };
};
`;
}

import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { IC_MOPS } from './project-tools.ts';
import type { Scene } from './stand-in-project.ts';

const MODULE = 'dist/wasm/pkg/nodejs';

/**
 * Puts a stand-in for ic-mops 3 into a project, for npm has no such release: the module of the real ic-mops, with an
 * analysis that finds a function of complexity N where the wasm holds the text `complexity=N`. Other texts that make it
 * fail: `complexity=fails`, `complexity=odd`. Each analysis is a line in a file: `optimized` or `finished`.
 */
export function putAnalyser(on: Scene): void {
  const dir = join(on.root, 'node_modules/ic-mops');
  mkdirSync(join(dir, MODULE), { recursive: true });
  const manifest = { name: 'ic-mops', version: '3.1.0', bin: { 'ic-mops': 'bin.js' } };
  writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest));
  copyFileSync(join(IC_MOPS, MODULE, 'wasm_bg.wasm'), join(dir, MODULE, 'wasm_bg.wasm'));
  writeFileSync(join(dir, MODULE, 'wasm.js'), textOf(join(IC_MOPS, MODULE, 'wasm.js'), linesFile(on)));
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

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { digestOf } from '../src/cache/digest.ts';
import { buildOurs } from './rigs/project-build.ts';
import { layOut, MOC_PIN } from './rigs/project-checkout.ts';
import { copyTools } from './rigs/project-tools.ts';
import { report } from './rigs/report.ts';

const WASM_OPT = findWasmOpt();
if (WASM_OPT === undefined) console.log('skipped: npm’s binaryen, which has the real wasm-opt, is not installed');

function findWasmOpt(): string | undefined {
  try {
    const path = join(dirname(createRequire(import.meta.url).resolve('binaryen/package.json')), 'bin', 'wasm-opt');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

const tools = copyTools();
afterAll(() => tools.remove());

const FLAGS = ['-O0', '-g', '--all-features', '--vacuum', '--remove-unused-names'];

function toml(args: readonly string[]): string {
  return [
    '[toolchain]',
    `moc = "${MOC_PIN}"`,
    `wasm-opt = ${JSON.stringify(WASM_OPT)}`,
    '[canisters]',
    'a = "src/A.mo"',
    '[optimize]',
    'level = "O0"',
    `args = ${JSON.stringify(args)}`,
  ].join('\n');
}

test.skipIf(WASM_OPT === undefined)(
  'the optimized wasm is what the real wasm-opt makes of the finished one, and keeps the metadata',
  { timeout: 600_000 },
  async () => {
    const files = {
      'mops.toml': toml(FLAGS.slice(2)),
      'src/A.mo': 'persistent actor { public query func hello(name : Text) : async Text { "hello, " # name } }',
    };
    const checkout = layOut(tools, { files });
    try {
      const out = join(checkout.root, '.mops/.build/a.wasm');
      const plain = await buildOurs(tools, checkout, { args: ['--no-optimize'] });
      expect(plain.canisters[0]).toMatchObject({ outcome: 'built', stage: 'compile' });
      const plainBytes = statSync(out).size;
      const direct = join(checkout.top, 'direct.wasm');
      execFileSync(WASM_OPT ?? '', [...FLAGS, out, '-o', direct]);

      const optimized = await buildOurs(tools, checkout);
      expect(optimized.canisters[0]).toMatchObject({ outcome: 'built', stage: 'optimize', cause: 'absent' });
      expect(optimized.outputs).toEqual({ ...plain.outputs, 'a.wasm': digestOf(readFileSync(direct)) });
      const module = readFileSync(out, 'latin1');
      for (const name of ['icp:public candid:service', 'icp:public candid:args', 'icp:private motoko:stable-types'])
        expect(module).toContain(name);
      expect(optimized.outputs['a.wasm']).not.toBe(plain.outputs['a.wasm']);
      report('The real wasm-opt', [
        { what: 'bytes as finished', found: `${plainBytes}` },
        { what: `bytes after ${FLAGS.join(' ')}`, found: `${module.length}` },
      ]);
      expect(await buildOurs(tools, checkout)).toMatchObject({ canisters: [{ outcome: 'hit', files: 'unchanged' }] });
    } finally {
      checkout.remove();
    }
  },
);

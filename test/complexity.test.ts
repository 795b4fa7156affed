import { expect, test } from 'vitest';
import { analysed, putAnalyser } from './rigs/stand-in-ic-mops.ts';
import { scene, tomlOf } from './rigs/stand-in-project.ts';

function toml(initArg: string, more = ''): string {
  return tomlOf({}, `[canisters.a]\nmain = "src/A.mo"\ninitArg = '${initArg}'\n${more}`);
}

const BUSY = 'complexity=950000 complexity=10 complexity=1200000 complexity=760000 complexity=750000';
const LINES = [
  'warning: a: [MOPS-WASM-COMPLEXITY] function 2 (f2) has complexity 1200000, 120.0 % of what the network takes, in 10 instructions; it will be refused; split it into smaller ones',
  'warning: a: [MOPS-WASM-COMPLEXITY] function 0 (f0) has complexity 950000, 95.0 % of what the network takes, in 10 instructions; split it before it grows',
  'warning: a: [MOPS-WASM-COMPLEXITY] function 3 (f3) has complexity 760000, 76.0 % of what the network takes, in 10 instructions; split it before it grows',
];

test('--check-wasm tells of the three most complex functions, also on a hit, and analyses once', async () => {
  const on = scene({ 'mops.toml': toml(BUSY) });
  putAnalyser(on);
  const warnings = async (args: readonly string[]) => {
    const { code, stderr } = await on.mops(['build', ...args]);
    expect(code, stderr).toBe(0);
    return stderr.split('\n').filter((line) => line.startsWith('warning: '));
  };
  expect(await warnings([])).toEqual([]);
  expect(analysed(on)).toEqual([]);
  expect(await warnings(['--check-wasm'])).toEqual(LINES);
  expect(await warnings(['--check-wasm'])).toEqual(LINES);
  on.put({ '.mops/.build': undefined, 'mops.toml': toml(BUSY, '[build]\ncheck-wasm = true\n') });
  expect(await warnings([])).toEqual(LINES);
  expect(await warnings(['--no-check-wasm'])).toEqual([]);
  expect(analysed(on)).toEqual(['finished']);
  expect(on.starts()).toHaveLength(1);
  const { stdout } = await on.mops(['build', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    canisters: [{ outcome: 'hit', complexFunctions: [{ index: 2, name: 'f2', complexity: 1_200_000 }, {}, {}] }],
  });
});

test.each([
  ['fails', 'told to fail'],
  ['odd', 'its result is not understood'],
])('an analysis that is told “%s” is a warning, and is tried again', async (word, says) => {
  const on = scene({ 'mops.toml': toml(`complexity=${word}`, '[build]\ncheck-wasm = true\n') });
  putAnalyser(on);
  for (const outcome of ['compiled', 'hit']) {
    const { code, stderr } = await on.mops(['build']);
    expect(code).toBe(0);
    expect(stderr).toContain(`warning: a: how complex its wasm is could not be checked: ${says}\n`);
    expect(stderr).toContain(`  a  ${outcome}`);
  }
  expect(analysed(on)).toHaveLength(2);
});

test('beside an ic-mops that cannot analyse one line says so, and the build goes on', async () => {
  const on = scene();
  const { code, stderr } = await on.mops(['build', '--check-wasm']);
  expect(code).toBe(0);
  expect(stderr).toContain(
    'note: ic-mops 2.9.0 cannot check how complex a wasm is (check-wasm); ic-mops 3 and later can\n',
  );
});

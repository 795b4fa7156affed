import { expect, test } from 'vitest';
import { digestOf } from '../src/cache/digest.ts';
import { keyOfCompile, type CompileAction } from '../src/build/action.ts';
import { chainTo, parseImporters, writeImporters } from '../src/build/chain.ts';
import { explain } from '../src/build/explain.ts';

const file = (path: string, text: string) => ({ path, bytes: Buffer.from(text), digest: digestOf(text) });
const ACTION: CompileAction = {
  compiler: { name: 'moc', version: '1.10.1', digest: digestOf('moc') },
  main: 'src/Main.mo',
  flags: ['--release'],
  environment: {},
  packages: [{ name: 'core', dir: '.mops/core@1.0.0/src' }],
  closure: { inputs: [file('src/Main.mo', 'one')], absent: ['src/Lib.mo'], listings: [] },
  outputs: ['did', 'most', 'wasm'],
};

const described = (change: Partial<CompileAction> = {}) => ({
  compileDocument: keyOfCompile({ ...ACTION, ...change }).document,
  finishDocument: undefined,
  importers: new Map<string, string>(),
});

test.each<[string, Partial<CompileAction>, object]>([
  [
    'an edited file',
    { closure: { ...ACTION.closure, inputs: [file('src/Main.mo', 'two')] } },
    { kind: 'file-edited', path: 'src/Main.mo', before: digestOf('one'), after: digestOf('two') },
  ],
  [
    'a file more, which was looked for before',
    { closure: { ...ACTION.closure, absent: [], inputs: [file('src/Main.mo', 'one'), file('src/Lib.mo', '')] } },
    { kind: 'file-added', path: 'src/Lib.mo', after: digestOf(''), sought: true },
  ],
  [
    'a path more that is looked for',
    { closure: { ...ACTION.closure, absent: ['src/Lib.mo', 'src/X.mo'] } },
    { kind: 'path-sought', path: 'src/X.mo' },
  ],
  [
    'a listed file',
    { closure: { ...ACTION.closure, listings: [{ dir: 'steps', names: ['1.mo'] }] } },
    { kind: 'folder', dir: 'steps', added: ['1.mo'], removed: [] },
  ],
  [
    'a flag',
    { flags: ['--debug'] },
    { kind: 'flags', added: ['--debug'], removed: ['--release'], before: ['--release'], after: ['--debug'] },
  ],
  [
    'a package at another place',
    { packages: [{ name: 'core', dir: '.mops/core@1.0.1/src' }] },
    {
      kind: 'package',
      name: 'core',
      before: '.mops/core@1.0.0/src',
      after: '.mops/core@1.0.1/src',
      files: { before: 0, after: 0, same: 0 },
    },
  ],
  ['a variable', { environment: { MOC_UNLOCK_PRIM: '1' } }, { kind: 'variable', name: 'MOC_UNLOCK_PRIM', after: '1' }],
  [
    'another compiler of the same version',
    { compiler: { ...ACTION.compiler, digest: digestOf('other') } },
    { kind: 'compiler', before: ACTION.compiler, after: { ...ACTION.compiler, digest: digestOf('other') } },
  ],
])('%s is one change, both ways', (_, change, expected) => {
  expect(explain(described(), described(change))).toEqual([expected]);
  expect(explain(described(change), described())).toHaveLength(1);
});

test('the same document needs no explanation', () => {
  expect(explain(described(), described())).toEqual([]);
});

test('a document of a newer version is compared as far as it is understood', () => {
  const before = described();
  const after = {
    ...before,
    compileDocument: `${before.compileDocument.replace('"format",1', '"format",2')}["linker","lld"]\nno row\n`,
  };
  expect(explain(before, after)).toEqual([
    { kind: 'other', row: 'format', before: '[["1"]]', after: '[["2"]]' },
    { kind: 'other', row: 'linker', after: '[["lld"]]' },
  ]);
});

test('a chain of importers is written and read back, and a circle in it ends', () => {
  const importers = new Map([
    ['c', 'b'],
    ['b', 'a'],
    ['x', 'y'],
    ['y', 'x'],
  ]);
  const read = parseImporters(`${writeImporters(importers)}torn [\n`);
  expect(read).toEqual(importers);
  expect(chainTo(read, 'c')).toEqual(['a', 'b', 'c']);
  expect(chainTo(read, 'a')).toBeUndefined();
  expect(chainTo(read, 'x')).toEqual(['y', 'x']);
});

test('a package of 2,000 files that moves is explained in no time, and so are 2,000 files that move', () => {
  const names = Array.from({ length: 2_000 }, (_, n) => `M${n}.mo`);
  const at = (dir: string) => names.map((name) => file(`${dir}/${name}`, name));
  const inPackage = (version: string) =>
    described({
      packages: [{ name: 'core', dir: `.mops/core@${version}/src` }],
      closure: { ...ACTION.closure, inputs: at(`.mops/core@${version}/src`) },
    });
  const started = performance.now();
  expect(explain(inPackage('1.0.0'), inPackage('2.0.0'))).toHaveLength(1);
  const loose = (dir: string) => described({ closure: { ...ACTION.closure, inputs: at(dir) } });
  expect(explain(loose('a'), loose('b'))).toHaveLength(2_000);
  expect(performance.now() - started).toBeLessThan(2_000);
});

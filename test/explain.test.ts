import { expect, test } from 'vitest';
import { digestOf } from '../src/cache/digest.ts';
import { keyOfCompile, type CompileAction } from '../src/build/action.ts';
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

test.each<[string, Partial<CompileAction>, RegExp[]]>([
  [
    'an edited file',
    { closure: { ...ACTION.closure, inputs: [file('src/Main.mo', 'two')] } },
    [/^input src\/Main\.mo: edited \([0-9a-f]{12} to [0-9a-f]{12}\)$/],
  ],
  [
    'a file more, which was looked for before',
    { closure: { ...ACTION.closure, absent: [], inputs: [file('src/Main.mo', 'one'), file('src/Lib.mo', '')] } },
    [/^input src\/Lib\.mo: added$/, /^absent src\/Lib\.mo: removed$/],
  ],
  ['a flag', { flags: ['--debug'] }, [/^flags: --release to --debug$/]],
  ['no flag any more', { flags: [] }, [/^flags: --release to none$/]],
  [
    'a package at another place',
    { packages: [{ name: 'core', dir: '.mops/core@1.0.1/src' }] },
    [/^package core: \.mops\/core@1\.0\.0\/src to \.mops\/core@1\.0\.1\/src$/],
  ],
  ['a variable', { environment: { MOC_UNLOCK_PRIM: '1' } }, [/^env MOC_UNLOCK_PRIM: added$/]],
  [
    'another compiler of the same version',
    { compiler: { ...ACTION.compiler, digest: digestOf('other') } },
    [/^compiler moc: edited \(1\.10\.1 [0-9a-f]{12} to 1\.10\.1 [0-9a-f]{12}\)$/],
  ],
])('%s is named', (_, change, lines) => {
  const said = explain(keyOfCompile(ACTION).document, keyOfCompile({ ...ACTION, ...change }).document);
  expect(said).toHaveLength(lines.length);
  for (const [index, line] of lines.entries()) expect(said[index]).toMatch(line);
});

test('the same document needs no explanation', () => {
  expect(explain(keyOfCompile(ACTION).document, keyOfCompile(ACTION).document)).toEqual([]);
});

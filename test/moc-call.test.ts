import { describe, expect, test } from 'vitest';
import { parseMocCall } from '../src/build/moc-call.ts';

const parse = (...argv: string[]) => parseMocCall(argv, () => undefined);

describe('calls that are understood', () => {
  test.each([
    [['-c', '-o', 'out/a.wasm', 'A.mo'], 'compile', ['A.mo']],
    [['A.mo', '-o', 'a.wasm'], 'compile', ['A.mo']],
    [['-o=/tmp/a.wasm', '-wasi-system-api', '--hide-warnings', '/p/A.mo'], 'compile', ['/p/A.mo']],
    [['--idl', 'A.mo', '-o', 'a.wasm'], 'compile', ['A.mo']],
    [['-c', 'A.mo', 'B.mo', '-o', 'a.wasm'], 'compile', ['A.mo', 'B.mo']],
    [['--check', 'B.mo', '--package', 'core', 'core/src', 'A.mo'], 'check', ['B.mo', 'A.mo']],
    [['A.mo', '--check', '--error-format=json'], 'check', ['A.mo']],
    [['--print-deps', 'A.mo', '--actor-idl', 'idl'], 'print-deps', ['A.mo']],
    [['--stable-compatible', 'old.most', 'new.most'], 'stable-compatible', []],
  ])('%j', (argv, kind, mains) => {
    expect(parse(...argv)).toMatchObject({ kind, mains });
  });

  test.each([
    [['-c', '-o', 'a.wasm', 'A.mo'], '.', 'a', ['wasm']],
    [['-c', '-o', 'out/sub/a.b.wasm', 'A.mo'], 'out/sub/', 'a.b', ['wasm']],
    [['-c', '-o=/a.wasm', 'A.mo', '--idl'], '/', 'a', ['did', 'wasm']],
    [['-c', '--idl', '--stable-types', '-o', 'a.wasm', 'A.mo'], '.', 'a', ['did', 'most', 'wasm']],
    [['-c', '--map', '-o', 'a.wasm', 'A.mo'], '.', 'a', ['wasm', 'wasm.map']],
  ])('%j leave files', (argv, dir, stem, artifacts) => {
    expect(parse(...argv)).toMatchObject({ output: { dir, stem, artifacts } });
  });

  test.each([
    [
      ['-c', '-o', 'a.wasm', 'A.mo'],
      ['-c', '-o', 'X', 'A.mo'],
    ],
    [
      ['-o=a.wasm', 'A.mo'],
      ['-o=X', 'A.mo'],
    ],
    [
      ['--check', 'A.mo'],
      ['--check', 'A.mo'],
    ],
  ])('%j is made with another output: %j', (argv, expected) => {
    const call = parse(...argv);
    expect(call.kind === 'foreign' ? call : call.argsWith('X')).toEqual(expected);
  });

  test('the flags mean what they mean to a build', () => {
    const call = parse('--check', 'A.mo', '--package', 'core', 'dir', '--actor-idl', 'idl', '-W=M0236');
    expect(call).toMatchObject({ invocation: { packages: [{ name: 'core', dir: 'dir' }], actorIdl: 'idl' } });
  });
});

describe('calls that go to the compiler as they are', () => {
  test.each([
    ['nothing to do', []],
    ['the interpreter', ['-r', 'A.mo']],
    ['a session', ['-i']],
    ['a question', ['--version']],
    ['help', ['--help']],
    ['an unknown flag', ['-c', '-o', 'a.wasm', 'A.mo', '--brand-new']],
    ['an unknown flag before the file', ['--brand-new', 'value', '-c', '-o', 'a.wasm', 'A.mo']],
    ['an output where the caller stands', ['-c', 'A.mo']],
    ['two outputs', ['-c', 'A.mo', '-o', 'a.wasm', '-o', 'b.wasm']],
    ['an output of another kind', ['-c', 'A.mo', '-o', '/dev/null']],
    ['an output without a name', ['-c', 'A.mo', '-o', '.wasm']],
    ['an output without a path', ['-c', 'A.mo', '-o']],
    ['an output of a check', ['--check', 'A.mo', '-o', 'a.wasm']],
    ['two modes', ['-c', '--check', 'A.mo', '-o', 'a.wasm']],
    ['two modes, one hidden', ['--idl', '--print-deps', 'A.mo']],
    ['a mode with a value', ['-c=x', 'A.mo', '-o', 'a.wasm']],
    ['a flag without its value', ['--check', 'A.mo', '--package', 'core']],
    ['no file', ['--check']],
    ['an empty word', ['--check', '']],
    ['two files whose imports are asked for', ['--print-deps', 'A.mo', 'B.mo']],
    ['one signature', ['--stable-compatible', 'old.most']],
    ['signatures and a file', ['--stable-compatible', 'old.most', 'new.most', 'A.mo']],
    ['colours', ['--check', 'A.mo', '--error-format', 'human']],
    ['another output', ['-c', '-o', 'a.wasm', 'A.mo', '--emit-compiler-timings', 'times.json']],
    ['arguments that cannot be read', ['--check', 'A.mo', '--args', 'gone.txt']],
  ])('%s: %j', (_, argv) => {
    expect(parse(...argv)).toMatchObject({ kind: 'foreign' });
  });

  test.each([
    ['-c', '--check'],
    ['--stable-types', '-c'],
  ])('a file of arguments that names the mode %s, beside %s', (inFile, given) => {
    const call = parseMocCall([given, 'A.mo', '-o', 'a.wasm', '--args', 'args.txt'], () => `-g\n${inFile}\n`);
    expect(call).toMatchObject({ kind: 'foreign' });
  });
});

test('flags in a file count', () => {
  const call = parseMocCall(['--check', 'A.mo', '--args', 'args.txt'], () => '--package\ncore\ndir\n');
  expect(call).toMatchObject({ kind: 'check', invocation: { packages: [{ name: 'core', dir: 'dir' }] } });
});

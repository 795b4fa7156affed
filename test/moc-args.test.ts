import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mocCommandOf, parseMocArgs } from '../src/build/moc-args.ts';

const noFiles = () => undefined;
const parse = (...flags: string[]) => parseMocArgs(flags, noFiles);

const plain = { packages: [], aliases: [], argsFiles: [], wholePackages: [], sourceMap: false };

describe('flags that go to moc', () => {
  test.each([
    [[]],
    [['-g', '--release']],
    [['--default-persistent-actors', '-W=M0236,M0237,M0223']],
    [['-W', 'M0236', '-A', 'M0254', '-E=M0217', '-Werror']],
    [['--max-stable-pages', '5', '--experimental-stable-memory=-1']],
    [['--experimental-stable-memory', '-1']],
    [['--omit-metadata', 'motoko:compiler']],
    [['--error-format', 'json', '-v', '-p', '3']],
    [['-c', '--idl', '--stable-types', '--public-metadata', 'candid:service', '--public-metadata=candid:args']],
  ])('are kept as given: %j', (flags) => {
    expect(parse(...flags)).toEqual({ ...plain, flags });
  });

  test.each([
    [['--package', 'a', 'dir/a'], { packages: [{ name: 'a', dir: 'dir/a' }] }],
    [['--actor-idl', 'idl'], { actorIdl: 'idl' }],
    [['--actor-idl=idl', '--actor-idl', 'other'], { actorIdl: 'other' }],
    [['--actor-alias', 'm', 'aaaaa-aa'], { aliases: [{ name: 'm', principal: 'aaaaa-aa' }] }],
    [['--actor-id-alias', 'm', 'aaaaa-aa', 'm.did'], { aliases: [{ name: 'm', candid: 'm.did' }] }],
    [['--actor-env-alias', 'm', 'PUBLIC_M', 'm.did'], { aliases: [{ name: 'm', candid: 'm.did' }] }],
    [['--enhanced-migration=migrations', '-A=M0254'], { migrationDir: 'migrations' }],
    [['--enhanced-migration', 'a=b'], { migrationDir: 'a=b' }],
    [['--enhanced-migration=a=b'], { migrationDir: 'a=b' }],
    [['--stable-baseline', 'old.most'], { stableBaseline: 'old.most' }],
    [['--all-libs'], { wholePackages: 'every' }],
    [['--ai-errors'], { wholePackages: 'every' }],
    [['--implicit-package', 'core'], { wholePackages: ['core'] }],
    [['--implicit-package=core', '--all-libs', '--implicit-package', 'x'], { wholePackages: 'every' }],
    [['--map'], { sourceMap: true }],
  ])('name what they name: %j', (flags, found) => {
    expect(parse(...flags)).toEqual({ ...plain, ...found, flags });
  });

  test.each([
    [['--frobnicate'], '--frobnicate'],
    [['--frobnicate=5'], '--frobnicate'],
    [['-'], '-'],
    [['--'], '--'],
    [['--Release'], '--Release'],
    [['-o', 'x.wasm'], '-o'],
    [['-o=x.wasm'], '-o'],
    [['--emit-compiler-timings', 't.json'], '--emit-compiler-timings'],
    [['--check'], '--check'],
    [['-r'], '-r'],
    [['-i'], '-i'],
    [['--print-deps'], '--print-deps'],
    [['--stable-compatible', 'a.most', 'b.most'], '--stable-compatible'],
    [['--version'], '--version'],
    [['--help'], '--help'],
    [['--release=1'], '--release'],
    [['--package=core'], '--package'],
    [['--package', 'core'], '--package'],
    [['--release', '--actor-idl'], '--actor-idl'],
    [['src/Other.mo'], 'src/Other.mo'],
    [['--release', 'x', '--frobnicate'], 'x'],
    [['--args', 'gone.txt'], 'gone.txt'],
  ])('that are not fully understood are not cached, and the reason names the flag: %j', (flags, named) => {
    expect(parse(...flags).uncacheable).toContain(named);
  });

  test('that follow one which is not understood do not matter', () => {
    expect(parse('--frobnicate', '--map')).toEqual({
      ...plain,
      flags: ['--frobnicate', '--map'],
      uncacheable: expect.any(String) as string,
    });
  });

  test('never make the parser throw', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('--args', '--args0', '-A', '--package', 'F', '--map', '-A=x', '='),
    );
    fc.assert(
      fc.property(fc.array(word), fc.array(word), (flags, inFile) => {
        expect(parseMocArgs(flags, () => inFile.join('\n')).flags).toEqual(flags);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('flags in a file', () => {
  const files = new Map([
    ['flags.txt', '--package\na\ndir/a\r\n--release\n'],
    ['flags.0', '--package\0a b\0dir\n/a\0'],
    ['outer.txt', '-g\n--args\nflags.txt\n--map'],
    ['half.txt', '--package\na'],
    ['blank.txt', '-g\n\n--map'],
    ['main.txt', 'src/Other.mo'],
    ['self.txt', '-g\n--args\nself.txt'],
  ]);
  const parseWithFiles = (...flags: string[]) => parseMocArgs(flags, (path) => files.get(path));

  test('count where the file is named, one to a line', () => {
    const flags = ['--args', 'flags.txt', '--actor-idl', 'idl'];
    expect(parseWithFiles(...flags)).toEqual({
      ...plain,
      flags,
      argsFiles: ['flags.txt'],
      packages: [{ name: 'a', dir: 'dir/a' }],
      actorIdl: 'idl',
    });
  });

  test('are parted by NUL for --args0, and may hold anything else', () => {
    expect(parseWithFiles('--args0=flags.0').packages).toEqual([{ name: 'a b', dir: 'dir\n/a' }]);
  });

  test('may name further files', () => {
    const found = parseWithFiles('--args', 'outer.txt');
    expect(found.argsFiles).toEqual(['outer.txt', 'flags.txt']);
    expect(found).toMatchObject({ sourceMap: true, packages: [{ name: 'a' }] });
    expect(found).not.toHaveProperty('uncacheable');
  });

  test('may take their value from behind the file', () => {
    expect(parseWithFiles('--args', 'half.txt', 'dir/a').packages).toEqual([{ name: 'a', dir: 'dir/a' }]);
  });

  test.each([
    ['an empty line, which is an empty main file', 'blank.txt'],
    ['a main file', 'main.txt'],
    ['the file itself', 'self.txt'],
  ])('are not cached with %s', (_, path) => {
    expect(parseWithFiles('--args', path)).toHaveProperty('uncacheable');
  });
});

test("the compiler's command line has upstream's order", () => {
  const command = mocCommandOf({
    main: 'src/Main.mo',
    packages: [
      { name: 'core', dir: '.mops/core@2.5.0/src' },
      { name: 'map', dir: '.mops/map@9.0.1/src' },
    ],
    flags: ['--release', '--enhanced-migration=migrations', '-g'],
    output: 'out/backend.wasm',
  });
  expect(command).toEqual([
    ...['-c', '--idl', '--stable-types', '-o', 'out/backend.wasm', 'src/Main.mo'],
    ...['--package', 'core', '.mops/core@2.5.0/src', '--package', 'map', '.mops/map@9.0.1/src'],
    ...['--release', '--enhanced-migration=migrations', '-g'],
    ...['--public-metadata', 'candid:service', '--public-metadata', 'candid:args'],
  ]);
});

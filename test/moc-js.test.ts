import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readCommandLine, withoutExtension } from '../src/build/js-compiler/command-line.ts';
import { engineFlagsFor } from '../src/build/js-compiler/engine.ts';
import { graft, UnknownBuild } from '../src/build/js-compiler/grafts.ts';
import { COMPILER_FILE, COMPILER_INPUT_LINE, findCompiler } from '../src/build/js-compiler/locate.ts';
import { dropSections } from '../src/build/js-compiler/sections.ts';

const repository = resolve(import.meta.dirname, '..');
let shop: string; // where moc-js is installed, with the compiler beside it
let mocJs: string;
let home: string;
let project: string;

beforeAll(async () => {
  shop = realpathSync(mkdtempSync(join(tmpdir(), 'moc-js-')));
  mocJs = join(shop, 'dist', 'moc-js.cjs');
  home = join(shop, 'home');
  mkdirSync(home);
  await bundle(mocJs);
  mkdirSync(join(shop, 'node_modules'));
  symlinkSync(join(repository, 'node_modules', 'motoko'), join(shop, 'node_modules', 'motoko'));
});

afterAll(() => rmSync(shop, { recursive: true, force: true }));

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'moc-js-project-'));
});

afterEach(() => rmSync(project, { recursive: true, force: true }));

const HELLO = `/// Greets.
persistent actor {
  var greeted = 0;
  /// Says hello.
  public func hello(name : Text) : async Text { greeted += 1; debug { assert greeted > 0 }; "Hello, " # name };
};
`;

describe('a compile', () => {
  test('writes wasm, interface and stable types, the same in every process and folder', async () => {
    write({ 'src/Main.mo': HELLO, 'deep/er/src/Main.mo': HELLO });
    const flags = ['-c', '--idl', '--stable-types', 'src/Main.mo'];
    expect(await run([...flags, '-o', join(project, 'one.wasm')])).toEqual({ code: 0, stdout: '', stderr: '' });
    const elsewhere = join(project, 'deep', 'er');
    mkdirSync(join(elsewhere, 'out'));
    expect(
      (await run([...flags, '-o=out/two.wasm'], { cwd: elsewhere, env: { TZ: 'Asia/Tokyo', LANG: 'C' } })).code,
    ).toBe(0);

    for (const kind of ['wasm', 'did', 'most']) {
      expect(digestOf(join(elsewhere, 'out', `two.${kind}`))).toBe(digestOf(join(project, `one.${kind}`)));
    }
    expect(readdirSync(project).sort()).toEqual(['deep', 'one.did', 'one.most', 'one.wasm', 'src']);
    expect(read('one.did')).toBe('/// Greets.\nservice : {\n  /// Says hello.\n  hello: (name: text) -> (text);\n}\n');
    expect(read('one.most')).toBe('// Version: 1.0.0\nactor {\n  stable var greeted : Nat\n};\n');
    expect(sectionsOf('one.wasm')).toContain('icp:private motoko:stable-types');
    expect(read('one.wasm')).toContain(read('one.most'));
  });

  test('gives the bytes that the package gives when it is used as a library', async () => {
    write({ 'src/Main.mo': `import L "L";\n${HELLO}`, 'src/L.mo': 'module { public type T = { a : Nat } }' });
    expect(
      (await run(['--idl', '--stable-types', 'src/Main.mo', '-o', 'a.wasm', '--public-metadata=candid:args'])).code,
    ).toBe(0);
    writeFileSync(
      join(project, 'library.cjs'),
      `const mo = require(${JSON.stringify(join(repository, 'node_modules', 'motoko'))});
       const fs = require('node:fs');
       for (const file of ['src/Main.mo', 'src/L.mo']) mo.write(file, fs.readFileSync(file, 'utf8'));
       mo.setPublicMetadata(['candid:args']);
       const { wasm, stable } = mo.wasm('src/Main.mo', 'ic');
       fs.writeFileSync('b.wasm', wasm); fs.writeFileSync('b.most', stable); fs.writeFileSync('b.did', mo.candid('src/Main.mo'));`,
    );
    expect((await runNode(['library.cjs'])).code).toBe(0);
    for (const kind of ['wasm', 'did', 'most'])
      expect(digestOf(join(project, `b.${kind}`))).toBe(digestOf(join(project, `a.${kind}`)));
  });

  test('writes only the wasm, named after the main file, where nothing else is asked for', async () => {
    write({ 'src/Main.mo': HELLO });
    expect((await run(['src/Main.mo'])).code).toBe(0);
    expect(readdirSync(project).sort()).toEqual(['Main.wasm', 'src']);
  });

  test('drops debug expressions with --release: the bytes are those of a program with () in their place', async () => {
    write({
      'a/Main.mo': HELLO,
      'b/Main.mo': HELLO.replace('debug { assert greeted > 0 }', '()                          '),
    });
    expect((await run(['--release', 'a/Main.mo', '-o', 'a.wasm'])).code).toBe(0);
    expect((await run(['--debug', 'b/Main.mo', '-o', 'b.wasm'])).code).toBe(0);
    expect((await run(['a/Main.mo', '-o', 'c.wasm'])).code).toBe(0);
    expect(digestOf(join(project, 'a.wasm'))).toBe(digestOf(join(project, 'b.wasm')));
    expect(digestOf(join(project, 'c.wasm'))).not.toBe(digestOf(join(project, 'a.wasm')));
  });

  test('hides, shows and leaves out metadata, and adds debug information', async () => {
    write({ 'Main.mo': HELLO });
    const metadata = [
      '--public-metadata',
      'candid:args',
      '--omit-metadata',
      'candid:service',
      '--omit-metadata=motoko:stable-types',
    ];
    expect((await run(['-g', '--idl', '--stable-types', 'Main.mo', '-o', 'a.wasm', ...metadata])).code).toBe(0);
    const sections = sectionsOf('a.wasm');
    expect(sections.filter((name) => name.startsWith('icp:'))).toEqual([
      'icp:public candid:args',
      'icp:private motoko:compiler',
      'icp:private enhanced-orthogonal-persistence',
    ]);
    expect(sections).toContain('.debug_line');
    // The native compiler takes the text of the .most from the section: where there is none, there is no file.
    expect(readdirSync(project).sort()).toEqual(['Main.mo', 'a.did', 'a.wasm']);
  });

  test('checks a program that is nested deeper than a default stack can hold', async () => {
    write({ 'Deep.mo': `module { public func f(b : Bool) : Bool { ${'not '.repeat(20_000)}b } }` });
    expect(await run(['--check', 'Deep.mo'])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('says so where even a big stack ends', async () => {
    write({ 'Deep.mo': `module { public func f(b : Bool) : Bool { ${'not '.repeat(600_000)}b } }` });
    const { code, stderr } = await run(['--check', 'Deep.mo']);
    expect([code, stderr]).toEqual([2, 'moc-js: the program is nested too deeply for the stack\n']);
  });

  test('ends at once on SIGTERM, and leaves nothing', async () => {
    write({ 'Main.mo': HELLO, 'trace.cjs': TRACE });
    const child = spawn(process.execPath, [mocJs, '-c', 'Main.mo'], {
      cwd: project,
      env: { ...environment(), NODE_OPTIONS: `--require ${join(project, 'trace.cjs')}`, TRACE: 'stderr' },
    });
    const ended = once(child, 'exit');
    await once(child.stderr, 'data'); // the compiler is reading the program
    child.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGTERM']);
    expect(readdirSync(project).sort()).toEqual(['Main.mo', 'trace.cjs']);
  });
});

describe('imports', () => {
  const FORMS = {
    'src/Main.mo': `import Dir "dir";
import Slash "./dir/";
import Up "../other/Up";
import Pkg "mo:pkg";
import Part "mo:pkg/sub/Part";
import Logo "blob:file:../assets/logo.bin";
import ById "canister:plain";
import ByFile "canister:filed";
import ByEnv "canister:env";
import Ic "ic:aaaaa-aa";
import { f = _; type T } "Types";
actor {
  let a : T;
  public func go() : async Nat {
    await ById.ping(); await Ic.ping(); await ByFile.hi(); await ByEnv.hi();
    a + Dir.v + Slash.v + Up.v + Pkg.v + Part.v + Logo.size()
  };
};
`,
    'src/Types.mo': 'module { public func f() {}; public type T = Nat }',
    'src/dir/lib.mo': 'module { public let v = 1 }',
    'src/Unused.mo': 'module {}',
    'other/Up.mo': 'module { public let v = 2 }',
    'vendor/pkg/lib.mo': 'module { public let v = 3 }',
    'vendor/pkg/sub/Part.mo': 'module { public let v = 4 }',
    'vendor/pkg/Unused.mo': 'module {}',
    'vendor/idle/lib.mo': 'module {}',
    'assets/logo.bin': 'a picture',
    'idl/aaaaa-aa.did': 'import "common.did"; service : { ping : () -> (); pong : (t) -> () }',
    'idl/common.did': 'type t = nat;',
    'ext/one.did': 'service : { hi : () -> () }',
    'ext/two.did': 'service : { hi : () -> () }',
    'migrations/001_init.mo':
      'import T "../src/Types"; module { public func migration(_ : {}) : { a : T.T } { { a = 1 } } }',
    'migrations/readme.txt': 'not a migration',
  };
  const FLAGS = [
    ...['--package', 'pkg', 'vendor/pkg', '--package', 'idle', 'vendor/idle', '--actor-idl=idl'],
    ...['--actor-alias', 'plain', 'aaaaa-aa', '--actor-id-alias', 'filed', 'aaaaa-aa', 'ext/one.did'],
    ...['--actor-env-alias', 'env', 'PUBLIC_CANISTER_ID:env', 'ext/two.did'],
    ...['--enhanced-migration=migrations', '--default-persistent-actors'],
  ];

  test('of every form are found, and nothing else is opened', async () => {
    write({ ...FORMS, 'trace.cjs': TRACE });
    const log = join(project, 'trace.log');
    const env = { NODE_OPTIONS: `--require ${join(project, 'trace.cjs')}`, TRACE: log };
    const ran = await run(['-c', '--stable-types', 'src/Main.mo', '-o', 'out.wasm', ...FLAGS], { env });
    expect(ran).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(read('out.wasm')).toContain('PUBLIC_CANISTER_ID:env');
    expect(read('out.wasm')).toContain('001_init');
    expect(read('out.most')).toContain('001_init');

    const trace = readFileSync(log, 'utf8').trimEnd().split('\n');
    const pathsOf = (call: string) =>
      [
        ...new Set(trace.filter((line) => line.startsWith(`${call} `)).map((line) => line.slice(call.length + 1))),
      ].sort();
    expect(pathsOf('open')).toEqual(
      Object.keys(FORMS)
        .filter((path) => !/Unused|idle|readme/.test(path))
        .sort(),
    );
    // Sources that have names and no files are looked for when positions are written.
    expect(pathsOf('missing').filter((path) => !path.endsWith('.mo'))).toEqual(['internals', 'rts.wasm']);
    expect(pathsOf('missing').filter((path) => path.endsWith('.mo'))).toEqual(['src/dir.mo']);
    expect(pathsOf('list')).toEqual(['migrations', 'other', 'src', 'src/dir', 'vendor/pkg', 'vendor/pkg/sub']);
  });

  test('that lead nowhere are named, at their place', async () => {
    write({
      'Main.mo': 'import A "./A";\nimport B "mo:b/B";\nimport C "canister:c";\nimport D "ic:aaaaa-aa";\nactor {}',
    });
    const { code, stderr } = await run(['--check', 'Main.mo']);
    expect(code).toBe(1);
    expect(stderr.split('\n').map((line) => /^(Main\.mo:\d+\.1)-.*(\[M\d+\])/.exec(line)?.slice(1).join(' '))).toEqual([
      ...['Main.mo:1.1 [M0009]', 'Main.mo:2.1 [M0010]', 'Main.mo:3.1 [M0011]', 'Main.mo:4.1 [M0008]', undefined],
    ]);
  });

  test('are printed by --print-deps', async () => {
    write({ 'src/Main.mo': 'import A "dir";\nimport B "mo:b/B";\nactor {}', 'src/dir/lib.mo': 'module {}' });
    const { code, stdout } = await run(['--print-deps', 'src/Main.mo']);
    expect([code, stdout]).toEqual([0, 'dir src/dir/lib.mo\nmo:b/B\n']);
  });
});

describe('diagnostics', () => {
  const BAD = 'persistent actor {\n  public func f() : async Nat { "x" };\n};\n';
  const WARN = 'persistent actor {\n  public func f() : async Nat { let y = 1; 2 };\n};\n';

  test('an error: exit 1, its line, no output, and an older output untouched', async () => {
    write({ 'Bad.mo': BAD, 'Bad.wasm': 'older' });
    const { code, stdout, stderr } = await run(['-c', '--idl', '--stable-types', 'Bad.mo']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^Bad\.mo:2\.33-2\.36: type error \[M0050\], literal of type\n/);
    expect(readdirSync(project).sort()).toEqual(['Bad.mo', 'Bad.wasm']);
    expect(read('Bad.wasm')).toBe('older');
  });

  test('a warning: on stderr, with its label, and exit 0', async () => {
    write({ 'src/Warn.mo': WARN });
    const { code, stdout, stderr } = await run(['src/Warn.mo', '-o', 'out.wasm']);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(/^src\/Warn\.mo:2\.37-2\.38: warning \[M0194\], .*\nhelp: .*\n$/);
    expect(existsSync(join(project, 'out.wasm'))).toBe(true);
  });

  test.each([
    { flags: ['-Werror'], code: 1, says: /warning \[M0194\]/ },
    { flags: ['-E', 'M0194'], code: 1, says: /type error \[M0194\]/ },
    { flags: ['-A=M0194'], code: 0, says: /^$/ },
    { flags: ['--hide-warnings'], code: 0, says: /^$/ },
    { flags: ['-W', 'M9999'], code: 1, says: /M9999/ },
    { flags: ['-Werror', '--hide-warnings'], code: 1, says: /-Werror/ },
    { flags: ['--error-format=xml'], code: 2, says: /--error-format/ },
    { flags: ['--error-format', 'human'], code: 0, says: /─/ },
  ])('$flags makes of a warning: exit $code', async ({ flags, code, says }) => {
    write({ 'Warn.mo': WARN });
    const ran = await run(['--check', 'Warn.mo', ...flags]);
    expect(ran.code).toBe(code);
    expect(ran.stderr).toMatch(says);
  });

  test('as JSON are objects on stdout, one a line', async () => {
    write({ 'Warn.mo': WARN, 'Bad.mo': BAD });
    const { code, stdout, stderr } = await run(['--check', 'Warn.mo', 'Bad.mo', '--error-format', 'json']);
    expect([code, stderr]).toEqual([1, '']);
    const found = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { code: string; level: string });
    expect(found.map(({ code, level }) => `${level} ${code}`)).toEqual(['warning M0194', 'error M0050']);
  });

  test('syntax errors come in the detail asked for, and all of them with --error-recovery', async () => {
    write({ 'Syn.mo': 'actor { let }; actor { let }' });
    const [plain, brief, all] = await Promise.all([
      run(['--check', 'Syn.mo']),
      run(['--check', 'Syn.mo', '--error-detail', '0']),
      run(['--check', 'Syn.mo', '--error-recovery']),
    ]);
    expect(plain.stderr).toMatch(/^Syn\.mo:1\.13-1\.14: syntax error \[M0001\], /);
    expect(plain.stderr).toContain('<pat>');
    expect(brief.stderr).not.toContain('<pat>');
    expect(all.stderr.match(/syntax error/g)?.length).toBeGreaterThan(1);
    expect([plain.code, brief.code, all.code]).toEqual([1, 1, 1]);
  });

  test.each([
    ['a main file that is not there', ['Nope.mo'], 'Nope.mo: No such file or directory\n'],
    ['a folder for a main file', ['--check', 'dir'], 'Is a directory\n'],
    [
      'an output folder that is not there',
      ['Main.mo', '-o', 'no/Main.wasm'],
      'no/Main.wasm: No such file or directory\n',
    ],
    ['a package folder that is not there', ['--check', 'Main.mo', '--package', 'p', './no'], /M0012\], file "no"/],
  ])('%s: exit 1', async (_, args, says) => {
    write({ 'Main.mo': 'persistent actor {}', 'dir/a.txt': '' });
    const { code, stderr } = await run(args);
    expect([code, stderr]).toEqual([1, typeof says === 'string' ? says : expect.stringMatching(says)]);
  });

  test('stable types are compared by --stable-compatible', async () => {
    write({
      'a.most': 'actor { stable var n : Nat }',
      'b.most': 'actor { stable var n : Int }',
      'c.most': 'actor { stable var n : Text }',
    });
    expect(await run(['--stable-compatible', 'a.most', 'b.most'])).toEqual({ code: 0, stdout: '', stderr: '' });
    const { code, stderr } = await run(['--stable-compatible', 'a.most', 'c.most']);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/M0170/)]);
  });

  test('primitives are unlocked by the environment', async () => {
    write({ 'Main.mo': 'module { public let abs = prim "abs" : Int -> Nat }' });
    expect((await run(['--check', 'Main.mo'])).code).toBe(1);
    expect((await run(['--check', 'Main.mo'], { env: { MOC_UNLOCK_PRIM: '1' } })).code).toBe(0);
  });
});

describe('the command line', () => {
  test.each([
    [['--nope', 'Main.mo'], /--nope/],
    [['-o'], /-o needs an argument/],
    [['--package', 'a'], /--package needs 2/],
    [['--release=yes', 'Main.mo'], /--release takes no argument/],
    [['a.mo', 'b.mo'], /one file at a time/],
    [[], /no file/],
    [['--error-detail', 'much', 'Main.mo'], /--error-detail needs a number/],
    [['--args', 'nope.txt'], /nope\.txt: No such file/],
  ])('%j is a mistake: exit 2', async (args, says) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(says)]);
  });

  test.each([
    '--map',
    '--sanity-checks',
    '--max-stable-pages',
    '-no-link',
    '-r',
    '--generate-view-queries',
    '--stable-baseline',
  ])('%s is refused by name, because the compiler as JavaScript cannot do it', (flag) => {
    const request = readCommandLine(['-c', 'Main.mo', flag], unread);
    expect(request).toEqual({ kind: 'unusable', message: expect.stringContaining(flag) as string });
  });

  test.each([
    [['-c', '--check', 'Main.mo'], 'compile'],
    [['--package', 'a', 'x', '--package', 'a', 'y', 'Main.mo'], '--package a'],
    [['--actor-alias', 'a', 'x', '--actor-env-alias', 'a', 'y', 'z', 'Main.mo'], '--actor-env-alias a'],
    [['--public-metadata', 'candid:all', 'Main.mo'], 'candid:all'],
    [['--print-deps'], 'exactly one'],
    [['--enhanced-migration', 'm', '--legacy-persistence', 'Main.mo'], '--legacy-persistence'],
  ])('%j is rejected', (args, says) => {
    expect(readCommandLine(args, unread)).toEqual({
      kind: 'rejected',
      message: expect.stringContaining(says) as string,
    });
  });

  test('files of arguments are read in place, and may name more of them', () => {
    const files = new Map([
      ['a.txt', '--package\r\ncore\r\nlibs/core dir\r\n--args0\nb.bin'],
      ['b.bin', '-o\0out/a b.wasm\0'],
    ]);
    const request = readCommandLine(['--args', 'a.txt', 'Main.mo'], (path) => files.get(path) ?? unread(path));
    expect(request).toMatchObject({
      ...{ kind: 'compile', main: 'Main.mo', output: 'out/a b.wasm' },
      settings: { packages: [{ name: 'core', dir: 'libs/core dir' }] },
    });
  });

  test('a memory manager that goes away is told of, unless that is unwanted', () => {
    const notesOf = (...args: string[]) => {
      const request = readCommandLine(['Main.mo', '--legacy-persistence', ...args], unread);
      return 'notes' in request ? request.notes.length : undefined;
    };
    expect(notesOf('--copying-gc')).toBe(1);
    expect(notesOf('--incremental-gc')).toBe(0);
    expect(notesOf('--copying-gc', '--skip-gc-deprecation-warning')).toBe(0);
  });

  test.each([
    ['out/a.wasm', 'out/a'],
    ['out.d/a', 'out.d/a'],
    ['.wasm', '.wasm'],
    ['a.b.wasm', 'a.b'],
    ['a..wasm', 'a.'],
  ])('beside %s lie %s.did and .most', (output, stem) => {
    expect(withoutExtension(output)).toBe(stem);
  });

  test('--version names the release first, as tools expect, and --help the flags', async () => {
    const version = await run(['--version']);
    expect(version.code).toBe(0);
    expect(version.stdout).toMatch(/^Motoko compiler (\S+) \(source \S+, moc-js, motoko \d+\.\d+\.\d+\)\n$/);
    const help = await run(['--help']);
    expect([help.code, help.stderr]).toEqual([0, '']);
    expect(help.stdout).toContain('--enhanced-migration');
  });

  test('says how to install the compiler where it is not', async () => {
    const lonely = mkdtempSync(join(tmpdir(), 'moc-js-lonely-'));
    try {
      await bundle(join(lonely, 'moc-js.cjs'));
      const { code, stderr } = await runNode([join(lonely, 'moc-js.cjs'), '--check', 'Main.mo']);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/npm install .*motoko/)]);
    } finally {
      rmSync(lonely, { recursive: true, force: true });
    }
  });
});

test('another build of the compiler is not changed on a guess', () => {
  expect(() => graft('var e={};e.Motoko={};')).toThrow(UnknownBuild);
  const twice = { name: 'twice', pattern: /x/g };
  expect(() => graft('xx', [twice])).toThrow('twice');
});

test('this Node knows the flags for its V8, and of a V8 that is not known none is asked but what all have', () => {
  const { status, stderr } = spawnSync(process.execPath, [...engineFlagsFor(process.versions.v8), '-e', '0']);
  expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' });
  expect(engineFlagsFor('11.3.244.8').length).toBe(3);
  expect(engineFlagsFor('99.0.1').length).toBe(2);
});

test('a module without the sections to leave out is not copied', () => {
  const wasm = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
  expect(dropSections(wasm, [])).toBe(wasm);
  expect([...dropSections(wasm, ['candid:args'])]).toEqual([...wasm]);
});

test('the script tells the cache which file it runs, near its beginning', () => {
  const head = readFileSync(mocJs).subarray(0, 4096).toString('utf8');
  expect(head.split('\n')).toContain(COMPILER_INPUT_LINE);
  const file = createRequire(mocJs).resolve(COMPILER_FILE);
  expect(findCompiler(mocJs)?.file).toBe(file);
  expect(readFileSync(file, 'utf8')).toContain('Motoko');
});

test("upstream's mops builds with it as a pinned path", async () => {
  write({
    'mops.toml':
      '[toolchain]\nmoc = "./node_modules/.bin/moc-js"\n\n[moc]\nargs = ["--release"]\n\n[canisters.hello]\nmain = "src/Main.mo"\n',
    'src/Main.mo': HELLO,
    'node_modules/.bin/.keep': '',
  });
  symlinkSync(mocJs, join(project, 'node_modules', '.bin', 'moc-js'));
  const icMops = join(repository, 'node_modules', '.bin', 'ic-mops');
  const { code, stdout } = await runNode([icMops, 'build']);
  expect(stdout).toContain('Built 1 canister');
  expect(code).toBe(0);
  const built = readdirSync(join(project, '.mops', '.build'));
  expect(built).toEqual(expect.arrayContaining(['hello.did', 'hello.most', 'hello.wasm']));
  expect(read('.mops/.build/hello.did')).toContain('/// Says hello.');
});

/** Logs the relative paths that a process opens, lists, or looks for in vain. */
const TRACE = `const fs = require('node:fs');
const log = process.env.TRACE;
const append = fs.appendFileSync;
const note = (line) => (log === 'stderr' ? fs.writeSync(2, line) : append(log, line));
for (const [name, call] of [['readFileSync', 'open'], ['readdirSync', 'list'], ['statSync', 'stat']]) {
  const original = fs[name];
  fs[name] = (path, ...rest) => {
    const ours = typeof path === 'string' && !path.startsWith('/');
    try {
      const result = original(path, ...rest);
      if (ours) note(call + ' ' + path + '\\n');
      return result;
    } catch (error) {
      if (ours) note('missing ' + path + '\\n');
      throw error;
    }
  };
}
`;

async function bundle(outfile: string): Promise<void> {
  await build({
    ...{ entryPoints: [join(repository, 'src', 'cli', 'moc-js.ts')], outfile, bundle: true, logLevel: 'error' },
    ...{ platform: 'node', format: 'cjs', banner: { js: `#!/usr/bin/env node\n${COMPILER_INPUT_LINE}` } },
  });
  chmodSync(outfile, 0o755);
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  return runNode([mocJs, ...args], options);
}

async function runNode(
  args: readonly string[],
  { cwd = project, env = {} }: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...environment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

function environment(): NodeJS.ProcessEnv {
  return {
    ...{ PATH: process.env.PATH, HOME: home, XDG_CACHE_HOME: home, XDG_CONFIG_HOME: home },
    ...{ MOPS_REGISTRY_HOST: 'http://127.0.0.1:9', NO_COLOR: '1' },
  };
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  }
}

function read(path: string): string {
  return readFileSync(join(project, path), 'utf8');
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Names of the custom sections. Node 20 does not know the module's 64-bit memory, so it cannot be asked. */
function sectionsOf(path: string): string[] {
  const wasm = readFileSync(join(project, path));
  const names: string[] = [];
  const number = (at: number): [value: number, end: number] => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = wasm[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return [value, at];
    }
  };
  for (let at = 8; at < wasm.length;) {
    const [size, body] = number(at + 1);
    if (wasm[at] === 0) {
      const [length, start] = number(body);
      names.push(wasm.toString('utf8', start, start + length));
    }
    at = body + size;
  }
  return names;
}

function unread(path: string): never {
  throw new Error(`${path} is not to be read`);
}

import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CANISTER_A, scene, tomlOf, until, type Ended, type Scene } from './rigs/stand-in-project.ts';

const OUTPUTS = ['.a.buildlock', 'a.did', 'a.most', 'a.wasm'];

/** Builds; what is written on stderr of a canister. Fails the test where the build fails. */
async function build(on: Scene, args: readonly string[] = [], options?: Parameters<Scene['mops']>[1]): Promise<string> {
  const end = await on.mops(['build', ...args], options);
  expect(end.stderr + end.stdout).toContain('✓ Built');
  expect(end.code).toBe(0);
  return end.stderr;
}

/** The stand-in writes the same mark into the .most and the .wasm: what it was made of. */
function markOf(on: Scene, name: string, dir = on.out): string {
  const most = /[0-9a-f]{64}/.exec(readFileSync(join(dir, `${name}.most`), 'utf8'))?.[0] ?? '';
  expect(readFileSync(join(dir, `${name}.wasm`), 'latin1')).toContain(most);
  return most;
}

function identityOf(file: string): unknown {
  const { ino, mtimeNs, ctimeNs } = lstatSync(file, { bigint: true });
  return { ino, mtimeNs, ctimeNs };
}

test('the first build compiles, the second does not, and puts the same files back', async () => {
  const on = scene();
  expect(await build(on)).toMatch(/^ {2}a {2}compiled: .* \(not in the cache before\)\n$/);
  const made = on.files();
  expect(Object.keys(made)).toEqual(OUTPUTS);
  rmSync(on.out, { recursive: true });
  expect(await build(on)).toMatch(/^ {2}a {2}hit: \d+ ms, saves .* of compiling\n$/);
  expect(on.files()).toEqual(made);
  expect(on.starts()).toHaveLength(1);
  expect(on.litter()).toEqual([]);
});

test('an edit compiles, and undoing it does not', async () => {
  const on = scene();
  await build(on);
  const before = on.files();
  on.put({ 'src/Lib.mo': 'module { /* edited */ }\n' });
  await build(on);
  const edited = on.files();
  expect(edited['a.wasm']).not.toBe(before['a.wasm']);
  on.put(CANISTER_A);
  expect(await build(on)).toContain('a  hit');
  expect(on.files()).toEqual(before);
  on.put({ 'src/Lib.mo': 'module { /* edited */ }\n' });
  await build(on);
  expect(on.files()).toEqual(edited);
  expect(on.starts()).toHaveLength(2);
});

const DAMAGES: readonly { readonly what: string; readonly damage: (file: string) => void }[] = [
  { what: 'deleted', damage: (file) => rmSync(file) },
  { what: 'cut off', damage: (file) => truncateSync(file, 9) },
  { what: 'empty', damage: (file) => truncateSync(file, 0) },
  { what: 'longer', damage: (file) => writeFileSync(file, 'more', { flag: 'a' }) },
  {
    what: 'of the same size and time with one other byte',
    damage: (file) => {
      const bytes = readFileSync(file);
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      writeFileSync(file, bytes);
    },
  },
  { what: 'read-only', damage: (file) => chmodSync(file, 0o444) },
  {
    what: 'a symbolic link to the same bytes',
    damage: (file) => {
      renameSync(file, `${file}.elsewhere`);
      symlinkSync(`${file}.elsewhere`, file);
    },
  },
  {
    what: 'a symbolic link to nowhere',
    damage: (file) => {
      rmSync(file);
      symlinkSync('nowhere', file);
    },
  },
  { what: 'a hard link', damage: (file) => linkSync(file, `${file}.elsewhere`) },
];

test.each(DAMAGES)(
  'outputs that are $what become ordinary writable files again, without compiling',
  async ({ damage }) => {
    const on = scene();
    await build(on);
    const whole = on.files();
    for (const name of ['a.wasm', 'a.did', 'a.most']) damage(join(on.out, name));
    await build(on);
    expect(on.starts()).toHaveLength(1);
    for (const name of ['a.wasm', 'a.did', 'a.most']) {
      const stats = lstatSync(join(on.out, name));
      expect([stats.isFile(), stats.nlink, stats.mode & 0o777]).toEqual([true, 1, 0o644]);
      expect(on.files()[name]).toBe(whole[name]);
      // Whatever a link led to is as it was.
      const elsewhere = on.files()[`${name}.elsewhere`];
      expect(elsewhere ?? whole[name]).toBe(whole[name]);
    }
  },
);

test('a written output leads nowhere into the cache: writing to it does no harm there', async () => {
  const on = scene();
  await build(on);
  const whole = on.files();
  for (const name of ['a.wasm', 'a.did', 'a.most']) writeFileSync(join(on.out, name), 'overwritten in place');
  expect(await build(on)).toContain('a  hit');
  expect(on.files()).toEqual(whole);
});

test('files that are already right are not touched', async () => {
  const on = scene();
  await build(on);
  const before = OUTPUTS.map((name) => identityOf(join(on.out, name)));
  expect(await build(on)).toContain('a  hit, files up to date');
  expect(OUTPUTS.map((name) => identityOf(join(on.out, name)))).toEqual(before);
});

test('of the files only those that changed are written', async () => {
  const on = scene();
  await build(on);
  const before = identityOf(join(on.out, 'a.did'));
  const wasm = identityOf(join(on.out, 'a.wasm'));
  on.put({ 'src/Lib.mo': 'module { /* edited */ }\n' });
  await build(on);
  expect(identityOf(join(on.out, 'a.did'))).toEqual(before);
  expect(identityOf(join(on.out, 'a.wasm'))).not.toEqual(wasm);
});

test('a changed initArg or Candid file does not compile again, and changes the wasm', async () => {
  const on = scene();
  await build(on);
  const plain = on.files();
  const toml = (more: string) => tomlOf({}, `[canisters.a]\nmain = "src/A.mo"\n${more}`);
  on.put({ 'mops.toml': toml(`initArg = '("x")'`) });
  expect(await build(on)).toContain('only what follows the compiler had changed');
  expect(readFileSync(join(on.out, 'a.wasm'), 'latin1')).toContain('candid:args("x")');
  on.put({ 'mops.toml': toml('candid = "a.did"'), 'a.did': '// ours\nservice : {}' });
  await build(on);
  expect(readFileSync(join(on.out, 'a.wasm'), 'latin1')).toContain('// ours\nservice : {}');
  on.put({ 'mops.toml': tomlOf({ a: 'src/A.mo' }) });
  expect(await build(on)).toContain('a  hit');
  expect(on.files()).toEqual(plain);
  expect(on.starts()).toHaveLength(1);
});

test('the compiler sees the closure and nothing else, and no setting of its run time', async () => {
  const on = scene({
    'src/Other.mo': 'module { }',
    'src/A.mo': [
      'import Lib "./Lib";',
      ...['see src/Lib.mo', 'see src/Other.mo', 'see mops.toml', 'env OCAMLRUNPARAM', 'env FLAVOUR'].map(
        (order) => `// stand-in: ${order}`,
      ),
    ].join('\n'),
  });
  const end = await on.mops(['build', '--verbose'], { env: { OCAMLRUNPARAM: 'R', FLAVOUR: 'sweet' } });
  for (const fact of [
    'src/Lib.mo: there',
    'src/Other.mo: not there',
    'mops.toml: not there',
    'OCAMLRUNPARAM=(not set)',
    'FLAVOUR=sweet',
  ])
    expect(end.stderr).toContain(fact);
});

test('an edit while the compiler runs does not reach it, nor what is stored', async () => {
  const on = scene();
  const go = join(on.base, 'go');
  const first = on.start(['build'], { env: { STAND_IN: 'hold', STAND_IN_HOLD: go } });
  await until(() => on.starts().length === 1, first);
  on.put({ 'src/Lib.mo': 'module { /* edited */ }\n' });
  writeFileSync(go, '');
  expect((await first.ended).code).toBe(0);
  const old = on.files();

  expect(await build(on)).toContain('compiled');
  expect(on.files()['a.wasm']).not.toBe(old['a.wasm']);
  on.put(CANISTER_A);
  expect(await build(on)).toContain('a  hit');
  expect(on.files()).toEqual(old);
  const fresh = await on.mops(['build', '--no-cache', '-o', 'fresh']);
  expect(fresh.code).toBe(0);
  expect(on.files(join(on.root, 'fresh'))).toEqual(old);
});

const MISSES: readonly { readonly what: string; readonly change: (on: Scene) => Readonly<Record<string, string>> }[] = [
  { what: 'a variable MOC_*', change: () => ({ MOC_UNLOCK_PRIM: '1' }) },
  {
    what: 'the compiler',
    change: (on) => {
      on.put({ moc: `${readFileSync(join(on.root, 'moc'), 'utf8')}// rebuilt\n` });
      return {};
    },
  },
  {
    what: 'a file of arguments',
    change: (on) => {
      on.put({ 'flags.txt': '--release\n-g\n' });
      return {};
    },
  },
  {
    what: 'a file of a local package',
    change: (on) => {
      on.put({ 'lib/src/Deep.mo': 'module { /* edited */ }' });
      return {};
    },
  },
];

test.each(MISSES)('a change of $what compiles', async ({ change }) => {
  const on = scene({
    'mops.toml': tomlOf({ a: 'src/A.mo' }, '[build]\nargs = ["--args", "flags.txt"]\n[dependencies]\nlib = "./lib"'),
    'flags.txt': '--release\n',
    'lib/src/Deep.mo': 'module { }',
    'src/A.mo': 'import Deep "mo:lib/Deep";\nactor { }\n',
  });
  await build(on);
  await build(on);
  expect(on.starts()).toHaveLength(1);
  const env = change(on);
  await build(on, [], { env });
  expect(on.starts()).toHaveLength(2);
});

test('arguments after -- go to the compiler, and count', async () => {
  const on = scene();
  await build(on);
  const plain = markOf(on, 'a');
  const verbose = await build(on, ['--verbose', '--', '--release']);
  expect(verbose).toMatch(/a: .*moc -c --idl .* src\/A\.mo --release --public-metadata candid:service/);
  expect(markOf(on, 'a')).not.toBe(plain);
  await build(on, ['--', '--release']);
  await build(on);
  expect(on.starts()).toHaveLength(2);
});

test('names are built once each, in the order of mops.toml', async () => {
  const on = scene({ 'mops.toml': tomlOf({ c: 'src/A.mo', b: 'src/Lib.mo', a: 'src/A.mo' }) });
  const { stdout } = await on.mops(['build', 'a', 'c', 'a', 'c']);
  expect(stdout).toBe('build canister c\nbuild canister a\n\n✓ Built 2 canisters successfully\n');
  expect(Object.keys(on.files())).toEqual([
    '.a.buildlock',
    '.c.buildlock',
    ...OUTPUTS.slice(1),
    'c.did',
    'c.most',
    'c.wasm',
  ]);
});

test.each([
  'a b',
  'größe',
  '日本',
  'con',
  '-x',
  'a.b',
  'a.wasm',
  'a*b',
  '__proto__',
  'constructor',
  "it's",
  '$HOME',
  'n'.repeat(200),
])('a canister may be named %s', async (name) => {
  const on = scene({ 'mops.toml': tomlOf({ [name]: 'src/A.mo' }) });
  const first = await on.mops(['build']);
  expect([first.stdout, first.code]).toEqual([`build canister ${name}\n\n✓ Built 1 canister successfully\n`, 0]);
  const names = [`.${name}.buildlock`, `${name}.did`, `${name}.most`, `${name}.wasm`];
  expect(Object.keys(on.files())).toEqual(names.sort());
  expect((await on.mops(['build'])).stderr).toContain('files up to date');
});

test('paths in mops.toml may be spelt in any way, and it is the same build', async () => {
  const on = scene({ 'src/a.did': 'service : {}' });
  const spelt = async (main: string, candid: string) => {
    on.put({ 'mops.toml': tomlOf({}, `[canisters.a]\nmain = "${main}"\ncandid = "${candid}"`) });
    await build(on);
    return on.files();
  };
  const plain = await spelt('src/A.mo', 'src/a.did');
  expect(await spelt('./src//A.mo', './src/../src/a.did')).toEqual(plain);
  expect(await spelt(join(on.root, 'src/A.mo'), join(on.root, 'src/a.did'))).toEqual(plain);
  expect(on.starts()).toHaveLength(1);
});

test('two canisters with one main are compiled once', async () => {
  const on = scene({ 'mops.toml': tomlOf({ a: 'src/A.mo', b: 'src/A.mo' }) });
  await build(on);
  expect(on.starts()).toHaveLength(1);
  const files = on.files();
  for (const kind of ['wasm', 'did', 'most']) expect(files[`a.${kind}`]).toBe(files[`b.${kind}`]);
});

test('from a subfolder, with MOPS_CWD, and from a copy elsewhere it is the same build', async () => {
  const on = scene();
  await build(on);
  const files = on.files();
  expect(await build(on, [], { cwd: join(on.root, 'src') })).toContain('up to date');
  expect(await build(on, [], { cwd: on.base, env: { MOPS_CWD: on.root } })).toContain('up to date');
  expect(await build(on, [], { cwd: on.base, env: { MOPS_CWD: 'project/src' } })).toContain('up to date');
  rmSync(on.out, { recursive: true });
  const copy = join(on.base, 'copy of the project');
  renameSync(on.root, copy);
  expect(await build(on, [], { cwd: copy })).toContain('a  hit');
  expect(on.files(join(copy, '.mops/.build'))).toEqual(files);
  expect(on.starts()).toHaveLength(1);
});

test('--output is relative to where the user stands, [build] outputDir to the project', async () => {
  const on = scene({ 'mops.toml': tomlOf({ a: 'src/A.mo' }, '[build]\noutputDir = "wasm/here"') });
  await build(on, [], { cwd: join(on.root, 'src') });
  const files = on.files(join(on.root, 'wasm/here'));
  expect(Object.keys(files)).toEqual(OUTPUTS);
  await build(on, ['-o', 'below'], { cwd: join(on.root, 'src') });
  expect(on.files(join(on.root, 'src/below'))).toEqual(files);
  await build(on, ['--output', join(on.base, 'absolute')], { cwd: on.root });
  expect(on.files(join(on.base, 'absolute'))).toEqual(files);
  expect(on.files()).toEqual({});
});

test('what else lies among the outputs is left alone', async () => {
  const on = scene({ '.mops/.build/mine.wasm': 'precious', '.mops/.build/.hidden': 'precious' });
  await build(on);
  on.put({ 'src/Lib.mo': 'module { /* edited */ }\n' });
  await build(on);
  expect(Object.keys(on.files())).toEqual(['.a.buildlock', '.hidden', ...OUTPUTS.slice(1), 'mine.wasm']);
  expect(readFileSync(join(on.out, 'mine.wasm'), 'utf8')).toBe('precious');
});

const UNCACHEABLE: readonly { what: string; args: readonly string[]; main: string; says: RegExp }[] = [
  { what: 'an unknown flag', args: ['--', '--frobnicate'], main: '', says: /not cached: .*--frobnicate/ },
  { what: 'an unknown kind of import', args: [], main: 'import X "gopher:x";', says: /not cached: src\/A\.mo:1: / },
];

test.each(UNCACHEABLE)(
  '$what is compiled each time, said so, and gives the right bytes',
  async ({ args, main, says }) => {
    const on = scene({ 'src/A.mo': `${main}\nimport Lib "./Lib";\nactor { }\n` });
    expect(await build(on, args)).toMatch(says);
    const first = on.files();
    const stored = storedIn(on);
    expect(await build(on, args)).toMatch(says);
    expect(on.starts()).toHaveLength(2);
    expect(on.files()).toEqual(first);
    on.put({ 'src/Lib.mo': 'module { /* edited */ }\n' });
    await build(on, args);
    expect(on.files()['a.wasm']).not.toBe(first['a.wasm']);
    expect(storedIn(on)).toEqual(stored);
    expect(on.litter()).toEqual([]);
  },
);

test('--rebuild takes no notice of which of two equally short ways leads to a file', async () => {
  const toml = (...names: readonly string[]) =>
    tomlOf(
      { a: 'src/A.mo' },
      `[moc]\nargs = ["--all-libs"]\n[dependencies]\n${names.map((name) => `${name} = "./${name}"`).join('\n')}`,
    );
  const lib = (name: string) => `import X "../../x/X";\nmodule { /* ${name} */ }\n`;
  const on = scene({
    'p/src/lib.mo': lib('p'),
    'q/src/lib.mo': lib('q'),
    'x/X.mo': 'module { }\n',
    'mops.toml': toml('p', 'q'),
  });
  await build(on);
  on.put({ 'mops.toml': toml('q', 'p') });
  expect(await build(on)).toContain('hit');
  expect(await build(on, ['--rebuild'])).toContain('the bytes are those in the cache');
});

/** What the store holds, but for the journal, which has a line of every build. */
function storedIn(on: Scene): object {
  return Object.entries(on.files(on.store)).filter(([path]) => !path.startsWith('journal'));
}

test('--no-cache and MOCCACHE_DISABLE neither read nor write the cache', async () => {
  const on = scene();
  await build(on, ['--no-cache']);
  await build(on, [], { env: { MOCCACHE_DISABLE: '1' } });
  expect(on.files(on.store)).toEqual({});
  await build(on);
  expect(on.starts()).toHaveLength(3);
  const stored = on.files(on.store);
  expect(await build(on, ['--no-cache'])).toContain('the cache is off');
  expect(await build(on, [], { env: { MOCCACHE_DISABLE: 'true' } })).toContain('the cache is off');
  expect(on.starts()).toHaveLength(5);
  expect(on.files(on.store)).toEqual(stored);
  expect(await build(on, [], { env: { MOCCACHE_DISABLE: '0' } })).toContain('hit');
});

test('MOCCACHE_READONLY reads the cache and does not write it', async () => {
  const on = scene();
  const env = { MOCCACHE_READONLY: '1' };
  await build(on, [], { env });
  expect(on.files(on.store)).toEqual({});
  await build(on);
  const stored = on.files(on.store);
  expect(await build(on, [], { env })).toContain('hit');
  on.put({ 'src/Lib.mo': 'module { /* edited */ }\n' });
  expect(await build(on, [], { env })).toContain('compiled');
  expect(await build(on, [], { env })).toContain('compiled');
  expect(on.files(on.store)).toEqual(stored);
});

test('--rebuild compiles what would hit, and is content with the same bytes', async () => {
  const on = scene();
  await build(on);
  const files = on.files();
  expect(await build(on, ['--rebuild'])).toContain('as asked');
  expect(on.starts()).toHaveLength(2);
  expect(on.files()).toEqual(files);
  expect(await build(on)).toContain('hit, files up to date');
});

const FOUR = tomlOf({ a: 'src/A.mo', b: 'src/B.mo', c: 'src/C.mo', d: 'src/D.mo' });

function four(b: string, c: string): Readonly<Record<string, string>> {
  return { 'mops.toml': FOUR, 'src/B.mo': b, 'src/C.mo': c, 'src/D.mo': 'actor { }\n// d' };
}

test('the first failure in the order of mops.toml decides, and what follows it is not built', async () => {
  const on = scene(four('// stand-in: hold\n// stand-in: exit 2', '// stand-in: exit 1'));
  const go = join(on.base, 'go');
  const running = on.start(['build', '--jobs', '4'], { env: { STAND_IN_HOLD: go } });
  // c has failed when d is cancelled or done; b has not ended before.
  await until(() => on.starts().length >= 3, running);
  writeFileSync(go, '');
  const end = await running.ended;
  expect(end.code).toBe(2);
  expect(end.stdout).toBe('build canister a\nbuild canister b\n');
  expect(end.stderr).toContain('moc rejects b (exit code 2)');
  expect(end.stderr).not.toContain('moc rejects c');
  expect(Object.keys(on.files())).toEqual(expect.arrayContaining(OUTPUTS));
  expect(Object.keys(on.files()).filter((name) => /^[bc]\./.test(name))).toEqual([]);
});

test('one after the other, nothing is compiled after a failure', async () => {
  const on = scene(four('// stand-in: exit 2', 'actor { }'));
  const end = await on.mops(['build', '--jobs', '1']);
  expect(end.code).toBe(2);
  expect(on.starts()).toHaveLength(2);
  expect(Object.keys(on.files())).toEqual(OUTPUTS);
});

test('--keep-going builds the others, and the first failure decides the exit code', async () => {
  const on = scene(four('// stand-in: exit 1', '// stand-in: exit 2'));
  const end = await on.mops(['build', '--keep-going']);
  expect(end.code).toBe(1);
  expect(end.stdout).toBe('build canister a\nbuild canister b\nbuild canister c\nbuild canister d\n');
  expect(end.stderr).toMatch(/moc rejects b[^]*moc rejects c[^]*2 of 4 canisters failed\n$/);
  expect(Object.keys(on.files()).filter((name) => name.endsWith('.wasm'))).toEqual(['a.wasm', 'd.wasm']);
});

test("a canister that uses another's generated interface is built after it, and follows its changes", async () => {
  const toml = tomlOf(
    { a: 'src/A.mo' },
    '[canisters.b]\nmain = "src/B.mo"\nargs = ["--actor-env-alias", "a", "PUBLIC_CANISTER_ID:a", ".mops/.build/a.did"]',
  );
  const on = scene({ 'mops.toml': toml, 'src/B.mo': 'import A "canister:a";\nactor { }\n' });
  await build(on);
  const before = markOf(on, 'b');
  await build(on);
  expect(on.starts()).toHaveLength(2);
  on.put({ 'src/A.mo': '// did: service : { more : () -> () }\nactor { }\n' });
  await build(on);
  expect(on.starts()).toHaveLength(4);
  expect(markOf(on, 'b')).not.toBe(before);
  on.put(CANISTER_A);
  await build(on);
  expect(on.starts()).toHaveLength(4);
  expect(markOf(on, 'b')).toBe(before);
});

test('a damaged cache is made whole by the same build, with the right bytes', async () => {
  const on = scene();
  await build(on);
  const files = on.files();
  for (const path of Object.keys(on.files(on.store)).filter((path) => path.startsWith('cas/'))) {
    truncateSync(join(on.store, path), Math.floor(statSync(join(on.store, path)).size / 2));
  }
  rmSync(on.out, { recursive: true });
  const said = await build(on);
  expect(said).toMatch(/^warning: damaged in the cache: /m);
  expect(on.starts()).toHaveLength(2);
  expect(on.files()).toEqual(files);
  rmSync(on.out, { recursive: true });
  expect(await build(on)).toMatch(/^ {2}a {2}hit/);
  expect(on.files()).toEqual(files);
});

/** A package that answers to the name ic-mops and tells what it was started with. */
function putIcMops(on: Scene): void {
  const dir = join(on.root, 'node_modules', 'ic-mops');
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{ "name": "ic-mops", "version": "2.9.0", "bin": { "mops": "cli.js" } }');
  writeFileSync(
    join(dir, 'cli.js'),
    `process.stdout.write(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), flavour: process.env.FLAVOUR }));
     process.stderr.write('to stderr');
     process.exitCode = 7;`,
  );
}

test.each([
  [['install', '--lock', 'check', 'a b', '']],
  [['test', '--', '--json']],
  [[]],
  [['--help']],
  [['--version']],
  [['docs', 'build', '-h']],
])('mops %j is handed to ic-mops with its arguments, streams, folder and exit code', async (args) => {
  const on = scene();
  putIcMops(on);
  const cwd = join(on.root, 'src');
  const end = await on.mops(args, { cwd, env: { FLAVOUR: 'sweet' } });
  expect(JSON.parse(end.stdout)).toEqual({ args, cwd, flavour: 'sweet' });
  expect([end.stderr, end.code]).toEqual(['to stderr', 7]);
});

test('the real ic-mops answers what is handed to it', async () => {
  const on = scene();
  const version: Ended = await on.mops(['--version']);
  expect(version.stdout).toMatch(/\d+\.\d+\.\d+/);
  const help = await on.mops(['--help']);
  expect(help.stdout).toContain('install');
  const unknown = await on.mops(['no-such-command']);
  expect(unknown.code).toBe(1);
  expect(readdirSync(on.root)).toContain('mops.toml');
});

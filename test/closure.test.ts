import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readClosure, type Closure } from '../src/build/closure.ts';
import { parseMocArgs } from '../src/build/moc-args.ts';
import { BuildError } from '../src/build/outcome.ts';
import { openSources, type Sources } from '../src/build/sources.ts';
import { digestOf } from '../src/cache/digest.ts';
import { CORPUS, PROGRAMS, type Program } from './rigs/closure-programs.ts';
import { openTracer, type Tracer } from './rigs/closure-trace.ts';
import { openTree, type Files, type Tree } from './rigs/closure-tree.ts';

type Setup = Pick<Program, 'main' | 'packages' | 'flags'>;

function treeOf(files: Files): Tree {
  const tree = openTree(files);
  onTestFinished(() => {
    tree.remove();
  });
  return tree;
}

function closureIn(root: string, setup: Setup, sources: Sources = openSources(root)): Promise<Closure> {
  const { main = 'src/Main.mo', packages = [], flags = [] } = setup;
  const invocation = parseMocArgs(flags, (path) => {
    const source = sources.read(path);
    return source.kind === 'file' ? Buffer.from(source.file.bytes).toString() : undefined;
  });
  return readClosure({ canister: 'c', root, main, packages, invocation, sources });
}

const pathsOf = (closure: Closure) => closure.inputs.map(({ path }) => path);

function argsOf({ main = 'src/Main.mo', packages = [], flags = [] }: Setup): readonly string[] {
  return [main, ...packages.flatMap(({ name, dir }) => ['--package', name, dir]), ...flags];
}

describe('the closure of', () => {
  test.each(PROGRAMS)('$title holds what is needed and nothing else', async (program) => {
    const { root } = treeOf(program.files);
    const closure = await closureIn(root, program);
    expect(pathsOf(closure)).toEqual(program.inputs);
    expect(closure.absent).toEqual(program.absent ?? []);
    expect(closure.missing).toEqual([]);
    expect(closure).not.toHaveProperty('uncacheable');
  });
});

describe('an import that leads nowhere', () => {
  const files = {
    'src/Main.mo': '\nimport A "Gone";\nimport B "mo:p/Gone"; import C "mo:gone/X";\nimport D "deep/B"; actor {}',
    'src/deep/B.mo': 'import E "../gone/"; module {}',
    'lib/p/X.mo': 'module {}',
  };
  const setup = { packages: [{ name: 'p', dir: 'lib/p' }] };

  test('is told with importer and line, and with every path where it was looked for', async () => {
    const { root } = treeOf(files);
    const closure = await closureIn(root, setup);
    expect(closure.missing).toEqual([
      { importer: 'src/Main.mo', line: 2, target: 'Gone' },
      { importer: 'src/Main.mo', line: 3, target: 'mo:p/Gone' },
      { importer: 'src/Main.mo', line: 3, target: 'mo:gone/X' },
      { importer: 'src/deep/B.mo', line: 1, target: '../gone/' },
    ]);
    expect(closure.absent).toEqual([
      'lib/p/Gone.mo',
      'lib/p/Gone/lib.mo',
      'src/Gone.mo',
      'src/Gone/lib.mo',
      'src/gone/lib.mo',
    ]);
    expect(closure).not.toHaveProperty('uncacheable');
  });

  test('is told of interfaces and blobs too', async () => {
    const { root } = treeOf({
      'src/Main.mo':
        'import A "ic:aaaaa-aa"; import B "canister:b"; import C "blob:file:c"; import D "canister:d"; actor {}',
      'd.did': 'import "gone.did"; service : {}',
    });
    const flags = ['--actor-idl', 'idl', '--actor-id-alias', 'd', 'aaaaa-aa', 'd.did'];
    const closure = await closureIn(root, { flags });
    expect(closure.missing.map(({ importer, target }) => `${importer} ${target}`)).toEqual([
      'src/Main.mo ic:aaaaa-aa',
      'src/Main.mo canister:b',
      'src/Main.mo blob:file:c',
      'd.did gone.did',
    ]);
    expect(closure.absent).toEqual(['gone.did', 'idl/aaaaa-aa.did', 'src/c']);
  });

  test('leads somewhere as soon as the file is there, and before the folder as soon as that file is', async () => {
    const tree = treeOf({ 'src/Main.mo': 'import A "A"; actor {}' });
    const inputsNow = async () => pathsOf(await closureIn(tree.root, {}));
    expect(await inputsNow()).toEqual(['src/Main.mo']);
    tree.write('src/A/lib.mo', 'module {}');
    expect(await inputsNow()).toEqual(['src/A/lib.mo', 'src/Main.mo']);
    tree.write('src/A.mo', 'module {}');
    expect(await inputsNow()).toEqual(['src/A.mo', 'src/Main.mo']);
  });
});

describe('a closure', () => {
  test('is finite where imports go in circles', async () => {
    const { root } = treeOf({
      'src/Main.mo': 'import A "A"; import I "canister:i"; actor {}',
      'src/A.mo': 'import B "B"; import A "./A"; module {}',
      'src/B.mo': 'import A "../src/A"; module {}',
      'i.did': 'import "j.did"; service : {}',
      'j.did': 'import "./i.did"; import "j.did";',
    });
    const closure = await closureIn(root, { flags: ['--actor-id-alias', 'i', 'aaaaa-aa', 'i.did'] });
    expect(pathsOf(closure)).toEqual(['i.did', 'j.did', 'src/A.mo', 'src/B.mo', 'src/Main.mo']);
  });

  test.each(['src/Gone.mo', 'src', 'src/Main.mo/x'])(
    'has no main file at %s, which is an expected failure',
    async (main) => {
      const { root } = treeOf({ 'src/Main.mo': 'actor {}' });
      const failure = { kind: 'main-missing', canister: 'c', path: main };
      await expect(closureIn(root, { main })).rejects.toThrow(BuildError);
      await expect(closureIn(root, { main })).rejects.toMatchObject({ failure });
    },
  );

  test('has its paths in code-unit order', async () => {
    const names = ['b', 'B', '_', 'a', 'ä', '🧀', '\uffee', 'A0'];
    const { root } = treeOf({
      'src/Main.mo': `${names.map((name) => `import _ "${name}";`).join('')} actor {}`,
      ...Object.fromEntries(names.map((name) => [`src/${name}.mo`, 'module {}'])),
    });
    const sorted = ['A0', 'B', 'Main', '_', 'a', 'b', 'ä', '🧀', '\uffee'];
    expect(pathsOf(await closureIn(root, {}))).toEqual(sorted.map((name) => `src/${name}.mo`));
  });

  test('holds the bytes of each file and their digest', async () => {
    const { root } = treeOf({ 'src/Main.mo': 'actor {}' });
    const [input] = (await closureIn(root, {})).inputs;
    expect(Buffer.from(input?.bytes ?? []).toString()).toBe('actor {}');
    expect(input?.digest).toBe(digestOf('actor {}'));
  });

  test('shares what was read with those of the other canisters of a build', async () => {
    const tree = treeOf({
      'src/Main.mo': 'import A "A"; actor {}',
      'src/Two.mo': 'import A "A"; actor {}',
      'src/A.mo': 'module {}',
    });
    const sources = openSources(tree.root);
    const one = await closureIn(tree.root, {}, sources);
    tree.write('src/A.mo', 'module { public let edited = 1 }');
    const two = await closureIn(tree.root, { main: 'src/Two.mo' }, sources);
    expect(two.inputs.find(({ path }) => path === 'src/A.mo')).toBe(one.inputs.find(({ path }) => path === 'src/A.mo'));
    const later = await closureIn(tree.root, { main: 'src/Two.mo' });
    expect(later.inputs[0]?.digest).not.toBe(one.inputs[0]?.digest);
  });

  test('is read from a source that is no UTF-8, which the compiler then rejects', async () => {
    const { root } = treeOf({ 'src/Main.mo': 'import A "A"; actor {}', 'src/A.mo': 'module {}' });
    writeFileSync(join(root, 'src/Main.mo'), Buffer.from('/* \xff */ import A "A"; actor { \xfe }', 'latin1'));
    expect(pathsOf(await closureIn(root, {}))).toEqual(['src/A.mo', 'src/Main.mo']);
  });

  test('keeps absolute paths absolute', async () => {
    const { root } = treeOf({
      'src/Main.mo': 'import A "ic:aaaaa-aa"; import B "mo:p/X"; actor {}',
      'idl/aaaaa-aa.did': 'service : {}',
      'lib/X.mo': 'module {}',
    });
    const closure = await closureIn(root, {
      flags: ['--actor-idl', join(root, 'idl')],
      packages: [{ name: 'p', dir: join(root, 'lib') }],
    });
    expect(pathsOf(closure)).toEqual([join(root, 'idl/aaaaa-aa.did'), join(root, 'lib/X.mo'), 'src/Main.mo']);
  });

  test('says which folders must be there, and which packages are not', async () => {
    const { root } = treeOf({ 'src/Main.mo': 'actor {}', 'lib/p/': '', 'migrations/': '' });
    const packages = [
      { name: 'p', dir: './lib/p/' },
      { name: 'gone', dir: '.mops/gone@1.0.0/src' },
    ];
    const closure = await closureIn(root, { packages, flags: ['--enhanced-migration=migrations'] });
    expect(closure.folders).toEqual(['lib/p/', 'migrations']);
    expect(closure.absent).toEqual(['.mops/gone@1.0.0/src']);
  });

  test('lists the migrations, dot files too, and nothing below them', async () => {
    const { root } = treeOf({
      'src/Main.mo': 'actor {}',
      ...{ 'm/b.mo': 'module {}', 'm/B.mo': 'module {}', 'm/.c.mo': 'module {}', 'm/d.md': '', 'm/e/f.mo': '' },
    });
    const closure = await closureIn(root, { flags: ['--enhanced-migration', './m'] });
    expect(closure.listings).toEqual([{ dir: 'm', names: ['.c.mo', 'B.mo', 'b.mo'] }]);
    expect(pathsOf(closure)).toEqual(['m/.c.mo', 'm/B.mo', 'm/b.mo', 'src/Main.mo']);
  });

  test('knows a missing folder of migrations as absent', async () => {
    const { root } = treeOf({ 'src/Main.mo': 'actor {}' });
    expect((await closureIn(root, { flags: ['--enhanced-migration=m'] })).absent).toEqual(['m']);
  });

  test('lists packages that are loaded whole, with the files below them', async () => {
    const { root } = treeOf({
      'src/Main.mo': 'actor {}',
      'p/b.mo': 'module {}',
      'p/a/.x/y.mo': 'module {}',
      'p/z.did': '',
    });
    const closure = await closureIn(root, { packages: [{ name: 'p', dir: 'p' }], flags: ['--all-libs'] });
    expect(closure.listings).toEqual([{ dir: 'p', names: ['a/.x/y.mo', 'b.mo'] }]);
  });

  test('holds the baseline of stable types', async () => {
    const { root } = treeOf({ 'src/Main.mo': 'actor {}', 'old.most': '' });
    expect(pathsOf(await closureIn(root, { flags: ['--stable-baseline=old.most'] }))).toEqual([
      'old.most',
      'src/Main.mo',
    ]);
  });

  test('holds a Candid file that is imported for its types, and what that imports', async () => {
    const { root } = treeOf({
      'src/Main.mo': 'import T "idl:../candid/t.did"; actor {}',
      'candid/t.did': 'import "u.did";',
      'candid/u.did': '',
    });
    const closure = await closureIn(root, {});
    expect(pathsOf(closure)).toEqual(['candid/t.did', 'candid/u.did', 'src/Main.mo']);
    expect(closure).not.toHaveProperty('uncacheable');
  });
});

describe('nothing is cached', () => {
  test.each([
    ['an unknown scheme', 'https://x.org/A', 'src/Main.mo:2: '],
    ['a plain Candid import', './x.did', 'src/Main.mo:2: '],
    ['a package left by ".."', 'mo:p/../X', 'src/Main.mo:2: '],
  ])('with %s, and the reason names the place', async (_, url, place) => {
    const { root } = treeOf({ 'src/Main.mo': `\nimport A "${url}"; actor {}` });
    const closure = await closureIn(root, {});
    expect(closure.uncacheable).toContain(place);
    expect(closure.uncacheable).toContain(url);
    expect(closure.missing).toEqual([]);
  });

  test('with a flag that is not understood', async () => {
    const { root } = treeOf({ 'src/Main.mo': 'actor {}' });
    expect((await closureIn(root, { flags: ['--frobnicate'] })).uncacheable).toContain('--frobnicate');
  });

  test('with a folder where a file is expected: the compiler finds it and fails', async () => {
    const { root } = treeOf({ 'src/Main.mo': 'import A "A"; actor {}', 'src/A.mo/': '', 'src/A/lib.mo': 'module {}' });
    const closure = await closureIn(root, {});
    expect(closure.uncacheable).toContain('src/A.mo');
    expect(pathsOf(closure)).toEqual(['src/Main.mo']);
  });

  test.skipIf(process.platform === 'win32')('with a pipe, which is not opened', async () => {
    const { root } = treeOf({ 'src/Main.mo': 'import A "A"; actor {}' });
    execFileSync('mkfifo', [join(root, 'src/A.mo')]);
    expect((await closureIn(root, {})).uncacheable).toContain('src/A.mo');
  });

  test('where a symbolic link makes ".." in an import ambiguous', async () => {
    const { root } = treeOf({
      'src/Main.mo': 'import A "linked/A"; actor {}',
      'src/linked': { linkTo: '../far/real' },
      'far/real/A.mo': 'import B "../B"; module {}',
      'far/B.mo': 'module {}',
      'src/B.mo': 'module {}',
    });
    expect((await closureIn(root, {})).uncacheable).toContain('src/linked');
  });

  test('where ".." leaves a folder that the sandbox would not have', async () => {
    const { root } = treeOf({
      'src/Main.mo': 'import A "mo:p/empty/../A"; actor {}',
      'p/empty/': '',
      'p/A.mo': 'module {}',
    });
    const closure = await closureIn(root, { packages: [{ name: 'p', dir: 'p' }] });
    expect(closure.uncacheable).toContain('p/empty');
  });

  test('where a whole package holds a link that leads nowhere: the compiler fails on it', async () => {
    const { root } = treeOf({ 'src/Main.mo': 'actor {}', 'p/A.mo': 'module {}', 'p/gone': { linkTo: 'nowhere' } });
    const closure = await closureIn(root, { packages: [{ name: 'p', dir: 'p' }], flags: ['--all-libs'] });
    expect(closure.uncacheable).toContain('p/gone');
  });

  test('where links in a whole package go in circles', async () => {
    const { root } = treeOf({ 'src/Main.mo': 'actor {}', 'p/A.mo': 'module {}', 'p/again': { linkTo: '.' } });
    const closure = await closureIn(root, { packages: [{ name: 'p', dir: 'p' }], flags: ['--all-libs'] });
    expect(closure).toHaveProperty('uncacheable');
  });
});

describe('the compiler opens the very files of the closure, and looks for the absent ones, with', () => {
  let tracer: Tracer;
  beforeAll(async () => {
    tracer = await openTracer();
  });
  afterAll(() => {
    tracer.remove();
  });

  async function expectAgreement(root: string, setup: Setup, mode: '-c' | '--check', exitCode = 0): Promise<void> {
    const closure = await closureIn(root, setup);
    const trace = await tracer.trace(root, [mode, ...argsOf(setup)]);
    expect(trace.exitCode, trace.diagnostics).toBe(exitCode);
    expect({ inputs: pathsOf(closure), absent: closure.absent }).toEqual({
      inputs: trace.opened,
      absent: trace.absent,
    });
    expect(closure).not.toHaveProperty('uncacheable');
  }

  test.each(PROGRAMS)('$title', async ({ files, compiled, ...setup }) => {
    await expectAgreement(treeOf(files).root, setup, compiled === true ? '-c' : '--check');
  });

  test('imports that lead nowhere', async () => {
    const urls = ['Gone', './gone/', 'mo:p/Gone', 'mo:no/X', 'ic:aaaaa-aa', 'canister:no', 'canister:i', 'blob:file:b'];
    const { root } = treeOf({
      'src/Main.mo': 'import A "A"; actor {}',
      'src/A.mo': `${urls.map((url) => `import _ "${url}";`).join('')} module {}`,
      'p/': '',
    });
    const flags = ['--actor-idl', 'idl', '--actor-id-alias', 'i', 'aaaaa-aa', 'ext/./i.did'];
    await expectAgreement(root, { packages: [{ name: 'p', dir: 'p' }], flags }, '--check', 1);
  });

  const corpus = join(import.meta.dirname, '../../shared/corpus');
  const hasCorpus = existsSync(corpus);
  if (!hasCorpus) console.log(`skipped: no corpus of larger programs at ${corpus}`);
  test.skipIf(!hasCorpus).each(CORPUS)('$folder of the corpus $flags', async ({ folder, compiled, ...setup }) => {
    await expectAgreement(join(corpus, folder), setup, compiled === true ? '-c' : '--check');
  });
});

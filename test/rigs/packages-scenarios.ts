import { lockText, mopsToml, type CachedPackage, type Declared, type Files } from './packages-scene.ts';

/** A project, and the packages that reach the compiler: `NAME DIR`, in order. */
export interface Scenario {
  readonly title: string;
  readonly declared: Declared;
  readonly installed: Readonly<Record<string, CachedPackage>>;
  readonly files?: Files;
  /** mops.lock, given what is declared. */
  readonly lock?: (declared: Declared) => string;
  readonly mopsEnv?: string;
  readonly expected: readonly string[];
  /** Why ic-mops 2.9.0 passes something else; without it, it is run and must pass the same. */
  readonly otherBefore3?: string;
}

export function filesOf({ declared, files, lock }: Scenario): Files {
  return {
    'mops.toml': mopsToml(declared),
    'Main.mo': 'actor {}',
    ...(lock === undefined ? {} : { 'mops.lock': lock(declared) }),
    ...files,
  };
}

const GITHUB = 'https://github.com/someone/json';

function local(name: string, dependencies: Readonly<Record<string, string>> = {}, about = ''): string {
  const lines = Object.entries(dependencies).map(([key, value]) => `${key} = "${value}"`);
  return `[package]\nname = "${name}"\nversion = "0.1.0"\n${about}\n[dependencies]\n${lines.join('\n')}\n`;
}

export const scenarios: readonly Scenario[] = [
  {
    title: 'what a dependency needs comes along',
    declared: { dependencies: { a: '1.0.0' } },
    installed: {
      'a@1.0.0': { dependencies: { b: '2.0.0' } },
      'b@2.0.0': { dependencies: { c: '3.0.0' } },
      'c@3.0.0': {},
    },
    expected: ['a .mops/a@1.0.0/src', 'b .mops/b@2.0.0/src', 'c .mops/c@3.0.0/src'],
  },
  {
    title: 'of two versions below the root the higher one wins, met first or last',
    declared: { dependencies: { a: '1.0.0', z: '1.0.0' } },
    installed: {
      'a@1.0.0': { dependencies: { m: '1.2.0', n: '1.9.0' } },
      'z@1.0.0': { dependencies: { m: '1.1.0', n: '1.10.0' } },
      'm@1.1.0': {},
      'm@1.2.0': {},
      'n@1.9.0': {},
      'n@1.10.0': {},
    },
    expected: ['a .mops/a@1.0.0/src', 'm .mops/m@1.2.0/src', 'n .mops/n@1.10.0/src', 'z .mops/z@1.0.0/src'],
  },
  {
    title: 'what the root declares wins over a higher version below it',
    declared: { dependencies: { a: '1.0.0', c: '1.0.0' } },
    installed: { 'a@1.0.0': { dependencies: { c: '1.5.0' } }, 'c@1.0.0': {}, 'c@1.5.0': {} },
    expected: ['a .mops/a@1.0.0/src', 'c .mops/c@1.0.0/src'],
  },
  {
    title: 'what only a losing version needs is left out',
    declared: { dependencies: { a: '1.0.0', b: '1.0.0' } },
    installed: {
      'a@1.0.0': { dependencies: { c: '1.0.0' } },
      'b@1.0.0': { dependencies: { c: '1.1.0' } },
      'c@1.0.0': { dependencies: { old: '1.0.0' } },
      'c@1.1.0': {},
      'old@1.0.0': {},
    },
    expected: ['a .mops/a@1.0.0/src', 'b .mops/b@1.0.0/src', 'c .mops/c@1.1.0/src'],
    otherBefore3: 'it keeps them',
  },
  {
    title: 'a losing version still has a say about the versions of others',
    declared: { dependencies: { a: '1.0.0', x: '1.0.0', y: '1.0.0' } },
    installed: {
      'a@1.0.0': { dependencies: { c: '1.0.0' } },
      'x@1.0.0': { dependencies: { c: '1.1.0' } },
      'c@1.0.0': { dependencies: { e: '1.7.0' } },
      'c@1.1.0': {},
      'y@1.0.0': { dependencies: { e: '1.3.0' } },
      'e@1.3.0': {},
      'e@1.7.0': {},
    },
    expected: [
      'a .mops/a@1.0.0/src',
      'c .mops/c@1.1.0/src',
      'e .mops/e@1.7.0/src',
      'x .mops/x@1.0.0/src',
      'y .mops/y@1.0.0/src',
    ],
  },
  {
    title: 'an alias is a package of its own beside the plain name',
    declared: { dependencies: { core: '2.0.0', 'core@1': '1.0.0' } },
    installed: { 'core@1.0.0': {}, 'core@2.0.0': {} },
    expected: ['core .mops/core@2.0.0/src', 'core@1 .mops/core@1.0.0/src'],
  },
  {
    title: 'an alias and the plain name may lead to the same package',
    declared: { dependencies: { core: '1.0.0', 'core@1': '1.0.0' } },
    installed: { 'core@1.0.0': {} },
    expected: ['core .mops/core@1.0.0/src', 'core@1 .mops/core@1.0.0/src'],
  },
  {
    title: 'a short version counts as if filled up with zeros',
    declared: { dependencies: { a: '1.0.0', z: '1.0.0' } },
    installed: {
      'a@1.0.0': { dependencies: { c: '0.9' } },
      'z@1.0.0': { dependencies: { c: '0.16' } },
      'c@0.9': {},
      'c@0.16': {},
    },
    expected: ['a .mops/a@1.0.0/src', 'c .mops/c@0.16/src', 'z .mops/z@1.0.0/src'],
  },
  {
    title: 'a release wins over its own pre-release',
    declared: { dependencies: { a: '1.0.0', b: '1.0.0' } },
    installed: {
      'a@1.0.0': { dependencies: { c: '1.0.0-beta.1' } },
      'b@1.0.0': { dependencies: { c: '1.0.0' } },
      'c@1.0.0-beta.1': {},
      'c@1.0.0': {},
    },
    expected: ['a .mops/a@1.0.0/src', 'b .mops/b@1.0.0/src', 'c .mops/c@1.0.0/src'],
    otherBefore3: 'it compares the three numbers only',
  },
  {
    title: 'local packages: src, baseDir, and the folder itself where there is neither',
    declared: { dependencies: { bare: './libs/bare', based: './libs/based', plain: './libs/plain' } },
    installed: {},
    files: {
      'libs/bare/lib.mo': 'module {}',
      'libs/based/mops.toml': local('based', {}, 'baseDir = "code"'),
      'libs/based/code/lib.mo': 'module {}',
      'libs/plain/mops.toml': local('plain'),
      'libs/plain/src/lib.mo': 'module {}',
    },
    expected: ['bare libs/bare', 'based libs/based/code', 'plain libs/plain/src'],
  },
  {
    title: 'a local package outside the root keeps its way there',
    declared: { dependencies: { shared: '../shared' } },
    installed: {},
    files: { '../shared/src/lib.mo': 'module {}' },
    expected: ['shared ../shared/src'],
  },
  {
    title: 'paths in a local package are meant from its folder',
    declared: { dependencies: { a: './libs/a' } },
    installed: { 'z@1.0.0': {} },
    files: {
      'libs/a/mops.toml': local('a', { b: '../deep/b' }),
      'libs/a/src/lib.mo': 'module {}',
      'libs/deep/b/mops.toml': local('b', { c: './c', z: '1.0.0' }),
      'libs/deep/b/src/lib.mo': 'module {}',
      'libs/deep/b/c/lib.mo': 'module {}',
    },
    expected: ['a libs/a/src', 'b libs/deep/b/src', 'c libs/deep/b/c', 'z .mops/z@1.0.0/src'],
  },
  {
    title: 'a published package below the root displaces a local one of the same name',
    declared: { dependencies: { a: './libs/a', z: '1.0.0' } },
    installed: { 'z@1.0.0': { dependencies: { x: '1.2.0' } }, 'x@1.2.0': {} },
    files: {
      'libs/a/mops.toml': local('a', { x: './x' }),
      'libs/a/src/lib.mo': 'module {}',
      'libs/a/x/lib.mo': 'module {}',
    },
    expected: ['a libs/a/src', 'x .mops/x@1.2.0/src', 'z .mops/z@1.0.0/src'],
  },
  {
    title: '{MOPS_ENV} is local where nothing is set',
    declared: { dependencies: { env: './envs/{MOPS_ENV}' } },
    installed: {},
    files: { 'envs/local/lib.mo': 'module {}', 'envs/prod/lib.mo': 'module {}' },
    expected: ['env envs/local'],
  },
  {
    title: '{MOPS_ENV} is what the user sets, in manifests too',
    declared: { dependencies: { env: './envs/{MOPS_ENV}' } },
    installed: {},
    files: {
      'envs/prod/mops.toml': local('env', { more: '../../more/{MOPS_ENV}/x' }),
      'envs/prod/lib.mo': 'module {}',
      'more/prod/x/lib.mo': 'module {}',
    },
    mopsEnv: 'prod',
    expected: ['env envs/prod', 'more more/prod/x'],
  },
  {
    title: 'GitHub: the default branch, a branch with slashes, a commit',
    declared: {
      dependencies: { branch: `${GITHUB}#feature/new/api`, commit: `${GITHUB}#main@0123abc`, plain: `${GITHUB}.git` },
    },
    installed: {
      '_github/branch#feature___new___api': {},
      '_github/commit#main@0123abc': {},
      '_github/plain#master': {},
    },
    expected: [
      'branch .mops/_github/branch#feature___new___api/src',
      'commit .mops/_github/commit#main@0123abc/src',
      'plain .mops/_github/plain#master/src',
    ],
  },
  {
    title: 'GitHub below the root: the higher tag wins, and a branch without a version loses',
    declared: { dependencies: { a: '1.0.0', z: '1.0.0' } },
    installed: {
      'a@1.0.0': { dependencies: { g: `${GITHUB}#v1.9.0`, h: `${GITHUB}#main` } },
      'z@1.0.0': { dependencies: { g: `${GITHUB}#v1.10.0`, h: `${GITHUB}#v0.1.0` } },
      '_github/g#v1.9.0': {},
      '_github/g#v1.10.0': {},
      '_github/h#main': {},
      '_github/h#v0.1.0': {},
    },
    expected: [
      'a .mops/a@1.0.0/src',
      'g .mops/_github/g#v1.10.0/src',
      'h .mops/_github/h#v0.1.0/src',
      'z .mops/z@1.0.0/src',
    ],
  },
  {
    title: 'a published version below the root displaces one from GitHub',
    declared: { dependencies: { a: '1.0.0', z: '1.0.0' } },
    installed: {
      'a@1.0.0': { dependencies: { g: `${GITHUB}#v9.0.0` } },
      'z@1.0.0': { dependencies: { g: '1.0.0' } },
      '_github/g#v9.0.0': {},
      'g@1.0.0': {},
    },
    expected: ['a .mops/a@1.0.0/src', 'g .mops/g@1.0.0/src', 'z .mops/z@1.0.0/src'],
  },
  {
    title: 'the baseDir of an installed package is part of its folder',
    declared: { dependencies: { a: '1.0.0' } },
    installed: { 'a@1.0.0': { baseDir: 'lib/motoko' } },
    expected: ['a .mops/a@1.0.0/lib/motoko'],
  },
  {
    title: 'development dependencies count at the root only, and replace dependencies of the same name',
    declared: { dependencies: { a: '1.0.0', c: '1.0.0' }, devDependencies: { c: '2.0.0', t: '1.0.0' } },
    installed: {
      'a@1.0.0': { devDependencies: { never: '1.0.0' } },
      'c@1.0.0': {},
      'c@2.0.0': {},
      't@1.0.0': {},
    },
    expected: ['a .mops/a@1.0.0/src', 'c .mops/c@2.0.0/src', 't .mops/t@1.0.0/src'],
  },
  {
    title: 'packages that need each other come once each',
    declared: { dependencies: { a: '1.0.0', p: './p' } },
    installed: { 'a@1.0.0': { dependencies: { b: '1.0.0' } }, 'b@1.0.0': { dependencies: { a: '1.0.0' } } },
    files: {
      'p/mops.toml': local('p', { q: '../q' }),
      'q/mops.toml': local('q', { p: '../p' }),
      'p/lib.mo': 'module {}',
      'q/lib.mo': 'module {}',
    },
    expected: ['a .mops/a@1.0.0/src', 'b .mops/b@1.0.0/src', 'p p', 'q q'],
    otherBefore3: 'it never comes to an end',
  },
  {
    title: 'a project may be its own package',
    declared: { dependencies: { self: './' } },
    installed: {},
    files: { 'src/lib.mo': 'module {}' },
    expected: ['self src'],
    otherBefore3: 'it never comes to an end',
  },
  {
    title: 'without a lock the order is that of the names, not of mops.toml',
    declared: { dependencies: { z: '1.0.0', B: '1.0.0', a: '1.0.0' } },
    installed: { 'z@1.0.0': {}, 'B@1.0.0': {}, 'a@1.0.0': {} },
    expected: ['B .mops/B@1.0.0/src', 'a .mops/a@1.0.0/src', 'z .mops/z@1.0.0/src'],
    otherBefore3: 'the order of the walk',
  },
  {
    title: 'a usable lock is the answer, in its own order, whatever the manifests say',
    declared: { dependencies: { a: '1.0.0', z: '1.0.0' } },
    installed: { 'a@1.0.0': { dependencies: { m: '1.0.0' } }, 'm@1.0.0': {}, 'm@1.5.0': {}, 'z@1.0.0': {} },
    lock: (declared) => lockText(declared, { z: '1.0.0', m: '1.5.0', a: '1.0.0' }),
    expected: ['z .mops/z@1.0.0/src', 'm .mops/m@1.5.0/src', 'a .mops/a@1.0.0/src'],
  },
  {
    title: 'a lock with every kind of dependency',
    declared: { dependencies: { 'core@1': '1.0.0', g: `${GITHUB}#main`, core: '2.0.0' } },
    installed: { 'core@1.0.0': {}, 'core@2.0.0': { baseDir: 'lib' }, '_github/g#main': {} },
    lock: (declared) =>
      lockText(
        declared,
        { core: '2.0.0', 'core@1': '1.0.0', g: `${GITHUB}#main` },
        { github: { g: { resolved: '0123456789abcdef', hash: 'e'.repeat(64) } }, graph: {} },
      ),
    expected: ['core .mops/core@2.0.0/lib', 'core@1 .mops/core@1.0.0/src', 'g .mops/_github/g#main/src'],
  },
  {
    title: 'a lock of another mops.toml is passed over',
    declared: { dependencies: { a: '1.1.0' } },
    installed: { 'a@1.0.0': {}, 'a@1.1.0': {} },
    lock: () => lockText({ dependencies: { a: '1.0.0' } }, { a: '1.0.0' }),
    expected: ['a .mops/a@1.1.0/src'],
  },
  {
    title: 'no dependencies, no packages',
    declared: {},
    installed: {},
    expected: [],
  },
];

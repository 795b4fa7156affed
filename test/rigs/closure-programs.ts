import type { Package } from '../../src/build/packages.ts';
import type { Files } from './closure-tree.ts';

/** A program that the compiler accepts, and the files that it needs. */
export interface Program {
  readonly title: string;
  readonly files: Files;
  readonly main?: string;
  readonly packages?: readonly Package[];
  readonly flags?: readonly string[];
  readonly inputs: readonly string[];
  readonly absent?: readonly string[];
  /** Bytes of blobs are read only where code is made. */
  readonly compiled?: true;
}

const MODULE = 'module { public let x = 1 }';
const ACTOR = 'persistent actor {}';
const SERVICE = 'service : {}';

const imports = (...urls: string[]) => urls.map((url, i) => `import I${i} "${url}";\n`).join('');

const p = { name: 'p', dir: 'lib/p' };

/** One for each way in which an import, or a flag, leads to a file. */
export const PROGRAMS: readonly Program[] = [
  {
    title: 'a main file alone',
    files: { 'src/Main.mo': ACTOR, 'src/Other.mo': MODULE },
    inputs: ['src/Main.mo'],
  },
  {
    title: 'relative imports',
    files: {
      'src/Main.mo': imports('A', './B', '../lib/C', 'deep/../D', './deep/E') + ACTOR,
      'src/A.mo': MODULE,
      'src/B.mo': MODULE,
      'lib/C.mo': MODULE,
      'src/D.mo': MODULE,
      'src/deep/E.mo': imports('../D', '../../lib/C') + MODULE,
    },
    inputs: ['lib/C.mo', 'src/A.mo', 'src/B.mo', 'src/D.mo', 'src/Main.mo', 'src/deep/E.mo'],
  },
  {
    title: 'folders with a lib.mo',
    files: {
      'src/Main.mo': imports('a', './b/', '../c', 'd/e') + ACTOR,
      'src/a/lib.mo': imports('./X', '../b') + MODULE,
      'src/a/X.mo': MODULE,
      'src/b/lib.mo': MODULE,
      'c/lib.mo': MODULE,
      'src/d/e/lib.mo': MODULE,
    },
    inputs: ['c/lib.mo', 'src/Main.mo', 'src/a/X.mo', 'src/a/lib.mo', 'src/b/lib.mo', 'src/d/e/lib.mo'],
    absent: ['c.mo', 'src/a.mo', 'src/b.mo', 'src/d/e.mo'],
  },
  {
    title: 'a file that hides a folder, which a slash finds',
    files: {
      'src/Main.mo': imports('a', 'b/') + ACTOR,
      'src/a.mo': MODULE,
      'src/a/lib.mo': MODULE,
      'src/b.mo': MODULE,
      'src/b/lib.mo': MODULE,
    },
    inputs: ['src/Main.mo', 'src/a.mo', 'src/b/lib.mo'],
  },
  {
    title: 'imports of the own folder',
    files: { 'src/x/Main.mo': imports('.', './', '', '..') + ACTOR, 'src/x/lib.mo': MODULE, 'src/lib.mo': MODULE },
    main: 'src/x/Main.mo',
    inputs: ['src/lib.mo', 'src/x/Main.mo', 'src/x/lib.mo'],
    absent: ['src/x/...mo', 'src/x/..mo'],
  },
  {
    title: 'a main file in the project folder',
    files: {
      'Main.mo': imports('A', './b', '../outside/C', '') + ACTOR,
      'A.mo': MODULE,
      'b/lib.mo': MODULE,
      'lib.mo': MODULE,
      '../outside/C.mo': MODULE,
    },
    main: 'Main.mo',
    inputs: ['../outside/C.mo', 'A.mo', 'Main.mo', 'b/lib.mo', 'lib.mo'],
    absent: ['.mo', 'b.mo'],
  },
  {
    title: 'a main file by a path with detours',
    files: { 'src/Main.mo': imports('./A') + ACTOR, 'src/A.mo': imports('Main2') + MODULE, 'src/Main2.mo': MODULE },
    main: './src/../src/./Main.mo',
    inputs: ['src/A.mo', 'src/Main.mo', 'src/Main2.mo'],
  },
  {
    title: 'packages',
    files: {
      'src/Main.mo': imports('mo:p', 'mo:p/X', 'mo:p/y', 'mo:p/y/../Z', 'mo:core@1/A', 'mo:prim', 'mo:⛔') + ACTOR,
      'lib/p/lib.mo': imports('./X', 'mo:q/Q', '../outside/O') + MODULE,
      'lib/p/X.mo': MODULE,
      'lib/p/y/lib.mo': imports('../Z', '../X') + MODULE,
      'lib/p/Z.mo': MODULE,
      'lib/outside/O.mo': MODULE,
      'lib/q/Q.mo': MODULE,
      'lib/q/Unused.mo': MODULE,
      'core/A.mo': MODULE,
      'unused/U.mo': MODULE,
    },
    packages: [p, { name: 'q', dir: './lib/./q/' }, { name: 'core@1', dir: 'core' }, { name: 'unused', dir: 'unused' }],
    inputs: [
      'core/A.mo',
      'lib/outside/O.mo',
      'lib/p/X.mo',
      'lib/p/Z.mo',
      'lib/p/lib.mo',
      'lib/p/y/lib.mo',
      'lib/q/Q.mo',
      'src/Main.mo',
    ],
    absent: ['lib/p/y.mo'],
  },
  {
    title: 'packages in unusual places',
    files: {
      'src/Main.mo': imports('mo:here/A', 'mo:here', 'mo:up/B', 'mo:flag/C') + ACTOR,
      'A.mo': MODULE,
      'lib.mo': MODULE,
      '../up/B.mo': imports('./b') + MODULE,
      '../up/b/lib.mo': MODULE,
      'flag/C.mo': MODULE,
    },
    packages: [
      { name: 'here', dir: '.' },
      { name: 'up', dir: '../up' },
    ],
    flags: ['--package', 'flag', 'flag'],
    inputs: ['../up/B.mo', '../up/b/lib.mo', 'A.mo', 'flag/C.mo', 'lib.mo', 'src/Main.mo'],
    absent: ['../up/b.mo', '.mo'],
  },
  {
    title: 'one file as a part of a package and not',
    files: {
      'src/Main.mo': imports('mo:p/X', '../lib/p/X', '../lib/p/Y') + ACTOR,
      'lib/p/X.mo': imports('Y') + MODULE,
      'lib/p/Y.mo': MODULE,
    },
    packages: [p],
    inputs: ['lib/p/X.mo', 'lib/p/Y.mo', 'src/Main.mo'],
  },
  {
    title: 'an actor class',
    files: {
      'src/Main.mo': imports('Class') + ACTOR,
      'src/Class.mo': `${imports('Helper')}persistent actor class C(n : Nat) { public func f() : async Nat { n } }`,
      'src/Helper.mo': MODULE,
    },
    inputs: ['src/Class.mo', 'src/Helper.mo', 'src/Main.mo'],
  },
  {
    title: 'other canisters',
    files: {
      'src/Main.mo': imports('ic:aaaaa-aa', 'canister:m', 'canister:byId', 'canister:byVariable') + ACTOR,
      'idl/aaaaa-aa.did': 'import "common.did"; service : { f : (t) -> () }',
      'idl/common.did': 'import "more/types.did"; type t = u;',
      'idl/more/types.did': 'import "../last.did"; type u = nat;',
      'idl/last.did': '/* import "no.did" */ type w = text;',
      'ext/id.did': SERVICE,
      'ext/variable.did': SERVICE,
      'ext/unused.did': SERVICE,
      'idl/unused.did': SERVICE,
    },
    flags: [
      ...['--actor-idl=./idl', '--actor-alias', 'm', 'aaaaa-aa'],
      ...['--actor-id-alias', 'byId', 'aaaaa-aa', 'ext/../ext/id.did'],
      ...['--actor-env-alias', 'byVariable', 'PUBLIC_CANISTER_ID:v', './ext/variable.did'],
      ...['--actor-env-alias', 'unused', 'PUBLIC_CANISTER_ID:u', 'ext/unused.did'],
    ],
    inputs: [
      'ext/id.did',
      'ext/variable.did',
      'idl/aaaaa-aa.did',
      'idl/common.did',
      'idl/last.did',
      'idl/more/types.did',
      'src/Main.mo',
    ],
  },
  {
    title: 'blobs',
    files: {
      'src/Main.mo': imports('blob:file:logo.png', 'blob:file:../assets/./data', './deep/A') + ACTOR,
      'src/logo.png': 'png',
      'assets/data': 'data',
      'src/deep/A.mo': `${imports('blob:file:../logo.png', 'blob:file:own.bin')}module { public let x = I1 }`,
      'src/deep/own.bin': 'own',
    },
    inputs: ['assets/data', 'src/Main.mo', 'src/deep/A.mo', 'src/deep/own.bin', 'src/logo.png'],
    compiled: true,
  },
  {
    title: 'migrations',
    files: {
      'src/Main.mo': 'persistent actor { var a : Nat; public func f() : async Nat { a += 1; a } }',
      'migrations/.first.mo': 'module { public func migration(_ : {}) : { var a : Nat } { { var a = 1 } } }',
      'migrations/001.mo':
        'import T "../src/T"; module { public func migration(old : { var a : Nat }) : { var a : T.T } { old } }',
      'migrations/sub/No.mo': MODULE,
      'migrations/README.md': '',
      'src/T.mo': 'module { public type T = Nat }',
    },
    flags: ['--enhanced-migration=migrations'],
    inputs: ['migrations/.first.mo', 'migrations/001.mo', 'src/Main.mo', 'src/T.mo'],
  },
  {
    title: 'whole packages by --all-libs',
    files: {
      'src/Main.mo': imports('mo:p/X') + ACTOR,
      'lib/p/X.mo': MODULE,
      'lib/p/Y.mo': imports('mo:q/deep/Q') + MODULE,
      'lib/p/README.md': '',
      'lib/q/deep/Q.mo': imports('../../outside/O') + MODULE,
      'lib/q/.hidden/H.mo': MODULE,
      'lib/q/...mo': 'no module',
      'lib/outside/O.mo': MODULE,
      'src/Unused.mo': MODULE,
    },
    packages: [p, { name: 'q', dir: 'lib/q' }, { name: 'self', dir: 'src' }],
    flags: ['--all-libs'],
    inputs: ['lib/outside/O.mo', 'lib/p/X.mo', 'lib/p/Y.mo', 'lib/q/.hidden/H.mo', 'lib/q/deep/Q.mo', 'src/Main.mo'],
  },
  {
    title: 'a whole package by --implicit-package',
    files: {
      'src/Main.mo': ACTOR,
      'lib/p/X.mo': MODULE,
      'lib/p/deep/Y.mo': imports('mo:q/Q') + MODULE,
      'lib/q/Q.mo': MODULE,
      'lib/q/Unused.mo': MODULE,
    },
    packages: [p, { name: 'q', dir: './lib/q' }],
    flags: ['--implicit-package', 'p'],
    inputs: ['lib/p/X.mo', 'lib/p/deep/Y.mo', 'lib/q/Q.mo', 'src/Main.mo'],
  },
  {
    title: 'whole packages by --ai-errors',
    files: {
      'src/Main.mo': imports('../lib/p/X') + ACTOR,
      'lib/p/X.mo': imports('deep/Y') + MODULE,
      'lib/p/deep/Y.mo': MODULE,
      'lib/q/Q.mo': MODULE,
    },
    packages: [p, { name: 'q', dir: 'lib/q' }],
    flags: ['--ai-errors'],
    inputs: ['lib/p/X.mo', 'lib/p/deep/Y.mo', 'lib/q/Q.mo', 'src/Main.mo'],
  },
  {
    title: 'flags in files',
    files: {
      'src/Main.mo': imports('mo:p/X', 'canister:m') + ACTOR,
      'lib/p/X.mo': MODULE,
      'flags/outer': '--package\np\nlib/p\n--args0\nflags/inner\n',
      'flags/inner': '--actor-id-alias\0m\0aaaaa-aa\0m.did\0',
      'm.did': SERVICE,
    },
    flags: ['--args', 'flags/outer'],
    inputs: ['flags/inner', 'flags/outer', 'lib/p/X.mo', 'm.did', 'src/Main.mo'],
  },
  {
    title: 'symbolic links, which count by their own paths',
    files: {
      'src/Main.mo': imports('linked/A', 'B', 'mo:p/X') + ACTOR,
      'src/linked': { linkTo: '../real' },
      'real/A.mo': imports('./a') + MODULE,
      'real/a/lib.mo': MODULE,
      'src/B.mo': { linkTo: '../real/A.mo' },
      'src/a.mo': MODULE,
      'lib/p': { linkTo: '../real/p' },
      'real/p/X.mo': imports('./Y') + MODULE,
      'real/p/Y.mo': MODULE,
    },
    packages: [p],
    inputs: [
      'lib/p/X.mo',
      'lib/p/Y.mo',
      'src/B.mo',
      'src/Main.mo',
      'src/a.mo',
      'src/linked/A.mo',
      'src/linked/a/lib.mo',
    ],
    absent: ['src/linked/a.mo'],
  },
  {
    title: 'imports behind every kind of comment and pattern',
    files: {
      'src/Main.mo': `/* /* " */ import No "No"; */ // import No "No"\nimport/**/{ x; type T } = "A" ; import (_) "\\u{42}"; import _ "C" ${ACTOR}`,
      'src/A.mo': 'module { public let x = 1; public type T = Nat }',
      'src/B.mo': MODULE,
      'src/C.mo': MODULE,
      'src/No.mo': MODULE,
    },
    inputs: ['src/A.mo', 'src/B.mo', 'src/C.mo', 'src/Main.mo'],
  },
];

const core = { name: 'core', dir: '.mops/core@2.5.0/src' };
const persistent = ['--default-persistent-actors'];

/** The larger programs, built as their mops.toml says. */
export const CORPUS: readonly (Omit<Program, 'title' | 'files' | 'inputs'> & { readonly folder: string })[] = [
  { folder: 'hello_world', main: 'backend/main.mo', packages: [core], flags: persistent },
  { folder: 'superheroes', main: 'backend/main.mo', packages: [core], flags: persistent },
  { folder: 'superheroes', main: 'backend/main.mo', packages: [core], flags: [...persistent, '--all-libs'] },
  {
    folder: 'filevault',
    main: 'backend/main.mo',
    packages: [core, { name: 'map', dir: '.mops/map@9.0.1/src' }],
    flags: persistent,
  },
  {
    folder: 'import_forms',
    packages: [core],
    flags: [
      ...['--actor-idl', 'idl', '--actor-alias', 'mgmt', 'aaaaa-aa'],
      ...['--actor-env-alias', 'envd', 'PUBLIC_CANISTER_ID:envd', 'ext/envd.did'],
    ],
    compiled: true,
  },
  { folder: 'migrations', main: 'src/main.mo', flags: [...persistent, '--enhanced-migration=migrations'] },
  { folder: 'generated_large', main: 'src/main.mo', packages: [core] },
];

import { tomlWith, type FactCase } from './conformance-case.ts';
import { cached, depends, inProject, installed, P1, pkg, under } from './conformance-registry.ts';
import { lockText, sha256 } from './packages-scene.ts';

/** Upstream 3 writes a lock file in every build whose packages can be had, also where the build then fails. */
const LOCK = 'new project/mops.lock 644';
const NO_LOCK = { 'lock-not-written': [`- ${LOCK}`] };

/** A build of `a` that succeeds, with these arguments in the middle of the compiler's. */
function built(flags = ''): readonly string[] {
  return [
    'exit 0',
    'stdout build canister a',
    'stdout ',
    'stdout ✓ Built 1 canister successfully',
    `moc -c --idl --stable-types -o a.wasm src/A.mo${flags} --public-metadata candid:service --public-metadata candid:args`,
    ...OUTPUTS,
  ];
}

const OUTPUTS = [
  'new project/.mops/.build/ 755',
  'new project/.mops/.build/.a.buildlock 644',
  'new project/.mops/.build/a.did 644',
  'new project/.mops/.build/a.most 644',
  'new project/.mops/.build/a.wasm 644',
  '  section stand-in: (digest)',
  '  section icp:public candid:service: "service : {}\\n"',
];

const MADE_MOPS = 'new project/.mops/ 755';
const P = ' --package p .mops/p@1.0.0/src';
const P_LOCK = lockText({ dependencies: P1 }, P1);

/** What ours does where upstream fails because it asks the network. */
const BUILDS_ALL_THE_SAME = [
  '- exit 1',
  '+ exit 0',
  '+ stdout ',
  '+ moc ',
  '+ new project/.mops/.build/',
  '+   section ',
];

/** What only upstream 3 does, by the section of the contract that says so. */
export const FACTS: readonly FactCase[] = [
  { title: '1: an unknown option', args: ['build', '--nope'], says: ['--nope'], facts: ['exit 1'] },
  { title: '1: an unknown option of one letter', args: ['build', '-x'], says: ['-x'], facts: ['exit 1'] },
  {
    title: '1: --no-check-wasm, --no-check-deploy and --no-optimize are options',
    args: ['build', '--no-check-wasm', '--no-check-deploy', '--no-optimize'],
    facts: [...built(), MADE_MOPS, LOCK],
    differs: NO_LOCK,
  },
  ...['not a URL', 'ftp://localhost'].map((url) => ({
    title: `1: MOPS_POCKET_IC_URL = ${url}`,
    env: { MOPS_POCKET_IC_URL: url },
    facts: ['exit 1'],
    differs: { 'pocket-ic-url': [...BUILDS_ALL_THE_SAME, '+ new project/.mops/ '] },
  })),
  ...['-1', '0', '1.5', '"4GiB"'].map((limit) => ({
    title: `2: wasmMemoryLimit = ${limit}`,
    files: { 'mops.toml': tomlWith([`wasmMemoryLimit = ${limit}`]) },
    says: ['wasmMemoryLimit', 'positive integer'],
    facts: ['exit 1', LOCK],
    differs: NO_LOCK,
  })),
  {
    title: '2: wasmMemoryLimit of a canister that is not asked for',
    files: { 'mops.toml': tomlWith(['wasmMemoryLimit = 0'], '[canisters.b]\nmain = "src/A.mo"') },
    args: ['build', 'b'],
    says: ['wasmMemoryLimit'],
    facts: ['exit 1', LOCK],
    differs: NO_LOCK,
  },
  {
    title: '2: no compiler is pinned',
    files: { 'mops.toml': '[canisters]\na = "src/A.mo"\n' },
    says: ['mops toolchain use moc'],
    facts: ['exit 1', LOCK],
    differs: NO_LOCK,
  },
  {
    title: '2: no compiler is pinned, and an unknown name: the former first',
    files: { 'mops.toml': '[canisters]\na = "src/A.mo"\n' },
    args: ['build', 'nope'],
    says: ['mops toolchain use moc'],
    silentOf: ['nope'],
    facts: ['exit 1', LOCK],
    differs: NO_LOCK,
  },
  { title: '5: a build writes a lock file', facts: [...built(), MADE_MOPS, LOCK], differs: NO_LOCK },
  {
    title: '5: a lock file that fits is left as it is',
    files: { ...depends(P1), ...installed('p@1.0.0'), 'mops.lock': P_LOCK },
    facts: built(P),
  },
  {
    title: '5: a stale lock file is written anew',
    files: { ...depends(P1), ...installed('p@1.0.0'), 'mops.lock': lockText({ dependencies: {} }, {}) },
    says: ['mops.lock', 'mops install'],
    facts: [...built(P), 'changed project/mops.lock 644'],
    differs: { 'lock-not-written': ['- changed project/mops.lock'] },
  },
  {
    title: '5: a lock file that is none is written anew',
    files: { ...depends(P1), ...installed('p@1.0.0'), 'mops.lock': '{' },
    says: ['mops.lock', 'mops install'],
    facts: [...built(P), 'changed project/mops.lock 644'],
    differs: { 'lock-not-written': ['- changed project/mops.lock'] },
  },
  {
    title: '5: a package that is nowhere',
    files: depends(P1),
    says: ['p@1.0.0'],
    facts: ['exit 1'],
  },
  {
    title: '5: a lock file that fits, and a package in the project only',
    files: { ...depends(P1), ...inProject('p@1.0.0'), 'mops.lock': P_LOCK },
    facts: ['exit 1'],
    differs: { offline: BUILDS_ALL_THE_SAME },
  },
  {
    title: '5: --locked and no lock file',
    args: ['build', '--locked'],
    says: ['mops.lock', '--locked', 'mops install'],
    facts: ['exit 1'],
  },
  ...(
    [
      ['that is none', '{', []],
      ['of version 9', '{ "version": 9 }', ['9']],
      ['of other dependencies', lockText({ dependencies: { p: '2.0.0' } }, { p: '2.0.0' }), ['mops.toml']],
      ['with another version than declared', lockText({ dependencies: P1 }, { p: '2.0.0' }), ['p', '2.0.0']],
      ['without hashes of a package', lockText({ dependencies: P1 }, P1, { hashes: {} }), ['p@1.0.0']],
      ['with an absolute path', lockText({ dependencies: P1 }, { ...P1, l: '/l' }), ['l']],
    ] as const
  ).map(([what, lock, says]) => ({
    title: `5: --locked and a lock file ${what}`,
    files: { ...depends(P1), ...installed('p@1.0.0'), 'mops.lock': lock },
    args: ['build', '--locked'],
    says: ['mops.lock', '--locked', 'mops install', ...says],
    facts: ['exit 1'],
  })),
  {
    title: '5: --locked and a lock file of another local package',
    files: {
      ...depends({ p: './lib' }),
      ...under('lib', pkg('p@1.0.0')),
      'mops.lock': lockText({ dependencies: { p: './lib' } }, { p: './lib' }, { localDepsHash: sha256('other') }),
    },
    args: ['build', '--locked'],
    says: ['mops.lock', 'local', 'mops install'],
    facts: ['exit 1'],
  },
  {
    title: '5: --locked where no package is of the registry',
    files: { 'mops.lock': lockText({ dependencies: {} }, {}) },
    args: ['build', '--locked'],
    facts: [...built(), MADE_MOPS],
    silentOf: ['registry'],
  },
  {
    title: '5: --locked without a network, where everything is there',
    files: { ...depends(P1), ...installed('p@1.0.0'), 'mops.lock': P_LOCK },
    args: ['build', '--locked'],
    says: ['the registry was not asked'],
    facts: ['exit 1'],
    differs: { offline: BUILDS_ALL_THE_SAME },
  },
  {
    title: '6: without a lock file the order is that of the names',
    files: {
      ...depends({ q: '1.0.0', p: '1.0.0' }),
      ...installed('p@1.0.0', { a: '1.0.0' }),
      ...installed('q@1.0.0'),
      ...installed('a@1.0.0'),
    },
    facts: [...built(` --package a .mops/a@1.0.0/src${P} --package q .mops/q@1.0.0/src`), LOCK],
    differs: NO_LOCK,
  },
  {
    title: '6: what only a version that lost depends on is left out',
    files: {
      ...depends({ p: '1.0.0', q: '1.0.0' }),
      ...installed('p@1.0.0', { s: '1.0.0' }),
      ...installed('q@1.0.0', { s: '1.1.0' }),
      ...installed('s@1.0.0', { x: '1.0.0' }),
      ...installed('s@1.1.0'),
      ...installed('x@1.0.0'),
    },
    facts: [...built(`${P} --package q .mops/q@1.0.0/src --package s .mops/s@1.1.0/src`), LOCK],
    differs: NO_LOCK,
  },
  {
    title: '6: two majors of a package are told',
    files: {
      ...depends({ p: '1.0.0', q: '1.0.0' }),
      ...installed('p@1.0.0', { s: '1.0.0' }),
      ...installed('q@1.0.0', { s: '2.0.0' }),
      ...installed('s@1.0.0'),
      ...installed('s@2.0.0'),
    },
    says: ['p@1.0.0', 'q@1.0.0', '2.0.0', 'mops.toml'],
    facts: [...built(`${P} --package q .mops/q@1.0.0/src --package s .mops/s@2.0.0/src`), LOCK],
    differs: NO_LOCK,
  },
  {
    title: '6: a lock file that fits has two majors settled',
    files: {
      ...depends(P1),
      ...installed('p@1.0.0', { s: '1.0.0' }),
      ...installed('s@2.0.0'),
      'mops.lock': lockText({ dependencies: P1 }, { p: '1.0.0', s: '2.0.0' }),
    },
    silentOf: ['majors'],
    facts: built(`${P} --package s .mops/s@2.0.0/src`),
  },
  {
    title: '6: edges of a stale lock file stand in for manifests',
    files: {
      ...depends(P1),
      ...installed('p@1.0.0', { q: '1.0.0' }),
      ...installed('q@2.0.0'),
      'mops.lock': lockText({ dependencies: {} }, {}, { graph: { 'p@1.0.0': { q: '2.0.0' } } }),
    },
    facts: [...built(`${P} --package q .mops/q@2.0.0/src`), 'changed project/mops.lock 644'],
    differs: { 'lock-not-written': ['- changed project/mops.lock'] },
  },
  {
    title: '11: cache clean --global leaves the project',
    args: ['cache', 'clean', '--global'],
    files: { ...cached('p@1.0.0'), '.mops/.build/a.wasm': 'x' },
    facts: [
      'exit 0',
      'stdout Cache cleaned',
      ...['', 'p@1.0.0/', 'p@1.0.0/mops.toml', 'p@1.0.0/src/', 'p@1.0.0/src/lib.mo'].map(
        (path) => `gone cache/mops/packages/${path}`,
      ),
    ],
  },
  {
    title: '11: cache clean outside of a project leaves a folder .mops',
    args: ['cache', 'clean'],
    files: { 'mops.toml': undefined, '.mops/x': 'x', 'CACHE/x': 'x' },
    facts: ['exit 0', 'stdout Cache cleaned', 'gone cache/mops/x'],
  },
  {
    title: '11: cache clean where mops.toml is none',
    args: ['cache', 'clean'],
    files: { 'mops.toml': '[', '.mops/x': 'x' },
    facts: ['exit 0', 'stdout Cache cleaned', 'gone project/.mops/', 'gone project/.mops/x'],
  },
];

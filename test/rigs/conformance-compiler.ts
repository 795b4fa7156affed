import { MARKED, toml, tomlWith, type Case } from './conformance-case.ts';

const WARNING = 'src/A.mo:1.1-1.26: warning [M0194], look out';
const WARNS = { 'src/A.mo': '// stand-in: warn look out\nactor { }\n' };

/** Upstream's command line of the compiler is on stdout, with the paths. */
const VERBOSE = ['- stdout ./moc [', '- stdout Stable types written', '- stdout Adding metadata'];

/** Section 4 of the contract: the compiler's command line, its warnings, flags that the build sets itself. */
export const COMPILER: readonly Case[] = [
  { title: '4: warnings of the compiler are not shown', files: WARNS, silentOf: ['look out', 'M0194'] },
  {
    title: '4: with --verbose they are shown',
    files: WARNS,
    args: ['build', '--verbose'],
    says: [WARNING],
    differs: { 'verbose-on-stderr': VERBOSE },
  },
  {
    title: '4: with --verbose they are shown again when nothing has changed',
    files: WARNS,
    before: [{ args: ['build'] }],
    args: ['build', '--verbose'],
    says: [WARNING],
    differs: { 'verbose-on-stderr': VERBOSE, 'compiles-once': ['- moc '] },
  },
  {
    title: '4: with --verbose what the compiler prints to stdout is shown',
    files: { 'src/A.mo': '// stand-in: print in passing\nactor { }\n' },
    args: ['build', '--verbose'],
    says: ['in passing'],
    differs: { 'verbose-on-stderr': [...VERBOSE, '- stdout in passing'] },
  },
  {
    title: '4: what the compiler prints to stdout is not shown without',
    files: { 'src/A.mo': '// stand-in: print in passing\nactor { }\n' },
    silentOf: ['in passing'],
  },
  {
    title: '4: warnings of a program that is rejected are shown',
    files: { 'src/A.mo': '// stand-in: warn look out\n// stand-in: exit 1\nactor { }\n' },
    says: [WARNING, 'told to stop'],
    differs: { 'output-when-needed': MARKED },
  },
  ...['-c', '--idl', '--stable-types'].map((flag) => ({
    title: `4: ${flag} in [build] args is warned of and passed on`,
    files: { 'mops.toml': toml(`[build]\nargs = ["${flag}"]`) },
    says: [flag, 'args', 'mops build always sets'].slice(0, 2),
  })),
  {
    title: '4: --public-metadata in the args of a canister is warned of and passed on',
    files: { 'mops.toml': tomlWith(['args = ["--public-metadata", "motoko:compiler"]']) },
    says: ['--public-metadata', 'args'],
  },
  {
    title: '4: a managed flag after -- is warned of and passed on',
    args: ['build', '--', '--idl'],
    says: ['--idl', 'args'],
  },
  {
    title: '4: a managed flag in [moc] args is not warned of',
    files: { 'mops.toml': toml('[moc]\nargs = ["--idl"]') },
    silentOf: ['--idl', 'arning'],
  },
  {
    title: '4: a managed flag is warned of when nothing has changed',
    files: { 'mops.toml': toml('[build]\nargs = ["--idl"]') },
    before: [{ args: ['build'] }],
    says: ['--idl', 'args'],
    differs: { 'compiles-once': ['- moc '] },
  },
  {
    title: '4: a managed flag is warned of where the program is rejected',
    files: { 'mops.toml': toml('[build]\nargs = ["--idl"]'), 'src/A.mo': '// stand-in: exit 1\nactor { }\n' },
    says: ['--idl', 'args', 'told to stop'],
    differs: { 'output-when-needed': MARKED },
  },
  {
    title: '4: -o for the compiler',
    args: ['build', '--', '-o', 'elsewhere.wasm'],
    says: ['-o'],
    differs: { 'output-when-needed': MARKED },
  },
  { title: '4: a flag that nobody knows', args: ['build', '--', '--frobnicate'] },
  { title: '4: --release', args: ['build', '--', '--release'] },
  { title: '4: --map', args: ['build', '--', '--map'] },
  { title: '4: the environment goes to the compiler', env: { MOC_UNLOCK_PRIM: 'yes' } },
  {
    title: '4: the environment goes to the compiler, all of it',
    files: { 'src/A.mo': '// stand-in: env ANY_THING\nactor { }\n' },
    env: { ANY_THING: 'at all' },
    args: ['build', '--verbose'],
    says: ['ANY_THING=at all'],
    differs: { 'verbose-on-stderr': [...VERBOSE, '- stdout ANY_THING='] },
  },
  {
    title: '4: an interface of another canister, by --actor-env-alias',
    files: {
      'mops.toml': tomlWith(['args = ["--actor-env-alias", "b", "B_ID", "idl/b.did"]']),
      'src/A.mo': 'import B "canister:b";\nactor { }\n',
      'idl/b.did': 'service : {}\n',
    },
  },
];

import { MARKED, toml, tomlWith, type Case } from './conformance-case.ts';

const SERVICE = { 'src/A.mo': '// did: service : { get : () -> (nat) query }\nactor { }\n' };
const NARROWER = 'service : { get : () -> (nat) query; set : (nat) -> () }\n';

/** Upstream's raw output of the compiler, where it fails after that. */
const RAW = ['did', 'most', 'wasm'].map((end) => `- new project/.mops/.build/a.${end} `);

/** Sections 7 and 9 of the contract: the files, the custom sections, the Candid check. */
export const OUTPUTS: readonly Case[] = [
  {
    title: '7: a module with functions and names is written anew',
    files: { 'src/A.mo': '// stand-in: program\nactor { }\n' },
  },
  {
    title: "7: the compiler's own sections stay, in their order",
    files: {
      'src/A.mo': [
        '// stand-in: section icp:public candid:args = ()',
        '// stand-in: section icp:private motoko:compiler = 1.10.1',
        '// stand-in: section motoko = x',
        'actor { }',
        '',
      ].join('\n'),
    },
  },
  {
    title: '7: a section of the compiler with the name of one of ours gives way',
    files: { 'src/A.mo': '// stand-in: section icp:public candid:service = old\nactor { }\n' },
  },
  { title: '7: initArg', files: { 'mops.toml': tomlWith([`initArg = '("größe", 5)'`]) } },
  {
    title: "7: initArg in the place of the compiler's",
    files: {
      'mops.toml': tomlWith([`initArg = '(1)'`]),
      'src/A.mo': '// stand-in: section icp:public candid:args = ()\n// stand-in: section last = x\nactor { }\n',
    },
  },
  {
    title: "7: an empty initArg leaves the compiler's",
    files: {
      'mops.toml': tomlWith(['initArg = ""']),
      'src/A.mo': '// stand-in: section icp:public candid:args = ()\nactor { }\n',
    },
  },
  {
    title: '7: the configured Candid file, comments and all, is the metadata',
    files: {
      ...SERVICE,
      'mops.toml': tomlWith(['candid = "idl/a.did"']),
      'idl/a.did': '// größe\r\nservice : { }\r\n',
    },
  },
  {
    title: '7: a Candid file with a byte order mark',
    files: { ...SERVICE, 'mops.toml': tomlWith(['candid = "a.did"']), 'a.did': '\uFEFFservice : { }\n' },
    differs: { 'output-when-needed': MARKED, 'failed-leaves-files': [...RAW, '-   section stand-in'] },
  },
  {
    title: '7: a Candid file that names a type',
    files: {
      ...SERVICE,
      'mops.toml': tomlWith(['candid = "a.did"']),
      'a.did': 'type N = nat;\nservice : { get : () -> (N) query }\n',
    },
  },
  {
    title: '7: the program does not offer what the Candid file promises',
    files: { ...SERVICE, 'mops.toml': tomlWith(['candid = "a.did"']), 'a.did': NARROWER },
    says: ['a'],
    differs: { 'output-when-needed': MARKED, 'failed-leaves-files': [...RAW, '-   section stand-in'] },
  },
  {
    title: '7: the same, with files of before',
    files: SERVICE,
    before: [{ args: ['build'] }],
    change: { 'mops.toml': tomlWith(['candid = "a.did"']), 'a.did': NARROWER },
    differs: {
      'failed-leaves-files': ['- changed project/.mops/.build/a.wasm', '-   section '],
      'compiles-once': ['- moc '],
    },
  },
  {
    title: '7: a Candid file that is not there',
    files: { 'mops.toml': tomlWith(['candid = "a.did"']) },
    says: ['a.did'],
    differs: {
      'mistakes-first': ['- moc '],
      'output-when-needed': MARKED,
      'failed-leaves-files': [...RAW, '-   section stand-in'],
    },
  },
  {
    title: '7: a Candid file that is none',
    files: { 'mops.toml': tomlWith(['candid = "a.did"']), 'a.did': 'no Candid' },
    differs: { 'output-when-needed': MARKED, 'failed-leaves-files': [...RAW, '-   section stand-in'] },
  },
  {
    title: '7: other files in the output folder stay',
    files: { '.mops/.build/README': 'mine\n', '.mops/.build/b.wasm': 'mine\n', '.mops/.build/a.wasm.opt': 'mine\n' },
  },
  {
    title: '7: files of before are replaced',
    before: [{ args: ['build'] }],
    change: { 'src/Lib.mo': 'module { /* changed */ }\n' },
  },
  {
    title: '7: what somebody did to the files is undone',
    before: [{ args: ['build'] }],
    change: { '.mops/.build/a.wasm': 'garbage', '.mops/.build/a.did': undefined },
    differs: { 'compiles-once': ['- moc '] },
  },
  {
    title: '7: a file that is not ours in the place of an output is replaced',
    files: { '.mops/.build/a.did': 'somebody else\n' },
  },
  { title: '7: nothing has changed', before: [{ args: ['build'] }], differs: { 'compiles-once': ['- moc '] } },
  {
    title: '7: only the initArg has changed',
    before: [{ args: ['build'] }],
    change: { 'mops.toml': tomlWith([`initArg = '(1)'`]) },
    differs: { 'compiles-once': ['- moc '] },
  },
  {
    title: '7: a canister that is not in mops.toml any more: its files stay',
    files: { 'mops.toml': toml('', 'a = "src/A.mo"\nb = "src/Lib.mo"') },
    before: [{ args: ['build', 'a'] }, { args: ['build', 'b'] }],
    change: { 'mops.toml': toml() },
    differs: { 'compiles-once': ['- moc '] },
  },
  { title: '9: the marker of the lock is there before', files: { '.mops/.build/.a.buildlock': '' } },
];

import { FOLDERS, toml, tomlWith, type Case } from './conformance-case.ts';

/** The compiler sees other paths, and its output tells of them. */
const MAIN_AND_BYTES = [
  '- moc ',
  '+ moc ',
  ...['-', '+'].flatMap((side) => [`${side} new project/`, `${side}   section stand-in`]),
];

/** Section 3 of the contract: the keys of mops.toml, where it is found, what its paths mean. */
export const CONFIGURATION: readonly Case[] = [
  { title: '3: a canister as a table', files: { 'mops.toml': tomlWith([]) } },
  { title: '3: main with ./', files: { 'mops.toml': toml('', 'a = "./src/A.mo"') } },
  { title: '3: main with ..', files: { 'mops.toml': toml('', 'a = "src/../src/A.mo"') } },
  {
    title: '3: main outside of the project',
    files: { 'mops.toml': toml('', 'a = "../other/A.mo"'), '../other/A.mo': 'actor { }\n' },
  },
  {
    title: '3: main in the root',
    files: { 'mops.toml': toml('', 'a = "A.mo"'), 'A.mo': 'import Lib "src/Lib";\nactor { }\n' },
  },
  {
    title: '3: the order of canisters is that of the file, also where it mixes both forms',
    files: {
      'mops.toml': '[canisters.z]\nmain = "src/A.mo"\n\n[canisters]\na = "src/A.mo"\n\n[toolchain]\nmoc = "./moc"\n',
    },
    ours: ['-j', '1'],
    differs: { 'compiles-once': ['- moc -c --idl --stable-types -o a.wasm'] },
  },
  { title: '3: a canister whose name has a dot', files: { 'mops.toml': toml('', '"a.b" = "src/A.mo"') } },
  { title: '3: a canister whose name has a space', files: { 'mops.toml': toml('', '"a b" = "src/A.mo"') } },
  { title: '3: a canister whose name is not ASCII', files: { 'mops.toml': toml('', '"größe" = "src/A.mo"') } },
  {
    title: '3: a canister whose name has a slash',
    files: { 'mops.toml': toml('', '"a/b" = "src/A.mo"') },
    says: ['a/b'],
    differs: {
      'names-stay-inside': ['- stdout build canister a/b', ...FOLDERS],
    },
  },
  {
    title: '3: beside a canister whose name has a slash',
    files: { 'mops.toml': toml('', '"a/b" = "src/A.mo"\na = "src/A.mo"') },
    args: ['build', 'a'],
  },
  {
    title: '3: a canister that is a number',
    files: { 'mops.toml': toml('', 'a = 5') },
    says: ['a'],
    differs: { 'output-when-needed': FOLDERS },
  },
  {
    title: '3: unknown keys and sections',
    files: { 'mops.toml': tomlWith(['type = "motoko"', 'x = { y = 1 }'], '[nobody]\nknows = [1, 2]\n') },
  },
  { title: '3: [build] outputDir', files: { 'mops.toml': toml('[build]\noutputDir = "artifacts"') } },
  {
    title: '3: --output before [build] outputDir',
    files: { 'mops.toml': toml('[build]\noutputDir = "artifacts"') },
    args: ['build', '-o', 'out'],
  },
  { title: '3: an empty [build] outputDir', files: { 'mops.toml': toml('[build]\noutputDir = ""') } },
  {
    title: '3: args of [moc], [build], the canister and the command, in this order',
    files: {
      'mops.toml': tomlWith(
        ['args = ["-A", "M0003"]'],
        '[build]\nargs = ["-A", "M0002"]\n[moc]\nargs = ["-A", "M0001"]',
      ),
    },
    args: ['build', '--', '-A', 'M0004'],
  },
  {
    title: '3: empty lists of args',
    files: { 'mops.toml': tomlWith(['args = []'], '[build]\nargs = []\n[moc]\nargs = []') },
  },
  { title: '3: an argument with spaces', files: { 'mops.toml': tomlWith(['args = ["--max-stable-pages", " 1 2 "]']) } },
  {
    title: '3: a file of arguments',
    files: { 'mops.toml': tomlWith(['args = ["--args", "flags.txt"]']), 'flags.txt': '-A\nM0001\n' },
  },
  { title: '3: wasmMemoryLimit', files: { 'mops.toml': tomlWith(['wasmMemoryLimit = 3_000_000_000']) } },
  {
    title: '3: from a folder inside, [build] outputDir is meant from the root',
    files: { 'mops.toml': fixed(toml('[build]\noutputDir = "artifacts"')) },
    from: 'src',
    differs: { 'from-root': MAIN_AND_BYTES },
  },
  {
    title: '3: from a folder inside, --output is meant from there',
    files: { 'mops.toml': fixed(toml()) },
    args: ['build', '-o', 'out'],
    from: 'src',
    differs: { 'from-root': MAIN_AND_BYTES },
  },
  {
    title: '3: from a folder inside, the default output',
    files: { 'mops.toml': fixed(toml()) },
    from: 'src',
    differs: {
      'from-root': ['- moc ', '+ moc ', '-   section stand-in', '+   section stand-in'],
      'default-output': ['- new project/src/.mops/', '+ new project/.mops/'],
    },
  },
  {
    title: '3: from a folder inside, a compiler by a relative path',
    from: 'src',
    args: ['build', '-o', '../out'],
    differs: {
      'from-root': ['- exit 1', '+ exit 0', '+ stdout ', '+ moc ', '+ new project/out/a.', '+   section '],
    },
  },
  {
    title: '3: from a folder inside, a Candid file is meant from the root',
    files: { 'mops.toml': fixed(tomlWith(['candid = "a.did"'])), 'a.did': '// published\nservice : {}\n' },
    from: 'src',
    args: ['build', '-o', '../out'],
    differs: { 'from-root': MAIN_AND_BYTES },
  },
  {
    title: '3: from a folder inside, a local package is meant from the root',
    files: {
      'mops.toml': fixed(toml('[dependencies]\nlib = "./lib"\n[build]\noutputDir = "out"')),
      'lib/src/lib.mo': 'module { }\n',
      'src/A.mo': 'import Lib "mo:lib";\nactor { }\n',
    },
    from: 'src',
    differs: { 'from-root': MAIN_AND_BYTES },
  },
  {
    title: '3: from a folder with a mops.toml of its own, that project',
    files: {
      'inner/mops.toml': toml('', 'inner = "Main.mo"').replace('./moc', '../moc'),
      'inner/Main.mo': 'actor { }\n',
    },
    from: 'inner',
  },
  { title: '3: MOPS_CWD', files: { 'away/x': '' }, env: { MOPS_CWD: '..' }, from: 'away' },
  {
    title: '3: MOPS_CWD and a relative --output',
    files: { 'away/x': '' },
    env: { MOPS_CWD: '..' },
    from: 'away',
    args: ['build', '-o', 'out'],
  },
  { title: '3: MOPS_CWD that is not there', env: { MOPS_CWD: 'nowhere' }, says: ['nowhere'] },
  {
    title: '3: MOPS_CWD inside of a project',
    files: { 'mops.toml': fixed(toml()) },
    env: { MOPS_CWD: 'src' },
    args: ['build', '-o', 'out'],
    differs: { 'from-root': MAIN_AND_BYTES },
  },
  {
    title: '3: MOPS_CWD for a command that is handed over',
    files: { 'inner/mops.toml': '[moc]\nargs = ["-A=M0001"]\n' },
    env: { MOPS_CWD: 'inner' },
    args: ['moc-args'],
  },
];

/** The compiler by an absolute path: upstream takes a relative one from where the user stands. */
function fixed(text: string): string {
  return text.replace('"./moc"', '"@BASE@/project/moc"');
}

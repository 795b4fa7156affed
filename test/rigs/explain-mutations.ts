import { chmodSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scene } from './stand-in-project.ts';

/** A project with one canister `a` that has one of everything that can change. */
export const BASE = {
  'mops.toml': `[toolchain]
moc = "./moc"

[dependencies]
lib = "./lib"
dep = "1.0.0"

[moc]
args = ["-A=M0194", "-W=M0223"]

[canisters.a]
main = "src/A.mo"
candid = "a.did"
initArg = '("x")'
args = ["--actor-env-alias", "ledger", "ID:ledger", "ext/ledger.did"]
`,
  'a.did': 'service : {}\n',
  'src/A.mo':
    'import Lib "./Lib";\nimport Deep "./deep";\nimport L "mo:lib";\nimport D "mo:dep/D";\nimport Ledger "canister:ledger";\nactor { }\n',
  'src/Lib.mo': 'import Util "./Util";\nmodule { }\n',
  'src/Util.mo': 'import Core "./Core";\nmodule { /* util */ }\n',
  'src/Core.mo': 'module { /* core */ }\n',
  'src/deep/lib.mo': 'module { /* deep */ }\n',
  'lib/src/lib.mo': 'module { /* lib */ }\n',
  '.mops/dep@1.0.0/mops.toml': '[package]\nname = "dep"\nversion = "1.0.0"\n',
  '.mops/dep@1.0.0/src/D.mo': 'import E "./E";\nmodule { /* D */ }\n',
  '.mops/dep@1.0.0/src/E.mo': 'module { /* E */ }\n',
  '.mops/dep@1.1.0/mops.toml': '[package]\nname = "dep"\nversion = "1.1.0"\n',
  '.mops/dep@1.1.0/src/D.mo': 'import E "./E";\nmodule { /* D */ }\n',
  '.mops/dep@1.1.0/src/E.mo': 'module { /* E, better */ }\n',
  'ext/ledger.did': 'service : {}\n',
};

export interface ExplainedMutation {
  readonly title: string;
  /** The lines for people, digests as `#`. */
  readonly says: readonly string[];
  readonly files?: Readonly<Record<string, string | undefined>>;
  /** What files cannot say. */
  readonly edit?: (on: Scene) => void;
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments for moc, after `--`. */
  readonly mocArgs?: readonly string[];
}

/** Of mops.toml: another text in the place of one. */
const toml = (from: string, to: string) => ({ 'mops.toml': edited('mops.toml', from, to) });
const main = (from: string, to: string) => ({ 'src/A.mo': edited('src/A.mo', from, to) });

function edited(path: keyof typeof BASE, from: string, to: string): string {
  if (!BASE[path].includes(from)) throw new Error(`${path} does not have ${from}`);
  return BASE[path].replace(from, to);
}

const A_EDITED = 'src/A.mo: edited (# to #)';

const SOURCES: readonly ExplainedMutation[] = [
  { title: 'the main file', files: main('actor { }', 'actor { /**/ }'), says: [A_EDITED] },
  {
    title: 'a file that the main file imports',
    files: { 'src/Lib.mo': `${BASE['src/Lib.mo']}//\n` },
    says: ['src/Lib.mo: edited (# to #), imported by src/A.mo'],
  },
  {
    title: 'a file far down',
    files: { 'src/Core.mo': 'module { }\n' },
    says: ['src/Core.mo: edited (# to #), imported by src/A.mo > src/Lib.mo > src/Util.mo'],
  },
  {
    title: 'two files at once',
    files: { 'src/Core.mo': 'module { }\n', 'src/Lib.mo': `${BASE['src/Lib.mo']}//\n` },
    says: [
      'src/Core.mo: edited (# to #), imported by src/A.mo > src/Lib.mo > src/Util.mo',
      'src/Lib.mo: edited (# to #), imported by src/A.mo',
    ],
  },
  {
    title: 'one more import',
    files: { ...main('import Lib', 'import New "./New";\nimport Lib'), 'src/New.mo': 'module { /* new */ }\n' },
    says: [A_EDITED, 'src/New.mo: added (#), imported by src/A.mo'],
  },
  {
    title: 'one import less',
    files: main('import Deep "./deep";\n', ''),
    says: [A_EDITED, 'src/deep/lib.mo: no longer used (#), imported by src/A.mo'],
  },
  {
    title: 'an import less, with all that only it led to',
    files: { 'src/Lib.mo': 'module { }\n' },
    says: [
      'src/Lib.mo: edited (# to #), imported by src/A.mo',
      'src/Core.mo: no longer used (#), imported by src/A.mo > src/Lib.mo > src/Util.mo',
      'src/Util.mo: no longer used (#), imported by src/A.mo > src/Lib.mo',
    ],
  },
  {
    title: 'an import written by a detour',
    files: main('"./Lib"', '"../src/Lib"'),
    says: [A_EDITED],
  },
  {
    title: 'a shorter way to a file',
    files: main('import Deep', 'import Core "./Core";\nimport Deep'),
    says: [A_EDITED],
  },
  {
    title: 'a file that comes before the folder of its name',
    files: { 'src/deep.mo': 'module { /* first */ }\n' },
    says: [
      'src/deep.mo: added, where there was none before (#), imported by src/A.mo',
      'src/deep/lib.mo: no longer used (#), imported by src/A.mo',
    ],
  },
  {
    title: 'a file that is renamed, and its import',
    files: {
      ...main('"./deep"', '"./Deep"'),
      'src/deep/lib.mo': undefined,
      'src/Deep.mo': BASE['src/deep/lib.mo'],
    },
    says: [A_EDITED, 'src/Deep.mo: moved here from src/deep/lib.mo (#), imported by src/A.mo'],
  },
  {
    title: 'another main file',
    files: { ...toml('src/A.mo', 'src/B.mo'), 'src/B.mo': 'import Core "./Core";\nactor { }\n' },
    says: [
      'main: src/A.mo to src/B.mo',
      'src/B.mo: added (#)',
      '.mops/dep@1.0.0/src/D.mo: no longer used (#), imported by src/A.mo',
      '.mops/dep@1.0.0/src/E.mo: no longer used (#), imported by src/A.mo > .mops/dep@1.0.0/src/D.mo',
      'ext/ledger.did: no longer used (#), imported by src/A.mo',
      'lib/src/lib.mo: no longer used (#), imported by src/A.mo',
      'src/A.mo: no longer used (#)',
      'src/Lib.mo: no longer used (#), imported by src/A.mo',
      'src/Util.mo: no longer used (#), imported by src/A.mo > src/Lib.mo',
      'src/deep/lib.mo: no longer used (#), imported by src/A.mo',
    ],
  },
  {
    title: 'the sources in another folder',
    files: {
      ...toml('src/A.mo', 'app/A.mo'),
      ...Object.fromEntries(
        (['A.mo', 'Lib.mo', 'Util.mo', 'Core.mo', 'deep/lib.mo'] as const).flatMap((name) => [
          [`app/${name}`, BASE[`src/${name}`]],
          [`src/${name}`, undefined],
        ]),
      ),
    },
    says: [
      'main: src/A.mo to app/A.mo',
      'app/A.mo: moved here from src/A.mo (#)',
      'app/Core.mo: moved here from src/Core.mo (#), imported by app/A.mo > app/Lib.mo > app/Util.mo',
      'app/Lib.mo: moved here from src/Lib.mo (#), imported by app/A.mo',
      'app/Util.mo: moved here from src/Util.mo (#), imported by app/A.mo > app/Lib.mo',
      'app/deep/lib.mo: moved here from src/deep/lib.mo (#), imported by app/A.mo',
    ],
  },
  {
    title: 'many files at once',
    files: {
      'src/Core.mo': `${Array.from({ length: 15 }, (_, n) => `import M${n} "./m/M${n + 10}";`).join('\n')}\nmodule { }\n`,
      ...Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`src/m/M${n + 10}.mo`, `module { /* ${n} */ }\n`])),
    },
    says: [
      'src/Core.mo: edited (# to #), imported by src/A.mo > src/Lib.mo > src/Util.mo',
      ...Array.from(
        { length: 11 },
        (_, n) => `src/m/M${n + 10}.mo: added (#), imported by src/A.mo > src/Lib.mo > src/Util.mo > src/Core.mo`,
      ),
      'and 4 files more: --json has them all',
    ],
  },
  {
    title: 'a file behind more than four others',
    files: {
      'src/Core.mo': 'import X "./X";\nmodule { }\n',
      'src/X.mo': 'import Y "./Y";\nmodule { /* X */ }\n',
      'src/Y.mo': 'module { /* Y */ }\n',
    },
    says: [
      'src/Core.mo: edited (# to #), imported by src/A.mo > src/Lib.mo > src/Util.mo',
      'src/X.mo: added (#), imported by src/A.mo > src/Lib.mo > src/Util.mo > src/Core.mo',
      'src/Y.mo: added (#), imported by src/A.mo > src/Lib.mo > 2 more > src/X.mo',
    ],
  },
  {
    title: 'an interface',
    files: { 'ext/ledger.did': 'service : { go : () -> () }\n' },
    says: ['ext/ledger.did: edited (# to #), imported by src/A.mo'],
  },
];

const PACKAGES: readonly ExplainedMutation[] = [
  {
    title: 'a file of a package',
    files: { '.mops/dep@1.0.0/src/E.mo': 'module { }\n' },
    says: ['.mops/dep@1.0.0/src/E.mo: edited (# to #), imported by src/A.mo > .mops/dep@1.0.0/src/D.mo'],
  },
  {
    title: 'another version of a package',
    files: toml('dep = "1.0.0"', 'dep = "1.1.0"'),
    says: [
      'package dep: .mops/dep@1.0.0/src to .mops/dep@1.1.0/src (1 of 2 files the same)',
      '.mops/dep@1.1.0/src/E.mo: edited (# to #), imported by src/A.mo > .mops/dep@1.1.0/src/D.mo',
    ],
  },
  {
    title: 'a package at another place, with the same files',
    files: {
      ...toml('"./lib"', '"./vendor/lib"'),
      'vendor/lib/src/lib.mo': BASE['lib/src/lib.mo'],
      'lib/src/lib.mo': undefined,
    },
    says: ['package lib: lib/src to vendor/lib/src (1 of 1 file the same)'],
  },
  {
    title: 'a package more that nothing imports',
    files: { ...toml('lib = "./lib"', 'lib = "./lib"\nidle = "./idle"'), 'idle/src/lib.mo': 'module { /* idle */ }\n' },
    says: ['package idle: added, idle/src (no file of it is read)'],
  },
  {
    title: 'a package more that the main file imports',
    files: {
      ...toml('lib = "./lib"', 'lib = "./lib"\nmore = "./more"'),
      ...main('import Lib', 'import More "mo:more";\nimport Lib'),
      'more/src/lib.mo': 'module { /* more */ }\n',
    },
    says: ['package more: added, more/src (1 file of it read)', A_EDITED],
  },
  {
    title: 'a package less',
    files: { ...toml('lib = "./lib"\n', ''), ...main('import L "mo:lib";\n', '') },
    says: ['package lib: removed, lib/src (1 file of it read)', A_EDITED],
  },
  {
    title: 'a package by another name',
    files: { ...toml('lib = "./lib"', 'shelf = "./lib"'), ...main('mo:lib', 'mo:shelf') },
    says: [
      'package lib: removed, lib/src (1 file of it read)',
      'package shelf: added, lib/src (1 file of it read)',
      A_EDITED,
    ],
  },
];

const FLAGS: readonly ExplainedMutation[] = [
  { title: 'a flag more', files: toml('["-A', '["--release", "-A'), says: ['flags: --release added'] },
  { title: 'a flag less', files: toml(', "-W=M0223"', ''), says: ['flags: -W=M0223 removed'] },
  {
    title: 'another flag in the place of one',
    files: toml('-W=M0223', '-W=M0236'),
    says: ['flags: -W=M0236 added, -W=M0223 removed'],
  },
  {
    title: 'flags in another order',
    files: toml('"-A=M0194", "-W=M0223"', '"-W=M0223", "-A=M0194"'),
    says: ['flags: in another order, now -W=M0223 -A=M0194 --actor-env-alias ledger ID:ledger ext/ledger.did'],
  },
  { title: 'a flag given twice', files: toml('"-A=M0194"', '"-A=M0194", "-A=M0194"'), says: ['flags: -A=M0194 added'] },
  { title: 'an argument after --', mocArgs: ['--release'], says: ['flags: --release added'] },
  {
    title: 'a source map',
    mocArgs: ['--map'],
    says: ['flags: --map added', 'outputs: wasm.map added', 'name in the source map: none to a'],
  },
  {
    title: 'a variable of the compiler',
    env: { MOC_UNLOCK_PRIM: '1' },
    says: ['variable MOC_UNLOCK_PRIM: added ("1")'],
  },
  {
    title: 'another compiler',
    edit: (on) => on.put({ moc: `${standIn(on)}// changed\n` }),
    says: ['compiler: moc as before, but with other bytes (# to #)'],
  },
  {
    title: 'the compiler in another file, with the same bytes',
    files: toml('"./moc"', '"./bin/moc"'),
    edit: (on) => {
      on.put({ 'bin/README': '' });
      copyFileSync(join(on.root, 'moc'), join(on.root, 'bin', 'moc'));
      chmodSync(join(on.root, 'bin', 'moc'), 0o755);
    },
    says: [],
  },
];

const FINISH: readonly ExplainedMutation[] = [
  { title: 'the Candid file', files: { 'a.did': '// same\nservice : {}\n' }, says: ['candid file: changed (# to #)'] },
  { title: 'no Candid file any more', files: toml('candid = "a.did"\n', ''), says: ['candid file: removed (#)'] },
  { title: 'another initArg', files: toml('("x")', '("y")'), says: ['initArg: changed (# to #)'] },
  { title: 'no initArg any more', files: toml(`initArg = '("x")'\n`, ''), says: ['initArg: removed (#)'] },
  {
    title: 'the Candid file, a flag and a source at once',
    files: { ...toml('["-A', '["--release", "-A'), 'a.did': '// same\nservice : {}\n', 'src/Core.mo': 'module { }\n' },
    says: [
      'flags: --release added',
      'src/Core.mo: edited (# to #), imported by src/A.mo > src/Lib.mo > src/Util.mo',
      'candid file: changed (# to #)',
    ],
  },
];

function standIn(on: Scene): string {
  return readFileSync(join(on.root, 'moc'), 'utf8');
}

export const EXPLAINED: readonly ExplainedMutation[] = [...SOURCES, ...PACKAGES, ...FLAGS, ...FINISH];

import { symlinkSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { lockText, type Files } from './packages-scene.ts';
import { MOC_PIN } from './project-checkout.ts';
import { replace } from './project-edits.ts';

/** A small project of ours that differs from the next in something that the bytes may depend on. */
export interface Program {
  readonly title: string;
  readonly files: Files;
  /** What cannot be said with files alone. */
  readonly arrange?: (root: string) => void;
  /** Arguments after `build`. */
  readonly args?: readonly string[];
  /** Where the user stands for our build, relative to the root. Upstream's bytes depend on that: it stands in the root. */
  readonly from?: string;
}

/** A stable variable of a named type: the bytes then depend on the paths of the sources. */
const MAIN = `import Lib "Lib";
persistent actor {
  type Own = { size : Nat };
  var last : ?Lib.Entry = null;
  var own : ?Own = null;
  public func put(text : Text) : async Nat {
    assert text != "";
    last := ?{ text };
    let size = switch own { case (?{ size }) { size + 1 }; case null { 1 } };
    own := ?{ size };
    debug { last := null };
    size;
  };
};
`;
const LIB = 'module { public type Entry = { text : Text } };\n';

interface TomlSections {
  /** The canister's table, without its `main`. */
  readonly canister?: string;
  readonly main?: string;
  /** Other sections, whole. */
  readonly more?: string;
}

/** A mops.toml with one canister, `app`. */
function appToml({ canister = '', main = 'src/Main.mo', more = '' }: TomlSections = {}): string {
  return `[toolchain]\nmoc = "${MOC_PIN}"\n\n${more}\n[canisters.app]\nmain = "${main}"\n${canister}\n`;
}

function program(title: string, sections: TomlSections, rest: Partial<Omit<Program, 'title'>> = {}): Program {
  const { files, ...others } = rest;
  return {
    title,
    files: { 'src/Main.mo': MAIN, 'src/Lib.mo': LIB, 'mops.toml': appToml(sections), ...files },
    ...others,
  };
}

const PUBLISHED = '// what others rely on\nservice : { put : (text) -> (nat) };\n';

/** Packages by the folder in `.mops`. */
function packages(declared: Readonly<Record<string, string>>, sources: Files): Files {
  return {
    ...Object.fromEntries(Object.entries(sources).map(([path, text]) => [`.mops/${path}`, text])),
    'mops.lock': lockText({ dependencies: declared }, declared),
  };
}

export const PROGRAMS: readonly Program[] = [
  program('an initArg alone', { canister: `initArg = '("one", 2)'` }),
  program('a Candid file alone', { canister: 'candid = "app.did"' }, { files: { 'app.did': PUBLISHED } }),
  program(
    'a Candid file and an initArg',
    { canister: `candid = "app.did"\ninitArg = "(\\"zwölf\\")"` },
    { files: { 'app.did': PUBLISHED } },
  ),
  program(
    'an actor class that is imported',
    {},
    {
      files: {
        'src/Main.mo': `import Cell "Cell";
persistent actor { public func make() : async Nat { let cell = await Cell.Cell(3); await cell.get() } };
`,
        'src/Cell.mo': 'persistent actor class Cell(n : Nat) { public func get() : async Nat { n } };\n',
      },
    },
  ),
  program(
    'doc comments with line ends as on Windows',
    {},
    {
      files: {
        'src/Main.mo':
          '/// The counter. \r\npersistent actor {\r\n  /// Its "value"…\r\n  public query func get() : async Nat { 1 };\r\n};\r\n',
      },
    },
  ),
  program('--release after --', {}, { args: ['--', '--release'] }),
  program('debug information (-g)', { canister: 'args = ["-g"]' }),
  program('sections left out', {
    canister: 'args = ["--omit-metadata", "motoko:stable-types", "--omit-metadata", "candid:args"]',
  }),
  program('sections made public', { canister: 'args = ["--public-metadata", "motoko:stable-types"]' }),
  program(
    'arguments from every place where they may stand',
    {
      canister: 'args = ["--public-metadata", "motoko:compiler"]',
      more: '[moc]\nargs = ["--generational-gc"]\n[build]\nargs = ["--legacy-persistence", "-W=M0223"]\n',
    },
    { args: ['app', '--', '--omit-metadata', 'motoko:compiler'] },
  ),
  program(
    'arguments from a file',
    { canister: 'args = ["--args", "moc.args"]' },
    { files: { 'moc.args': '--release\r\n--public-metadata\nmotoko:stable-types' } },
  ),
  program('a main file by a detour', { main: './src/../src//Main.mo' }),
  program(
    'a main file by its absolute path',
    {},
    { arrange: (root) => void replace('mops.toml', '"src/Main.mo"', `"${join(root, 'src/Main.mo')}"`)(root) },
  ),
  program('a build from a subfolder', {}, { from: 'src' }),
  program(
    'a dependency by path, outside of the root',
    { more: '[dependencies]\nlib = "../lib"\n' },
    { files: { 'src/Main.mo': MAIN.replace('"Lib"', '"mo:lib/Lib"'), '../lib/src/Lib.mo': LIB } },
  ),
  program(
    'a dependency by path, without a folder src',
    { more: '[dependencies]\nlib = "./vendor/lib/"\n' },
    { files: { 'src/Main.mo': MAIN.replace('"Lib"', '"mo:lib/Lib"'), 'vendor/lib/Lib.mo': LIB } },
  ),
  program(
    'a package under a pinned name beside the newest',
    { more: '[dependencies]\ntiny = "2.0.0"\n"tiny@1" = "1.0.0"\n' },
    {
      files: {
        'src/Main.mo': MAIN.replace('"Lib"', '"mo:tiny@1"').replace('persistent', 'import New "mo:tiny";\n$&'),
        ...packages(
          { tiny: '2.0.0', 'tiny@1': '1.0.0' },
          {
            'tiny@1.0.0/mops.toml': '[package]\nname = "tiny"\nversion = "1.0.0"\n',
            'tiny@1.0.0/src/lib.mo': LIB,
            'tiny@2.0.0/mops.toml': '[package]\nname = "tiny"\nversion = "2.0.0"\nbaseDir = "lib"\n',
            'tiny@2.0.0/lib/lib.mo': 'module { public let version = 2 };\n',
          },
        ),
      },
    },
  ),
  program(
    'sources behind a symbolic link',
    {},
    {
      arrange: (root) => {
        renameSync(join(root, 'src'), join(root, 'elsewhere'));
        symlinkSync('elsewhere', join(root, 'src'));
      },
    },
  ),
  program(
    'names with spaces and letters beyond ASCII',
    { main: 'quelltexte mit raum/Hauptprogramm ü.mo' },
    {
      files: {
        'quelltexte mit raum/Hauptprogramm ü.mo': MAIN.replace('"Lib"', '"./größe/Maß 1"'),
        'quelltexte mit raum/größe/Maß 1.mo': LIB,
      },
    },
  ),
];

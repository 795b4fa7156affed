import { lockText, sha256, type Files } from './packages-scene.ts';
import { all, append, move, replace, withArgs, withEnvironment, write, remove, type Edit } from './project-edits.ts';
import { CHAIN, FACTORY, FORMS, LEDGER } from './project-forms.ts';
import { otherCompiler, otherFinisher, otherMotoko, pinByVersion } from './project-toolchains.ts';

/** An edit that must be noticed. */
export interface Mutation {
  readonly title: string;
  readonly edit: Edit;
  /** The artifacts whose bytes become others, and no others do: `wasm did most`, in this order, or `nothing`. */
  readonly changes: string;
  /** Which stage has to run: the compiler and the finish, or the finish alone. */
  readonly stage: 'compile' | 'finish';
  readonly project: Files;
  /** What the project has beforehand. */
  readonly given?: Edit;
}

type Row = readonly [title: string, changes: string, edit: Edit, given?: Edit];

function rows(project: Files, stage: Mutation['stage'], table: readonly Row[]): readonly Mutation[] {
  return table.map(([title, changes, edit, given]) => ({
    ...{ title, changes, edit, stage, project },
    ...(given === undefined ? {} : { given }),
  }));
}

const MAIN = 'src/Main.mo';
const TOML = 'mops.toml';
const TINY = '.mops/tiny@1.0.0';

/** Adds a flag to the canister's own, in front. */
const flags = (...more: readonly string[]) =>
  replace(TOML, 'args = ["--actor-idl"', `args = [${more.map((flag) => `"${flag}", `).join('')}"--actor-idl"`);

/** A Candid file, configured. */
export const published = all(
  append(TOML, 'candid = "app.did"\n'),
  write('app.did', 'service : { measure : (text) -> (nat); ask : () -> (int) };\n'),
);

const nestedArgs = all(append('moc.args', '--args\nmore.args\n'), write('more.args', '--error-detail\n2\n'));

const DECLARED = { tiny: '1.0.0', near: '../near/{MOPS_ENV}', rock: 'https://github.com/o/rock#main' };

/** A mops.lock that fits the project, with another version of a package of a package than resolution finds. */
const LOCK = lockText(
  { dependencies: DECLARED },
  { ...DECLARED, near: '../near/local', pebble: '1.3.0' },
  {
    localDepsHash: sha256(JSON.stringify([['../near/local', null]])),
    github: { rock: { resolved: 'main', hash: 'f'.repeat(64) } },
  },
);

const SOURCES = rows(FORMS, 'compile', [
  ['a statement', 'wasm', replace(MAIN, 'size + 1 ', 'size + 2 ')],
  ['the name of a public function', 'wasm did', replace(MAIN, 'func ask', 'func inquire')],
  ['the type of an argument', 'wasm did', replace(MAIN, 'measure(text : Text)', 'measure(text : Text, _ : Nat)')],
  ['one more stable variable', 'wasm most', replace(MAIN, '  var own', '  var more = 0;\n  var own')],
  ['the name of a type in stable state', 'wasm most', replace(MAIN, 'Own', 'Mine')],
  ['the text of a comment', 'nothing', replace(MAIN, 'every kind', 'each kind')],
  ['a comment line above an assert', 'wasm', replace(MAIN, '    assert', '    // first\n    assert')],
  ['the column of an assert', 'wasm', replace(MAIN, '    assert', '     assert')],
  ['a doc comment', 'wasm did', replace(MAIN, 'The size of', 'The weight of')],
  ['a doc comment, with a Candid file', 'did', replace(MAIN, 'The size of', 'The mass of'), published],
  ['line ends as on Windows, doc comments among them', 'wasm did', replace(MAIN, '\n', '\r\n')],
  [
    'the order of imports',
    'nothing',
    replace(MAIN, 'import Dir "dir";\nimport Shapes "Shapes";', 'import Shapes "Shapes";\nimport Dir "dir";'),
  ],
  ['an import of a folder with a slash at its end', 'nothing', replace(MAIN, '"dir"', '"dir/"')],
  ['an import with ./ in front', 'nothing', replace(MAIN, '"Shapes"', '"./Shapes"')],
  ['an import written with an escape', 'nothing', replace(MAIN, '"Shapes"', '"Sh\\u{61}pes"')],
  ['an import by a detour', 'nothing', replace(MAIN, '"Shapes"', '"../src/Shapes"')],
  [
    'one more import, of a new file',
    'wasm',
    all(write('src/New.mo', 'module {}'), replace(MAIN, 'import Dir', 'import New "New";\nimport Dir')),
  ],
  [
    'an import of another file',
    'wasm most',
    all(
      write('src/Bulk.mo', 'module { public type Size = Nat; public func scale(n : Nat) : Nat { n } };'),
      replace(MAIN, '"Scale"', '"Bulk"'),
    ),
  ],
  ['the file of a folder', 'wasm', replace('src/dir/lib.mo', '1', '11')],
  ['a file before a folder of its name', 'wasm', write('src/dir.mo', 'module { public let value = 111 };')],
  ['a file imported by parts', 'wasm', replace('src/Scale.mo', '10', '20')],
  ['a file beside the folder of the main file', 'wasm', replace('shared/Words.mo', 'hello', 'goodbye')],
  [
    'the place of a file with a type in stable state',
    'wasm most',
    all(move('src/Shapes.mo', 'src/deep/Shapes.mo'), replace(MAIN, '"Shapes"', '"deep/Shapes"')),
  ],
  ['the place of the main file', 'wasm most', all(move('src', 'app'), replace(TOML, '"src/Main.mo"', '"app/Main.mo"'))],
  ['the bytes of a blob', 'wasm', replace('assets/logo.bin', 'LOGO', 'logo!')],
  ['the place of a blob', 'nothing', all(move('assets', 'pictures'), replace(MAIN, '../assets/', '../pictures/'))],
]);

const INTERFACES = rows(FORMS, 'compile', [
  ['a comment in an interface', 'nothing', append(`idl/${LEDGER}.did`, '// the end\n')],
  ['a function more in an interface', 'nothing', replace(`idl/${LEDGER}.did`, 'query', 'query; more : () -> ()')],
  ['a type in an interface that another imports', 'wasm', replace('idl/types.did', 'int', 'nat')],
  ['a type in the interface of a variable', 'wasm', replace('ext/clock.did', 'int', 'nat')],
  ['an interface imported by principal', 'wasm', replace('idl/aaaaa-aa.did', 'nat', 'int')],
  [
    'the principal of an alias',
    'wasm',
    all(
      move(`idl/${LEDGER}.did`, 'idl/rrkah-fqaaa-aaaaa-aaaaq-cai.did'),
      replace(TOML, LEDGER, 'rrkah-fqaaa-aaaaa-aaaaq-cai'),
    ),
  ],
  [
    'the name of an alias',
    'nothing',
    all(replace(MAIN, 'canister:ledger', 'canister:book'), replace(TOML, '"ledger"', '"book"')),
  ],
  ['the variable of an alias', 'wasm', replace(TOML, 'PUBLIC_CANISTER_ID:clock', 'PUBLIC_CANISTER_ID:watch')],
  ['the folder of interfaces', 'nothing', all(move('idl', 'interfaces'), replace(TOML, '"idl"', '"interfaces"'))],
  [
    'the file of an alias',
    'nothing',
    all(move('ext/clock.did', 'ext/time.did'), replace(TOML, 'ext/clock', 'ext/time')),
  ],
]);

const PACKAGES = rows(FORMS, 'compile', [
  ['a file of a package', 'wasm', replace(`${TINY}/src/util/lib.mo`, '2', '22')],
  ['a comment in a package', 'nothing', append(`${TINY}/src/lib.mo`, '// the end\n')],
  ['a file before a folder, in a package', 'wasm', write(`${TINY}/src/util.mo`, 'module { public let value = 222 };')],
  [
    'the version of a package with the same files',
    'wasm most',
    all(move(TINY, '.mops/tiny@1.0.1'), replace(TOML, 'tiny = "1.0.0"', 'tiny = "1.0.1"')),
  ],
  [
    'a package under a pinned name',
    'nothing',
    all(replace(TOML, 'tiny = "1.0.0"', '"tiny@1" = "1.0.0"'), replace(MAIN, 'mo:tiny', 'mo:tiny@1')),
  ],
  [
    'the folder of a package’s sources',
    'wasm most',
    all(move(`${TINY}/src`, `${TINY}/lib`), replace(`${TINY}/mops.toml`, '"tiny"', '"tiny"\nbaseDir = "lib"')),
  ],
  [
    'a package more, unused',
    'nothing',
    all(
      write('.mops/idle@1.0.0/mops.toml', ''),
      write('.mops/idle@1.0.0/src/lib.mo', 'module {}'),
      replace(TOML, '[dependencies]', '[dependencies]\nidle = "1.0.0"'),
    ),
  ],
  ['a package more for development, unused', 'nothing', append(TOML, '[dev-dependencies]\n"pebble@1" = "1.1.0"\n')],
  [
    'a package of a package, by the project’s own version',
    'wasm',
    replace(TOML, '[dependencies]', '[dependencies]\npebble = "1.1.0"'),
  ],
  [
    'a package of a package, by its version there',
    'wasm',
    replace(`${TINY}/mops.toml`, 'pebble = "1.0.0"', 'pebble = "1.2.0"'),
  ],
  ['a package of a package, by mops.lock', 'wasm', write('mops.lock', LOCK)],
  ['a file of a package from GitHub', 'wasm', replace('.mops/_github/rock#main/src/lib.mo', '4', '44')],
  [
    'the branch of a package from GitHub',
    'nothing',
    all(move('.mops/_github/rock#main', '.mops/_github/rock#next'), replace(TOML, '#main', '#next')),
  ],
  ['a package by path, outside of the root', 'nothing', append('../near/local/Near.mo', '\n')],
  [
    'the name of a package by path',
    'wasm',
    all(replace(TOML, 'near = ', 'zebra = '), replace(MAIN, 'mo:near', 'mo:zebra')),
  ],
  [
    'the place of a package by path',
    'wasm most',
    all(move('../near/local', 'vendor/near'), replace(TOML, '../near/{MOPS_ENV}', './vendor/near')),
  ],
  ['the place of a package by path, by MOPS_ENV', 'wasm most', withEnvironment({ MOPS_ENV: 'far' })],
  ['a folder src in a package by path', 'wasm most', move('../near/local/Near.mo', '../near/local/src/Near.mo')],
  ['packages loaded whole (--all-libs)', 'wasm', flags('--all-libs')],
  ['one package loaded whole', 'wasm', flags('--implicit-package', 'tiny')],
  [
    'an unused file of a package loaded whole',
    'nothing',
    replace(`${TINY}/src/Spare.mo`, '3', '33'),
    flags('--all-libs'),
  ],
  [
    'one file more in a package loaded whole',
    'nothing',
    write(`${TINY}/src/More.mo`, 'module { public let m = 9 };'),
    flags('--all-libs'),
  ],
  ['one file less in a package loaded whole', 'nothing', remove(`${TINY}/src/Spare.mo`), flags('--all-libs')],
  [
    'the name of a file in a package loaded whole',
    'nothing',
    move(`${TINY}/src/Spare.mo`, `${TINY}/src/Spart.mo`),
    flags('--all-libs'),
  ],
]);

const FLAGS = rows(FORMS, 'compile', [
  ['--release in [moc]', 'wasm', replace(TOML, '"-A=M0194"', '"--release", "-A=M0194"')],
  ['-g', 'nothing', flags('-g')],
  ['a flag for other warnings', 'nothing', replace(TOML, '"-W=M0223"', '"-W=M0236"')],
  ['a flag less', 'nothing', replace(TOML, ', "-W=M0223"', '')],
  ['two flags in the other order', 'nothing', replace(TOML, '"-A=M0194", "-W=M0223"', '"-W=M0223", "-A=M0194"')],
  ['a flag apart from its value', 'nothing', replace(TOML, '"-A=M0194"', '"-A", "M0194"')],
  ['a flag given twice', 'nothing', replace(TOML, '"-W=M0223"', '"-W=M0223", "-W=M0223"')],
  [
    'a section made public in [build]',
    'wasm',
    replace(TOML, '"moc.args"', '"moc.args", "--public-metadata", "motoko:stable-types"'),
  ],
  ['a section left out', 'wasm', flags('--omit-metadata', 'motoko:compiler')],
  ['the stable types left out', 'wasm most', flags('--omit-metadata', 'motoko:stable-types')],
  ['a section left out by an argument after --', 'wasm', withArgs('--', '--omit-metadata', 'candid:args')],
  ['a depth that nothing reaches', 'nothing', flags('--implicit-derivation-depth', '77')],
  ['the garbage collector', 'wasm', flags('--legacy-persistence', '--compacting-gc')],
  ['diagnostics as JSON', 'nothing', flags('--error-format', 'json')],
  ['a flag in a file that the file of --args names', 'wasm', write('more.args', '--release\n'), nestedArgs],
  ['a flag in the file of --args', 'wasm', append('moc.args', '--release\n')],
  [
    'the name of the file of --args',
    'nothing',
    all(move('moc.args', 'compiler.args'), replace(TOML, 'moc.args', 'compiler.args')),
  ],
  ['a comment-like end of line in the file of --args', 'nothing', replace('moc.args', '\n', '\r\n')],
]);

const COMPILERS = rows(FORMS, 'compile', [
  ['the bytes of the compiler', 'nothing', otherCompiler],
  ['the bytes of what the compiler’s script runs', 'nothing', otherMotoko],
  ['a compiler pinned by version', 'nothing', pinByVersion],
  ['MOC_UNLOCK_PRIM', 'nothing', withEnvironment({ MOC_UNLOCK_PRIM: '1' })],
  ['MOC_UNLOCK_PRIM set to nothing: it is set', 'nothing', withEnvironment({ MOC_UNLOCK_PRIM: '' })],
  ['a variable that a compiler in development might read', 'nothing', withEnvironment({ MOC_OF_A_LATER_RELEASE: '1' })],
]);

const FINISHES = rows(FORMS, 'finish', [
  ['an initArg', 'wasm', append(TOML, 'initArg = "(1)"\n')],
  ['another initArg', 'wasm', replace(TOML, '(7)', '(8)'), append(TOML, 'initArg = "(7)"\n')],
  ['a Candid file', 'wasm', all(published, append('app.did', '// new\n'))],
  ['a comment in the Candid file', 'wasm', append('app.did', '// the end\n'), published],
  ['a function less in the Candid file', 'wasm', replace('app.did', '; ask : () -> (int)', ''), published],
  ['an initArg beside a Candid file', 'wasm', append(TOML, 'initArg = "(1)"\n'), published],
  ['the module that finishes', 'nothing', otherFinisher],
]);

const CHAINS = rows(CHAIN, 'compile', [
  ['the text of a migration', 'wasm', replace('steps/2_second.mo', '"x"', '"y"')],
  ['the name of a migration', 'wasm most', move('steps/2_second.mo', 'steps/3_second.mo')],
  [
    'one migration more',
    'wasm most',
    write(
      'steps/3_third.mo',
      'module { public func migration(old : { var second : Text }) : { var second : Text } { { var second = old.second # "!" } } };',
    ),
  ],
  [
    'one migration more, with a dot in front',
    'wasm most',
    write('steps/.0.mo', 'module { public func migration(_ : {}) : {} { {} } };'),
  ],
  ['the folder of migrations', 'nothing', all(move('steps', 'history'), replace(TOML, '"steps"', '"history"'))],
]);

const FACTORIES = rows(FACTORY, 'compile', [
  ['the text of an imported actor class', 'wasm', replace('src/Cell.mo', 'n + Start', 'n * Start')],
  ['what an imported actor class imports', 'wasm', replace('src/Start.mo', '5', '6')],
  [
    'the interface of an imported actor class',
    'wasm',
    replace('src/Cell.mo', 'get() : async Nat {', 'get() : async Nat {0}; public func twice() : async Nat {'),
  ],
]);

export const MUTATIONS: readonly Mutation[] = [
  ...SOURCES,
  ...INTERFACES,
  ...PACKAGES,
  ...FLAGS,
  ...COMPILERS,
  ...FINISHES,
  ...CHAINS,
  ...FACTORIES,
];

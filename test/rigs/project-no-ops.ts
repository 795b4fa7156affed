import {
  chmodSync,
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { published } from './project-mutations.ts';
import { MOC_PIN } from './project-checkout.ts';
import { all, append, change, move, replace, withArgs, withEnvironment, write, type Edit } from './project-edits.ts';

const TOML = 'mops.toml';

function eachFile(root: string, use: (file: string) => void): void {
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && !entry.parentPath.includes('.build')) use(join(entry.parentPath, entry.name));
  }
}

const onEachFile = (use: (file: string) => void): Edit => change((root) => eachFile(root, use));

const setTimes = (time: Date): Edit => onEachFile((file) => utimesSync(file, time, time));

const standIn =
  (dir: string): Edit =>
  (root) => ({ cwd: join(root, dir) });

const withUmask =
  (umask: string): Edit =>
  () => ({ under: ['/bin/sh', '-c', `umask ${umask}; exec "$@"`, 'sh'] });

/** Where the section of that name begins it is put first. */
const sectionFirst = (name: string): Edit =>
  change((root) => {
    const file = join(root, TOML);
    const sections = readFileSync(file, 'utf8').split(/^(?=\[)/m);
    const [first, ...others] = [
      ...sections.filter((text) => text.startsWith(name)),
      ...sections.filter((text) => !text.startsWith(name)),
    ];
    if (!first?.startsWith(name)) throw new Error(`mops.toml has no ${name}`);
    writeFileSync(file, [`${first.trimEnd()}\n\n`, ...others].join(''));
  });

/** What must not be noticed: the project that reads everything, changed in what the compiler never sees. */
export const NO_OPS: readonly (readonly [title: string, edit: Edit, given?: Edit])[] = [
  ['every file touched', setTimes(new Date())],
  ['every file dated back to 1990', setTimes(new Date('1990-01-01'))],
  [
    'every file written again with the same bytes',
    onEachFile((file) => {
      const { mode } = statSync(file);
      const bytes = readFileSync(file);
      rmSync(file);
      writeFileSync(file, bytes, { mode });
    }),
  ],
  [
    'sources that are read-only and executable',
    change((root) => eachFile(join(root, 'src'), (file) => chmodSync(file, 0o555))),
  ],
  [
    'the project moved aside and copied back',
    change((root) => {
      renameSync(root, `${root}-moved`);
      cpSync(`${root}-moved`, root, { recursive: true, verbatimSymlinks: true });
    }),
  ],
  [
    'the sources behind a symbolic link',
    change((root) => {
      renameSync(join(root, 'src'), join(root, 'elsewhere'));
      symlinkSync('elsewhere', join(root, 'src'));
    }),
  ],
  [
    'the compiler pinned by another link',
    change((root) => {
      symlinkSync('moc-js', join(root, 'node_modules/.bin/moc'));
      replace(TOML, MOC_PIN, './node_modules/.bin/moc')(root);
    }),
  ],
  ['another current directory', standIn('src/dir')],
  ['MOPS_CWD from elsewhere', (root) => ({ cwd: '/', environment: { MOPS_CWD: join(root, 'shared') } })],
  ['another HOME', withEnvironment({ HOME: '/nowhere' })],
  ['another time zone', withEnvironment({ TZ: 'Asia/Kolkata' })],
  ['another locale', withEnvironment({ LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' })],
  ['settings of the compiler’s own run time', withEnvironment({ OCAMLRUNPARAM: 'R', CAMLRUNPARAM: 'b' })],
  ['variables that no compiler reads', withEnvironment({ MOCK: '1', CI: 'true', NODE_ENV: 'production' })],
  ['another umask', withUmask('077')],
  ['--verbose', withArgs('--verbose')],
  ['one job', withArgs('--jobs', '1')],
  ['the canister by its name', withArgs('app')],
  ['no optimizer wanted', withArgs('--no-optimize', '--no-check-wasm')],
  ['the main file by a detour', replace(TOML, '"src/Main.mo"', '"./src/../src//Main.mo"')],
  [
    'the main file by its absolute path',
    (root) => replace(TOML, '"src/Main.mo"', `"${join(root, 'src/Main.mo')}"`)(root),
  ],
  ['a comment and an empty line in mops.toml', replace(TOML, '[dependencies]', '# comment\n\n[dependencies]')],
  ['sections of mops.toml in another order', sectionFirst('[canisters.app]')],
  [
    'dependencies in another order',
    replace(TOML, 'tiny = "1.0.0"\nnear = "../near/{MOPS_ENV}"', 'near = "../near/{MOPS_ENV}"\ntiny = "1.0.0"'),
  ],
  [
    'sections of mops.toml that have no say',
    append(TOML, '\n[package]\nname = "app"\nversion = "9.9.9"\n[requirements]\nmoc = "0.0.1"\n'),
  ],
  [
    'one canister more, not asked for',
    all(append(TOML, '\n[canisters.other]\nmain = "src/Other.mo"\n'), withArgs('app')),
  ],
  [
    'a flag that moves from [moc] to [build], to the same place',
    all(replace(TOML, ', "-W=M0223"', ''), replace(TOML, '["--args"', '["-W=M0223", "--args"')),
  ],
  ['a file that nobody imports', write('src/Unused.mo', 'this is not even Motoko')],
  ['a folder behind a file of its name', write('src/Shapes/lib.mo', 'module {}')],
  ['an unused file of a package', append('.mops/tiny@1.0.0/src/Spare.mo', '// the end\n')],
  ['an unused version of a package', append('.mops/pebble@1.1.0/src/lib.mo', '// the end\n')],
  ['the rest of a package’s manifest', append('.mops/tiny@1.0.0/mops.toml', '\n[dev-dependencies]\ntest = "1.0.0"\n')],
  ['a mops.lock that is no good', write('mops.lock', '{"version":3}')],
  ['an interface that nobody imports', write('idl/rrkah-fqaaa-aaaaa-aaaaq-cai.did', 'service : {}')],
  ['an initArg that is empty', append(TOML, 'initArg = ""\n')],
  [
    'another name for the Candid file',
    all(move('app.did', 'candid/app.did'), replace(TOML, '"app.did"', '"./candid/app.did"')),
    published,
  ],
  ['another name of the canister', replace(TOML, '[canisters.app]', '[canisters.shop]')],
];

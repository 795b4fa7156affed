import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { planMigrations } from '../src/build/migrations.ts';
import { parseProject } from '../src/build/project.ts';
import { openSources } from '../src/build/sources.ts';
import { buildOurs, buildUpstream } from './rigs/project-build.ts';
import { layOut } from './rigs/project-checkout.ts';
import { CHAIN } from './rigs/project-forms.ts';
import { copyTools } from './rigs/project-tools.ts';
import { scene, tomlOf, type Scene } from './rigs/stand-in-project.ts';

const NAMES = ['m/1.mo', 'm/2.mo', 'm/3.mo'];

/** A scene whose canister has these migrations, and these files of them. */
function withMigrations(settings: string, names: readonly string[] = NAMES, more = ''): Scene {
  const files = Object.fromEntries(names.map((name) => [name, `import T "../src/T";\nmodule { /* ${name} */ }\n`]));
  return scene({ 'mops.toml': toml(settings, more), 'src/T.mo': 'module { }\n', ...files });
}

function toml(settings: string, more = ''): string {
  return tomlOf({}, `[canisters.a]\nmain = "src/A.mo"\n${more}\n[canisters.a.migrations]\n${settings}`);
}

/** What moc is told, with the end of a staged folder's name as `#`; and what lies in that folder. */
function planIn(on: Scene): readonly [flags: string, staged: string] {
  const project = parseProject(readFileSync(join(on.root, 'mops.toml'), 'utf8'), join(on.root, 'mops.toml'));
  const [canister] = project.canisters;
  if (canister === undefined) throw new Error('no canister');
  const { flags, staged } = planMigrations(project, canister, openSources(on.root));
  return [
    flags.join(' ').replace(/-[0-9a-f]{12}\b/, '-#'),
    [...(staged?.files ?? [])].map(([, path]) => path).join(' '),
  ];
}

test.each([
  ['the whole chain', 'chain = "m"', NAMES, '--enhanced-migration=m', ''],
  ['a folder for what is next with nothing in it', 'chain = "m"\nnext = "n"', NAMES, '--enhanced-migration=m', ''],
  ['a limit that is not reached', 'chain = "m"\nbuild-limit = 3', NAMES, '--enhanced-migration=m', ''],
  [
    'what is next',
    'chain = "m"\nnext = "n"',
    ['m/1.mo', 'm/2.mo', 'n/3.mo'],
    '--enhanced-migration=.migrations-a-#',
    'm/1.mo m/2.mo n/3.mo',
  ],
  ['a limit', 'chain = "m"\nbuild-limit = 2', NAMES, '--enhanced-migration=.migrations-a-# -A=M0254', 'm/2.mo m/3.mo'],
  [
    'both',
    'chain = "a/m"\nnext = "a/n"\nbuild-limit = 2',
    ['a/m/1.mo', 'a/m/2.mo', 'a/n/3.mo'],
    '--enhanced-migration=a/.migrations-a-# -A=M0254',
    'a/m/2.mo a/n/3.mo',
  ],
  [
    'a limit that leaves only what is next',
    'chain = "m"\nnext = "n"\nbuild-limit = 1',
    ['m/1.mo', 'n/2.mo'],
    '--enhanced-migration=n -A=M0254',
    '',
  ],
  ['what is next and no chain yet', 'chain = "m"\nnext = "n"', ['n/1.mo'], '--enhanced-migration=n', ''],
])('moc is told of %s as upstream tells it', (_, settings, names, flags, staged) => {
  expect(planIn(withMigrations(settings, names))).toEqual([flags, staged]);
});

test.each([
  [
    'in different folders',
    'chain = "m"\nnext = "x/n"',
    NAMES,
    '',
    'chain (m) and next (x/n) must lie in the same folder',
  ],
  ['that are not there', 'chain = "k"', NAMES, '', 'no folder k; it is the chain'],
  ['of which two are next', 'chain = "m"\nnext = "n"', ['n/4.mo', 'n/5.mo'], '', 'n holds 4.mo, 5.mo'],
  ['of which the next is not the last', 'chain = "m"\nnext = "n"', [...NAMES, 'n/2a.mo'], '', '2a.mo is next'],
  ['that args name too', 'chain = "m"', NAMES, 'args = ["--enhanced-migration=m"]', 'args has --enhanced-migration'],
])('migrations %s are refused in words', async (_, settings, names, more, says) => {
  const on = withMigrations(settings, names, more);
  const { code, stderr } = await on.mops(['build']);
  expect(code).toBe(1);
  expect(stderr).toContain(`mops.toml: [canisters.a.migrations]: ${says}`);
  expect(on.starts()).toEqual([]);
});

const LIMITED = 'chain = "m"\nbuild-limit = 2';

test('staged migrations give the same keys and bytes in every checkout, and leave the project as it was', async () => {
  const on = withMigrations(LIMITED);
  const before = on.files(on.root);
  const keyOf = async (cwd: string) => {
    const { stdout } = await on.mops(['build', '--json'], { cwd });
    const { canisters } = JSON.parse(stdout) as { canisters: readonly { outcome: string; key: string }[] };
    return canisters.map(({ outcome, key }) => [outcome, key]);
  };
  const [[, key] = []] = await keyOf(on.root);
  const files = on.files();
  rmSync(on.out, { recursive: true });
  expect(on.files(on.root)).toEqual(before);
  const second = join(on.base, 'second');
  for (const path of Object.keys(before)) {
    mkdirSync(join(second, path, '..'), { recursive: true });
    copyFileSync(join(on.root, path), join(second, path));
  }
  expect(await keyOf(second)).toEqual([['hit', key]]);
  expect(on.files(join(second, '.mops/.build'))).toEqual(files);
});

test('a migration is an input as long as it counts; --explain names it and not the folder’s new name', async () => {
  const on = withMigrations(LIMITED);
  await on.mops(['build']);
  on.put({ 'm/1.mo': 'module { /* what nobody reads */ }\n' });
  expect((await on.mops(['build'])).stderr).toContain('hit');
  on.put({ 'm/3.mo': 'module { /* edited */ }\n' });
  const { stderr } = await on.mops(['build', '--explain']);
  expect(stderr.replace(/\b[0-9a-f]{12}\b/g, '#')).toMatch(
    /^ {2}a {2}compiled.*\n {4}\.migrations-a\/3\.mo: edited \(# to #\), imported by src\/A\.mo\n$/,
  );
  on.put({ 'mops.toml': toml('chain = "m"\nbuild-limit = 1') });
  const limited = await on.mops(['build', '--explain', '--verbose']);
  expect(limited.stderr).toContain('a: 1 migration of 3\n');
  expect(limited.stderr).toContain('folder .migrations-a: 2.mo removed\n');
});

test('where the compiler has to run in the project itself the migrations are staged there, and gone after it', async () => {
  const on = withMigrations(LIMITED);
  const flag = ['--', '--a-flag-of-tomorrow'];
  const runs = [1, 2].map((number) => on.mops(['build', '--json', '-o', `out${number}`, ...flag]));
  for (const { stdout } of await Promise.all(runs)) {
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, canisters: [{ cause: 'uncacheable' }] });
  }
  expect(on.files(join(on.root, 'out1'))).toEqual(on.files(join(on.root, 'out2')));
  expect(on.starts()).toHaveLength(2);
  expect(readdirSync(on.root).filter((name) => name.startsWith('.migrations'))).toEqual([]);
});

test('from moc 1.15 on what is deployed is an input of a canister with migrations, and before it is none', async () => {
  const on = withMigrations('chain = "m"', NAMES, 'check-stable = { path = "deployed.most" }');
  const pinned = (version: string) => {
    const dir = join(on.env.XDG_CACHE_HOME ?? '', 'mops', 'moc', version);
    mkdirSync(dir, { recursive: true });
    copyFileSync(join(on.root, 'moc'), join(dir, 'moc'));
    const text = toml('chain = "m"', 'check-stable = { path = "deployed.most" }');
    on.put({ 'mops.toml': text.replace('"./moc"', JSON.stringify(version)) });
  };
  const tells = async () => (await on.mops(['build', '--verbose'])).stderr;
  on.put({ 'deployed.most': '// Version: 1.0.0\nactor { };\n' });
  pinned('1.14.2');
  expect(await tells()).not.toContain('--stable-baseline');
  pinned('1.15.0');
  expect(await tells()).toContain('--enhanced-migration=m --stable-baseline deployed.most');
  expect(await tells()).toContain('hit');
  on.put({ 'deployed.most': '// Version: 1.0.0\nactor { stable var x : Nat };\n' });
  expect(await tells()).toContain('compiled');
  expect(on.starts()).toHaveLength(3);
  on.put({ 'mops.toml': toml('chain = "m"', 'check-stable = { path = "deployed.most" }') });
  expect(await tells()).not.toContain('--stable-baseline'); // the stand-in names no release
});

const tools = copyTools();
afterAll(() => tools.remove());

test(
  'the real compiler sees staged migrations as it would see them in upstream’s folder',
  { timeout: 600_000 },
  async () => {
    const next =
      'module { public func migration(old : { var second : Text }) : { var second : Text } { { var second = old.second # "!" } } };\n';
    const settings = 'chain = "steps"\nnext = "coming"\n';
    const files = {
      ...CHAIN,
      'mops.toml': (CHAIN['mops.toml'] ?? '').replace('chain = "steps"\n', settings),
      'coming/3_third.mo': next,
    };
    const [mine, theirs] = [layOut(tools, { files }), layOut(tools, { files, folder: 'elsewhere' })];
    try {
      const { outputs } = await buildOurs(tools, mine);
      const wasm = readFileSync(join(mine.root, '.mops/.build/app.wasm'), 'latin1');
      const staged = /\.migrations-app-[0-9a-f]{12}/.exec(wasm)?.[0] ?? 'no staged folder in the wasm';
      mkdirSync(join(theirs.root, staged));
      for (const path of ['steps/1_first.mo', 'steps/2_second.mo', 'coming/3_third.mo'])
        symlinkSync(join(theirs.root, path), join(theirs.root, staged, path.split('/')[1] ?? ''));
      // ic-mops 2.9 has not heard of migrations; the flag that newer ones make of them it passes on.
      expect(await buildUpstream(theirs, ['--', `--enhanced-migration=${staged}`])).toEqual(outputs);
    } finally {
      mine.remove();
      theirs.remove();
    }
  },
);

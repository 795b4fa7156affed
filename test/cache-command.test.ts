import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CANISTER_A, scene, until, type Scene } from './rigs/stand-in-project.ts';

function mopsCache(on: Scene): string {
  return join(on.base, 'cache', 'mops');
}

/** What mops keeps in its global cache beside our builds. */
function putPackages(on: Scene): void {
  for (const dir of ['packages/core@1.0.0', 'moc/1.10.1']) {
    mkdirSync(join(mopsCache(on), dir), { recursive: true });
    writeFileSync(join(mopsCache(on), dir, 'file'), 'x'.repeat(3_000));
  }
}

test('show prints the global cache folder, which follows the environment', async () => {
  const on = scene();
  const show = async (env: Readonly<Record<string, string | undefined>>) =>
    (await on.mops(['cache', 'show'], { env })).stdout;
  expect(await show({})).toBe(`${mopsCache(on)}\n`);
  expect(await show({ MOPS_NETWORK: 'staging' })).toBe(`${join(mopsCache(on), 'staging')}\n`);
  expect(await show({ XDG_CACHE_HOME: '/elsewhere' })).toBe('/elsewhere/mops\n');
});

test('size counts all that is in it, the folders too, and works where there is nothing', async () => {
  const on = scene();
  const folders = (...paths: readonly string[]) =>
    paths.reduce((sum, path) => sum + lstatSync(join(mopsCache(on), path)).size, 0);
  const size = async () => (await on.mops(['cache', 'size'])).stdout;
  expect(await size()).toBe(`Cache size is ${(folders('') / 1024).toFixed(2)} KB\n`);
  putPackages(on);
  const bytes = 6_000 + folders('', 'packages', 'packages/core@1.0.0', 'moc', 'moc/1.10.1');
  expect(await size()).toBe(`Cache size is ${(bytes / 1024).toFixed(2)} KB\n`);
  writeFileSync(join(mopsCache(on), 'big'), Buffer.alloc(3 * 1024 * 1024));
  expect(await size()).toBe(`Cache size is ${(bytes / 1024 / 1024 + 3).toFixed(2)} MB\n`);
});

test('clean --builds deletes what was built, and nothing else', async () => {
  const on = scene();
  await on.mops(['build']);
  putPackages(on);
  const outputs = on.files();
  const end = await on.mops(['cache', 'clean', '--builds']);
  expect([end.stdout, end.code]).toEqual(['Cache cleaned\n', 0]);
  expect(existsSync(on.store)).toBe(false);
  expect(readdirSync(mopsCache(on)).sort()).toEqual(['moc', 'packages']);
  expect(on.files()).toEqual(outputs);
  expect((await on.mops(['build'])).stderr).toContain('compiled');
  expect(on.starts()).toHaveLength(2);
});

test("clean deletes the project's .mops and the global cache, clean --global the latter alone", async () => {
  const on = scene();
  await on.mops(['build']);
  putPackages(on);
  expect((await on.mops(['cache', 'clean', '--global'])).code).toBe(0);
  expect(existsSync(mopsCache(on))).toBe(false);
  expect(existsSync(join(on.out, 'a.wasm'))).toBe(true);

  await on.mops(['build']);
  expect((await on.mops(['cache', 'clean'], { cwd: join(on.root, 'src') })).code).toBe(0);
  expect(existsSync(mopsCache(on))).toBe(false);
  expect(existsSync(join(on.root, '.mops'))).toBe(false);
  expect(readdirSync(on.root).sort()).toEqual(['moc', 'mops.toml', 'src']);
});

test('clean without a project and without a cache has nothing to do', async () => {
  const on = scene();
  const end = await on.mops(['cache', 'clean'], { cwd: on.env.HOME ?? '' });
  expect([end.stdout, end.code]).toEqual(['Cache cleaned\n', 0]);
  expect(existsSync(join(on.root, 'mops.toml'))).toBe(true);
});

test.each([['--builds'], ['--global'], []])(
  'clean %s refuses a folder that is no cache of ours, and deletes nothing',
  async (...args) => {
    const on = scene();
    await on.mops(['build']);
    putPackages(on);
    const thesis = join(on.base, 'documents', 'thesis.txt');
    mkdirSync(join(thesis, '..'));
    writeFileSync(thesis, 'precious');
    const before = on.files(on.base);
    const end = await on.mops(['cache', 'clean', ...args], { env: { MOCCACHE_DIR: join(thesis, '..') } });
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(join(thesis, '..'));
    expect(end.stderr).toContain('nothing was deleted');
    expect(on.files(on.base)).toEqual(before);
    expect(readFileSync(thesis, 'utf8')).toBe('precious');
  },
);

test.each([
  [['cache'], 'say which: show, size, clean, gc, stats, explain, inspect, verify or doctor'],
  [['cache', 'nope'], 'no such command: nope'],
  [['cache', 'clean', 'everything'], '"everything" is too much'],
  [['cache', 'clean', '--global', '--builds'], 'exclude each other'],
  [['cache', 'show', '--nope'], "unknown option '--nope'"],
])('%j is told apart from a command', async (args, says) => {
  const on = scene();
  await on.mops(['build']);
  const before = on.files(on.base);
  const end = await on.mops(args);
  expect(end.code).toBe(1);
  expect(end.stderr).toContain(says);
  expect(end.stderr).toContain('cache --help');
  expect(on.files(on.base)).toEqual(before);
});

test('cleaned in the middle of a compile, the build goes on and is right', async () => {
  const on = scene();
  for (const args of [['--builds'], ['--global'], []]) {
    const go = join(on.base, `go${args.join('')}`);
    const starts = on.starts().length;
    const build = on.start(['build'], { env: { STAND_IN: 'hold', STAND_IN_HOLD: go } });
    await until(() => on.starts().length > starts, build);
    expect((await on.mops(['cache', 'clean', ...args])).code).toBe(0);
    writeFileSync(go, '');
    const end = await build.ended;
    expect(end.code).toBe(0);
    expect(on.litter()).toEqual([]);
    const files = on.files();
    await on.mops(['build', '--no-cache', '-o', 'fresh']);
    expect(on.files(join(on.root, 'fresh'))).toEqual(files);
    expect((await on.mops(['build'])).stderr).toContain('hit');
    await on.mops(['cache', 'clean', '--builds']);
  }
});

test('no build fails, and none is wrong, while the cache is cleaned again and again', async () => {
  const on = scene();
  const edits = ['module { }\n', 'module { /* 1 */ }\n', 'module { /* 2 */ }\n'];
  let over = false;
  const builder = async (index: number) => {
    const root = join(on.base, `checkout ${index}`);
    for (const [path, text] of Object.entries({
      'mops.toml': readFileSync(join(on.root, 'mops.toml'), 'utf8'),
      ...CANISTER_A,
    })) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    writeFileSync(join(root, 'moc'), readFileSync(join(on.root, 'moc')), { mode: 0o755 });
    for (let round = 0; round < 6; round += 1) {
      const edit = (index + round) % edits.length;
      writeFileSync(join(root, 'src/Lib.mo'), edits[edit] ?? '');
      const end = await on.mops(['build'], { cwd: root });
      expect(end.code, end.stderr).toBe(0);
      expect(on.files(join(root, '.mops/.build'))['a.wasm'], end.stderr).toBe(right[edit]);
    }
  };
  const right: (string | undefined)[] = [];
  for (const edit of edits) {
    on.put({ 'src/Lib.mo': edit });
    await on.mops(['build']);
    right.push(on.files()['a.wasm']);
  }
  const cleaner = async () => {
    let count = 0;
    for (; over === (false as boolean); count += 1) {
      const end = await on.mops(['cache', 'clean', count % 3 === 0 ? '--global' : '--builds']);
      expect(end.code, end.stderr).toBe(0);
    }
    return count;
  };
  const cleaning = cleaner();
  await Promise.all([0, 1, 2, 3].map(builder)).finally(() => (over = true));
  expect(await cleaning).toBeGreaterThan(3);
  const left = readdirSync(join(on.base, 'cache'), { recursive: true, encoding: 'utf8' });
  expect(left.filter((path) => path.includes('.deleted'))).toEqual([]);
});

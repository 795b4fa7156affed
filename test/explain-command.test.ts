import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scene, tomlOf, type Scene } from './rigs/stand-in-project.ts';

const explain = async (on: Scene, ...args: readonly string[]) => {
  const end = await on.mops(['cache', 'explain', ...args]);
  expect(end.code, end.stderr).toBe(0);
  return end.stdout.replace(/\b[0-9a-f]{12}\b/g, '#').replace(/\d+(?:\.\d)? (?:ms|s)\b/g, 'TIME');
};

const keysOf = async (on: Scene, ...args: readonly string[]) => {
  const { stdout } = await on.mops(['build', '--json', ...args]);
  const { canisters } = JSON.parse(stdout) as { canisters: readonly { key: string; compileKey: string }[] };
  return canisters[0] ?? { key: '', compileKey: '' };
};

test('a canister that was never built: it is said that there is nothing to compare with, and nothing is made', async () => {
  const on = scene();
  const before = on.files(on.base);
  expect(await explain(on, 'a')).toBe(
    'a: the next build compiles it; no earlier build of it is known on this machine, so there is nothing to compare with\n',
  );
  expect(on.files(on.base)).toEqual(before);
});

test('after one build there is nothing to say but that', async () => {
  const on = scene();
  await on.mops(['build']);
  expect(await explain(on, 'a')).toBe(
    [
      'a: the next build is a hit; nothing has changed since its last build',
      '',
      'it was last compiled here less than a minute ago, in TIME: it was not in the cache',
      '    no earlier build of it is known here',
      '',
    ].join('\n'),
  );
});

test('what will be and what was are told apart', async () => {
  const on = scene();
  await on.mops(['build']);
  on.put({ 'src/Lib.mo': 'module { /* 2 */ }\n' });
  await on.mops(['build']);
  await on.mops(['build']);
  expect(await explain(on, 'a', '--', '--release')).toBe(
    [
      'a: the next build compiles it; since its last build this has changed',
      '    flags: --release added',
      '',
      'it was last compiled here less than a minute ago, in TIME: it was not in the cache',
      '    src/Lib.mo: edited (# to #), imported by src/A.mo',
      '',
    ].join('\n'),
  );
});

test('an edit that is undone is a hit, and one that fails is told', async () => {
  const on = scene();
  await on.mops(['build']);
  on.put({ 'src/Lib.mo': 'module { /* 2 */ }\n' });
  await on.mops(['build']);
  on.put({ 'src/Lib.mo': 'module { }\n' });
  expect(await explain(on, 'a')).toContain(
    'a: the next build is a hit; since its last build this has changed, but the cache has it like this already\n    src/Lib.mo: edited',
  );
  on.put({ 'src/A.mo': '// stand-in: exit 1\nactor { }\n' });
  await on.mops(['build']);
  expect(await explain(on, 'a')).toContain('\nits last build here failed, less than a minute ago (rejected)\n');
});

test('a second checkout is compared with the first', async () => {
  const on = scene();
  await on.mops(['build']);
  const second = join(on.base, 'second');
  cpSync(on.root, second, { recursive: true });
  rmSync(join(second, '.mops'), { recursive: true });
  const inSecond = async () => (await on.mops(['cache', 'explain', 'a'], { cwd: second })).stdout;
  expect(await inSecond()).toBe(`a: the next build is a hit; nothing has changed since its last build\n`);
  writeFileSync(join(second, 'src/Lib.mo'), 'module { /* 2 */ }\n');
  const lines = ['compared with the build of its name in', 'src/Lib.mo: edited'];
  const before = await inSecond();
  const { stderr } = await on.mops(['build', '--explain'], { cwd: second });
  for (const line of lines) {
    expect(before).toContain(line);
    expect(stderr).toContain(line);
  }
  expect(before).toContain(on.root);
});

test('what is no longer in the cache is said to be so', async () => {
  const on = scene();
  await on.mops(['build']);
  rmSync(join(on.store, 'ac'), { recursive: true });
  expect(await explain(on, 'a')).toContain(
    'a: the next build compiles it; nothing has changed since its last build, but the result is no longer in the cache',
  );
  on.put({ 'src/Lib.mo': 'module { /* 2 */ }\n' });
  expect(await explain(on, 'a')).toContain('what its last build was made of is no longer in the cache');
});

test('what cannot be cached is named', async () => {
  const on = scene();
  await on.mops(['build', '--', '--frobnicate']);
  const said = await explain(on, 'a', '--', '--frobnicate');
  expect(said).toMatch(/^a: every build compiles it, for it cannot be cached: .*--frobnicate/);
  expect(said).toMatch(/it was last compiled here .*: it could not be cached: .*--frobnicate/);
});

test('two keys are compared, of whichever stage, by as many digits as it takes', async () => {
  const on = scene({ 'mops.toml': tomlOf({}, '[canisters.a]\nmain = "src/A.mo"') });
  const one = await keysOf(on);
  on.put({
    'src/Lib.mo': 'module { /* 2 */ }\n',
    'mops.toml': tomlOf({}, `[canisters.a]\nmain = "src/A.mo"\ninitArg = '(1)'`),
  });
  const two = await keysOf(on);
  const lib = 'src/Lib.mo: edited (# to #), imported by src/A.mo';
  expect(await explain(on, one.key, two.key)).toBe(
    [`from # (finish, a in ${on.root})`, `to   # (finish, a in ${on.root})`, '', lib, 'initArg: added (#)', ''].join(
      '\n',
    ),
  );
  const short = [one.compileKey.slice(0, 10), two.key.slice(0, 10).toUpperCase()];
  expect(await explain(on, ...short)).toContain(`\n${lib}\n`);
  expect(await explain(on, one.compileKey, one.key)).toContain('\nno difference\n');
  const { stdout } = await on.mops(['cache', 'explain', one.key, two.key, '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 1,
    ok: true,
    changes: [{ kind: 'file-edited', chain: ['src/A.mo', 'src/Lib.mo'] }, { kind: 'init-arg' }],
  });
  rmSync(join(on.store, 'journal'), { recursive: true });
  expect(await explain(on, one.key, two.key)).toContain('only what was done after them is compared\ninitArg: added');
  const apart = await on.mops(['cache', 'explain', one.key, two.compileKey]);
  expect([apart.code, apart.stderr]).toEqual([1, expect.stringContaining('name the compileKey of both')]);
});

test.each([
  [['b'], /mops.toml has no canister "b"/],
  [['xyz', 'abcd'], /"xyz" is no key: 2 to 64 hexadecimal digits/],
  [['a', 'abcd'], /"a" is no key/],
  [['0000', '1111'], /no result under 0000 in/],
  [['a', '--since', '1d'], /unknown option '--since'/],
  [[], /say which canister/],
  [['a', 'b', 'c'], /"c" is too much/],
])('explain %j is refused, and nothing is touched', async (args, says) => {
  const on = scene();
  await on.mops(['build']);
  const before = on.files(on.base);
  const end = await on.mops(['cache', 'explain', ...args]);
  expect([end.code, end.stdout]).toEqual([1, '']);
  expect(end.stderr).toMatch(says);
  expect(on.files(on.base)).toEqual(before);
});

test('a store of a newer version, or a folder that is none, is refused, also in JSON', async () => {
  const on = scene();
  on.put({ '../docs/thesis.txt': 'precious' });
  const { code, stdout } = await on.mops(['cache', 'explain', 'a', '--json'], {
    env: { MOCCACHE_DIR: join(on.base, 'docs') },
  });
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 1,
    ok: false,
    message: expect.stringContaining('something else') as unknown,
  });
});

test('explaining installs nothing', async () => {
  const on = scene({ 'mops.toml': tomlOf({ a: 'src/A.mo' }, '[dependencies]\nbase = "0.1.0"') });
  const end = await on.mops(['cache', 'explain', 'a']);
  expect([end.code, end.stderr]).toEqual([1, expect.stringContaining('explaining installs nothing')]);
});

import { chmodSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scene, tomlOf, until } from './rigs/stand-in-project.ts';

/** Stories in which something could come under a key that does not name it. */

interface Report {
  readonly canisters: readonly { readonly outcome: string; readonly cause?: string; readonly uncacheable?: string }[];
}

const outcomesOf = (stdout: string) => (JSON.parse(stdout) as Report).canisters;

test("a canister whose candid is another's generated interface is built after it", async () => {
  const toml = tomlOf({ a: 'src/A.mo' }, '[canisters.b]\nmain = "src/A.mo"\ncandid = ".mops/.build/a.did"');
  const on = scene({ 'mops.toml': toml, 'src/A.mo': 'actor { }\n' });
  const first = await on.mops(['build']);
  expect(first.stderr).not.toContain('error');
  expect(first.code).toBe(0);
  on.put({ 'src/A.mo': '// did: service : { more : () -> () }\nactor { }\n' });
  expect((await on.mops(['build'])).code).toBe(0);
  const fresh = on.files();
  const again = await on.mops(['build', '--json']);
  expect(outcomesOf(again.stdout).map(({ outcome }) => outcome)).toEqual(['hit', 'hit']);
  expect(on.files()).toEqual(fresh);
});

test('what was compiled while the compiler was replaced is not stored', async () => {
  const on = scene();
  const compiler = join(on.root, 'moc');
  const original = readFileSync(compiler);
  const go = join(on.base, 'go');
  const running = on.start(['build', '--json'], { env: { STAND_IN: 'hold', STAND_IN_HOLD: go } });
  await until(() => on.starts().length === 1, running);
  rmSync(compiler); // a new file: the old one is being run
  writeFileSync(compiler, `${original.toString('utf8')}\n// another compiler\n`, { mode: 0o755 });
  writeFileSync(go, '');
  const end = await running.ended;
  expect(end.code).toBe(0);
  expect(end.stdout).toContain('"input-changed"');
  writeFileSync(compiler, original);
  expect(outcomesOf((await on.mops(['build', '--json'])).stdout)[0]?.outcome).toBe('built');
});

test('a compiler behind a declared script that hides what it runs is asked for its version each time', async () => {
  const on = scene();
  const inner = join(on.root, 'inner');
  const version = join(on.base, 'version');
  writeFileSync(
    inner,
    `#!/bin/sh\nif [ "$1" = --version ]; then cat ${version}; exit; fi\nexec "$(dirname "$0")/moc" "$@"\n`,
  );
  chmodSync(inner, 0o755);
  writeFileSync(
    join(on.root, 'outer'),
    '#!/bin/sh\n# moccache-compiler-input: ./inner\nexec "$(dirname "$0")/inner" "$@"\n',
  );
  chmodSync(join(on.root, 'outer'), 0o755);
  on.put({ 'mops.toml': tomlOf({ a: 'src/A.mo' }).replace('"./moc"', '"./outer"') });
  writeFileSync(version, 'one');
  expect((await on.mops(['build'])).code).toBe(0);
  expect(outcomesOf((await on.mops(['build', '--json'])).stdout)[0]?.outcome).toBe('hit');
  writeFileSync(version, 'two');
  expect(outcomesOf((await on.mops(['build', '--json'])).stdout)[0]?.outcome).toBe('built');
});

test('a migration that leads nowhere is not left out in silence', async () => {
  const toml = tomlOf({}, '[canisters.a]\nmain = "src/A.mo"\n[canisters.a.migrations]\nchain = "m"');
  const on = scene({ 'mops.toml': toml, 'm/1.mo': 'module { }\n' });
  symlinkSync('nowhere.mo', join(on.root, 'm', '2.mo'));
  const [canister] = outcomesOf((await on.mops(['build', '--json'])).stdout);
  expect(canister?.cause).toBe('uncacheable');
  expect(canister?.uncacheable).toContain('m/2.mo');
});

test('a development compiler that takes its run time from a file is not cached', async () => {
  const on = scene();
  const end = await on.mops(['build', '--json'], { env: { MOC_RELEASE_RTS: '/some/file' } });
  expect(outcomesOf(end.stdout)[0]?.uncacheable).toContain('MOC_RELEASE_RTS');
});

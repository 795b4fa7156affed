import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  MOPS,
  processExists,
  putShellCompiler,
  scene,
  until,
  type Running,
  type Scene,
} from './rigs/stand-in-project.ts';

/** Starts a build and waits until its compiler is in the middle of its work, where it stays. */
async function startHeld(on: Scene, orders = 'hold'): Promise<{ readonly build: Running; readonly compiler: number }> {
  const env = { STAND_IN: orders, STAND_IN_HOLD: join(on.base, 'never') };
  const before = on.starts().length;
  const build = on.start(['build'], { env });
  await until(() => on.starts().length > before, build);
  return { build, compiler: on.starts().at(-1) ?? 0 };
}

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const;

test.each(SIGNALS)(
  '%s in the middle of a compile stops the compiler and leaves nothing behind',
  async (signal, code) => {
    const on = scene();
    const { build, compiler } = await startHeld(on);
    build.child.kill(signal);
    const end = await build.ended;
    expect(end.code).toBe(code);
    expect(end.stdout).not.toContain('✓');
    expect(processExists(compiler)).toBe(false);
    expect(on.litter()).toEqual([]);
    expect(on.files()).toEqual({});
    expect((await on.mops(['build'])).code).toBe(0);
  },
);

test.each(SIGNALS)('%s leaves the outputs of the build before as they were', async (signal, code) => {
  const on = scene();
  await on.mops(['build']);
  const before = on.files();
  on.put({ 'src/Lib.mo': 'module { /* edited */ }\n' });
  const { build } = await startHeld(on);
  build.child.kill(signal);
  expect((await build.ended).code).toBe(code);
  expect(on.files()).toEqual(before);
});

test.each(SIGNALS)('%s also stops what a compiler that is a shell script has started', async (signal, code) => {
  const on = scene();
  putShellCompiler(join(on.root, 'moc'));
  const { build, compiler } = await startHeld(on);
  build.child.kill(signal);
  expect((await build.ended).code).toBe(code);
  await until(() => !processExists(compiler), build);
  expect(processExists(compiler)).toBe(false);
  expect(on.litter()).toEqual([]);
});

test('a compiler that does not listen is stopped all the same', async () => {
  const on = scene();
  const { build, compiler } = await startHeld(on, 'deaf;hold');
  build.child.kill('SIGTERM');
  expect((await build.ended).code).toBe(143);
  expect(processExists(compiler)).toBe(false);
  expect(on.litter()).toEqual([]);
});

test('a second signal ends the build at once, and the compiler with it', async () => {
  const on = scene();
  const { build, compiler } = await startHeld(on, 'deaf;hold');
  build.child.kill('SIGINT');
  build.child.kill('SIGTERM');
  expect([130, 143]).toContain((await build.ended).code);
  await until(() => !processExists(compiler), build).catch(() => undefined);
  while (processExists(compiler)) await new Promise((next) => setTimeout(next, 5));
  expect(on.files()).toEqual({});
});

test('a signal stops a build that waits for another, and not the other', async () => {
  const on = scene();
  const { build: holder, compiler } = await startHeld(on);
  const waiter = on.start(['build']);
  await until(() => waiter.said().includes('another build compiles it'), waiter);
  waiter.child.kill('SIGINT');
  expect((await waiter.ended).code).toBe(130);
  expect(processExists(compiler)).toBe(true);
  holder.child.kill('SIGINT');
  expect((await holder.ended).code).toBe(130);
});

test('when the one that compiles is interrupted, one that waits compiles instead', async () => {
  const on = scene();
  const { build: holder } = await startHeld(on);
  const waiter = on.start(['build']);
  await until(() => waiter.said().includes('another build compiles it'), waiter);
  holder.child.kill('SIGINT');
  expect((await holder.ended).code).toBe(130);
  expect((await waiter.ended).code).toBe(0);
  expect(on.starts()).toHaveLength(2);
  expect(on.litter()).toEqual([]);
});

test('a build that is killed in the middle of a compile is no obstacle to the next', async () => {
  const on = scene();
  const { build } = await startHeld(on);
  build.child.kill('SIGKILL');
  await build.ended;
  expect(on.files()).toEqual({});
  const end = await on.mops(['build']);
  expect(end.code).toBe(0);
  expect(end.stderr).not.toContain('wait');
  const files = on.files();
  expect((await on.mops(['build', '--no-cache', '-o', 'fresh'])).code).toBe(0);
  expect(on.files(join(on.root, 'fresh'))).toEqual(files);
});

test('a reader that goes away is no reason for a stack trace, and the build is done all the same', async () => {
  const on = scene();
  for (const redirection of [
    '| true',
    '2>&1 | true',
    '| head -c 1',
    '2>&1 | head -c 1',
    '>&-',
    '2>&-',
    '>&- 2>&-',
    '<&-',
  ]) {
    on.put({ 'src/Lib.mo': `module { /* ${redirection} */ }\n` });
    const script = `"${process.execPath}" "${MOPS}" build --verbose ${redirection}`;
    const end = await on.start(['-c', script], { command: ['sh'] }).ended;
    expect(end.code, redirection).toBe(0);
    expect(on.files()['a.wasm'], redirection).toBeDefined();
    expect((await on.mops(['build'])).stderr, redirection).toContain('files up to date');
  }
});

test('a signal is passed on to a command that was handed over, whose end is ours', async () => {
  const on = scene();
  const dir = join(on.root, 'node_modules', 'ic-mops');
  on.put({
    'node_modules/ic-mops/package.json': '{ "name": "ic-mops", "version": "2.9.0", "bin": { "mops": "cli.js" } }',
    'node_modules/ic-mops/cli.js': `
      process.on('SIGTERM', () => process.exit(9));
      setInterval(() => undefined, 1000);
      process.stdout.write('up');`,
  });
  expect(readdirSync(dir)).toHaveLength(2);
  const running = on.start(['watch']);
  await until(() => running.said() === 'up', running);
  running.child.kill('SIGTERM');
  expect((await running.ended).code).toBe(143);
});

test('an editor that takes the sources away in the middle of a compile does not take the result', async () => {
  const on = scene();
  const go = join(on.base, 'go');
  const build = on.start(['build'], { env: { STAND_IN: 'hold', STAND_IN_HOLD: go } });
  await until(() => on.starts().length === 1, build);
  on.put({ src: undefined });
  chmodSync(on.root, 0o755);
  writeFileSync(go, '');
  expect((await build.ended).code).toBe(0);
  expect(existsSync(join(on.out, 'a.wasm'))).toBe(true);
});

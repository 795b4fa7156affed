import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mopsDirs } from '../src/build/mops-dirs.ts';
import { BuildError } from '../src/build/outcome.ts';
import { parseDuration, readSettings } from '../src/cli/settings.ts';

let home: string;
beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'moccache-settings-'))));
afterEach(() => rmSync(home, { recursive: true, force: true }));

function settings(env: Record<string, string> = {}, toml?: string) {
  const dirs = mopsDirs({ platform: 'linux', env: { HOME: home } });
  if (toml !== undefined) {
    mkdirSync(dirs.config, { recursive: true });
    writeFileSync(join(dirs.config, 'builds.toml'), toml);
  }
  return readSettings(env, dirs, '/somewhere');
}

test('without any setting the store lies in the cache of mops, and is read and written', () => {
  expect(settings()).toEqual({
    dir: join(home, '.cache/mops/builds'),
    mode: 'read-write',
    leaseWaitMs: 600_000,
    maxBytes: 5 * 1024 ** 3,
    maxAgeMs: 30 * 86_400_000,
    logFile: undefined,
  });
});

test('builds.toml is heard, and the environment before it', () => {
  const toml = 'dir = "/from/toml"\nreadonly = true\nlease-wait = "90s"\nmax-size = "1GiB"\nmax-age = "7d"\n';
  const limits = { maxBytes: 1024 ** 3, maxAgeMs: 7 * 86_400_000 };
  expect(settings({}, toml)).toMatchObject({ dir: '/from/toml', mode: 'read-only', leaseWaitMs: 90_000, ...limits });
  const env = {
    MOCCACHE_DIR: 'relative',
    MOCCACHE_LEASE_WAIT: '2m',
    MOCCACHE_MAX_SIZE: '500MB',
    MOCCACHE_DISABLE: '1',
    MOCCACHE_LOG: '/log',
  };
  expect(settings(env, toml)).toEqual({
    dir: '/somewhere/relative',
    mode: 'off',
    leaseWaitMs: 120_000,
    maxBytes: 500_000_000,
    maxAgeMs: 7 * 86_400_000,
    logFile: '/log',
  });
});

test.each(['', '0', 'false'])('a switch set to "%s" is off', (value) => {
  expect(settings({ MOCCACHE_DISABLE: value, MOCCACHE_READONLY: value }).mode).toBe('read-write');
});

test.each([
  [{}, 'dir = 5', { kind: 'bad-config', key: 'dir' }],
  [{}, 'readonly = "yes"', { kind: 'bad-config', key: 'readonly' }],
  [{}, 'lease-wait = "soon"', { kind: 'bad-config', key: 'lease-wait' }],
  [{}, 'max-size = "big"', { kind: 'bad-config', key: 'max-size' }],
  [{}, 'max-age = "30"', { kind: 'bad-config', key: 'max-age' }],
  [{ MOCCACHE_MAX_SIZE: '-1' }, undefined, { kind: 'bad-config', key: 'MOCCACHE_MAX_SIZE' }],
  [{}, 'dir = ', { kind: 'bad-toml' }],
  [{ MOCCACHE_LEASE_WAIT: 'soon' }, undefined, { kind: 'bad-config', key: 'MOCCACHE_LEASE_WAIT' }],
])('%j with builds.toml %j is a clear failure', (env, toml, failure) => {
  let thrown: unknown;
  try {
    settings(env, toml);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(BuildError);
  expect((thrown as BuildError).failure).toMatchObject(failure);
});

test.each([
  ['90', 90_000],
  ['90s', 90_000],
  ['1.5m', 90_000],
  ['2h', 7_200_000],
  ['30d', 2_592_000_000],
  ['250ms', 250],
  ['', undefined],
  ['-1s', undefined],
  ['ten minutes', undefined],
])('%j is %s ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

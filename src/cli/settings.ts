import { isAbsolute, join, resolve } from 'node:path';
import type { CacheOptions } from '../cache/cache.ts';
import { readFileSync } from '../cache/disk.ts';
import { parseToml } from '../build/project.ts';
import { BuildError } from '../build/outcome.ts';
import type { MopsDirs } from '../build/mops-dirs.ts';
import { AGE_EXAMPLE, ageText, parseAge, parseSize, SIZE_EXAMPLE, sizeText } from './quantities.ts';

/** How the user has set up the cache: flags first (the caller applies them), then the environment, then builds.toml. */
export interface Settings {
  /** The store's folder, absolute. */
  readonly dir: string;
  readonly mode: CacheOptions['mode'];
  readonly leaseWaitMs: number;
  /** What the store is held to, in bytes and in milliseconds since an entry was last used. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  /** Where every event is appended as a line of JSON. */
  readonly logFile: string | undefined;
}

const LEASE_WAIT_MS = 600_000;
const MAX_SIZE = '5GiB';
const MAX_AGE = '30d';

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the environment and the user's builds.toml. Nothing of the project's folder is read (invariant 10). */
export function readSettings(env: Environment, dirs: MopsDirs, cwd: string): Settings {
  return settingsOf(env, dirs, cwd, readTable(configFileOf(dirs)));
}

/** The user's own file of settings. */
function configFileOf(dirs: MopsDirs): string {
  return join(dirs.config, 'builds.toml');
}

/** The same, with what the file says in hand. */
export function settingsOf(
  env: Environment,
  dirs: MopsDirs,
  cwd: string,
  table: Readonly<Record<string, unknown>>,
): Settings {
  const file = configFileOf(dirs);
  const text = (key: string): string | undefined => {
    const value = table[key];
    if (value === undefined || typeof value === 'string') return value;
    throw new BuildError({ kind: 'bad-config', file, key, expected: 'a text' });
  };
  const readonly = table.readonly ?? false;
  if (typeof readonly !== 'boolean')
    throw new BuildError({ kind: 'bad-config', file, key: 'readonly', expected: 'true or false' });
  const wait = set(env.MOCCACHE_LEASE_WAIT) ?? text('lease-wait');
  const limit = (
    variable: string,
    key: string,
    normal: string,
    parse: (text: string) => number | undefined,
    as: string,
  ) => {
    const given = set(env[variable]) ?? text(key) ?? normal;
    const value = parse(given);
    if (value !== undefined) return value;
    const place = set(env[variable]) === undefined ? { file, key } : { file: 'environment', key: variable };
    throw new BuildError({ kind: 'bad-config', ...place, expected: `${as}, not "${given}"` });
  };
  const logFile = set(env.MOCCACHE_LOG);
  const named = set(env.MOCCACHE_DIR) ?? text('dir');
  // Without a home mops's folder is relative: a project could bring along a cache of its own there, with any bytes in it.
  const isReadOnly = set(env.MOCCACHE_READONLY) === undefined ? readonly : isOn(env.MOCCACHE_READONLY);
  const isOff = isOn(env.MOCCACHE_DISABLE) || (named === undefined && !isAbsolute(dirs.cache));
  return {
    dir: resolve(cwd, named ?? join(dirs.cache, 'builds')),
    mode: isOff ? 'off' : isReadOnly ? 'read-only' : 'read-write',
    leaseWaitMs:
      wait === undefined
        ? LEASE_WAIT_MS
        : durationMsOf(wait, set(env.MOCCACHE_LEASE_WAIT) === undefined ? file : undefined),
    maxBytes: limit('MOCCACHE_MAX_SIZE', 'max-size', MAX_SIZE, parseSize, `a size such as ${SIZE_EXAMPLE}`),
    maxAgeMs: limit('MOCCACHE_MAX_AGE', 'max-age', MAX_AGE, parseAge, `an age such as ${AGE_EXAMPLE}`),
    logFile: logFile === undefined ? undefined : resolve(cwd, logFile),
  };
}

export interface SettingInEffect {
  readonly name: string;
  readonly value: string;
  /** What set it: a variable, builds.toml, or nothing. */
  readonly from: string;
}

/** The settings as people know them, and where each comes from, by the same order as in readSettings. */
export function settingsInEffect(
  { dir, mode, leaseWaitMs, maxBytes, maxAgeMs, logFile }: Settings,
  env: Readonly<Record<string, string | undefined>>,
  dirs: MopsDirs,
): readonly SettingInEffect[] {
  const file = join(dirs.config, 'builds.toml');
  const table = readTable(file);
  const sourceOf = (variable: string, key: string) =>
    set(env[variable]) !== undefined ? variable : table[key] !== undefined ? file : 'default';
  const modeFrom = isOn(env.MOCCACHE_DISABLE)
    ? 'MOCCACHE_DISABLE'
    : mode === 'off'
      ? 'default: there is no home folder'
      : sourceOf('MOCCACHE_READONLY', 'readonly');
  return [
    { name: 'dir', value: dir, from: sourceOf('MOCCACHE_DIR', 'dir') },
    { name: 'mode', value: mode, from: modeFrom },
    { name: 'lease-wait', value: `${leaseWaitMs / 1000} s`, from: sourceOf('MOCCACHE_LEASE_WAIT', 'lease-wait') },
    { name: 'max-size', value: sizeText(maxBytes), from: sourceOf('MOCCACHE_MAX_SIZE', 'max-size') },
    { name: 'max-age', value: ageText(maxAgeMs), from: sourceOf('MOCCACHE_MAX_AGE', 'max-age') },
    ...(logFile === undefined ? [] : [{ name: 'log', value: logFile, from: 'MOCCACHE_LOG' }]),
  ];
}

/** Where builds.toml speaks of a remote cache, which this version does not have. */
export function remoteIn(dirs: MopsDirs): readonly string[] {
  const file = join(dirs.config, 'builds.toml');
  return readTable(file).remote === undefined ? [] : [`[remote] in ${file}`];
}

/** `90s`, `10m`, `2h`, `30d`; a bare number is seconds. Milliseconds, or undefined where it is none of these. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim());
  if (match === null) return undefined;
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? 's'] ?? 1000;
  return Number(match[1]) * unit;
}

function durationMsOf(text: string, file: string | undefined): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  const place = file === undefined ? { file: 'environment', key: 'MOCCACHE_LEASE_WAIT' } : { file, key: 'lease-wait' };
  throw new BuildError({ kind: 'bad-config', ...place, expected: `a time such as 90s or 10m, not "${text}"` });
}

function readTable(file: string): Readonly<Record<string, unknown>> {
  // Without a home the configuration folder is relative: that would be the project's, whose word does not count here.
  if (!isAbsolute(file)) return {};
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {}; // most users have none
    throw new BuildError({ kind: 'bad-toml', file, message: `cannot be read (${code})` });
  }
  return parseToml(text, file).values;
}

function set(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

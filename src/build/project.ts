import { basename, dirname, join, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { existsSync, readFileSync } from '../cache/disk.ts';
import { dependencyOf, type Dependency } from './dependency.ts';
import { BuildError, type Failure } from './outcome.ts';
import { argumentsAt, badConfig, isTable, positiveIntegerAt, stringAt, tableAt, type TomlTable } from './toml-table.ts';

export type { Dependency } from './dependency.ts';

/** The typed form of mops.toml: read once, parsed once, trusted after that. */
export interface Project {
  /** Absolute path of mops.toml. */
  readonly file: string;
  /** Absolute path of the folder that holds mops.toml. */
  readonly root: string;
  /** In the file's order. */
  readonly canisters: readonly Canister[];
  readonly build: {
    readonly outputDir?: string;
    readonly args: readonly string[];
    readonly checkWasm: boolean;
    readonly checkDeploy: boolean;
  };
  readonly mocArgs: readonly string[];
  readonly toolchain: { readonly moc?: string; readonly wasmOpt?: string; readonly pocketIc?: string };
  /** `[optimize]`, where the section is there. */
  readonly optimize?: { readonly level: string; readonly keepNames: boolean; readonly args: readonly string[] };
  /** `[dependencies]`, then `[dev-dependencies]`, in the file's order. */
  readonly dependencies: readonly Dependency[];
  readonly devDependencies: readonly Dependency[];
  readonly packageName?: string;
  readonly packageVersion?: string;
}

export interface Canister {
  readonly name: string;
  /** Undefined where mops.toml names none: an error when this canister is built, not before. */
  readonly main: string | undefined;
  readonly args: readonly string[];
  readonly candid?: string;
  readonly initArg?: string;
  /** In bytes; what the canister gets where its deploy is checked. */
  readonly wasmMemoryLimit?: number;
  readonly migrations?: Migrations;
  /** `check-stable.path`: what is deployed, to compare with. */
  readonly checkStable?: string;
  /** What mops.toml gets wrong about this canister. It counts where the canister is built: upstream looks no sooner. */
  readonly mistake?: Failure;
}

export interface Migrations {
  readonly chain: string;
  readonly next?: string;
  readonly buildLimit?: number;
}

/** What a package's own mops.toml says to those who depend on it. */
export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  /** The folder of its sources, where that is not `src`. */
  readonly baseDir?: string;
  readonly dependencies: readonly Dependency[];
}

/** The nearest mops.toml, from a folder (absolute) upwards. As upstream does, the file system's root is not searched. */
export function findProject(startDir: string): string | undefined {
  for (let dir = resolve(startDir); basename(dir) !== ''; dir = dirname(dir)) {
    const file = join(dir, 'mops.toml');
    if (existsSync(file)) return file;
  }
  return undefined;
}

/** Reads a mops.toml (absolute path). Throws a BuildError: bad-toml, bad-config. */
export function readProject(file: string): Project {
  return parseProject(readText(file), file);
}

/** The project that a folder is in. Throws what readProject throws, and a BuildError no-project where there is none. */
export function readProjectAround(startDir: string): Project {
  const file = findProject(startDir);
  if (file === undefined) throw new BuildError({ kind: 'no-project', from: startDir });
  return readProject(file);
}

/** The text of a mops.toml as a project. Unknown keys and sections are ignored. Throws as readProject does. */
export function parseProject(text: string, file: string): Project {
  const toml = parseToml(text, file);
  const build = tableAt(toml, 'build');
  const toolchain = tableAt(toml, 'toolchain');
  const { name, version } = parseNames(toml);
  return {
    file,
    root: dirname(file),
    canisters: Object.keys(tableAt(toml, 'canisters').values).map((key) => parseCanister(toml, key)),
    build: {
      ...present('outputDir', stringAt(build, 'outputDir')),
      args: argumentsAt(build, 'args'),
      checkWasm: Boolean(build.values['check-wasm']),
      checkDeploy: Boolean(build.values['check-deploy']),
    },
    mocArgs: argumentsAt(tableAt(toml, 'moc'), 'args'),
    toolchain: {
      ...present('moc', stringAt(toolchain, 'moc')),
      ...present('wasmOpt', stringAt(toolchain, 'wasm-opt')),
      ...present('pocketIc', stringAt(toolchain, 'pocket-ic')),
    },
    ...present('optimize', isTable(toml.values.optimize) ? parseOptimize(tableAt(toml, 'optimize')) : undefined),
    dependencies: parseDependencies(toml, 'dependencies'),
    devDependencies: parseDependencies(toml, 'dev-dependencies'),
    ...present('packageName', name),
    ...present('packageVersion', version),
  };
}

/** A dependency's mops.toml, or undefined where there is none. Throws as readProject does. */
export function readManifest(file: string): Manifest | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw unreadable(file, error);
  }
  const toml = parseToml(text, file);
  parseDependencies(toml, 'dev-dependencies'); // not used, but mops refuses the file when they are wrong
  return {
    ...parseNames(toml),
    ...present('baseDir', stringAt(tableAt(toml, 'package'), 'baseDir')),
    dependencies: parseDependencies(toml, 'dependencies'),
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? error : new BuildError({ kind: 'bad-toml', file, message: `cannot be read (${code})` });
}

/** The text of any TOML file. Throws a BuildError bad-toml. */
export function parseToml(text: string, file: string): TomlTable {
  try {
    return { file, text, path: [], values: parse(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The parser's message is a headline and a picture of the place; the place has a field of its own.
    const [headline = ''] = error.message.split('\n');
    const message = headline.replace(/^Invalid TOML document: /, '');
    throw new BuildError({ kind: 'bad-toml', file, line: error.line, message });
  }
}

function parseCanister(toml: TomlTable, name: string): Canister {
  const canisters = tableAt(toml, 'canisters');
  // For deployment; but mops refuses to build anything while it is wrong.
  const wasmMemoryLimit = positiveIntegerAt(tableAt(canisters, name), 'wasmMemoryLimit');
  try {
    return { ...parseSoundCanister(canisters, name), ...present('wasmMemoryLimit', wasmMemoryLimit) };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return { name, main: undefined, args: [], mistake: error.failure };
  }
}

function parseSoundCanister(canisters: TomlTable, name: string): Canister {
  if (UNSAFE_NAME.test(name)) throw new BuildError({ kind: 'bad-canister-name', file: canisters.file, name });
  const value = canisters.values[name];
  if (typeof value === 'string') return { name, main: value === '' ? undefined : value, args: [] };
  const table = tableAt(canisters, name);
  return {
    name,
    main: stringAt(table, 'main'),
    args: argumentsAt(table, 'args'),
    ...present('candid', stringAt(table, 'candid')),
    ...present('initArg', stringAt(table, 'initArg')),
    ...present('checkStable', pathOfCheckStable(table)),
    ...present('migrations', table.values.migrations === undefined ? undefined : parseMigrations(table)),
  };
}

/** Most builds do not use it, and mops takes no offence at what is none. */
function pathOfCheckStable(canister: TomlTable): string | undefined {
  const { path } = tableAt(canister, 'check-stable').values;
  return typeof path === 'string' && path !== '' && !path.includes('\0') ? path : undefined;
}

/** Names become names of files in the output directory, and must stay there; a dot in front is for our own files. */
const UNSAFE_NAME = /^$|^\.|[/\\\p{Cc}]/u;

function parseMigrations(canister: TomlTable): Migrations {
  const table = tableAt(canister, 'migrations');
  const chain = stringAt(table, 'chain');
  if (chain === undefined) throw badConfig(table, 'chain', 'the folder of the migrations, as a string');
  positiveIntegerAt(table, 'check-limit');
  return {
    chain,
    ...present('next', stringAt(table, 'next')),
    ...present('buildLimit', positiveIntegerAt(table, 'build-limit')),
  };
}

const LEVELS: readonly unknown[] = ['O0', 'O1', 'O2', 'O3', 'O4', 'Os', 'Oz'];

function parseOptimize(table: TomlTable): NonNullable<Project['optimize']> {
  const level = table.values.level ?? 'O3';
  if (typeof level !== 'string' || !LEVELS.includes(level))
    throw badConfig(table, 'level', `one of ${LEVELS.join(' ')}`);
  return { level, keepNames: Boolean(table.values['keep-names'] ?? true), args: argumentsAt(table, 'args') };
}

function parseDependencies(toml: TomlTable, section: string): readonly Dependency[] {
  const value = toml.values[section] ?? {};
  if (!isTable(value)) throw badConfig(toml, section, 'a table');
  return Object.entries(value).map(([name, declared]) => {
    if (typeof declared === 'string' && declared !== '') return dependencyOf(name, declared);
    throw badConfig(tableAt(toml, section), name, 'a version, a path or a GitHub URL, as a string');
  });
}

function parseNames(toml: TomlTable): { readonly name?: string; readonly version?: string } {
  const { name, version } = tableAt(toml, 'package').values;
  return {
    ...present('name', typeof name === 'string' ? name : undefined),
    ...present('version', typeof version === 'string' ? version : undefined),
  };
}

/** A property that is there only if it has a value. */
function present<K extends string, V>(key: K, value: V | undefined): Readonly<Partial<Record<K, V>>> {
  return (value === undefined ? {} : { [key]: value }) as Partial<Record<K, V>>;
}

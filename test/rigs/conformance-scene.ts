import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { customSections } from './conformance-wasm.ts';
import { sha256 } from './stand-in-project.ts';

/** Path to text; undefined deletes. Paths are the project's; `CACHE/` is mops's global cache. `@BASE@` in a text is the folder around. */
export type Files = Readonly<Record<string, string | undefined>>;

/** One command, after some files have changed. */
export interface Step {
  readonly args: readonly string[];
  readonly files?: Files;
  readonly env?: Readonly<Record<string, string>>;
  /** Where the user stands, in the project. */
  readonly from?: string;
}

/** What commands did to their surroundings, in lines that can be compared. */
export interface Observation {
  readonly lines: readonly string[];
  /** stdout and stderr together. */
  readonly said: string;
}

/** As the text of a file: the stand-in compiler. */
export const STAND_IN = join(import.meta.dirname, 'stand-in-moc.cjs');

/** A folder of its own for one side: project, home, caches. Nothing in it leads to the network. */
export interface Place {
  /** Runs the steps, and tells what came of the last one; of those before it what they printed and how they ended. */
  observe(script: string, steps: readonly Step[]): Promise<Observation>;
  /** Deletes the compiler's files that the last step made, so that they have to be made again. */
  removeOutputs(): void;
  remove(): void;
}

export function openPlace(files: Files): Place {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'moccache-conform-')));
  const root = join(base, 'project');
  const argumentsFile = join(base, 'arguments');
  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: join(base, 'home'),
    XDG_CACHE_HOME: join(base, 'cache'),
    XDG_CONFIG_HOME: join(base, 'config'),
    TMPDIR: join(base, 'tmp'),
    MOPS_REGISTRY_HOST: 'http://127.0.0.1:9', // fetch refuses this port
    ARGUMENTS_FILE: argumentsFile,
  };
  const anonymous = (text: string) => text.replaceAll(base, 'BASE');
  const put = (changed: Files) => {
    for (const [path, text] of Object.entries(changed)) {
      const file = path.startsWith('CACHE/') ? join(base, 'cache/mops', path.slice(6)) : join(root, path);
      if (text === undefined) rmSync(file, { recursive: true, force: true });
      else {
        mkdirSync(dirname(file), { recursive: true });
        if (text === STAND_IN) putStandIn(file);
        else writeFileSync(file, text.replaceAll('@BASE@', base));
      }
    }
  };
  let before: Snapshot = new Map();
  let after: Snapshot = new Map();

  for (const dir of ['project', 'home', 'tmp']) mkdirSync(join(base, dir));
  writeFileSync(join(base, 'package.json'), '{}'); // else one further up says what kind of script the stand-in is
  putStandIn(join(root, 'moc'));
  put(files);

  return {
    async observe(script, steps) {
      const lines: string[] = [];
      const said: string[] = [];
      rmSync(argumentsFile, { force: true });
      for (const { args, env, from = '.', files: changed = {} } of steps) {
        put(changed);
        before = snapshotOf(base);
        const end = await run(script, args, join(root, from), { ...environment, ...env });
        lines.push(`exit ${end.code}`, ...linesOf(anonymous(end.stdout)).map((line) => `stdout ${line}`));
        said.push(anonymous(end.stdout + end.stderr));
      }
      after = snapshotOf(base);
      lines.push(...compilerRuns(argumentsFile), ...changesBetween(before, after));
      return { lines, said: said.join('') };
    },
    removeOutputs() {
      for (const [path, what] of after) if (OUTPUT.test(path) && before.get(path) !== what) rmSync(join(base, path));
    },
    remove: () => rmSync(base, { recursive: true, force: true, maxRetries: 3 }),
  };
}

function putStandIn(file: string): void {
  copyFileSync(STAND_IN, file);
  chmodSync(file, 0o755);
}

async function run(script: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [script, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | string>((done, fail) => {
    child.on('error', fail);
    child.on('close', (exitCode, signal) => done(exitCode ?? signal ?? 'unknown'));
  });
  return { code, stdout, stderr };
}

/** How the compiler was called, each time. Where its output goes is for the build to choose: of that the name is told. */
function compilerRuns(file: string): readonly string[] {
  if (!existsSync(file)) return [];
  return linesOf(readFileSync(file, 'utf8')).map((line) => {
    const args = JSON.parse(line) as string[];
    return ['moc', ...args.map((arg, index) => (args[index - 1] === '-o' ? basename(arg) : arg))].join(' ');
  });
}

const OUTPUT = /\.(?:wasm|did|most|map)$/;

/** Of an observation, what a build must show each time: all but the compiler's runs, and what was made for good. */
export function repeatable({ lines }: Observation): readonly string[] {
  const made = lines.map((line) => line.replace(/^changed /, 'new '));
  return made.filter((line) => /^(?:exit|stdout|new .*\.(?:wasm|did|most|map)| {2}section) /.test(line));
}

type Snapshot = ReadonlyMap<string, string>;

/** Our store, temporary files, and what the observation itself needs. */
const NOT_OBSERVED = /^(?:tmp|arguments|package\.json|cache(?:\/mops(?:\/builds)?)?)$|^(?:tmp|cache\/mops\/builds)\//;

/** Every file and folder with its mode; of files the digest, of modules the custom sections. */
function snapshotOf(base: string): Snapshot {
  const found = new Map<string, string>();
  for (const path of readdirSync(base, { recursive: true, encoding: 'utf8' }).sort()) {
    if (NOT_OBSERVED.test(path)) continue;
    const file = join(base, path);
    const stats = lstatSync(file);
    const mode = (stats.mode & 0o777).toString(8);
    if (stats.isDirectory()) found.set(`${path}/`, mode);
    else {
      const bytes = readFileSync(file);
      const sections = path.endsWith('.wasm') ? customSections(bytes) : [];
      const told = sections.map(([name, text]) => `\n  section ${name}: ${JSON.stringify(text)}`);
      found.set(path, `${mode} ${sha256(bytes).slice(0, 16)}${told.join('')}`);
    }
  }
  return found;
}

function changesBetween(before: Snapshot, after: Snapshot): readonly string[] {
  const changes = [...after].flatMap(([path, what]) => {
    const had = before.get(path);
    if (had === what) return [];
    return `${had === undefined ? 'new' : 'changed'} ${path} ${what}`.split('\n');
  });
  return [...changes, ...[...before.keys()].flatMap((path) => (after.has(path) ? [] : [`gone ${path}`]))];
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { recordPathOf, troubleWith, type Whereabouts } from './wrap-compiler.ts';
import { writeWhole } from './wrap-streams.ts';

/** `moccache-moc --setup [PATH]`: records the real compiler, or the one that is found. Answers the exit code. */
export function setUp(args: readonly string[], place: Whereabouts): number {
  const [given, ...others] = args;
  if (others.length > 0 || given?.startsWith('-') === true) return complain('usage: moccache-moc --setup [PATH]');
  const path = given === undefined ? findAny(place) : resolve(given);
  if (path === undefined) return complain('no moc on PATH and none of mops; name it: moccache-moc --setup PATH');
  const trouble = troubleWith(path, place.self) ?? (isProgram(path) ? undefined : `${path} is no program`);
  if (trouble !== undefined) return complain(trouble);
  const record = recordPathOf(place.dirs);
  if (record === undefined) return complain('without HOME there is no place to record it; set MOCCACHE_MOC');
  try {
    mkdirSync(dirname(record), { recursive: true });
    writeFileSync(`${record}.${process.pid}`, `${path}\n`);
    renameSync(`${record}.${process.pid}`, record);
  } catch (error) {
    return complain(`${record} cannot be written: ${(error as Error).message}`);
  }
  writeWhole(1, Buffer.from(`moccache-moc stands for ${path}\n`));
  return 0;
}

function complain(message: string): number {
  writeWhole(2, Buffer.from(`moccache-moc: ${message}\n`));
  return 1;
}

/** The first `moc` on PATH that is not the wrapper, else the newest that mops has installed. */
function findAny({ self, dirs, environment }: Whereabouts): string | undefined {
  const onPath = (environment.PATH ?? '').split(delimiter).filter((dir) => dir.startsWith('/'));
  const toolchains = join(dirs.toolchains, 'moc');
  const versions = existsSync(toolchains) ? readdirSync(toolchains).sort(byVersion).reverse() : [];
  const candidates = [...onPath, ...versions.map((version) => join(toolchains, version))].map((dir) =>
    join(dir, 'moc'),
  );
  return candidates.find((path) => isProgram(path) && troubleWith(path, self) === undefined);
}

function byVersion(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

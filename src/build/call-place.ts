import { lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { planMaterialize } from './materialize.ts';
import type { CallOutput } from './moc-call.ts';
import type { Refs } from './stage.ts';

/** Where a call's files go. `dir` is absolute. */
export type CallPlace = CallOutput;

/**
 * Why the compiler is to write its files itself, or undefined: it writes through links and into files as they are, and
 * says what is wrong where it cannot.
 */
export function troubleAt(place: CallPlace | undefined): string | undefined {
  if (place === undefined) return undefined;
  const { dir, stem, artifacts } = place;
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) return `there is no folder ${dir}`;
  for (const name of artifacts) {
    const path = join(dir, `${stem}.${name}`);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && (!stats.isFile() || stats.nlink > 1 || (stats.mode & 0o200) === 0))
      return `${path} is not a plain file`;
  }
  return undefined;
}

/** The bytes that an answer takes: what was said, and the files that are not in their places. */
export function wantedAt(place: CallPlace | undefined, refs: Refs): readonly string[] {
  return [...SAID.filter((name) => (refs[name]?.sizeBytes ?? 0) > 0), ...lackingFiles(place, refs)];
}

/** Whether an artifact is what the compiler said, and no file for the caller. */
export function isSaid(name: string): boolean {
  return SAID.includes(name);
}

export function lackingFiles(place: CallPlace | undefined, refs: Refs): readonly string[] {
  return place === undefined ? [] : planMaterialize(place.dir, place.stem, filesOf(refs));
}

/** Without what is no file for the caller: what the compiler said, and the mark of a rejection. */
export function filesOf<T>(artifacts: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(artifacts).filter(([name]) => !NO_FILES.has(name)));
}

const SAID = ['stdout', 'stderr'];
const NO_FILES: ReadonlySet<string> = new Set([...SAID, 'exit']);

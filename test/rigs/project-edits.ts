import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RunOptions } from './project-build.ts';

/** A change to a project, whose root it gets, and what it asks for beyond that: arguments, environment. */
export type Edit = (root: string) => RunOptions | undefined;

/** A change to the files alone. */
export function change(use: (root: string) => void): Edit {
  return (root) => {
    use(root);
    return undefined;
  };
}

/** Puts `to` in the place of every `from`. Throws where there is none: the edit would be none. */
export function replace(path: string, from: string, to: string): Edit {
  return change((root) => {
    const file = join(root, path);
    const text = readFileSync(file, 'utf8');
    if (!text.includes(from)) throw new Error(`${path} has no ${JSON.stringify(from)}`);
    writeFileSync(file, text.replaceAll(from, to));
  });
}

/** A file that was not there, or other text for one that was. */
export function write(path: string, text: string): Edit {
  return change((root) => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  });
}

export function append(path: string, text: string): Edit {
  return change((root) => {
    const file = join(root, path);
    writeFileSync(file, readFileSync(file, 'utf8') + text);
  });
}

export function move(from: string, to: string): Edit {
  return change((root) => {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    renameSync(join(root, from), join(root, to));
  });
}

export function remove(path: string): Edit {
  return change((root) => rmSync(join(root, path)));
}

export function withEnvironment(environment: Readonly<Record<string, string>>): Edit {
  return () => ({ environment });
}

export function withArgs(...args: readonly string[]): Edit {
  return () => ({ args });
}

/** One edit after the other; the last that asks for something is heard. */
export function all(...edits: readonly Edit[]): Edit {
  return (root) => edits.reduce<RunOptions | undefined>((asked, edit) => edit(root) ?? asked, undefined);
}

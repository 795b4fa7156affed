import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MOPS, scene, type Ended, type Scene } from './stand-in-project.ts';

/** What a run of the CLI loaded. */
export interface Loaded {
  /** Files of ours, by name. */
  readonly files: readonly string[];
  /** Modules of Node's that a Node with nothing to do has not. */
  readonly node: readonly string[];
}

/** A scene whose builds take every file for one that has been lying there for a while. */
export interface TrailScene extends Scene {
  build(args?: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended & Loaded>;
  /** The same on a terminal, without arguments: what both streams take is in `stdout`. */
  buildOnTerminal(): Promise<Ended & Loaded>;
}

/** For NODE_OPTIONS: what sets the clock. */
export const CLOCK = join(import.meta.dirname, 'faults-clock.cjs');

const PRELOADS = ['faults-clock.cjs', 'faults-statfs.cjs', 'trail-loaded.cjs'];

export function trailScene(files: Readonly<Record<string, string>>): TrailScene {
  const made = scene(files);
  const loadedFile = join(made.base, 'loaded.json');
  const options = PRELOADS.map((name) => `--require=${join(import.meta.dirname, name)}`).join(' ');
  const later = { NODE_OPTIONS: options, CLOCK_SHIFT_MS: '10000', LOADED_FILE: loadedFile };
  const withLoaded = (ended: Ended) => {
    const loaded = JSON.parse(readFileSync(loadedFile, 'utf8')) as Loaded;
    const own = loaded.files.filter((name) => !PRELOADS.includes(name));
    return { ...ended, ...loaded, files: own };
  };
  return {
    ...made,
    build: async (args = [], env = {}) =>
      withLoaded(await made.mops(['build', ...args], { env: { ...later, ...env } })),
    buildOnTerminal: async () =>
      withLoaded(await made.mops([], { command: onTerminal(`'${process.execPath}' '${MOPS}' build`), env: later })),
  };
}

/** Whether a program can be given a terminal here. */
export function hasTerminals(): boolean {
  const [command = '', ...args] = onTerminal('test -t 1');
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** By script(1) of util-linux, which passes on how the command ended. */
function onTerminal(command: string): readonly string[] {
  return ['script', '--quiet', '--return', '--command', command, '/dev/null'];
}

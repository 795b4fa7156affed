import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scene, type Ended, type Scene } from './stand-in-project.ts';

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
}

/** For NODE_OPTIONS: what sets the clock. */
export const CLOCK = join(import.meta.dirname, 'faults-clock.cjs');

const PRELOADS = ['faults-clock.cjs', 'faults-statfs.cjs', 'trail-loaded.cjs'];

export function trailScene(files: Readonly<Record<string, string>>): TrailScene {
  const made = scene(files);
  const loadedFile = join(made.base, 'loaded.json');
  const options = PRELOADS.map((name) => `--require=${join(import.meta.dirname, name)}`).join(' ');
  return {
    ...made,
    async build(args = [], env = {}) {
      const later = { NODE_OPTIONS: options, CLOCK_SHIFT_MS: '10000', LOADED_FILE: loadedFile };
      const ended = await made.mops(['build', ...args], { env: { ...later, ...env } });
      const loaded = JSON.parse(readFileSync(loadedFile, 'utf8')) as Loaded;
      const own = loaded.files.filter((name) => !PRELOADS.includes(name));
      return { ...ended, ...loaded, files: own };
    },
  };
}

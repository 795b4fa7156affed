import { troubleAt, wantedAt } from '../build/call-place.ts';
import { materialize } from '../build/materialize.ts';
import { steersRuntime } from '../build/moc-environment.ts';
import { mopsDirs } from '../build/mops-dirs.ts';
import { resultPathOf } from '../cache/layout.ts';
import { touch } from '../cache/recency.ts';
import { areInputsStillSeen } from '../cache/sights.ts';
import { storePathsOf } from '../cache/store-paths.ts';
import { readTrail } from '../cache/trail.ts';
import { appendLog } from './log.ts';
import { settingsOf } from './settings.ts';
import type { Whereabouts } from './wrap-compiler.ts';
import { checkedContents, knownContents } from './wrap-contents.ts';
import { questionOfCall, type Recalled } from './wrap-recall.ts';
import { writeWhole } from './wrap-streams.ts';

/**
 * The executable moccache-moc: stands for the compiler. What it understands it answers from the cache; all else it hands
 * to the real compiler as it is. It says nothing of its own, but that it finds no compiler.
 *
 * A hit has milliseconds beside Node's own start. So a call of which nothing has changed since the last is answered here,
 * from the trail that the last one left, and nothing else of ours is loaded. All the rest is in wrap-whole.ts, a bundle
 * of its own (.ci/build.mjs).
 */
async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const place = whereabouts();
  const exitCode = await recall(argv, place);
  if (exitCode === undefined) {
    const { wrapWhole } = await import('./wrap-whole.ts');
    await wrapWhole(argv, place);
  } else process.exit(exitCode); // sooner than Node by itself; all is written
}

/** The exit code, with all else done. Undefined where that is not to be had here; nothing has been said then. */
async function recall(argv: readonly string[], whereabouts: Whereabouts): Promise<number | undefined> {
  try {
    const { dirs, environment } = whereabouts;
    if (steersRuntime(environment)) return undefined;
    const cwd = process.cwd();
    const { dir, mode, logFile } = settingsOf(environment, dirs, cwd, {});
    if (mode === 'off') return undefined;
    const paths = storePathsOf(dir);
    const question = questionOfCall(argv, cwd, whereabouts);
    const trail = readTrail(paths.trails, question);
    if (trail === undefined || !areInputsStillSeen(trail.sights)) return undefined;
    const { key, exitCode, refs, place } = trail.answer as Recalled;
    if (troubleAt(place) !== undefined) return undefined;
    const wanted = wantedAt(place, refs);
    const asked = mode === 'read-write' ? question : undefined;
    const contents = knownContents(wanted, paths, trail) ?? (await checkedContents(wanted, paths, trail, asked));
    if (contents === undefined) return undefined;
    const { said, files } = contents;
    if (place !== undefined) materialize(place.dir, place.stem, files);
    if (logFile !== undefined) appendLog(logFile, { kind: 'call', from: 'cache', key, exitCode });
    if (mode === 'read-write') touch(resultPathOf(paths, key), Date.now());
    writeWhole(1, said.stdout ?? NOTHING);
    writeWhole(2, said.stderr ?? NOTHING);
    return exitCode;
  } catch {
    return undefined; // whatever it is, wrap-whole.ts meets it too
  }
}

const NOTHING = new Uint8Array();

function whereabouts(): Whereabouts {
  const entries = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const environment = Object.fromEntries(entries);
  return {
    self: __filename, // real already: Node follows the link that it was started by
    dirs: mopsDirs({ platform: process.platform, env: environment }),
    environment,
  };
}

void main();

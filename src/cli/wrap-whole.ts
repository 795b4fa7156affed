import { dirname, join } from 'node:path';
import { describeCall } from '../build/call.ts';
import { answerCall } from '../build/call-run.ts';
import { materialize } from '../build/materialize.ts';
import { BuildError } from '../build/outcome.ts';
import type { Refs } from '../build/stage.ts';
import { openCache } from '../cache/cache.ts';
import { statSync } from '../cache/disk.ts';
import { openSurvey, type Survey } from '../cache/sights.ts';
import { appendLog } from './log.ts';
import { readSettings } from './settings.ts';
import { findCompiler, IN_WRAPPER, type Whereabouts } from './wrap-compiler.ts';
import { passOn, type PassedCall } from './wrap-pass-on.ts';
import { dieBy, stopOnSignal, type Stop } from './wrap-process.ts';
import { questionOfCall, type Recalled } from './wrap-recall.ts';
import { setUp } from './wrap-setup.ts';
import { writeWhole } from './wrap-streams.ts';

/** All that moccache-moc does, a hit included: for whatever wrap.ts cannot answer from the store alone. */
export async function wrapWhole(argv: readonly string[], place: Whereabouts): Promise<void> {
  if (argv[0] === '--setup') {
    process.exitCode = setUp(argv.slice(1), place);
    return;
  }
  const survey = openSurvey();
  for (const file of executablesOf(place)) statSync(file); // a new version of ours may answer otherwise
  const compiler = findCompiler(place);
  if (compiler.kind === 'none') {
    writeWhole(2, Buffer.from(`moccache-moc: ${compiler.message}\n`));
    process.exitCode = NOT_FOUND;
    return;
  }
  const call = { argv, environment: { ...place.environment, [IN_WRAPPER]: '1' }, compiler: compiler.path };
  const exitCode = await answer(call, place, survey);
  if (exitCode === undefined) await passOn(call);
  else process.exitCode = exitCode;
}

/** What a shell says of a program that is not there. */
const NOT_FOUND = 127;

/**
 * Answers from the cache, or with what one run of the compiler gives: the exit code, with all else done. Undefined where
 * the compiler is to be run as it is. Nothing has been said then; whatever is wrong on our side means that too.
 */
async function answer(call: PassedCall, whereabouts: Whereabouts, survey: Survey): Promise<number | undefined> {
  let tell: (line: object) => void = () => undefined;
  let stop: Stop | undefined;
  try {
    const cwd = process.cwd();
    const { dir, mode, leaseWaitMs, logFile } = readSettings(call.environment, whereabouts.dirs, cwd);
    if (mode === 'off') return undefined;
    if (logFile !== undefined) tell = (line) => appendLog(logFile, line);
    const cache = openCache({ dir, mode, leaseWaitMs, onEvent: tell });
    const described = await describeCall({ ...call, cwd, stampsDir: cache.stampsDir });
    if (described.kind === 'foreign') {
      tell({ kind: 'call', from: 'compiler', reason: described.reason });
      return undefined;
    }
    const { place } = described;
    const sights = survey.seen();
    survey.close();
    const onRun = () => (stop = stopOnSignal()).signal;
    const { files, stdout, stderr, exitCode, from, key, refs } = await answerCall(described, cache, onRun);
    if (place !== undefined) materialize(place.dir, place.stem, files);
    tell({ kind: 'call', from, key, exitCode });
    if (sights !== undefined) {
      const recalled: Recalled = { key, exitCode, refs: plainRefs(refs), ...(place === undefined ? {} : { place }) };
      cache.leaveTrail(questionOfCall(call.argv, cwd, whereabouts), sights, recalled);
    }
    if (from === 'run') await cache.sweep([]);
    writeWhole(1, stdout);
    writeWhole(2, stderr);
    return exitCode;
  } catch (error) {
    if (stop?.by !== undefined) dieBy(stop.by);
    tell({ kind: 'call', from: 'compiler', reason: error instanceof BuildError ? error.failure : String(error) });
    return undefined;
  } finally {
    stop?.dispose();
  }
}

function executablesOf({ self }: Whereabouts): readonly string[] {
  return [self, join(dirname(self), 'moccache-moc-whole.cjs')];
}

/** Without what only the store has a use for. */
function plainRefs(refs: Refs): Refs {
  return Object.fromEntries(Object.entries(refs).map(([name, { digest, sizeBytes }]) => [name, { digest, sizeBytes }]));
}

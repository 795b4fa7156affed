import { setPriority } from 'node:os';
import { collect, type Collected } from '../cache/collect.ts';
import { IN_USE_MS, planEviction, planRemoval, type EvictionPolicy } from '../cache/eviction.ts';
import { readJournal } from '../cache/journal.ts';
import { storePathsOf } from '../cache/store-folder.ts';
import { canistersByKey, historyOf, keysOfCanister, type History } from '../build/history.ts';
import { mopsDirs } from '../build/mops-dirs.ts';
import { BuildError } from '../build/outcome.ts';
import { failureText } from './failures.ts';
import { noteCollection } from './gc-later.ts';
import { gcJson, gcText, type GcReport } from './gc-text.ts';
import type { Host } from './host.ts';
import { ageText, sizeText } from './quantities.ts';
import { readSettings, type Settings } from './settings.ts';
import { jsonText, onStore, refuse } from './store-trouble.ts';
import type { CleanSomeCommand, GcCommand, UpkeepCommand } from './upkeep-options.ts';

/** `mops cache gc`, and `mops cache clean --builds` of some. Answers the exit code. */
export async function upkeepCommand(command: UpkeepCommand, host: Host): Promise<number> {
  const json = command.kind === 'cache-gc' && command.json;
  const settings = settingsOf(host);
  if (settings instanceof BuildError) {
    return refuse(host, json, failureText(settings.failure), { failure: settings.failure });
  }
  return onStore(host, json, () =>
    command.kind === 'cache-gc' ? gc(command, host, settings) : cleanSome(command, host, settings),
  );
}

/**
 * What was used in the last hours is somebody's work of today: evicted, it would be built again, and evict the next. It
 * stays, whatever the limit is, unless the limit was given with the command.
 */
const WORKING_SET_MS = 4 * 3_600_000;

async function gc(command: GcCommand, host: Host, settings: Settings): Promise<number> {
  const { dir } = settings;
  const policy: EvictionPolicy = {
    maxBytes: command.maxBytes ?? settings.maxBytes,
    maxAgeMs: command.maxAgeMs ?? settings.maxAgeMs,
    workingSetMs: command.maxBytes === undefined ? WORKING_SET_MS : 0,
  };
  if (command.byItself) beModest();
  const end = await collect({
    dir,
    plan: (census) => planEviction(census, policy, census.atMs),
    dryRun: command.dryRun,
    freshMs: IN_USE_MS,
    signal: host.signal,
  });
  if (end.kind === 'empty' || end.kind === 'busy') return nothingDone(end, command, host, dir);
  if (!command.dryRun) noteCollection(storePathsOf(dir), end, policy, Date.now());
  const report: GcReport = { ...end, dir, policy, dryRun: command.dryRun, canisters: labelsOf(historyIn(dir)) };
  host.out.write(command.json ? jsonText(gcJson(report)) : gcText(report, host.out.paint));
  return 0;
}

/** Without a word where it is not there: the store is as clean as can be. */
async function cleanSome({ canister, olderThanMs = 0 }: CleanSomeCommand, host: Host, settings: Settings) {
  const { dir } = settings;
  const { records } = historyIn(dir);
  const keys = canister === undefined ? undefined : keysOfCanister(records, canister);
  if (canister !== undefined && keys?.size === 0) {
    return refuse(
      host,
      false,
      `no build of a canister "${canister}" is known here; mops cache stats lists those that are`,
    );
  }
  const end = await collect({
    dir,
    plan: (census) => planRemoval(census, { keys, olderThanMs }, census.atMs),
    dryRun: false,
    freshMs: 0,
    signal: host.signal,
  });
  if (end.kind !== 'collected') return nothingDone(end, { json: false, dryRun: false }, host, dir);
  const { results } = end.removed;
  const of = canister === undefined ? '' : ` of ${canister}`;
  const since = olderThanMs === 0 ? '' : ` not used for ${ageText(olderThanMs)}`;
  const count = `${results.length} ${results.length === 1 ? 'entry' : 'entries'}${of}${since}`;
  host.out.write(`${count} deleted, ${sizeText(end.freedBytes)} freed\n`);
  return 0;
}

function nothingDone(
  end: Exclude<Collected, { kind: 'collected' }>,
  { json, dryRun }: Pick<GcCommand, 'json' | 'dryRun'>,
  host: Host,
  dir: string,
): number {
  const pid = end.kind === 'busy' ? end.holder?.pid : undefined;
  const why =
    end.kind === 'empty'
      ? `${dir}: there is no cache yet`
      : `another process is at it${pid === undefined ? '' : ` (process ${pid})`}; nothing to do`;
  if (json) host.out.write(jsonText({ ok: true, dryRun, store: dir, [end.kind]: true }));
  else host.out.write(`${why}\n`);
  return 0;
}

function historyIn(dir: string): History {
  return historyOf(readJournal(storePathsOf(dir).journal));
}

function labelsOf({ records }: History): GcReport['canisters'] {
  return canistersByKey(records);
}

function settingsOf(host: Host): Settings | BuildError {
  try {
    return readSettings(host.env, mopsDirs(host), host.cwd);
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
}

/** Whoever has just built something goes on working. */
function beModest(): void {
  try {
    setPriority(19);
  } catch {
    // then at the usual priority
  }
}

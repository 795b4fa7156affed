import { isAbsolute, join, resolve } from 'node:path';
import { mopsDirs } from '../build/mops-dirs.ts';
import { recordOf } from '../build/outcome-record.ts';
import { appendRecords } from '../cache/journal.ts';
import { resultPathOf } from '../cache/layout.ts';
import { mayHoldLeftovers, namesIn } from '../cache/leftovers.ts';
import { touch } from '../cache/recency.ts';
import { areInputsStillSeen, isStillSeen } from '../cache/sights.ts';
import { storePathsOf, type StorePaths } from '../cache/store-paths.ts';
import { readTrail, type Trail } from '../cache/trail.ts';
import { putBackAll } from './put-back-all.ts';
import { questionOf } from './question.ts';
import { tellHits, type Hit, type Standing } from './standing.ts';
import { isAllWritten, writeOut } from './streams.ts';

/**
 * Where the executable begins. A build of which nothing has changed since the last is answered here, from the trail that
 * the last one left, at the cost of a look at each file; where only the outputs have, they are put back. Nothing else of
 * ours is loaded. Whatever is not exactly as it was is left to those who read it.
 */
async function start(): Promise<void> {
  const startedNs = process.hrtime.bigint();
  const trodden = process.argv[2] === 'build' ? findTrail() : undefined;
  const hits = trodden === undefined ? undefined : await standOn(trodden, startedNs);
  if (trodden === undefined || hits === undefined) {
    await import('./main.ts');
    return;
  }
  if ('exitCode' in hits) {
    process.exitCode = hits.exitCode;
    return;
  }
  const { standing, paths } = trodden;
  const nowMs = Date.now();
  tellHits({ ...standing, hits }, trodden.cwd, process.env);
  const records = hits.map((hit) => recordOf(hit, standing.root, [], nowMs)).filter((record) => record !== undefined);
  appendRecords(paths.journal, records, nowMs);
  // What is up to date is in use, too, and is to stay in the cache.
  const keys = hits
    .flatMap(({ key, compileKey, optimizeKey }) => [key, compileKey, optimizeKey])
    .filter((key) => key !== undefined);
  for (const key of new Set(keys)) touch(resultPathOf(paths, key), nowMs);
  if (isAllWritten()) process.exit(0); // sooner than Node by itself, which takes all down that the system takes anyway
}

/** A trail on which nothing has changed, the outputs aside. */
interface Trodden {
  readonly cwd: string;
  readonly paths: StorePaths;
  readonly question: string;
  readonly trail: Trail;
  readonly standing: Standing;
}

function findTrail(): Trodden | undefined {
  const { argv, env, platform } = process;
  const cwd = currentDir(env.MOPS_CWD);
  const storeDir = cwd === undefined ? undefined : storeDirIn(cwd, env, platform);
  if (cwd === undefined || storeDir === undefined) return undefined;
  const paths = storePathsOf(storeDir);
  const question = questionOf({ cwd, scriptDir: import.meta.dirname, args: argv.slice(2), env });
  const trail = readTrail(paths.trails, question);
  if (trail === undefined || !areInputsStillSeen(trail.sights)) return undefined;
  const standing = trail.answer as Standing;
  const isSweepDue =
    mayHoldLeftovers(paths) || namesIn(standing.scratchDir).length > 0 || namesIn(standing.outputDir).some(isLeftover);
  return isSweepDue ? undefined : { cwd, paths, question, trail, standing };
}

async function standOn(trodden: Trodden, startedNs: bigint) {
  const { paths, trail, standing } = trodden;
  if (!areFilesStillThere(trail, standing)) {
    const done = putBackAll(paths, trail.sights, standing);
    if (done.length === standing.hits.length) return done;
    const { restore } = await import('./restore.ts');
    return restore({ ...trodden, sights: trail.sights, done });
  }
  const durationMs = Number(process.hrtime.bigint() - startedNs) / 1e6;
  return standing.hits.map((hit): Hit => ({ ...hit, files: 'unchanged', durationMs }));
}

function areFilesStillThere({ sights }: Trail, { hits }: Standing): boolean {
  const own = sights.filter((sight) => sight[0] === 'own'); // not taken apart: see look() in sights.ts
  const seen = new Set(own.map((sight) => sight[1]));
  const paths = hits.flatMap(({ artifacts }) => Object.values(artifacts).map(({ path }) => path));
  return paths.every((path) => seen.has(path)) && own.every(isStillSeen);
}

/** What a build keeps beside its outputs while it writes them, but for the empty file that stays. */
function isLeftover(name: string): boolean {
  return name.startsWith('.') && !name.endsWith('.buildlock');
}

/** As settings.ts has it, as far as that can be told from the environment. What builds.toml says is a part of the trail. */
function storeDirIn(cwd: string, env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | undefined {
  if (env.MOCCACHE_DIR !== undefined && env.MOCCACHE_DIR !== '') return resolve(cwd, env.MOCCACHE_DIR);
  const { cache } = mopsDirs({ platform, env });
  return isAbsolute(cache) ? join(cache, 'builds') : undefined;
}

function currentDir(moved: string | undefined): string | undefined {
  try {
    return resolve(moved ?? '');
  } catch {
    return undefined; // deleted; main.ts says so
  }
}

start().catch((error: unknown) => {
  // A bug of ours: say so, with what helps to find it.
  writeOut(2, `moccache: internal error\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});

/**
 * moccache as a library: open a cache, prepare a build, start it, hear events, get outcomes. Nothing here prints, reads
 * the environment or ends the process.
 *
 * @example
 * const cache = openCache({ dir: '/home/me/.cache/mops/builds', mode: 'read-write', leaseWaitMs: 600_000 });
 * const prepared = await prepareBuild({ cwd: '/home/me/project', cache, ... });
 * const outcomes = await Promise.all(await startBuild({ ...prepared, environment, scratchDir: '/tmp' }));
 * if (outcomes.every(({ outcome }) => outcome !== 'failed')) await prepared.deployCheck?.run({ verbose: false });
 *
 * @packageDocumentation
 */
export { openCache } from './cache/cache.ts';
export type {
  Cache,
  CacheEvent,
  CacheOptions,
  FailureSharing,
  Journal,
  JournalRecord,
  LeaseHolder,
  NewEntry,
  WithLeaseOptions,
} from './cache/cache.ts';
export type { Checksum } from './cache/checksum.ts';
export type { ActionKey, Digest } from './cache/digest.ts';
export type { ActionResult, BlobRef, Entry, Lookup, MissCause } from './cache/entry.ts';
export type { Sight, Stamp } from './cache/sights.ts';
export { startBuild } from './build/build.ts';
export { prepareBuild } from './build/prepare.ts';
export { mopsDirs } from './build/mops-dirs.ts';
export { BuildError } from './build/outcome.ts';
export type { CompilerIdentity } from './build/action.ts';
export type { CompileEnd, CompileRun, Compiler } from './build/compiler.ts';
export type { DeployCheck } from './build/check-deploy.ts';
export type { BuildOptions } from './build/context.ts';
export type { Dependency } from './build/dependency.ts';
export type { Baseline, Change, Explanation } from './build/explain.ts';
export type { Program } from './build/facts.ts';
export type { FileChange } from './build/file-changes.ts';
export type { Finisher } from './build/finish.ts';
export type { Keys } from './build/keys.ts';
export type { MopsDirs, MopsDirsOptions } from './build/mops-dirs.ts';
export type {
  ArtifactName,
  BuildEvent,
  Failure,
  Finished,
  FunctionComplexity,
  MaterializedArtifact,
  MigrationProblem,
  MissingImport,
  Outcome,
  Tool,
} from './build/outcome.ts';
export type { OptimizeJob, Optimizer } from './build/optimizer.ts';
export type { Package } from './build/packages.ts';
export type { BuildRequest, Prepared } from './build/prepare.ts';
export type { Canister, Migrations, Project } from './build/project.ts';
export type { Made } from './build/stage.ts';

import type { Cache, FailureSharing } from '../cache/cache.ts';
import { digestOf, type ActionKey } from '../cache/digest.ts';
import type { BlobRef, MissCause } from '../cache/entry.ts';
import type { Keyed } from './action.ts';
import { BuildError, type Failure } from './outcome.ts';
import { firstDifference } from './difference.ts';

/** One of the steps of a build, with its own key: the compiler's run, the finish, and where asked for the optimizing. */
export interface Stage {
  readonly name: 'compile' | 'finish' | 'optimize' | 'complexity';
  readonly keyed: Keyed;
  readonly label: string;
  /** Does the work. Throws a BuildError where it fails; only what it returns is stored (invariant 9). */
  run(): Promise<Made>;
}

/** What a run gave. `costMs` is wall time. */
export interface Made {
  readonly artifacts: Readonly<Record<string, Uint8Array>>;
  readonly costMs: number;
  /** False where the result must not be stored, because an input changed under the compiler. */
  readonly sound: boolean;
}

/** What artifacts are, without their bytes. */
export type Refs = Readonly<Record<string, Pick<BlobRef, 'digest' | 'sizeBytes'>>>;

/** A stage's result, and the bytes of those artifacts that were asked for (of all of them, where the stage ran). */
export interface Obtained {
  readonly key: ActionKey;
  readonly refs: Refs;
  readonly bytes: Readonly<Record<string, Uint8Array>>;
  readonly costMs: number;
  readonly waited: boolean;
  readonly from: { readonly kind: 'tier'; readonly tier: string } | { readonly kind: 'run'; readonly cause: RunCause };
}

/** Why a stage ran: the cache had no answer, or was not asked for one. */
export type RunCause = MissCause | 'forced';

export interface ObtainOptions {
  /** Which artifacts' bytes are needed, given what they are. */
  readonly wanted: (refs: Refs) => readonly string[];
  readonly force?: Force | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `verify`: run even what would hit, and fail where the bytes differ. `again`: run, for the stored bytes are no good. */
export type Force = 'verify' | 'again';

/** Finds a stage's result or makes it, so that of many who ask at once one does the work. */
export async function obtain(cache: Cache, stage: Stage, options: ObtainOptions): Promise<Obtained> {
  if (options.force !== undefined) return obtainByForce(cache, stage, options.force, options.signal);
  const found = await find(cache, stage, options);
  if (found.kind === 'found') return found.obtained;
  const { value, waited } = await cache.withLease(
    stage.keyed.key,
    stage.label,
    async () => {
      const again = await find(cache, stage, options);
      return again.kind === 'found' ? again.obtained : undefined;
    },
    () => make(cache, stage, found.cause),
    { signal: options.signal, failures: failuresFor(stage) },
  );
  return waited ? { ...value, waited } : value;
}

/** The same result with the bytes of `names` too. Where they cannot be read any more the stage is run again. */
export async function withBytes(
  cache: Cache,
  stage: Stage,
  obtained: Obtained,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Obtained> {
  if (names.every((name) => obtained.bytes[name] !== undefined)) return obtained;
  return obtain(cache, stage, { wanted: () => names, signal });
}

type Found = { kind: 'found'; obtained: Obtained } | { kind: 'missed'; cause: MissCause };

async function find(cache: Cache, stage: Stage, options: ObtainOptions): Promise<Found> {
  const { key } = stage.keyed;
  const known = await cache.lookUp(key, []);
  if (known.kind === 'miss') return { kind: 'missed', cause: known.cause };
  const { artifacts: refs, costMs } = known.entry.result;
  const names = options.wanted(refs).filter((name) => refs[name] !== undefined);
  const read = names.length === 0 ? known : await cache.lookUp(key, names);
  if (read.kind === 'miss') return { kind: 'missed', cause: read.cause };
  // Stored anew between the two looks, by a compiler that gives other bytes each time: then neither fits the other.
  const now = read.entry.result.artifacts;
  if (Object.entries(refs).some(([name, ref]) => now[name]?.digest !== ref.digest)) return find(cache, stage, options);
  const from = { kind: 'tier', tier: read.tier } as const;
  return { kind: 'found', obtained: { key, refs, bytes: read.entry.bytes, costMs, waited: false, from } };
}

async function make(cache: Cache, stage: Stage, cause: RunCause): Promise<Obtained> {
  const made = await stage.run();
  const fresh = { document: stage.keyed.document, artifacts: made.artifacts, costMs: made.costMs };
  const refs = made.sound ? (await cache.record(fresh)).result.artifacts : refsOf(made.artifacts);
  return {
    key: stage.keyed.key,
    refs,
    bytes: made.artifacts,
    costMs: made.costMs,
    waited: false,
    from: { kind: 'run', cause },
  };
}

async function obtainByForce(
  cache: Cache,
  stage: Stage,
  force: Force,
  signal: AbortSignal | undefined,
): Promise<Obtained> {
  const { key } = stage.keyed;
  const known = force === 'verify' ? await cache.lookUp(key, []) : undefined;
  const before = known?.kind === 'hit' ? await cache.lookUp(key, Object.keys(known.entry.result.artifacts)) : undefined;
  const missed = [before, known].find((found) => found?.kind === 'miss');
  const { value } = await cache.withLease(
    key,
    stage.label,
    () => Promise.resolve(undefined),
    () => make(cache, stage, missed?.cause ?? 'forced'),
    { signal },
  );
  const differing = before?.kind === 'hit' ? differingIn(before.entry.result.artifacts, value.refs) : [];
  const [artifact, ...others] = differing;
  if (before?.kind !== 'hit' || artifact === undefined) return value;
  const where = firstDifference(before.entry.bytes[artifact] ?? NOTHING, value.bytes[artifact] ?? NOTHING);
  const now = await cache.lookUp(key, []);
  const replaced = now.kind === 'hit' && differingIn(now.entry.result.artifacts, value.refs).length === 0;
  const what = { canister: stage.label, stage: stage.name, key, artifact, ...where, others, replaced };
  throw new BuildError({ kind: 'rebuild-differs', ...what });
}

const NOTHING = new Uint8Array();

/** Artifacts that are not the same in both, those first that users deploy; what is in one only differs. */
function differingIn(before: Refs, after: Refs): readonly string[] {
  const names = [...new Set([...FIRST, ...Object.keys(before), ...Object.keys(after)])];
  return names.filter((name) => before[name]?.digest !== after[name]?.digest);
}

const FIRST = ['wasm', 'did', 'most'];

/** A program that is wrong is as wrong for those who waited for its compile; what went wrong here alone is not. */
function failuresFor(stage: Stage): FailureSharing {
  return {
    write: (error) =>
      error instanceof BuildError && SHARED.has(error.failure.kind) ? JSON.stringify(error.failure) : undefined,
    read: (text) => new BuildError({ ...(JSON.parse(text) as Failure), canister: stage.label } as Failure),
  };
}

const SHARED: ReadonlySet<Failure['kind']> = new Set([
  'rejected',
  'no-output',
  'bad-wasm',
  'candid-incompatible',
  'optimizer-rejects',
]);

/** What the artifacts in hand are. */
function refsOf(artifacts: Readonly<Record<string, Uint8Array>>): Refs {
  return Object.fromEntries(
    Object.entries(artifacts).map(([name, bytes]) => [name, { digest: digestOf(bytes), sizeBytes: bytes.length }]),
  );
}

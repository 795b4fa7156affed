import { availableParallelism } from 'node:os';
import { openCache, type Cache } from '../cache/cache.ts';
import type { CompilerIdentity } from './action.ts';
import type { Compiler } from './compiler.ts';
import type { Finisher } from './finish.ts';
import type { Optimizer } from './optimizer.ts';
import type { BuildEvent } from './outcome.ts';
import type { Package } from './packages.ts';
import type { Canister, Project } from './project.ts';
import { slots, type Slots } from './slots.ts';
import { openSources, type Sources } from './sources.ts';

/** All that a build needs, found and parsed before. Nothing of it is read from the process. */
export interface BuildOptions {
  readonly project: Project;
  /** In mops.toml order. */
  readonly canisters: readonly Canister[];
  /** Absolute. */
  readonly outputDir: string;
  readonly packages: readonly Package[];
  readonly compiler: Compiler;
  readonly finisher: Finisher;
  /** Undefined where nothing is optimized. */
  readonly optimizer?: Optimizer | undefined;
  /** Whether to look for functions that are near the network's limit of complexity. */
  readonly checkWasm?: boolean;
  readonly cache: Cache;
  /** What the compiler gets, before what would steer its run time is taken out. */
  readonly environment: Readonly<Record<string, string>>;
  /** Arguments for moc beyond those of mops.toml. */
  readonly mocArgs?: readonly string[];
  /** Canisters compiled side by side; default: as many as there are cores. */
  readonly jobs?: number | undefined;
  readonly keepGoing?: boolean;
  /** Compile even what would hit, and fail where the bytes differ from the stored ones. */
  readonly rebuild?: boolean;
  /** Say of each canister that was compiled what had changed. */
  readonly explain?: boolean;
  /** Where the compiler may run when the cache's own folder cannot be used. Absolute. */
  readonly scratchDir: string;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: BuildEvent) => void) | undefined;
}

/** What the canisters of one build share. */
export interface Context extends BuildOptions {
  readonly jobs: number;
  readonly identity: CompilerIdentity;
  readonly slots: Slots;
  readonly sources: Sources;
  /** For what must not be cached: finds nothing, keeps nothing. */
  readonly noCache: Cache;
  emit(event: BuildEvent): void;
}

/** Asks the compiler who it is. Throws a BuildError where it cannot be read. */
export async function openContext(options: BuildOptions): Promise<Context> {
  const jobs = options.jobs ?? availableParallelism();
  return {
    ...options,
    jobs,
    identity: await options.compiler.identify(options.signal),
    slots: slots(jobs),
    sources: openSources(options.project.root),
    noCache: openCache({ dir: options.scratchDir, mode: 'off', leaseWaitMs: 0 }),
    emit: (event) => options.onEvent?.(event),
  };
}

import type { ActionKey, Digest } from '../cache/digest.ts';
import type { MissCause } from '../cache/entry.ts';
import type { CacheEvent } from '../cache/cache.ts';
import type { Explanation } from './explain.ts';

export type ArtifactName = 'wasm' | 'did' | 'most' | 'wasm.map';

/** What `[toolchain]` pins beside the compiler. */
export type Tool = 'wasm-opt' | 'pocket-ic';

/** An import that leads nowhere: where it stands, and what it says. */
export interface MissingImport {
  readonly importer: string;
  readonly line: number;
  readonly target: string;
}

/** A function of a wasm, and how much work it is for whoever compiles it. The name is there where the wasm has one. */
export interface FunctionComplexity {
  readonly index: number;
  readonly name?: string;
  readonly complexity: number;
  readonly instructionCount: number;
}

/** What is wrong with a canister's migrations. Folders are seen from the project's root. */
export type MigrationProblem =
  /** `chain` and `next` do not lie in one folder. */
  | { readonly what: 'apart'; readonly chain: string; readonly next: string }
  /** There is neither a chain nor anything that is next. */
  | { readonly what: 'absent'; readonly chain: string }
  | { readonly what: 'many-next'; readonly next: string; readonly names: readonly string[] }
  /** What is next would come before the last of the chain. */
  | { readonly what: 'next-first'; readonly name: string; readonly last: string }
  /** The arguments name a folder of migrations too. */
  | { readonly what: 'flag' };

/** An expected bad outcome. Text for people is made of it in cli/report.ts. */
export type Failure =
  | { readonly kind: 'no-project'; readonly from: string }
  | { readonly kind: 'bad-toml'; readonly file: string; readonly line?: number; readonly message: string }
  | {
      readonly kind: 'bad-config';
      readonly file: string;
      readonly line?: number;
      readonly key: string;
      readonly expected: string;
    }
  | { readonly kind: 'no-canisters'; readonly file: string }
  | { readonly kind: 'unknown-canister'; readonly names: readonly string[]; readonly known: readonly string[] }
  | { readonly kind: 'bad-canister-name'; readonly file: string; readonly name: string }
  | { readonly kind: 'no-main'; readonly file: string; readonly canister: string }
  | { readonly kind: 'main-missing'; readonly canister: string; readonly path: string }
  | { readonly kind: 'no-toolchain'; readonly file: string }
  | { readonly kind: 'compiler-missing'; readonly pin: string; readonly path: string; readonly detail: string }
  | { readonly kind: 'compiler-unusable'; readonly path: string; readonly code: string; readonly detail: string }
  | {
      readonly kind: 'compiler-killed';
      readonly canister: string;
      readonly signal: string;
      readonly diagnostics: string;
    }
  | {
      readonly kind: 'rejected';
      readonly canister: string;
      readonly exitCode: number;
      readonly stdout: string;
      readonly stderr: string;
      readonly missing: readonly MissingImport[];
    }
  | {
      readonly kind: 'no-output';
      readonly canister: string;
      readonly artifact: ArtifactName;
      readonly diagnostics: string;
    }
  | { readonly kind: 'bad-wasm'; readonly canister: string; readonly message: string }
  | {
      readonly kind: 'package-missing';
      readonly name: string;
      readonly id: string;
      readonly dir: string;
      readonly detail: string;
    }
  | { readonly kind: 'bad-lock'; readonly file: string; readonly defect: string }
  | {
      readonly kind: 'bad-migrations';
      readonly file: string;
      readonly canister: string;
      readonly problem: MigrationProblem;
    }
  | { readonly kind: 'candid-missing'; readonly canister: string; readonly path: string }
  | {
      readonly kind: 'candid-incompatible';
      readonly canister: string;
      readonly path: string;
      /** Whether the configured file is Candid with a service at all. */
      readonly isCandid: boolean;
    }
  | { readonly kind: 'no-ic-mops'; readonly needed: string }
  /** mops.toml asks for something that takes a tool, and pins none. */
  | { readonly kind: 'tool-not-pinned'; readonly file: string; readonly tool: Tool; readonly needed: string }
  | {
      readonly kind: 'tool-missing';
      readonly tool: Tool;
      readonly pin: string;
      readonly path: string;
      readonly detail: string;
    }
  | { readonly kind: 'optimizer-unusable'; readonly path: string; readonly detail: string }
  | {
      readonly kind: 'optimizer-rejects';
      readonly canister: string;
      readonly path: string;
      readonly flags: readonly string[];
      readonly exitCode: number;
      readonly stderr: string;
    }
  | { readonly kind: 'no-scratch'; readonly path: string; readonly code: string }
  | { readonly kind: 'output-unwritable'; readonly path: string; readonly code: string }
  | { readonly kind: 'output-busy'; readonly path: string; readonly waitedMs: number }
  /** The installed ic-mops has no check of a deploy; `asked` is what asks for one. */
  | { readonly kind: 'no-deploy-check'; readonly asked: string; readonly version: string }
  | { readonly kind: 'bad-pocket-ic-url'; readonly url: string }
  /** What was built cannot be installed, or that could not be found out; `detail` is what ic-mops says. */
  | { readonly kind: 'deploy-refused'; readonly detail: string }
  | {
      readonly kind: 'rebuild-differs';
      readonly canister: string;
      /** Which stage gave other bytes, and the key under which the earlier ones were stored. */
      readonly stage: 'compile' | 'finish' | 'optimize' | 'complexity';
      readonly key: ActionKey;
      /** The artifact that matters most of those that differ; what follows is about it. */
      readonly artifact: string;
      readonly offset: number;
      readonly section: string;
      readonly sectionOffset?: number;
      readonly lines?: { readonly before: string; readonly after: string };
      /** The other artifacts that differ. */
      readonly others: readonly string[];
      /** Whether the cache has the new bytes under the key from now on. */
      readonly replaced: boolean;
    }
  | { readonly kind: 'cancelled' };

/** Thrown once where an expected failure is met, caught once in build.ts. */
export class BuildError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.kind);
    this.failure = failure;
  }
}

export interface MaterializedArtifact {
  /** Absolute path. */
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** What happened to one canister. Times are wall time in milliseconds. */
export type Outcome =
  | (Finished & { readonly outcome: 'hit'; readonly tier: string })
  | (Finished & {
      readonly outcome: 'built';
      /** Why the cache had no answer, or was not asked (`forced`); `uncacheable` says what was not understood. */
      readonly cause: MissCause | 'forced' | 'uncacheable';
      readonly uncacheable?: string;
      /** The first stage that had to run. */
      readonly stage: 'compile' | 'finish' | 'optimize';
    })
  | { readonly outcome: 'failed'; readonly canister: string; readonly failure: Failure; readonly durationMs: number };

/** What every canister that did not fail has, however it came about. */
export interface Finished {
  readonly canister: string;
  /** Another process compiled it while we waited. */
  readonly waited: boolean;
  readonly files: 'written' | 'unchanged';
  /** The key of the finish stage, and of the compile before it; absent where nothing could be cached. */
  readonly key?: ActionKey;
  readonly compileKey?: ActionKey;
  /** The key of the optimizing after it, where there was one, and that could be cached. */
  readonly optimizeKey?: ActionKey;
  /** What optimized it, as upstream names it: program, pin and flags. */
  readonly optimizer?: string;
  readonly durationMs: number;
  /** What the compiler took when it ran: now, or when the entry was made. */
  readonly compileMs: number;
  /** The compiler's stderr, then its stdout. */
  readonly diagnostics: string;
  readonly artifacts: Readonly<Partial<Record<ArtifactName, MaterializedArtifact>>>;
  /** The functions that are near the network's limit of complexity, the most complex first; where that was asked for. */
  readonly complexFunctions?: readonly FunctionComplexity[];
  /** What changed since the last build of this canister, where it was asked for. */
  readonly explanation?: Explanation;
}

/** Something worth telling while a build goes on. */
export type BuildEvent =
  | CacheEvent
  | { readonly kind: 'canister-started'; readonly canister: string }
  | {
      readonly kind: 'compiling';
      readonly canister: string;
      readonly command: readonly string[];
      readonly lastMs: number | undefined;
    }
  | { readonly kind: 'compiled'; readonly canister: string; readonly durationMs: number }
  | { readonly kind: 'optimizing'; readonly canister: string; readonly command: readonly string[] }
  | { readonly kind: 'optimized'; readonly canister: string; readonly durationMs: number }
  | { readonly kind: 'migrations-chosen'; readonly canister: string; readonly count: number; readonly of: number }
  | { readonly kind: 'managed-flag'; readonly canister: string; readonly flag: string }
  | { readonly kind: 'installing'; readonly what: string; readonly command: readonly string[] }
  | {
      readonly kind: 'major-conflict';
      readonly name: string;
      readonly versions: readonly { readonly version: string; readonly by: string }[];
      readonly resolved: string;
    }
  | { readonly kind: 'deploy-checking'; readonly canisters: readonly string[] }
  /** A line that the check of the deploy printed, and where. */
  | { readonly kind: 'deploy-said'; readonly stream: 'stdout' | 'stderr'; readonly line: string }
  | { readonly kind: 'not-analysed'; readonly canister: string; readonly message: string }
  | { readonly kind: 'input-changed'; readonly canister: string; readonly path: string }
  | { readonly kind: 'output-wait'; readonly canister: string; readonly path: string }
  | { readonly kind: 'note'; readonly canister?: string; readonly text: string };

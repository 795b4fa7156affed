/** What the flags say, as the compiler takes it. Paths and names are as given. */
export interface Settings {
  readonly packages: readonly { readonly name: string; readonly dir: string }[];
  /** Where `ic:` and an alias without a file of its own look for Candid files. */
  readonly actorIdl?: string;
  readonly aliases: readonly Alias[];
  readonly publicMetadata: readonly string[];
  readonly omitMetadata: readonly string[];
  readonly release: boolean;
  readonly debugInfo: boolean;
  /** Names that the compiler's `gcFlags` understands, in the order given. */
  readonly memory: readonly string[];
  readonly systemApi: 'ic' | 'wasi';
  /** Flags that the compiler reads itself, each with its argument. */
  readonly own: readonly (readonly string[])[];
}

/** What `canister:NAME` means: a principal, perhaps with a Candid file, or the name of a variable with one. */
export type Alias =
  | { readonly kind: 'principal'; readonly name: string; readonly principal: string; readonly candid?: string }
  | { readonly kind: 'variable'; readonly name: string; readonly variable: string; readonly candid: string };

/** What a command line asks for. */
export type Request =
  | { readonly kind: 'version' }
  | { readonly kind: 'help' }
  | Job
  /** A mistake in the command line, or a flag that this compiler cannot serve. */
  | { readonly kind: 'unusable'; readonly message: string }
  /** What the command line itself rejects, as it would a program. */
  | { readonly kind: 'rejected'; readonly message: string };

/** What the compiler has to be loaded for. `notes` are remarks on the command line itself. */
export type Job = { readonly settings: Settings; readonly notes: readonly string[] } & Task;

type Task =
  | {
      readonly kind: 'compile';
      readonly main: string;
      /** Where the wasm goes; the other outputs lie beside it. */
      readonly output: string;
      readonly idl: boolean;
      readonly stableTypes: boolean;
    }
  | { readonly kind: 'check'; readonly files: readonly string[] }
  | { readonly kind: 'stable-compatible'; readonly before: string; readonly after: string }
  | { readonly kind: 'print-deps'; readonly file: string };

/** What a flag does to the command line being read: see command-line.ts. */
export type Flag =
  | { readonly kind: 'mode'; readonly mode: Mode; readonly output?: 'idl' | 'stableTypes' }
  | { readonly kind: 'set'; readonly field: 'release' | 'debugInfo' | 'wasi' | 'quietMemory'; readonly to: boolean }
  | { readonly kind: 'memory'; readonly name: string; readonly deprecated?: true }
  | { readonly kind: 'metadata'; readonly list: 'publicMetadata' | 'omitMetadata' }
  | { readonly kind: 'package' | 'output' | 'actor-idl' | 'version' | 'help' | 'nothing' }
  | { readonly kind: 'alias'; readonly arity: 2 | 3; readonly variable: boolean }
  | { readonly kind: 'stable-compatible' }
  | { readonly kind: 'arguments'; readonly separator: string }
  /** The compiler reads it itself; `as` says what kind of argument it takes. */
  | { readonly kind: 'own'; readonly argument: 'none' | 'text' | 'integer' }
  | { readonly kind: 'unserved' };

export type Mode = 'compile' | 'check' | 'print-deps' | 'stable-compatible';

/** Names of the custom sections that can be made public or left out. */
export const METADATA: readonly string[] = ['candid:args', 'candid:service', 'motoko:stable-types', 'motoko:compiler'];

/** Every flag of the native compiler, release 1.10. */
export const FLAGS: ReadonlyMap<string, Flag> = new Map<string, Flag>([
  ['-c', { kind: 'mode', mode: 'compile' }],
  ['--idl', { kind: 'mode', mode: 'compile', output: 'idl' }],
  ['--stable-types', { kind: 'mode', mode: 'compile', output: 'stableTypes' }],
  ['--check', { kind: 'mode', mode: 'check' }],
  ['--print-deps', { kind: 'mode', mode: 'print-deps' }],
  ['--stable-compatible', { kind: 'stable-compatible' }],
  ['--version', { kind: 'version' }],
  ['--help', { kind: 'help' }],
  ['-help', { kind: 'help' }],

  ['-o', { kind: 'output' }],
  ['--package', { kind: 'package' }],
  ['--actor-idl', { kind: 'actor-idl' }],
  ['--actor-alias', { kind: 'alias', arity: 2, variable: false }],
  ['--actor-id-alias', { kind: 'alias', arity: 3, variable: false }],
  ['--actor-env-alias', { kind: 'alias', arity: 3, variable: true }],
  ['--args', { kind: 'arguments', separator: '\n' }],
  ['--args0', { kind: 'arguments', separator: '\0' }],
  ['--public-metadata', { kind: 'metadata', list: 'publicMetadata' }],
  ['--omit-metadata', { kind: 'metadata', list: 'omitMetadata' }],

  ['-g', { kind: 'set', field: 'debugInfo', to: true }],
  ['--release', { kind: 'set', field: 'release', to: true }],
  ['--debug', { kind: 'set', field: 'release', to: false }],
  ['-wasi-system-api', { kind: 'set', field: 'wasi', to: true }],
  ['--skip-gc-deprecation-warning', { kind: 'set', field: 'quietMemory', to: true }],
  ['--incremental-gc', { kind: 'memory', name: 'incremental' }],
  ['--generational-gc', { kind: 'memory', name: 'generational', deprecated: true }],
  ['--compacting-gc', { kind: 'memory', name: 'marking', deprecated: true }],
  ['--copying-gc', { kind: 'memory', name: 'copying', deprecated: true }],
  ['--force-gc', { kind: 'memory', name: 'force' }],
  ['--legacy-persistence', { kind: 'memory', name: 'classicOP' }],
  ['-unguarded-enhanced-orthogonal-persistence', { kind: 'memory', name: 'enhancedOP' }],
  ['-fno-shared-code', { kind: 'nothing' }], // the default
  ['-no-check-ir', { kind: 'nothing' }], // never checked here

  ['-A', { kind: 'own', argument: 'text' }],
  ['-W', { kind: 'own', argument: 'text' }],
  ['-E', { kind: 'own', argument: 'text' }],
  ['-Werror', { kind: 'own', argument: 'none' }],
  ['--hide-warnings', { kind: 'own', argument: 'none' }],
  ['--error-detail', { kind: 'own', argument: 'integer' }],
  ['--error-recovery', { kind: 'own', argument: 'none' }],
  ['--error-format', { kind: 'own', argument: 'text' }],
  ['--ai-errors', { kind: 'own', argument: 'none' }],
  ['--all-libs', { kind: 'own', argument: 'none' }],
  ['--implicit-package', { kind: 'own', argument: 'text' }],
  ['--implicit-derivation-depth', { kind: 'own', argument: 'integer' }],
  ['--enhanced-migration', { kind: 'own', argument: 'text' }],
  ['--default-persistent-actors', { kind: 'own', argument: 'none' }],
  ['--require-persistent-actors', { kind: 'own', argument: 'none' }],
  ['--legacy-actors', { kind: 'own', argument: 'none' }],

  ...unserved(
    ...['-r', '-i', '-iR', '-t', '-v', '-p', '-dp', '-dt', '-dl', '-no-await', '-no-async', '-no-link', '-no-timer'],
    ...[
      '-no-system-api',
      '-ref-system-api',
      '-measure-rts-stack',
      '-fshared-code',
      '--map',
      '--explain',
      '--warn-help',
    ],
    ...['--print-source-on-error', '--profile', '--profile-file', '--profile-line-prefix', '--profile-field'],
    ...['--sanity-checks', '--stable-regions', '--max-stable-pages', '--experimental-stable-memory'],
    ...['--experimental-field-aliasing', '--experimental-rtti', '--experimental-multi-value', '--rts-stack-pages'],
    ...['--trap-on-call-error', '--enhanced-orthogonal-persistence', '--generate-view-queries', '--stable-baseline'],
    ...['--stabilization-instruction-limit', '--stable-memory-access-limit'],
  ),
]);

/** The JavaScript build of the compiler has no switch for these. To leave one out would give another program. */
function unserved(...names: readonly string[]): readonly (readonly [string, Flag])[] {
  return names.map((name) => [name, { kind: 'unserved' }]);
}

/** What `--help` prints. Grouped by what one looks for. */
export const HELP = `Usage: moc-js [option] [file]

The Motoko compiler of npm's motoko package behind the command line of moc.

  -c                                 compile to WebAssembly (what happens without any mode)
  --check                            check types only, of all files given
  --print-deps                       print the imports of one file
  --stable-compatible OLD NEW        may stable types OLD be upgraded to NEW?
  --version, --help

  -o FILE                            where the wasm goes; default: name of the main file, here
  --idl                              write the Candid interface beside it (.did)
  --stable-types                     write the stable types beside it (.most)

  --package NAME DIR                 where mo:NAME is
  --actor-idl DIR                    where the Candid files of imported principals are
  --actor-alias NAME PRINCIPAL       what canister:NAME is
  --actor-id-alias NAME PRINCIPAL FILE
  --actor-env-alias NAME VARIABLE FILE
  --all-libs, --ai-errors, --implicit-package NAME
  --args FILE, --args0 FILE          more arguments, one a line or ended by NUL

  --release, --debug                 drop or keep (default) debug expressions
  -g                                 debug information
  --public-metadata NAME             make a custom section public
  --omit-metadata NAME               leave it out
  --enhanced-migration DIR           migrations of stable variables
  --default-persistent-actors, --require-persistent-actors, --legacy-actors
  --implicit-derivation-depth N
  --incremental-gc, --generational-gc, --compacting-gc, --copying-gc, --force-gc
  --legacy-persistence, -wasi-system-api

  -A, -W, -E CODES                   allow, warn of, or reject, by code
  -Werror, --hide-warnings
  --error-detail N, --error-recovery, --error-format plain|human|json

A flag with one argument may be written as -flag=value. Any other flag of moc is refused, because the compiler's
JavaScript build has no switch for it. Exit status: 0, 1 for a rejected program, 2 for a mistake in the call.
`;

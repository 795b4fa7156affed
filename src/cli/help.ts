/** What --help prints. */
export function helpText(topic: 'moccache' | 'build' | 'cache' | 'link'): string {
  return TEXTS[topic];
}

const TEXTS = {
  moccache: `moccache: a build cache for Motoko canisters

  moccache build [canisters...]    build canisters, from the cache where it has them
  moccache cache show|size|clean   mops's cache folder: print it, its size, delete it
  moccache cache gc                delete what was not used for long, or is too much
  moccache cache stats             hits, misses, time saved; also as a page of HTML
  moccache cache explain           why a canister was compiled, and whether it will be
  moccache cache inspect|verify    what a key stands for; check every byte
  moccache cache doctor            what is set up, what is wrong and what to do
  moccache link                    make the command mops of this project ours
  moccache --version               print the version
  moccache-moc --setup [PATH]      record the compiler for which moccache-moc stands

Every other command is handed to ic-mops. moccache COMMAND --help says more.
`,
  build: `moccache build [canisters...] [options] [-- MOC ARGS...]

Builds the canisters of mops.toml, or those named, in mops.toml order.

  --verbose              show the compiler's command lines and what it says
  -o, --output DIR       where the files go (default: [build] outputDir, else .mops/.build)
  -j, --jobs N           canisters compiled side by side (default: one per core)
  --keep-going           build the other canisters when one fails
  --explain              say of each canister that was compiled what had changed
  --no-cache             compile; neither read nor write the cache
  --rebuild              compile even what is cached, and fail if the bytes differ
  --locked               fail unless mops.lock fits mops.toml
  --no-optimize          build without [optimize]
  --check-wasm, --no-check-wasm
                         say which functions are near the network's limit of complexity
                         (default: [build] check-wasm); takes ic-mops 3 or later
  --check-deploy, --no-check-deploy
                         install what was built on a fresh PocketIC, every time (default:
                         [build] check-deploy); takes ic-mops 3 or later, and [toolchain]
                         pocket-ic or MOPS_POCKET_IC_URL
  --json                 one JSON document on stdout, no other text there
  -h, --help             print this

What follows -- goes to moc as it is.
`,
  cache: `moccache cache show             print the cache's folder
moccache cache size             print how much it holds
moccache cache clean            delete the project's .mops and the global cache
moccache cache clean --global   delete the global cache
moccache cache clean --builds   delete built artifacts only
  --canister NAME               those of one canister
  --older-than AGE              those not used for so long: 30d, 12h

moccache cache gc [options]     delete what was not used for long; then, where the cache is larger
                                than it may be, what was used least recently
  --max-size SIZE               how large it may be: 5GiB, 500MB (default: as configured, else 5GiB)
  --max-age AGE                 how long unused (default: as configured, else 30d)
  --dry-run                     delete nothing; list what would go

moccache cache stats [options]  hits, misses by cause, waits, time saved, bytes stored
  --since AGE OR DATE           count from then on: 7d, 12h, 2026-11-01
  --html FILE                   write them as one page that needs nothing else
moccache cache explain CANISTER [-- MOC ARGS]
                                what changed since its last build here, whether the next one is a
                                hit, and why the last one compiled
moccache cache explain KEY KEY  what changed from one key to another; their first digits are enough
moccache cache inspect KEY      what a key stands for and what came of it; its first digits are enough
moccache cache verify           read all of it; take away what is damaged, exit 1 if anything was
moccache cache doctor           what is set up, what is wrong and what to do; exit 1 if anything is

gc, stats, explain, inspect, verify and doctor take --json. All of these may run beside builds.
`,
  link: `moccache link           make node_modules/.bin/mops start moccache
moccache link --check   only say whether it does; exit 1 if not

Both moccache and ic-mops offer a command called mops, and npm gives the name to either.
To keep it ours after every install and update, add to package.json:
  "scripts": { "dependencies": "moccache link" }
`,
};

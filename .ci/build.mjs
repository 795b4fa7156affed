// `npm run build`: the executables, the library and its declarations, into dist/.
//
// Everything is made in memory or beside dist/ and renamed into place file by file; what is already the same is not
// touched. So a second run changes nothing, and two runs at once end in the same folder.
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { chmod, mkdir, readFile, readdir, rename, rm, rmdir, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { declarationsOf } from './declarations.mjs';
import { ensureInstalled } from './install.mjs';
import { noticesOf } from './notices.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

const HASHBANG = '#!/usr/bin/env node\n';
const MODULE_URL = 'var importMetaUrl=require("node:url").pathToFileURL(__filename).href;';

/** Node goes through all that a module of its own exports whenever it is required, and a bundle does so for each source file. */
const REQUIRE_ONCE = 'require=((load,got)=>(id)=>got[id]??=load(id))(require,{});';

/** `moccache` and `mops` are told apart by the name of the started file: a script of npm's for Windows shows no other. */
const EXECUTABLES = [
  { entry: 'src/cli/start.ts', outfile: 'mops.cjs', banner: `${HASHBANG}"use strict";${REQUIRE_ONCE}` },
  { entry: 'src/cli/restore.ts', outfile: 'mops-restore.cjs', banner: '"use strict";' },
  { entry: 'src/cli/main.ts', outfile: 'mops-main.cjs', banner: `"use strict";${MODULE_URL}` },
  { entry: 'src/cache/store-helper.ts', outfile: 'store-helper.cjs', banner: `"use strict";${MODULE_URL}` },
  { entry: 'src/cli/wrap.ts', outfile: 'moccache-moc.cjs', banner: `${HASHBANG}"use strict";${REQUIRE_ONCE}` },
  { entry: 'src/cli/wrap-whole.ts', outfile: 'moccache-moc-whole.cjs', banner: `"use strict";${MODULE_URL}` },
  {
    entry: 'src/cli/moc-js.ts',
    outfile: 'moc-js.cjs',
    // Read by the build: this file is a part of the compiler's identity too.
    banner: `${HASHBANG}// moccache-compiler-input: motoko/versions/latest/moc.min.js\n"use strict";${MODULE_URL}`,
  },
];

/** Packages that a hit does not need, and the files that hold them. */
const PACKAGES = { 'proper-lockfile': 'lib-lockfile.cjs', 'log-update': 'lib-live.cjs' };

const CHUNKS = Object.fromEntries(
  [
    ...Object.entries(PACKAGES),
    ['./restore.ts', 'mops-restore.cjs'],
    ['./main.ts', 'mops-main.cjs'],
    ['./wrap-whole.ts', 'moccache-moc-whole.cjs'],
  ].map(([name, file]) => [name, `./${file}`]),
);

/** Oldest Node that package.json promises. */
const TARGET = 'node20.17';

/** Builds everything; answers how many files were new or different. */
export async function build() {
  ensureInstalled(root);
  const { build: bundle } = await import('esbuild');
  const { chunks } = await import('./chunks.mjs');
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: TARGET,
    legalComments: 'none', // they are in THIRD-PARTY.txt, whole
    metafile: true,
    write: false,
    logLevel: 'warning',
  };
  const commonjs = {
    ...common,
    format: 'cjs',
    // import() of a file beside it is a require(): the other way loads Node's loader of modules first.
    supported: { 'dynamic-import': false },
  };
  const packages = Object.entries(PACKAGES).map(([name, file]) =>
    bundle({
      ...commonjs,
      stdin: { contents: `module.exports = require(${JSON.stringify(name)});`, resolveDir: root },
      outfile: join(dist, file),
    }),
  );
  const executables = EXECUTABLES.map(({ entry, outfile, banner }) =>
    bundle({
      ...commonjs,
      entryPoints: [entry],
      outfile: join(dist, outfile),
      // Not minified: that starts no faster (measured), and a stack trace can be read.
      // A CommonJS file has no import.meta; the dependencies and we ask it for the file's own place.
      define: { 'import.meta.url': 'importMetaUrl', 'import.meta.dirname': '__dirname' },
      plugins: [chunks(CHUNKS)],
      banner: { js: banner },
    }),
  );
  const library = bundle({
    ...common,
    entryPoints: ['src/index.ts'],
    outfile: join(dist, 'index.js'),
    format: 'esm',
    // The CommonJS packages inside call require() for Node's own modules.
    banner: { js: "import{createRequire as nodeRequire}from'node:module';const require=nodeRequire(import.meta.url);" },
  });
  const [declarations, ...bundles] = await Promise.all([declarationsOf(root), library, ...executables, ...packages]);

  const files = new Map();
  for (const { outputFiles } of bundles)
    for (const file of outputFiles) files.set(relative(dist, file.path), Buffer.from(file.contents));
  for (const [path, text] of declarations) files.set(join('types', path), Buffer.from(text));
  files.set('moccache.cjs', Buffer.from("#!/usr/bin/env node\nrequire('./mops.cjs');\n"));
  const bundled = new Set(bundles.flatMap(({ metafile }) => Object.keys(metafile.inputs)));
  files.set('THIRD-PARTY.txt', Buffer.from(await noticesOf(root, bundled)));
  const changed = await publish(files);
  await linkForFixtures();
  return { files: files.size, changed };
}

async function publish(files) {
  const staging = join(root, 'node_modules', '.cache', 'moccache-build', String(process.pid));
  let changed = 0;
  for (const [path, bytes] of files) {
    const target = join(dist, path);
    const mode = bytes.subarray(0, 2).toString() === '#!' ? 0o755 : 0o644;
    const [found, info] = await Promise.all([readFile(target).catch(absent), stat(target).catch(absent)]);
    if (found?.equals(bytes) && (info.mode & 0o777) === mode) continue;
    const staged = join(staging, createHash('sha256').update(path).digest('hex'));
    await mkdir(staging, { recursive: true });
    await mkdir(dirname(target), { recursive: true });
    await writeFile(staged, bytes);
    await chmod(staged, mode); // after the umask
    await rename(staged, target);
    changed++;
  }
  await rm(staging, { recursive: true, force: true });
  for (const path of await readdir(dist, { recursive: true })) {
    const info = await stat(join(dist, path)).catch(absent);
    if (info?.isFile() && !files.has(path)) await rm(join(dist, path), { force: true });
    else if (info?.isDirectory()) await rmdir(join(dist, path)).catch(() => undefined); // goes only when empty
  }
  return changed;
}

/** Puts moc-js where a fixture's mops.toml pins it, as npm does in a project that has moccache installed. */
async function linkForFixtures() {
  for (const name of await readdir(join(root, 'fixtures'))) {
    const project = join(root, 'fixtures', name);
    if ((await stat(join(project, 'mops.toml')).catch(absent)) === undefined) continue;
    const binDir = join(project, 'node_modules', '.bin');
    await mkdir(binDir, { recursive: true });
    await symlink(relative(binDir, join(dist, 'moc-js.cjs')), join(binDir, 'moc-js')).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

function absent(error) {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const start = performance.now();
  const { files, changed } = await build();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`dist/: ${files} files, ${changed} changed, ${seconds} s`);
}

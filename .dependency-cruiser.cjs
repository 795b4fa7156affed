/** What may import what. The reasons are in ARCHITECTURE.md; a broken rule names itself. */

/** A package that one place knows, so that its quirks stay there. */
const home = (name, module, places) => ({
  name: `home-of-${name}`,
  comment: `${name} is used in one place only`,
  severity: 'error',
  from: { path: '^src/', pathNot: places },
  to: { path: module },
});

const npm = (name) => `^node_modules/(@types/)?${name}/`;

/** Everything that ends up in the bundles. ic-mops and motoko are found at run time, in the user's project. */
const BUNDLED = ['proper-lockfile', 'xxhash-wasm', 'smol-toml', 'semver', 'log-update'];

module.exports = {
  forbidden: [
    {
      name: 'cache-knows-no-motoko',
      comment: 'src/cache is a cache for anything: it imports neither the build nor the command line',
      severity: 'error',
      from: { path: '^src/cache/' },
      to: { path: '^src/', pathNot: '^src/cache/' },
    },
    {
      name: 'build-knows-no-terminal',
      comment: 'cli -> build -> cache, never back',
      severity: 'error',
      from: { path: '^src/build/' },
      to: { path: '^src/', pathNot: '^src/(build|cache)/' },
    },
    {
      name: 'library-knows-no-terminal',
      comment: 'what other programs import does not bring the command line along',
      severity: 'error',
      from: { path: '^src/index\\.ts$' },
      to: { path: '^src/cli/' },
    },
    { name: 'no-cycles', comment: 'not even of types', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-test-code-in-src',
      comment: 'what ships does not import what does not',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|fixtures|\\.ci)/' },
    },
    {
      name: 'bundled-packages-only',
      comment: 'a package in src ends up in every executable: add it to BUNDLED on purpose',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^node_modules/', pathNot: BUNDLED.map(npm) },
    },
    {
      name: 'resolvable',
      comment: 'no import leads nowhere',
      severity: 'error',
      from: { pathNot: '^test/rigs/stand-in-check-deploy[.]mjs$' }, // runs as a copy within a package
      to: { couldNotResolve: true },
    },
    home('proper-lockfile', npm('proper-lockfile'), ['^src/cache/held-lock\\.ts$']),
    home('xxhash-wasm', npm('xxhash-wasm'), ['^src/cache/checksum\\.ts$']),
    home('smol-toml', npm('smol-toml'), ['^src/build/project\\.ts$', '^src/build/[^/]*(manifest|toml)[^/]*\\.ts$']),
    home('semver', npm('semver'), ['^src/build/versions\\.ts$']),
    home('log-update', npm('log-update'), ['^src/cli/live\\.ts$']),
    home('child_process', '^(node:)?child_process$', [
      '^src/build/(moc|install|check-deploy)\\.ts$',
      '^src/build/js-compiler[^/]*(/|\\.ts$)',
      '^src/cli/',
    ]),
  ],
  options: {
    tsPreCompilationDeps: true, // types count
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};

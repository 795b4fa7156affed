// Parts of an executable in files of their own, which are read when they are asked for.
//
// esbuild defers only the run of what is imported with import(); the code itself would still be read by Node and V8 at
// every start. So each such part is a bundle beside the executable.

/** An esbuild plugin: `import()` of these modules, by name or path as written, leads to these files. */
export function chunks(files) {
  return {
    name: 'chunks',
    setup(bundle) {
      bundle.onResolve({ filter: /.*/ }, ({ path, kind }) =>
        kind === 'dynamic-import' && Object.hasOwn(files, path) ? { path: files[path], external: true } : undefined,
      );
    },
  };
}

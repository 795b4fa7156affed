// Packages that a hit does not need, kept in the executable as text until they are asked for.
//
// esbuild defers only the run of what is imported with import(); the code itself is still read by V8 at every start.
// A string is skipped over. For cacache, proper-lockfile and log-update that halves what our code adds to Node's own start
// (CPU time of `mops build --help` over `node -e 0`, Node 20.20: 12 ms without it, 6 ms with it).
import { build } from 'esbuild';

/** An esbuild plugin for `import('NAME')` of the given packages. Their files are added to `inputs`. */
export function lazily(names, options, inputs) {
  return {
    name: 'lazily',
    setup(bundle) {
      bundle.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
        kind === 'dynamic-import' && names.includes(path) ? { path, namespace: 'lazily' } : undefined,
      );
      bundle.onLoad({ filter: /.*/, namespace: 'lazily' }, async ({ path }) => {
        const { outputFiles, metafile } = await build({
          ...options,
          stdin: { contents: `module.exports = require(${JSON.stringify(path)});`, resolveDir: options.absWorkingDir },
          format: 'cjs',
        });
        for (const input of Object.keys(metafile.inputs)) inputs.add(input);
        return { contents: await moduleOf(path, outputFiles[0].text), resolveDir: options.absWorkingDir };
      });
    },
  };
}

/** A module with the exports of the package, which evaluates the text when it is itself evaluated. */
async function moduleOf(name, text) {
  const exported = Object.keys(await import(name)).filter((key) => /^[a-z_$][\w$]*$/i.test(key) && key !== 'default');
  return `
    import { compileFunction } from 'node:vm';
    const evaluated = { exports: {} };
    const evaluate = compileFunction(${JSON.stringify(text)}, ['module', 'exports', 'require'], { filename: '${name}' });
    evaluate(evaluated, evaluated.exports, require);
    export default evaluated.exports.__esModule ? evaluated.exports.default : evaluated.exports;
    export const { ${exported.join(', ')} } = evaluated.exports;
  `;
}

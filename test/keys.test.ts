import fc from 'fast-check';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { keyOfCompile, keyOfFinish, type CompileAction, type FinishAction } from '../src/build/action.ts';
import { digestOf } from '../src/cache/digest.ts';
import { buildOurs } from './rigs/project-build.ts';
import { layOut } from './rigs/project-checkout.ts';
import { copyTools } from './rigs/project-tools.ts';

/** Texts as mean as paths and flags can be: quotes, brackets, line ends, letters of any kind. */
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '"', '","', ']\n["', 'ä', '\\', 'a', 'b'));
const digest = text.map(digestOf);
const identity = fc.record({ name: text, version: text, digest });

const packages = fc.uniqueArray(fc.record({ name: text, dir: text }), { selector: ({ name }) => name });
const inputs = fc.uniqueArray(
  text.chain((path) => digest.map((digest) => ({ path, digest, bytes: new Uint8Array() }))),
  { selector: ({ path }) => path },
);
const names = fc.uniqueArray(text).map((found) => found.sort());
const listings = fc.uniqueArray(fc.record({ dir: text, names }), { selector: ({ dir }) => dir });
const environment = fc.dictionary(text, text, { noNullPrototype: true });

const compileAction: fc.Arbitrary<CompileAction> = fc.record({
  compiler: identity,
  main: text,
  flags: fc.array(text),
  environment,
  packages,
  closure: fc.record({ inputs, absent: fc.uniqueArray(text), listings }),
  outputs: fc.subarray(['did', 'most', 'wasm', 'wasm.map'] as const),
  outputName: fc.option(text, { nil: undefined }),
});

const finishAction: fc.Arbitrary<FinishAction> = fc.record({
  wasm: digest,
  did: digest,
  candid: fc.option(digest, { nil: undefined }),
  metadata: fc.array(fc.record({ name: text, data: text })),
  finisher: identity,
});

const shuffled = <T>(items: readonly T[]) => fc.shuffledSubarray([...items], { minLength: items.length });

/** The same facts, found in another order. */
const foundOtherwise = (action: CompileAction): fc.Arbitrary<CompileAction> =>
  fc.record({
    compiler: fc.constant(action.compiler),
    main: fc.constant(action.main),
    flags: fc.constant(action.flags),
    environment: shuffled(Object.entries(action.environment)).map((entries) => Object.fromEntries(entries)),
    packages: shuffled(action.packages),
    closure: fc.record({
      inputs: shuffled(action.closure.inputs),
      absent: shuffled(action.closure.absent),
      listings: shuffled(action.closure.listings),
    }),
    outputs: shuffled(action.outputs),
    outputName: fc.constant(action.outputName),
  });

/** The facts of a compile, free of the order in which they were found: equal where two actions are the same. */
function factsOf(action: CompileAction): string {
  const set = (items: readonly unknown[]) => items.map((item) => JSON.stringify(item)).sort();
  const { compiler, main, flags, environment, packages, closure, outputs, outputName } = action;
  return JSON.stringify([
    [compiler.name, compiler.version, compiler.digest, main, flags, outputName ?? null],
    set(Object.entries(environment)),
    set(packages.map(({ name, dir }) => [name, dir])),
    set(closure.inputs.map(({ path, digest }) => [path, digest])),
    set(closure.absent),
    set(closure.listings.map(({ dir, names }) => [dir, names])),
    set(outputs),
  ]);
}

/** Each takes the facts of one kind from another action: any of them may be more, fewer, or others. */
const SWAPS: Readonly<Record<string, (action: CompileAction, other: CompileAction) => CompileAction>> = {
  'the compiler’s name': (a, b) => ({ ...a, compiler: { ...a.compiler, name: b.compiler.name } }),
  'the compiler’s version': (a, b) => ({ ...a, compiler: { ...a.compiler, version: b.compiler.version } }),
  'the compiler’s digest': (a, b) => ({ ...a, compiler: { ...a.compiler, digest: b.compiler.digest } }),
  'the main file': (a, b) => ({ ...a, main: b.main }),
  'the flags': (a, b) => ({ ...a, flags: b.flags }),
  'one flag more': (a, b) => ({ ...a, flags: [...a.flags, b.main] }),
  'two flags joined': (a) => ({ ...a, flags: [a.flags.slice(0, 2).join(' '), ...a.flags.slice(2)] }),
  'flags the other way round': (a) => ({ ...a, flags: [...a.flags].reverse() }),
  'the environment': (a, b) => ({ ...a, environment: b.environment }),
  'one variable’s value': (a, b) => ({
    ...a,
    environment: Object.fromEntries(Object.keys(a.environment).map((name) => [name, b.main])),
  }),
  'the packages': (a, b) => ({ ...a, packages: b.packages }),
  'a package’s folder': (a, b) => ({ ...a, packages: a.packages.map(({ name }) => ({ name, dir: b.main })) }),
  'the inputs': (a, b) => ({ ...a, closure: { ...a.closure, inputs: b.closure.inputs } }),
  'one input less': (a) => ({ ...a, closure: { ...a.closure, inputs: a.closure.inputs.slice(1) } }),
  'an input’s bytes': (a, b) => ({
    ...a,
    closure: { ...a.closure, inputs: a.closure.inputs.map((input) => ({ ...input, digest: b.compiler.digest })) },
  }),
  'an input that is gone': (a) => ({
    ...a,
    closure: {
      ...a.closure,
      inputs: a.closure.inputs.slice(1),
      absent: [...new Set([...a.closure.absent, ...a.closure.inputs.slice(0, 1).map(({ path }) => path)])],
    },
  }),
  'the absent files': (a, b) => ({ ...a, closure: { ...a.closure, absent: b.closure.absent } }),
  'the listings': (a, b) => ({ ...a, closure: { ...a.closure, listings: b.closure.listings } }),
  'a name in a listing': (a, b) => ({
    ...a,
    closure: { ...a.closure, listings: a.closure.listings.map(({ dir }) => ({ dir, names: [b.main] })) },
  }),
  'the outputs': (a, b) => ({ ...a, outputs: b.outputs }),
  'the name of the output': (a, b) => ({ ...a, outputName: b.outputName }),
};

describe('the key of a compile', () => {
  test('is the same in whatever order the facts were found', () => {
    const pairs = compileAction.chain((action) => fc.tuple(fc.constant(action), foundOtherwise(action)));
    fc.assert(
      fc.property(pairs, ([action, other]) => {
        expect(keyOfCompile(other)).toEqual(keyOfCompile(action));
      }),
      { numRuns: 300 },
    );
  });

  test.each(Object.entries(SWAPS))('is another one after this change: %s', (_, swap) => {
    let changed = 0;
    fc.assert(
      fc.property(compileAction, compileAction, (action, other) => {
        const after = swap(action, other);
        if (factsOf(after) === factsOf(action)) return;
        changed += 1;
        expect(keyOfCompile(after).key).not.toBe(keyOfCompile(action).key);
      }),
      { numRuns: 200 },
    );
    expect(changed).toBeGreaterThan(40);
  });
});

describe('the key of a finish', () => {
  test('is another one as soon as any fact changes, the order of sections among them', () => {
    fc.assert(
      fc.property(finishAction, finishAction, fc.constantFrom(...FINISH_FACTS), (action, other, fact) => {
        const after = { ...action, [fact]: other[fact] };
        const same = JSON.stringify(after) === JSON.stringify(action);
        expect(keyOfFinish(after).key === keyOfFinish(action).key).toBe(same);
      }),
      { numRuns: 300 },
    );
    const [first, second] = ['a', 'b'].map((name) => ({ name, data: '' }));
    fc.assert(
      fc.property(finishAction, (action) => {
        const [one, two] = [
          [first, second],
          [second, first],
        ].map((metadata) => keyOfFinish({ ...action, metadata: metadata as FinishAction['metadata'] }));
        expect(one?.key).not.toBe(two?.key);
      }),
    );
  });

  test('is never that of a compile', () => {
    fc.assert(
      fc.property(compileAction, finishAction, (compile, finish) => {
        expect(keyOfCompile(compile).key).not.toBe(keyOfFinish(finish).key);
      }),
    );
  });
});

const FINISH_FACTS = ['wasm', 'did', 'candid', 'metadata', 'finisher'] as const;

/** Stands for the compiler: an empty module, and an interface that tells what the main file holds. */
const STAND_IN = `#!/usr/bin/env node
const { readFileSync, writeFileSync } = require('node:fs');
const args = process.argv.slice(2);
if (args[0] === '--version') console.log('stand-in 1');
else {
  const wasm = args[args.indexOf('-o') + 1];
  writeFileSync(wasm, Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  writeFileSync(wasm.replace(/wasm$/, 'did'), '// ' + readFileSync('src/Main.mo', 'utf8').length + '\\nservice : {}');
  writeFileSync(wasm.replace(/wasm$/, 'most'), '');
}
`;

const FILES: readonly (readonly [string, string])[] = [
  ['moc.cjs', STAND_IN],
  [
    'mops.toml',
    '[toolchain]\nmoc = "./moc.cjs"\n[dependencies]\n"Ä" = "1.0.0"\nb = "./b"\n[canisters]\napp = "src/Main.mo"\n[moc]\nargs = ["--all-libs"]\n',
  ],
  ['.mops/Ä@1.0.0/mops.toml', '[package]\nname = "Ä"\nversion = "1.0.0"\n'],
  ['src/Main.mo', 'import A "I";\nimport B "i";\nimport C "ä/Z";\nimport D "mo:Ä";\nimport E "mo:b/z";\nactor {}'],
  ...['src/I.mo', 'src/i.mo', 'src/ä/Z.mo', '.mops/Ä@1.0.0/src/lib.mo', 'b/z.mo', 'b/Z.mo', 'b/ı.mo'].map(
    (path) => [path, 'module {}'] as const,
  ),
];

describe('the keys of a build', () => {
  const tools = copyTools();
  afterAll(() => tools.remove());

  interface Surroundings {
    readonly files: typeof FILES;
    readonly folder: string;
    readonly cwd: string;
    readonly environment: Readonly<Record<string, string>>;
    readonly umask: string;
  }

  const surroundings: fc.Arbitrary<Surroundings> = fc.record({
    files: shuffled(FILES),
    folder: fc.constantFrom('project', 'with a space', 'zwölf'),
    cwd: fc.constantFrom('.', 'src', 'src/ä', '.mops'),
    environment: fc.record({
      HOME: fc.constantFrom('/', '/nowhere', '/tmp'),
      TZ: fc.constantFrom('UTC', 'Asia/Kolkata', 'America/St_Johns'),
      LC_ALL: fc.constantFrom('C', 'tr_TR.UTF-8', 'de_DE.UTF-8', 'sv_SE.UTF-8'),
      OCAMLRUNPARAM: fc.constantFrom('', 'R', 'b'),
      USER: fc.constantFrom('anna', 'bo'),
    }),
    umask: fc.constantFrom('022', '077', '000'),
  });

  async function keysIn({ files, folder, cwd, environment, umask }: Surroundings) {
    const checkout = layOut(tools, { files: Object.fromEntries(files), folder });
    try {
      chmodSync(join(checkout.root, 'moc.cjs'), 0o755);
      const { canisters } = await buildOurs(tools, checkout, {
        cwd: join(checkout.root, cwd),
        environment,
        under: ['/bin/sh', '-c', `umask ${umask}; exec "$@"`, 'sh'],
      });
      return canisters.map(({ outcome, key, compileKey }) => ({ outcome, key, compileKey }));
    } finally {
      checkout.remove();
    }
  }

  test(
    'are the same for every folder, user, home, time zone, locale, umask and order of making the files',
    { timeout: 600_000 },
    async () => {
      const plain = { files: FILES, folder: 'project', cwd: '.', environment: {}, umask: '022' };
      const expected = await keysIn(plain);
      expect(expected.map(({ outcome }) => outcome)).toEqual(['built']);
      await fc.assert(
        fc.asyncProperty(surroundings, async (around) => {
          expect(await keysIn(around)).toEqual(expected);
        }),
        { numRuns: 15, endOnFailure: true },
      );
      const edited = FILES.map(([path, file]) => [path, path === 'b/ı.mo' ? 'module { }' : file] as const);
      const [other] = await keysIn({ ...plain, files: edited });
      expect(other?.compileKey).not.toBe(expected[0]?.compileKey);
    },
  );
});

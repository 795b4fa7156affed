import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidImportsOf } from '../src/build/candid-imports.ts';
import { importsOf, targetOf } from '../src/build/imports.ts';
import { parsedImportsOf } from './rigs/closure-parser.ts';

const urlsIn = (source: string | Uint8Array) => importsOf(source).map(({ url }) => url);

/** Each is a program that the compiler accepts, and what it imports. */
const TRAPS: readonly (readonly [trap: string, source: string, urls: readonly string[]])[] = [
  ['nothing at all', '', []],
  ['a program without imports', 'actor {}', []],
  ['one import', 'import A "a"; actor {}', ['a']],
  ['imports with `=` and without', 'import A = "a"; import B "b"; actor {}', ['a', 'b']],
  ['no space where none is needed', 'import A"a";import{x}"b";import(y)"c";actor {}', ['a', 'b', 'c']],
  ['imports on one line and over many lines', 'import\nA\n=\n"a"\n;import B "b";', ['a', 'b']],
  ['a last import without a semicolon', 'import A "a"; import B "b"', ['a', 'b']],
  ['a last import that only the next word ends', 'import A "a" actor {}', ['a']],
  ['a text right behind the last import', 'import A "a" "no url"', ['a']],
  ['tabs, carriage returns and CRLF', '\timport A "a";\r\nimport B "b";\rimport C "c";', ['a', 'b', 'c']],
  ['a wildcard', 'import _ "a"', ['a']],
  ['an object pattern', 'import { x; y = z; type T } "a"; import { type U; u } = "b"', ['a', 'b']],
  ['an empty object pattern', 'import {} "a"', ['a']],
  ['a text in an object pattern', 'import { x = "no url" } "a"', ['a']],
  ['brackets in a text in a pattern', 'import { x = "}" } "a"; import { x = "{(" } "b"', ['a', 'b']],
  ['a tuple pattern with texts', 'import (x, "no url") "a"', ['a']],
  ['nested patterns', 'import { x = (y, { z = "no url" }) } "a"', ['a']],
  ['a typed pattern', 'import { x : { a : [Nat] } } "a"; import (y : [(Text, Nat)]) "b"', ['a', 'b']],
  ['a text as the pattern', 'import "no url" "a"; import "no url" = "b"', ['a', 'b']],
  ['numbers as patterns', 'import 1 "a"; import 1.5e3 "b"; import 0xF_F "c"; import (-5) "d"', ['a', 'b', 'c', 'd']],
  ['words as patterns', 'import null "a"; import true "b"', ['a', 'b']],
  ['a character as the pattern', `import 'x' "a"`, ['a']],
  ['a quoted quote as the pattern', `import '\\"' "a"; import '\\'' "b"`, ['a', 'b']],
  ['a bracket as a character in a pattern', `import { x = '{' } "a"; import (y, ')') "b"`, ['a', 'b']],
  ['a code point as a character', `import '\\u{22}' "a"; import '\\22' "b"`, ['a', 'b']],
  ['a tagged and an optional pattern', 'import (#tag "no url") "a"; import (?"no url") "b"', ['a', 'b']],
  ['a name that begins as the keyword', 'import importer "a"; importer.run()', ['a']],
  ['a name with the keyword in it', 'let import_ = 1; let reimport = 2', []],
  ['a line comment before', '// import X "x";\nimport A "a"', ['a']],
  ['a line comment at the end of a line', 'import A "a"; // import X "x"\nimport B "b"', ['a', 'b']],
  ['a line comment that ends the file', 'import A "a"; // import X "x"', ['a']],
  ['a line comment across a lone carriage return', '// x\rimport X "x";\nimport A "a"', ['a']],
  ['a block opened in a line comment', '// /*\nimport A "a"; // */', ['a']],
  ['a doc comment', '/// import X "x";\nimport A "a"', ['a']],
  ['a block comment', '/* import X "x"; */ import A "a"', ['a']],
  ['a nested block comment', '/* /* */ import X "x"; */ import A "a"', ['a']],
  ['a deeper nest', '/* /* /* */ */ import X "x"; */ import A "a"', ['a']],
  ['a line comment that closes a block', '/* // */ import A "a"', ['a']],
  ['a quote in a block comment', '/* " */ import A "a"; /* " */', ['a']],
  ['stars at the end of a block comment', '/** x **/ import A "a"', ['a']],
  ['a block comment that only seems closed', '/*/ import X "x"; */ import A "a"', ['a']],
  ['an empty block comment', '/**/ import A "a"', ['a']],
  ['comments within an import', 'import /* x */ A // y "no"\n = /* "no url" */ "a" /* ; */ ;', ['a']],
  ['comments within a pattern', 'import { x /* } "no url" */; y // } "no"\n } "a"', ['a']],
  ['comment signs in a URL', 'import A "a//b"; import B "b/*c"; import C "c"', ['a//b', 'b/*c', 'c']],
  ['escapes in a URL', 'import A "a\\"b"; import B "b\\\\"; import C "\\t\\n\\r\\\'"', ['a"b', 'b\\', "\t\n\r'"]],
  ['code points in a URL', 'import A "\\u{61}\\u{00_62}"; import B "\\u{26d4}"', ['ab', '⛔']],
  ['bytes in a URL', 'import A "\\61\\e2\\9b\\94"', ['a⛔']],
  ['an escaped backslash before digits', 'import A "\\\\61"', ['\\61']],
  ['a URL over two lines', 'import A "a\nb"', ['a\nb']],
  ['a URL in UTF-8', 'import P "mo:⛔"; import A "käse/🧀"', ['mo:⛔', 'käse/🧀']],
  ['an empty URL', 'import A ""', ['']],
  ['UTF-8 in a comment', '/* käse 🧀 */ import A "a" // ⛔', ['a']],
  ['the same import twice', 'import A "a"; import B "a"', ['a', 'a']],
  ['what looks like imports in texts further down', 'import A "a"; let t = "import X \\"x\\";"', ['a']],
  ['what looks like imports in comments further down', 'import A "a"; actor { /* import X "x" */ }', ['a']],
];

describe('the imports of a .mo file', () => {
  test.each(TRAPS)('with %s are found', (_, source, urls) => {
    expect(urlsIn(source)).toEqual(urls);
    expect(urlsIn(Buffer.from(source))).toEqual(urls);
  });

  test.each(TRAPS)("with %s are those of the compiler's own parser", (_, source, urls) => {
    expect(parsedImportsOf(source)).toEqual(urls);
  });

  test('carry the line of their keyword', () => {
    const source = '/* 1\n2 */ import A "a";\n\n// 4\nimport\n  B\n  "b\n"; import C "c"';
    expect(importsOf(source).map(({ line }) => line)).toEqual([2, 5, 8]);
  });

  test('are found in bytes that are part of a larger buffer', () => {
    const source = Buffer.from('import X "x"; import A "a"; import Y "y"').subarray(14, 27);
    expect(urlsIn(source)).toEqual(['a']);
  });

  test.each([
    ['a byte order mark', '\ufeffimport A "a"'],
    ['a text that does not end', 'import A "a'],
    ['a text that ends in a backslash', 'import A "a\\'],
    ['a comment that does not end', '/* /* */ import A "a"'],
    ['a character that does not end', "import 'x"],
    ['brackets that do not close', 'import {{( "a"; import B "b"'],
    ['brackets that were never opened', 'import ) "a"; import B "b"'],
    ['nothing behind the keyword', 'import'],
    ['no URL', 'import A; import "a"; actor {}'],
    ['escapes that mean nothing', 'import A "\\q\\u{}\\u{110000}\\u{d800}\\0"'],
  ])('with %s are a question for the compiler, which rejects the program', (_, source) => {
    expect(parsedImportsOf(source)).toBeUndefined();
    expect(() => importsOf(source)).not.toThrow();
  });

  test('come to an end whatever the bytes are', () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom('import ', '"', "'", '\\', '\\u{', '}', '{', '(', '/*', '*/', '//', '\n', ';', 'A')
        .map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        importsOf(Buffer.concat(parts));
        candidImportsOf(Buffer.concat(parts));
      }),
      { numRuns: 2_000 },
    );
  });

  test('are all found, and no others, in any head that the grammar allows', () => {
    fc.assert(
      fc.property(heads, ({ source, urls }) => {
        expect(urlsIn(source)).toEqual(urls);
      }),
      { numRuns: 2_000 },
    );
  });

  test("are those of the compiler's own parser in any head that the grammar allows", () => {
    fc.assert(
      fc.property(heads, ({ source, urls }) => {
        expect(parsedImportsOf(source)).toEqual(urls);
      }),
      { numRuns: 200 },
    );
  });

  test("of every program of the fixtures are those of the compiler's own parser", () => {
    const sources = sourcesBelow(join(import.meta.dirname, '../fixtures'));
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) expect(urlsIn(source)).toEqual(parsedImportsOf(source));
  });

  const corpus = join(import.meta.dirname, '../../shared/corpus');
  const hasCorpus = existsSync(corpus);
  if (!hasCorpus) console.log(`skipped: no corpus of larger programs at ${corpus}`);
  test.skipIf(!hasCorpus)("of every program of the corpus are those of the compiler's own parser", () => {
    const sources = sourcesBelow(corpus);
    expect(sources.length).toBeGreaterThan(100);
    for (const source of sources) expect(urlsIn(source)).toEqual(parsedImportsOf(source));
  });
});

describe('the imports of a Candid file', () => {
  test.each([
    ['none', 'service : {}', []],
    ['one', 'import "a.did"; service : {}', ['a.did']],
    ['one of a service', 'import service "a.did"; service : {}', ['a.did']],
    ['some between type definitions', 'type t = nat; import "a.did"; type u = t; import "b.did"', ['a.did', 'b.did']],
    ['comments around', '// import "x"\n/* /* */ import "y" */ import /* */ "a.did"', ['a.did']],
    ['the keyword within names', 'type reimport = nat; type import_ = nat; type t = record { important : text }', []],
    ['the keyword within texts', 'type t = record { "import" : nat; "import \\"x\\"" : nat }', []],
    ['escapes', 'import "\\u{61}\\62.did"', ['ab.did']],
    ['no file', 'import service; import 5', []],
    ['no end', 'import "a.did', []],
  ])('with %s are found', (_, source, urls) => {
    expect(candidImportsOf(source).map(({ url }) => url)).toEqual(urls);
  });

  test('carry their lines', () => {
    expect(candidImportsOf('type t = nat;\n\nimport\n"a.did";').map(({ line }) => line)).toEqual([3]);
  });
});

describe('an import URL', () => {
  test.each([
    ['A', { kind: 'relative', path: 'A' }],
    ['./A', { kind: 'relative', path: 'A' }],
    ['../x/./A', { kind: 'relative', path: '../x/A' }],
    ['x/../../A', { kind: 'relative', path: '../A' }],
    ['dir/', { kind: 'relative', path: 'dir/' }],
    ['.', { kind: 'relative', path: '.' }],
    ['', { kind: 'relative', path: '' }],
    ['mo:core', { kind: 'package', name: 'core', path: '' }],
    ['mo:core/', { kind: 'package', name: 'core', path: '' }],
    ['mo:core@1/pure/Map', { kind: 'package', name: 'core@1', path: 'pure/Map' }],
    ['mo:core/a/../b', { kind: 'package', name: 'core', path: 'a/../b' }],
    ['mo:prim', { kind: 'built-in' }],
    ['mo:⛔', { kind: 'built-in' }],
    ['mo:primer', { kind: 'package', name: 'primer', path: '' }],
    ['canister:ledger', { kind: 'canister', alias: 'ledger' }],
    ['ic:aaaaa-aa', { kind: 'principal', principal: 'aaaaa-aa' }],
    ['blob:file:../logo.png', { kind: 'blob', path: '../logo.png' }],
    ['idl:../candid/icrc.did', { kind: 'candid', path: '../candid/icrc.did' }],
  ])('%j is understood', (url, target) => {
    expect(targetOf(url)).toEqual(target);
  });

  test.each([
    'https://example.org/A.mo',
    'file:A',
    'blob:A',
    'idl:file:a.did',
    'x.did',
    './x.did',
    'mo:core/x.did',
    'mo:core/../x',
    'mo:core/..x',
    'mo:prim/x',
    'ic:',
    'ic:../../secret',
    'a:b',
  ])('%j is not understood, and says so', (url) => {
    expect(targetOf(url)).toEqual({ kind: 'unknown', reason: expect.stringContaining(url) as string });
  });
});

/** The texts of all `.mo` files below a folder, each once, hidden folders included. */
function sourcesBelow(dir: string): readonly string[] {
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.mo'));
  return [...new Set(paths.map((path) => readFileSync(join(dir, path), 'utf8')))];
}

const comment = fc.oneof(
  fc.stringMatching(/^[ -~]*$/).map((text) => `//${text}\n`),
  fc.stringMatching(/^[^*/]*$/).map((text) => `/*${Buffer.from(text).toString()}*/`),
  fc.constantFrom('/* import X "x"; */', '// import X "x";\n', '/* /* " */ // */', '/***/', '/* \' " { ( */'),
);

const blank = fc
  .array(fc.oneof(fc.constantFrom(' ', '\n', '\t', '\r\n'), comment), { maxLength: 3 })
  .map((all) => all.join(''));

/** Something that parts two tokens even where both are words. */
const gap = blank.map((text) => ` ${text}`);

const name = fc.stringMatching(/^[A-Z][a-z0-9_]{0,6}$/);

const literal = fc.constantFrom('"text"', '"}"', '"{("', '"\\""', "'x'", "'\\\"'", "'}'", '5', '1.5e+3', 'null', '""');

const pattern = fc.letrec<{ any: string; inner: string }>((tie) => ({
  any: fc.oneof(
    { withCrossShrink: true },
    name,
    fc.constant('_'),
    literal,
    fc
      .tuple(fc.array(fc.tuple(name, gap, tie('inner')), { maxLength: 3 }), blank)
      .map(
        ([fields, space]) => `{${fields.map(([field, at, inner]) => `${field}${at}=${at}${inner}`).join(';')}${space}}`,
      ),
    fc.tuple(fc.array(tie('inner'), { maxLength: 3 }), blank).map(([parts, space]) => `(${parts.join(`,${space}`)})`),
    fc.array(name, { maxLength: 3 }).map((types) => `{${types.map((type) => `type ${type}`).join('; ')}}`),
  ),
  inner: fc.oneof({ maxDepth: 2 }, name, literal, tie('any')),
})).any;

const url = fc.oneof(
  fc.constantFrom(
    { written: '"mo:core/Nat"', url: 'mo:core/Nat' },
    { written: '"\\u{61}\\62"', url: 'ab' },
    { written: '"//"', url: '//' },
    { written: '"/*"', url: '/*' },
    { written: '"\\"; import X \\"x"', url: '"; import X "x' },
  ),
  fc.stringMatching(/^[A-Za-z0-9./:_-]{0,12}$/).map((text) => ({ written: `"${text}"`, url: text })),
);

/** The head of a program: imports of every form with blanks and comments between all tokens, and what may follow. */
const heads = fc
  .record({
    imports: fc.array(fc.record({ gap, pattern, blank, equals: fc.constantFrom('', '='), url, semicolon: blank })),
    last: fc.constantFrom('', ';'),
    before: blank,
    after: fc.constantFrom(
      '',
      ' actor {}',
      ' let x = "import X \\"x\\""',
      ' /* import Y "y" */',
      ' module { let i = 1 }',
    ),
  })
  .map(({ imports, last, before, after }) => {
    const written = imports.map(
      (one) => `import${one.gap}${one.pattern}${one.blank}${one.equals}${one.blank}${one.url.written}${one.semicolon}`,
    );
    const head = written.join(';');
    return {
      source: before + head + (written.length > 0 ? last : '') + after,
      urls: imports.map((one) => one.url.url),
    };
  });

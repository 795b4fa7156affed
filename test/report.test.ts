import { expect, test } from 'vitest';
import { actionKeyOf, digestOf } from '../src/cache/digest.ts';
import type { Failure, Outcome } from '../src/build/outcome.ts';
import { buildJson } from '../src/cli/json.ts';
import { isColoured, PLAIN } from '../src/cli/paint.ts';
import { failureText } from '../src/cli/failures.ts';
import { durationText, eventText, outcomeLine } from '../src/cli/report.ts';

const DONE = {
  canister: 'backend',
  waited: false,
  files: 'written',
  key: actionKeyOf('document'),
  durationMs: 12.4,
  compileMs: 4012,
  diagnostics: '',
  artifacts: { wasm: { path: '/out/backend.wasm', digest: digestOf('wasm'), sizeBytes: 4 } },
} as const;
const HIT = { ...DONE, outcome: 'hit', tier: 'local' } as const;
const BUILT = { ...DONE, outcome: 'built', cause: 'absent', stage: 'compile', durationMs: 4100 } as const;

test.each<[Outcome, string]>([
  [HIT, '  backend  hit: 12 ms, saves 4.0 s of compiling'],
  [{ ...HIT, files: 'unchanged' }, '  backend  hit, files up to date: 12 ms, saves 4.0 s of compiling'],
  [{ ...HIT, tier: 'ci' }, '  backend  hit from ci: 12 ms, saves 4.0 s of compiling'],
  [{ ...HIT, waited: true }, '  backend  hit, compiled by another build meanwhile: 12 ms, saves 4.0 s of compiling'],
  [BUILT, '  backend  compiled: 4.1 s (not in the cache before)'],
  [{ ...BUILT, cause: 'disabled' }, '  backend  compiled: 4.1 s (the cache is off)'],
  [{ ...BUILT, cause: 'uncacheable', uncacheable: 'flag --x' }, '  backend  compiled: 4.1 s (not cached: flag --x)'],
])('an outcome is one line: %#', (outcome, line) => {
  expect(outcomeLine(outcome, false, PLAIN)).toBe(line);
});

test('warnings are counted where they are not shown', () => {
  const diagnostics = 'a.mo:1.1-1.2: warning [M0194], unused\nb.mo:2.1-2.2: warning [M0145], partial\n';
  expect(outcomeLine({ ...HIT, diagnostics }, false, PLAIN)).toMatch(/, 2 warnings \(--verbose shows them\)$/);
  expect(outcomeLine({ ...HIT, diagnostics }, true, PLAIN)).not.toContain('warning');
});

test.each<[Failure, RegExp]>([
  [{ kind: 'main-missing', canister: 'a', path: 'src/a.mo' }, /^src\/a\.mo: no such file.*canister a/],
  [{ kind: 'bad-toml', file: '/p/mops.toml', line: 3, message: 'odd' }, /^\/p\/mops\.toml:3: /],
  [{ kind: 'unknown-canister', names: ['x'], known: ['a', 'b'] }, /"x"\nit has: a, b$/],
  [
    {
      kind: 'rejected',
      canister: 'a',
      exitCode: 2,
      stdout: '',
      stderr: 'src/Main.mo:1.1-1.2: type error [M0050]\n',
      missing: [{ importer: 'src/Main.mo', line: 3, target: './Lib' }],
    },
    /^src\/Main\.mo:1\.1-1\.2: type error \[M0050\]\nsrc\/Main\.mo:3: no file for ".\/Lib"\nmoc rejects a \(exit code 2\)$/,
  ],
])('a failure names the thing and the place: %#', (failure, text) => {
  expect(failureText(failure)).toMatch(text);
});

test('trouble with the cache is told even where nothing is to be told', () => {
  const event = { kind: 'tier-down', tier: 'local', doing: 'write', code: 'ENOSPC', message: 'no space' } as const;
  expect(eventText(event)).toEqual({
    loud: true,
    text: 'warning: the cache cannot be used (write: ENOSPC); building without it',
  });
  expect(eventText({ kind: 'compiled', canister: 'a', durationMs: 1 })).toBeUndefined();
});

test('a command line is told so that a shell would take it', () => {
  const command = ['/bin/moc', '-o', "it's here", 'src/a.mo'];
  expect(eventText({ kind: 'compiling', canister: 'a', command, lastMs: undefined })).toEqual({
    loud: false,
    text: `a: /bin/moc -o 'it'\\''s here' src/a.mo`,
  });
});

test.each([
  [0.4, '0 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [59_949, '59.9 s'],
  [59_999, '1 min 0 s'],
  [61_000, '1 min 1 s'],
  [119_999, '2 min 0 s'],
])('%f ms reads as %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test('the JSON document has the promised fields, whole milliseconds and no progress', () => {
  const started = { kind: 'canister-started', canister: 'backend' } as const;
  const note = { kind: 'note', text: 'hello' } as const;
  const document = JSON.parse(buildJson([HIT], [started, note], 41.3)) as Record<string, unknown>;
  expect(document).toEqual({
    schema: 1,
    ok: true,
    durationMs: 41,
    canisters: [{ ...HIT, durationMs: 12, compileMs: 4012 }],
    events: [note],
  });
});

test('a failure in the JSON document has its kind, its facts and the words for people', () => {
  const failure: Failure = { kind: 'no-main', file: '/p/mops.toml', canister: 'a' };
  const failed: Outcome = { outcome: 'failed', canister: 'a', failure, durationMs: 1.2 };
  const document = JSON.parse(buildJson([failed], [], 2)) as { ok: boolean; canisters: { failure: object }[] };
  expect(document.ok).toBe(false);
  expect(document.canisters[0]?.failure).toEqual({ ...failure, message: failureText(failure) });
});

test.each([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [false, { FORCE_COLOR: '1' }, true],
  [true, { FORCE_COLOR: '0' }, false],
  [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
])('on a terminal (%s) with %j colours are %s', (isTerminal, env, coloured) => {
  expect(isColoured(() => isTerminal, env)).toBe(coloured);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseActionKey } from '../src/cache/digest.ts';
import { openLocalStore } from '../src/cache/local-store.ts';
import type { Failure } from '../src/build/outcome.ts';
import { entryOf } from './rigs/cache-entries.ts';
import { scene, type RunOptions, type Scene } from './rigs/stand-in-project.ts';

type Differs = Extract<Failure, { kind: 'rebuild-differs' }>;

/** The stand-in with an order, built once. */
async function built(order: string): Promise<Scene> {
  const on = scene({ 'src/A.mo': `// stand-in: ${order}\nactor { }\n` });
  expect(await on.mops(['build'])).toMatchObject({ code: 0 });
  return on;
}

async function rebuild(on: Scene, options?: RunOptions): Promise<{ readonly text: string; readonly failure: Differs }> {
  const text = await on.mops(['build', '--rebuild'], options);
  expect(text.code).toBe(1);
  const json = await on.mops(['build', '--rebuild', '--json'], options);
  expect(json.code).toBe(1);
  const { canisters } = JSON.parse(json.stdout) as { canisters: readonly { readonly failure: Differs }[] };
  const failure = canisters[0]?.failure;
  if (failure === undefined) throw new Error('nothing failed');
  return { text: text.stderr, failure };
}

test.each([
  ['differ code', 'wasm', 'code section', []],
  ['differ custom', 'wasm', 'custom section "made-at"', []],
  ['random', 'wasm', 'custom section "stand-in"', ['most']],
])('a compiler told to %s: the first byte of the %s and its %s are named', async (order, artifact, section, others) => {
  const on = await built(order);
  const files = on.files();
  const { text, failure } = await rebuild(on);
  expect(failure).toMatchObject({
    kind: 'rebuild-differs',
    stage: 'compile',
    artifact,
    section,
    others,
    replaced: true,
  });
  expect(failure.offset - (failure.sectionOffset ?? 0)).toBe(startOf(section));
  expect(text).toMatch(/error: a: compiling again gave another wasm: it first differs at byte \d+, byte \d+ of its c/);
  expect(text).toContain(`of its ${section}${others.length === 0 ? '' : '; most differs too'}\n`);
  expect(text).toMatch(/\neither the compiler is not deterministic, or what was stored under [0-9a-f]{12} was wrong\n/);
  // What is said of the files and of the cache is so: the next build takes what was compiled last.
  expect(on.files()).toEqual(files);
  expect(on.starts()).toHaveLength(3);
  expect((await on.mops(['build'])).stderr).toContain('finished');
  expect(on.starts()).toHaveLength(3);
  expect(on.files()).not.toEqual(files);
});

/** Where the stand-in's sections begin: its mark, and after that what differs. */
function startOf(section: string): number {
  const mark = 8;
  const more = mark + 2 + 1 + 'stand-in'.length + 64;
  if (section === 'custom section "stand-in"') return mark;
  return section === 'code section' ? more + 6 + 4 : more;
}

test('of a .did that differs the lines are shown', async () => {
  const on = await built('differ did');
  const { text, failure } = await rebuild(on);
  expect(failure).toMatchObject({ stage: 'compile', artifact: 'did', section: 'line 2', others: [], replaced: true });
  expect(text).toMatch(
    /another did: it first differs at byte \d+, line 2\n {2}before: "\/\/ \w{16}"\n {2}now: {4}"\/\/ \w{16}"\n/,
  );
});

test('a cache that is only read keeps what it has, and that is said', async () => {
  const on = await built('differ code');
  const stored = on.files(on.store);
  const { text, failure } = await rebuild(on, { env: { MOCCACHE_READONLY: '1' } });
  expect(failure).toMatchObject({ artifact: 'wasm', replaced: false });
  expect(text).toContain('\nthe cache was left as it is, and so were the files in the output folder\n');
  expect(on.files(on.store)).toEqual(stored);
});

test('what follows the compiler is compared too', async () => {
  const on = scene();
  const { stdout } = await on.mops(['build', '--json']);
  const key = parseActionKey(/"key": "([0-9a-f]{64})"/.exec(stdout)?.[1]);
  if (key === undefined) throw new Error('no key');
  // As a wrong entry of an earlier time: whole, and with a wasm that is one byte off.
  const store = openLocalStore(on.store);
  const document = await store.readDocument(key);
  if (document.kind !== 'found') throw new Error('no document');
  const wasm = readFileSync(join(on.out, 'a.wasm'));
  const good = Uint8Array.from(wasm);
  wasm[wasm.length - 1] = (wasm.at(-1) ?? 0) ^ 1;
  await store.put(document.text, await entryOf(document.text, { wasm }));

  const end = await on.mops(['build', '--rebuild']);
  expect([end.code, end.stderr]).toEqual([1, expect.stringContaining('a: finishing again gave another wasm')]);
  expect(end.stderr).toContain(`at byte ${wasm.length - 1}, byte `);
  expect(end.stderr).toContain('either what follows the compiler is not deterministic');
  // The wrong entry is cured by that.
  expect((await on.mops(['build', '--rebuild'])).code).toBe(0);
  expect(Buffer.compare(readFileSync(join(on.out, 'a.wasm')), good)).toBe(0);
});

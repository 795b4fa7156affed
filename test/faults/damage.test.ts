import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  FILES,
  filledStore,
  rowsOf,
  type BuildJson,
  type Damage,
  type EntryFile,
  type Verdict,
} from '../rigs/faults-damage.ts';
import { TRIAL_STEP } from '../rigs/faults-scene.ts';
import { report, type Row } from '../rigs/report.ts';

// Another seed flips other bits, as often.
const SEED = Number(process.env.MOCCACHE_SEED ?? 20_260_401);
const random = randomFrom(SEED);

const rows: Row[] = [];
afterAll(() => report(`damage to stored files, as \`mops build\` meets it (seed ${SEED})`, rows));

function expectAllCured(verdicts: readonly Verdict[], count: number): void {
  rows.push(...rowsOf(verdicts));
  expect(verdicts).toHaveLength(count);
  const uncured = verdicts.filter(({ detected, healed, wrong }) => !detected || !healed || wrong);
  expect(uncured.map(({ damage, where }) => `${damage.group} (${where})`)).toEqual([]);
}

test('each bit of the first, the middle and the last byte of every stored file is noticed when it flips', async () => {
  const store = await filledStore();
  const damages = FILES.flatMap((file) =>
    Object.entries({ header: 0, body: 0.5, tail: 1 }).flatMap(([part, at]) =>
      Array.from({ length: 8 }, (_, bit): Damage => {
        const apply: Damage['apply'] = (good) => flip(good, Math.round(at * (good.length - 1)) * 8 + bit);
        return { group: `a bit of the ${part}: ${nameOf(file)}`, file, apply };
      }),
    ),
  );
  expectAllCured(await store.tryAll(damages), 192);
});

test('500 bits that flip anywhere are noticed', async () => {
  const store = await filledStore();
  const damages = FILES.flatMap((file) =>
    Array.from({ length: 63 }, (): Damage => ({ group: 'a bit anywhere', file, apply: flipAnywhere() })),
  );
  expectAllCured(await store.tryAll(damages), 504);
});

test('every file of an entry is noticed when it is cut off, at whatever length', async () => {
  const store = await filledStore();
  const first = Math.floor(random() * TRIAL_STEP);
  const damages = FILES.flatMap((file) => {
    const lengths = [...Array(store.sizeOf(file)).keys()].filter((length) => length % TRIAL_STEP === first);
    return lengths.map((length): Damage => {
      // A result that has fewer bytes is cut off by one more than once.
      const apply: Damage['apply'] = (good) => good.subarray(0, Math.min(length, good.length - 1));
      return { group: `cut off at one length in ${TRIAL_STEP}: ${nameOf(file)}`, file, apply };
    });
  });
  expectAllCured(await store.tryAll(damages), damages.length);
}, 600_000); // more than a thousand compiles, on a machine that has other things to do as well

const WAYS: Readonly<Record<string, Damage['apply']>> = {
  "with another canister's bytes": (_, { neighbour }) => neighbour,
  "with the other stage's bytes": (_, { twin }) => twin,
  empty: () => new Uint8Array(),
  'all zeros': (good) => new Uint8Array(good.length),
  'a byte too long': (good) => Buffer.concat([good, good.subarray(-1)]),
  missing: () => undefined,
};

test('a file that is swapped, empty or gone is noticed, and a result that names another key', async () => {
  const store = await filledStore();
  const damages = Object.entries(WAYS).flatMap(([way, apply]) => {
    const isSwap = way.startsWith('with ');
    const files = FILES.filter(({ what }) => way !== "with the other stage's bytes" || STAGES_SHARE.has(what));
    return files.map((file): Damage => {
      return { group: isSwap && file.what === 'result' ? 'a result that names another key' : way, file, apply };
    });
  });
  expectAllCured(await store.tryAll(damages), 44);
});

const STAGES_SHARE = new Set(['result', 'wasm']);

test('notes, stamps and the version may be damaged in any way: hits stay hits, and what is stored is', async () => {
  const store = await filledStore();
  const { on, right } = store;
  const hurtAll = (apply: (good: Uint8Array) => Uint8Array | undefined) => {
    const paths = Object.keys(on.files(on.store)).filter((path) => BESIDE.test(path));
    for (const path of paths.map((path) => join(on.store, path))) {
      const bad = apply(readFileSync(path));
      if (bad === undefined) rmSync(path);
      else writeFileSync(path, bad);
    }
    return paths.length;
  };
  const verdicts: Verdict[] = [];
  for (const apply of [
    (good: Uint8Array) => flip(good, 3),
    (good: Uint8Array) => flip(good, good.length * 4),
    (good: Uint8Array) => flip(good, good.length * 8 - 8),
    (good: Uint8Array) => good.subarray(0, good.length / 2),
    () => new Uint8Array(),
    () => undefined,
  ]) {
    expect(hurtAll(apply)).toBeGreaterThan(10);
    const build = await store.buildAnew();
    expect(build.events).toEqual([]);
    expect(build.canisters.filter(({ outcome }) => outcome !== 'hit')).toEqual([]);
    expect(on.files()).toEqual(right.hit.files);
    hurtAll(apply); // the version has been written anew
    const group = 'a bit anywhere, and all beside the entries damaged';
    const damages = FILES.filter(({ use }) => use === 'hit').map((file) => ({ group, file, apply: flipAnywhere() }));
    verdicts.push(...(await store.tryAll(damages)));
  }
  expectAllCured(verdicts, 6 * 7);
});

const BESIDE = /^(?:notes\/|stamps\/|version$)/;

test('damage that eight builds meet at once costs one compile for each damaged entry, and all get the right bytes', async () => {
  const store = await filledStore();
  const { on } = store;
  const roots = Array.from({ length: 8 }, (_, index) => join(on.base, `checkout ${index}`));
  for (const root of roots) cpSync(on.root, root, { recursive: true });
  const sums = { entries: 0, compiles: 0, wrong: 0 };
  for (const use of ['hit', 'edit', 'hit', 'edit'] as const) {
    const files = FILES.filter((file) => file.use === use);
    const all = (['compile', 'finish'] as const).flatMap((stage) =>
      eightOf(files.filter((file) => file.stage === stage)),
    );
    const hurts = store.hurt(all.map((file) => ({ group: '', file, apply: flipAnywhere() })));
    for (const root of roots) {
      store.turnTo(use, root);
      rmSync(join(root, '.mops/.build'), { recursive: true, force: true });
    }
    const ends = await Promise.all(roots.map((cwd) => on.mops(['build', '--json'], { cwd })));
    expect(ends.map(({ code }) => code)).toEqual(ends.map(() => 0));
    const told = ends.flatMap(({ stdout }) => (JSON.parse(stdout) as BuildJson).events);
    const keys = new Set(told.flatMap(({ kind, key }) => (kind === 'damaged' ? [key] : [])));
    expect(keys).toEqual(new Set(hurts.map(({ key }) => key)));
    const outputs = roots.map((root) => JSON.stringify(on.files(join(root, '.mops/.build'))));
    sums.wrong += outputs.filter((output) => output !== JSON.stringify(store.right[use].files)).length;
    const compiled = [...store.compiled()].sort();
    expect(compiled).toEqual(
      hurts.flatMap(({ canister, damage }) => (damage.file.stage === 'compile' ? canister : [])),
    );
    sums.entries += hurts.length;
    sums.compiles += compiled.length;
    store.turnTo('hit');
    expect((await store.buildAnew()).events).toEqual([]);
    expect(store.compiled()).toEqual([]);
  }
  expect(sums).toEqual({ entries: 48, compiles: 32, wrong: 0 });
  rows.push({
    what: 'a bit anywhere, met by 8 builds at once',
    found: `48 tried, 32 of a compile: ${sums.compiles} compiles, ${sums.wrong} with wrong bytes`,
    asked: '32, 0',
  });
});

function eightOf(files: readonly EntryFile[]): readonly EntryFile[] {
  return Array.from({ length: 8 }, () => files)
    .flat()
    .slice(0, 8);
}

function nameOf({ stage, what }: EntryFile): string {
  return STAGES_SHARE.has(what) ? `${what} of the ${stage}` : what;
}

function flipAnywhere(): Damage['apply'] {
  const at = random();
  return (good) => flip(good, Math.floor(at * good.length * 8));
}

function flip(good: Uint8Array, bit: number): Uint8Array {
  const bad = Uint8Array.from(good);
  bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return bad;
}

/** Numbers from 0 up to 1, always the same for a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

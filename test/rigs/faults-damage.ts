import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { loadChecksum } from '../../src/cache/checksum.ts';
import { parseResult, type ActionResult } from '../../src/cache/entry.ts';
import { blobFile } from './cache-entries.ts';
import type { Row } from './report.ts';
import { scene, sha256, tomlOf, type RunOptions, type Scene } from './stand-in-project.ts';

/** A kind of file in the store. Each canister has one of each, with bytes that no other canister has. */
export interface EntryFile {
  readonly stage: 'compile' | 'finish';
  /** An artifact, or `result`. Documents are tried in store-damage.test.ts: no hit reads them. */
  readonly what: string;
  /**
   * What makes a build read it: `hit`, every hit whose outputs are not there; `edit`, only an edit of initArg, when the
   * raw wasm is finished anew.
   */
  readonly use: 'hit' | 'edit';
}

export const FILES: readonly EntryFile[] = [
  ...['result', 'did', 'most', 'stdout', 'stderr'].map((what) => ({ stage: 'compile', what, use: 'hit' }) as const),
  { stage: 'compile', what: 'wasm', use: 'edit' },
  ...['result', 'wasm'].map((what) => ({ stage: 'finish', what, use: 'hit' }) as const),
];

/** Something done to one file. */
export interface Damage {
  /** The row of the report in which it counts. */
  readonly group: string;
  readonly file: EntryFile;
  /** What the file holds then; undefined: it is gone. */
  apply(good: Uint8Array, others: Others): Uint8Array | undefined;
}

/** The same file of the next canister, and of the other stage, which has no such file for every kind. */
export interface Others {
  readonly neighbour: Uint8Array;
  readonly twin: Uint8Array | undefined;
}

export interface Verdict {
  readonly damage: Damage;
  readonly where: string;
  readonly detected: boolean;
  readonly healed: boolean;
  /** Whether an output or a message of the compiler was not that of an undamaged store, in either of the two builds. */
  readonly wrong: boolean;
}

export interface FilledStore {
  readonly on: Scene;
  /** The most bytes that a file of the kind has; fewer only in a result, which names a time that is another each time. */
  readonly sizeOf: (file: EntryFile) => number;
  /** What is right, as it is and after an edit of initArg. */
  readonly right: Readonly<Record<EntryFile['use'], Right>>;
  /** Does each of the damages once, several at a time, builds, and builds again. */
  readonly tryAll: (damages: readonly Damage[]) => Promise<readonly Verdict[]>;
  /** Does damages that can be told apart, and no more: at most one to each entry of a canister. */
  readonly hurt: (damages: readonly Damage[]) => readonly Hurt[];
  /** Edits initArg, or takes the edit back and forgets what was made of it. */
  readonly turnTo: (use: EntryFile['use'], root?: string) => void;
  /** `build --json` without any outputs there. */
  readonly buildAnew: () => Promise<BuildJson>;
  /** The canisters that were compiled since the last call. */
  readonly compiled: () => readonly string[];
}

export interface Right {
  readonly files: Readonly<Record<string, string>>;
  readonly said: Readonly<Record<string, string>>;
}

/** A damage that was done. */
export interface Hurt {
  readonly damage: Damage;
  readonly canister: string;
  readonly key: string;
  readonly path: string;
  /** What it is called where it is set aside. */
  readonly name: string;
  readonly bad: Uint8Array | undefined;
}

interface CanisterJson {
  readonly canister: string;
  readonly outcome: string;
  readonly key: string;
  readonly compileKey: string;
  readonly diagnostics: string;
}

export interface BuildJson {
  readonly canisters: readonly CanisterJson[];
  readonly events: readonly { readonly kind: string; readonly key?: string; readonly what?: string }[];
}

/** Two damages each, one to an entry: as many as the store keeps of what it sets aside. */
const CANISTERS = Array.from({ length: 8 }, (_, index) => `c${index}`);

/** No compile takes ten seconds here. */
const COST_DIGITS = 4;

/** A store with both entries of each canister in it, and the knowledge of what is right. */
export async function filledStore(): Promise<FilledStore> {
  const on = scene({ 'mops.toml': tomlFor('hit'), ...Object.fromEntries(CANISTERS.map(sourceOf)) });
  const build = async (options?: RunOptions): Promise<BuildJson> => {
    const end = await on.mops(['build', '--json'], options);
    expect(end.code, end.stdout + end.stderr).toBe(0);
    return JSON.parse(end.stdout) as BuildJson;
  };
  const turnTo = (use: EntryFile['use'], root = on.root) => {
    writeFileSync(join(root, 'mops.toml'), tomlFor(use));
    if (use === 'hit') for (const { key } of edited.canisters) rmSync(resultFile(on, key), { force: true });
  };
  const buildAnew: FilledStore['buildAnew'] = () => {
    rmSync(on.out, { recursive: true, force: true });
    return build();
  };
  const rightOf = ({ canisters }: BuildJson): Right => ({
    files: on.files(),
    said: Object.fromEntries(canisters.map(({ canister, diagnostics }) => [canister, diagnostics])),
  });

  on.put({ 'mops.toml': tomlFor('edit') });
  const edited = await build({ env: { MOCCACHE_DIR: join(on.base, 'other-store') } });
  const rightEdited = rightOf(edited);
  turnTo('hit');
  const right = { hit: rightOf(await buildAnew()), edit: rightEdited };
  const results = await resultsOf(on, await buildAnew());

  let seen = on.starts().length;
  const store: FilledStore = {
    ...{ on, right, turnTo, buildAnew },
    sizeOf: (file) => {
      const [canister = ''] = CANISTERS;
      const size = readFileSync(placeOf(on, results, canister, file).path).length;
      const cost = `${results.get(canister)?.[file.stage].costMs ?? ''}`;
      return file.what === 'result' ? size - cost.length + COST_DIGITS : size;
    },
    hurt: (damages) => hurt(on, results, damages),
    tryAll: async (damages) => {
      const verdicts: Verdict[] = [];
      for (const round of roundsOf(damages)) verdicts.push(...(await tryRound(store, round)));
      const order = new Map(damages.map((damage, index) => [damage, index]));
      return verdicts.sort((a, b) => (order.get(a.damage) ?? 0) - (order.get(b.damage) ?? 0));
    },
    compiled: () => {
      const lines = readFileSync(on.env.COUNT_FILE ?? '', 'utf8')
        .trimEnd()
        .split('\n');
      return lines.slice(seen, (seen = lines.length)).flatMap((line) => /src\/(\w+)\.mo$/.exec(line)?.[1] ?? []);
    },
  };
  return store;
}

type Round = Readonly<Record<EntryFile['use'], readonly Damage[]>>;

/** As many at a time as can be told apart: for each use, one to each entry of each canister. */
function roundsOf(damages: readonly Damage[]): readonly Round[] {
  const partsOf = (use: EntryFile['use']) =>
    (['compile', 'finish'] as const).map((stage) =>
      damages.filter(({ file }) => file.use === use && file.stage === stage),
    );
  const parts = { edit: partsOf('edit'), hit: partsOf('hit') };
  const longest = Math.max(...[...parts.edit, ...parts.hit].map(({ length }) => length));
  return Array.from({ length: Math.ceil(longest / CANISTERS.length) }, (_, round) => {
    const take = (part: readonly Damage[]) => part.slice(round * CANISTERS.length, (round + 1) * CANISTERS.length);
    return { edit: parts.edit.flatMap(take), hit: parts.hit.flatMap(take) };
  });
}

async function tryRound(store: FilledStore, round: Round): Promise<readonly Verdict[]> {
  const { on, right, turnTo, buildAnew } = store;
  const met = [...(await meet(store, 'edit', round.edit)), ...(await meet(store, 'hit', round.hit))];
  turnTo('hit');
  store.compiled();

  const again = await buildAnew();
  expect(again.events).toEqual([]);
  expect(store.compiled()).toEqual([]);
  const wrong = wrongIn(on, again, right.hit);
  return met.map((one) => ({
    damage: one.damage,
    where: `${one.damage.file.stage} ${one.damage.file.what} of ${one.canister}`,
    detected: one.detected,
    healed: outcomeOf(again, one)?.outcome === 'hit' && isWhole(one),
    wrong: one.wrong || wrong.includes(one.canister),
  }));
}

/** Does the damages, and builds once. */
async function meet(store: FilledStore, use: EntryFile['use'], damages: readonly Damage[]): Promise<readonly Met[]> {
  const { on, right } = store;
  if (damages.length === 0) return [];
  rmSync(join(on.store, 'damaged'), { recursive: true, force: true });
  const hurts = store.hurt(damages);
  store.turnTo(use);
  const build = await store.buildAnew();
  const compiles = hurts.filter(({ damage }) => damage.file.stage === 'compile');
  expect([...store.compiled()].sort()).toEqual(compiles.map(({ canister }) => canister).sort());
  expect(build.events.filter((event) => !hurts.some((one) => isTold(event, one)))).toEqual([]);
  const wrong = wrongIn(on, build, right[use]);
  return hurts.map((one) => ({ ...one, detected: isDetected(on, one, build), wrong: wrong.includes(one.canister) }));
}

type Met = Hurt & Pick<Verdict, 'detected' | 'wrong'>;

/** Set aside as it was found, and told. What is gone cannot be set aside; it is there again. */
function isDetected(on: Scene, one: Hurt, build: BuildJson): boolean {
  const { bad } = one;
  if (bad !== undefined && !isSetAside(on, one, bad)) return false;
  if (bad === undefined) return outcomeOf(build, one)?.outcome === 'built' && isWhole(one);
  return build.events.filter((event) => isTold(event, one)).length === 1;
}

function isTold(event: BuildJson['events'][number], { key, damage }: Hurt): boolean {
  return event.kind === 'damaged' && event.key === key && event.what === damage.file.what;
}

function isSetAside(on: Scene, { name }: Hurt, bad: Uint8Array): boolean {
  const dir = join(on.store, 'damaged');
  if (!existsSync(dir)) return false;
  return readdirSync(dir).some((file) => file.endsWith(`-${name}`) && readFileSync(join(dir, file)).equals(bad));
}

/** A result is new each time it is written; that it gives a hit shows that it is whole. */
function isWhole({ path, name, damage }: Hurt): boolean {
  return existsSync(path) && (damage.file.what === 'result' || sha256(readFileSync(path)) === name);
}

function outcomeOf({ canisters }: BuildJson, { canister }: Hurt): CanisterJson | undefined {
  return canisters.find((outcome) => outcome.canister === canister);
}

/** The canister of each output, and of each compiler's message, that is not right. */
function wrongIn(on: Scene, build: BuildJson, right: Right): readonly string[] {
  const found = on.files();
  const paths = [...new Set([...Object.keys(found), ...Object.keys(right.files)])];
  const files = paths.filter((path) => found[path] !== right.files[path]);
  const said = build.canisters.filter(({ canister, diagnostics }) => diagnostics !== right.said[canister]);
  return [...files.map((path) => /^\.?(\w+)\./.exec(path)?.[1] ?? path), ...said.map(({ canister }) => canister)];
}

type Results = ReadonlyMap<string, Readonly<Record<EntryFile['stage'], ActionResult>>>;

async function resultsOf(on: Scene, { canisters }: BuildJson): Promise<Results> {
  const checksumOf = await loadChecksum();
  const read = (key: string): ActionResult => {
    const stored = parseResult(readFileSync(resultFile(on, key)), checksumOf);
    if (stored === undefined) throw new Error(`no result that can be read: ${key}`);
    return stored.result;
  };
  return new Map(
    canisters.map(({ canister, key, compileKey }) => [canister, { compile: read(compileKey), finish: read(key) }]),
  );
}

function hurt(on: Scene, results: Results, damages: readonly Damage[]): readonly Hurt[] {
  const taken: Record<EntryFile['stage'], number> = { compile: 0, finish: 0 };
  const hurts = damages.map((damage) => {
    const { file } = damage;
    const [canister = '', next = ''] = [0, 1].map((more) => CANISTERS[(taken[file.stage] + more) % CANISTERS.length]);
    taken[file.stage] += 1;
    const place = placeOf(on, results, canister, file);
    const twin = FILES.find(({ stage, what }) => stage !== file.stage && what === file.what);
    const bad = damage.apply(readFileSync(place.path), {
      neighbour: readFileSync(placeOf(on, results, next, file).path),
      twin: twin === undefined ? undefined : readFileSync(placeOf(on, results, canister, twin).path),
    });
    return { damage, canister, ...place, bad };
  });
  // Only when all are read: some damages are the bytes of others.
  for (const { path, bad } of hurts) {
    if (bad === undefined) rmSync(path);
    else writeFileSync(path, bad);
  }
  return hurts;
}

function placeOf(on: Scene, results: Results, canister: string, file: EntryFile): Pick<Hurt, 'key' | 'path' | 'name'> {
  const result = results.get(canister)?.[file.stage];
  if (result === undefined) throw new Error(`no canister ${canister}`);
  const { key } = result;
  if (file.what === 'result') return { key, path: resultFile(on, key), name: `${key}-result` };
  const ref = result.artifacts[file.what];
  if (ref === undefined) throw new Error(`no ${file.what} in ${key}`);
  return { key, path: blobFile(on.store, ref.digest), name: ref.digest };
}

function resultFile(on: Scene, key: string): string {
  return join(on.store, 'ac', key.slice(0, 2), key);
}

/** Every canister has a .did, a warning and a line on stdout of its own, so that no two share a blob. */
function sourceOf(name: string): [string, string] {
  const lines = [`// did: service : { ${name} : () -> () }`, `// stand-in: warn ${name}`, `// stand-in: print ${name}`];
  return [`src/${name}.mo`, ['import Lib "./Lib";', ...lines, 'actor { }', ''].join('\n')];
}

function tomlFor(use: EntryFile['use']): string {
  const tables = CANISTERS.map((name) =>
    [`[canisters.${name}]`, `main = "src/${name}.mo"`, ...(use === 'edit' ? [`initArg = '(1)'`] : [])].join('\n'),
  );
  return tomlOf({}, tables.join('\n'));
}

/** One row for each group, in the order in which they were first met. */
export function rowsOf(verdicts: readonly Verdict[]): readonly Row[] {
  const groups = [...new Set(verdicts.map(({ damage }) => damage.group))];
  return groups.map((group) => {
    const tried = verdicts.filter(({ damage }) => damage.group === group);
    const count = (what: 'detected' | 'healed' | 'wrong') => tried.filter((verdict) => verdict[what]).length;
    const found = `${tried.length} tried: ${count('detected')} detected, ${count('healed')} healed`;
    return { what: group, found: `${found}, ${count('wrong')} with wrong bytes`, asked: 'all, all, 0' };
  });
}

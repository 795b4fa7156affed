import { actionKeyOf, digestOf, type ActionKey, type Digest } from '../cache/digest.ts';
import type { Closure } from './closure.ts';
import type { ArtifactName } from './outcome.ts';
import type { Package } from './packages.ts';

/** Which compiler runs. The digest decides; name and version are there for whoever reads the document. */
export interface CompilerIdentity {
  readonly name: string;
  readonly version: string;
  readonly digest: Digest;
}

/** The complete description of one run of the compiler. */
export interface CompileAction {
  readonly compiler: CompilerIdentity;
  readonly main: string;
  /** Every flag in the order given: the compiler may care, and splitting or joining one is another fact. */
  readonly flags: readonly string[];
  /** The `MOC_*` variables that are set. */
  readonly environment: Readonly<Record<string, string>>;
  readonly packages: readonly Package[];
  readonly closure: Pick<Closure, 'inputs' | 'absent' | 'listings'>;
  readonly outputs: readonly ArtifactName[];
  /** The base name of the output, where the compiler writes it into the output (`--map`), else undefined. */
  readonly outputName?: string | undefined;
}

/** The complete description of what is done to the compiler's wasm: candid check, then metadata sections. */
export interface FinishAction {
  /** What the compiler made, by digest: the compile's own key does not matter, so equal bytes share a finish. */
  readonly wasm: Digest;
  readonly did: Digest;
  /** The configured Candid file, which the generated one must be compatible with. */
  readonly candid?: Digest | undefined;
  /** Custom sections, in the order in which they are added. */
  readonly metadata: readonly { readonly name: string; readonly data: string }[];
  readonly finisher: CompilerIdentity;
}

/** The complete description of what is done to the finished wasm where mops.toml has `[optimize]`. */
export interface OptimizeAction {
  /** The finished wasm: whatever made it, equal bytes share a run. */
  readonly wasm: Digest;
  readonly optimizer: CompilerIdentity;
  /** As they are given to it, but for the names of the files. */
  readonly flags: readonly string[];
  /** The variables that it may read. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The complete description of an analysis of the wasm that is deployed. */
export interface ComplexityAction {
  readonly wasm: Digest;
  readonly analyser: CompilerIdentity;
}

/** The complete description of one call of the compiler by another program, with that program's own arguments. */
export interface CallAction {
  readonly compiler: CompilerIdentity;
  /** As given, but for the path of the output. */
  readonly args: readonly string[];
  /** The `MOC_*` variables that are set. */
  readonly environment: Readonly<Record<string, string>>;
  readonly closure: Pick<Closure, 'inputs' | 'absent' | 'listings'>;
}

/** A document and the key that is its digest. */
export interface Keyed {
  readonly document: string;
  readonly key: ActionKey;
}

/*
 * document = row*
 * row      = JSON array of a name and its facts, then "\n"
 *
 * Rows are ordered by hand; rows of one name are sorted by code unit where their order means nothing. Nothing of this
 * machine is in a row: no absolute path but one that the project itself names, no time, no user (invariant 3).
 * Whoever adds an influence on the output adds a row (invariant 1); whoever changes what a row means raises FORMAT.
 */
const FORMAT = 1;

export function keyOfCompile(action: CompileAction): Keyed {
  return keyed([
    ['format', FORMAT],
    ['stage', 'compile'],
    ['compiler', action.compiler.name, action.compiler.version, action.compiler.digest],
    ['main', action.main],
    ['flags', ...action.flags],
    ...sorted(Object.entries(action.environment).map(([name, value]) => ['env', name, value])),
    ...sorted(action.packages.map(({ name, dir }) => ['package', name, dir])),
    ...sorted(action.closure.inputs.map(({ path, digest }) => ['input', path, digest])),
    ...sorted(action.closure.absent.map((path) => ['absent', path])),
    ...sorted(action.closure.listings.map(({ dir, names }) => ['listing', dir, ...names])),
    ...(action.outputName === undefined ? [] : [['output-name', action.outputName]]),
    ['outputs', ...[...action.outputs].sort(byCodeUnit)],
  ]);
}

export function keyOfFinish(action: FinishAction): Keyed {
  return keyed([
    ['format', FORMAT],
    ['stage', 'finish'],
    ['wasm', action.wasm],
    ['did', action.did],
    ...(action.candid === undefined ? [] : [['candid', action.candid]]),
    ...action.metadata.map(({ name, data }) => ['metadata', name, digestOf(data)]),
    ['finisher', action.finisher.name, action.finisher.version, action.finisher.digest],
    ['outputs', 'wasm'],
  ]);
}

export function keyOfOptimize(action: OptimizeAction): Keyed {
  return keyed([
    ['format', FORMAT],
    ['stage', 'optimize'],
    ['wasm', action.wasm],
    ['optimizer', action.optimizer.name, action.optimizer.version, action.optimizer.digest],
    ['optimizer-flags', ...action.flags],
    ...sorted(Object.entries(action.environment).map(([name, value]) => ['env', name, value])),
    ['outputs', 'wasm'],
  ]);
}

export function keyOfComplexity({ wasm, analyser }: ComplexityAction): Keyed {
  return keyed([
    ['format', FORMAT],
    ['stage', 'complexity'],
    ['wasm', wasm],
    ['analyser', analyser.name, analyser.version, analyser.digest],
    ['outputs', 'complexity'],
  ]);
}

export function keyOfCall(action: CallAction): Keyed {
  return keyed([
    ['format', FORMAT],
    ['stage', 'call'],
    ['compiler', action.compiler.name, action.compiler.version, action.compiler.digest],
    ['args', ...action.args],
    ...sorted(Object.entries(action.environment).map(([name, value]) => ['env', name, value])),
    ...sorted(action.closure.inputs.map(({ path, digest }) => ['input', path, digest])),
    ...sorted(action.closure.absent.map((path) => ['absent', path])),
    ...sorted(action.closure.listings.map(({ dir, names }) => ['listing', dir, ...names])),
  ]);
}

/** Code-unit order. localeCompare would let the user's locale choose the key. */
function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

type Row = readonly (string | number)[];

function keyed(rows: readonly Row[]): Keyed {
  const document = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  return { document, key: actionKeyOf(document) };
}

function sorted(rows: readonly Row[]): Row[] {
  return rows
    .map((row) => ({ row, text: JSON.stringify(row) }))
    .sort((a, b) => byCodeUnit(a.text, b.text))
    .map(({ row }) => row);
}

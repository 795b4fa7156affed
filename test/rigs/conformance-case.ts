import type { DeviationId } from './conformance-deviations.ts';
import type { Files, Step } from './conformance-scene.ts';

/** One behaviour of upstream's build or cache command, tried in the same surroundings through both. */
export interface Case {
  /** The section of upstream's contract that it is from, and what is so. */
  readonly title: string;
  /** Beside a canister `a` in src/A.mo, compiled by the stand-in. */
  readonly files?: Files;
  /** Default: `build`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly from?: string;
  /** Commands before that one, and what changes between them and it. */
  readonly before?: readonly Step[];
  readonly change?: Files;
  /** Options that only ours gets. */
  readonly ours?: readonly string[];
  /** What both tell of, in whatever words. */
  readonly says?: readonly string[];
  /** What neither tells of. */
  readonly silentOf?: readonly string[];
  /** The beginnings of the lines that differ, by what explains them. All of them have to. */
  readonly differs?: Readonly<Partial<Record<DeviationId, readonly string[]>>>;
  /** What upstream 3 does otherwise than 2.9, which is what runs here: a line of 2.9's to a line, or to none. */
  readonly since3?: Readonly<Record<string, string | undefined>>;
}

/** A behaviour that only upstream 3 has: what it is, from the contract, rather than from a run. */
export type FactCase = Omit<Case, 'since3'> & {
  /** All lines of the observation, digests left out. */
  readonly facts: readonly string[];
};

/** A mops.toml with the stand-in as compiler and the given sections, after which the canisters come. */
export function toml(more = '', canisters = 'a = "src/A.mo"'): string {
  return ['[toolchain]', 'moc = "./moc"', '', '[canisters]', canisters, more, ''].join('\n');
}

/** A canister of more than a main file. */
export function tomlWith(rows: readonly string[], more = ''): string {
  return ['[toolchain]', 'moc = "./moc"', '', '[canisters.a]', 'main = "src/A.mo"', ...rows, more, ''].join('\n');
}

export const BASE_FILES: Files = {
  'mops.toml': toml(),
  'src/A.mo': 'import Lib "./Lib";\nactor { }\n',
  'src/Lib.mo': 'module { }\n',
};

/** Differences where upstream has made its folder, and the marker of its lock, by the time it fails. */
export const FOLDERS = ['- new project/.mops/ ', '- new project/.mops/.build/ '];
export const MARKED = [...FOLDERS, '- new project/.mops/.build/.a.buildlock '];

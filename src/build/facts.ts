import { remember } from './sources.ts';
import { withoutStagedEnds } from './staged-name.ts';

/** A program that took part: its name, version, and the digest of what it is made of. */
export interface Program {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
}

/** A document of any stage, read back. What a stage has not is empty or undefined. Maps are by name, path or folder. */
export interface Facts {
  readonly compiler: Program | undefined;
  readonly flags: readonly string[];
  readonly main: string | undefined;
  readonly variables: ReadonlyMap<string, string>;
  /** Names to folders. */
  readonly packages: ReadonlyMap<string, string>;
  /** Paths to digests. */
  readonly inputs: ReadonlyMap<string, string>;
  readonly absent: ReadonlySet<string>;
  readonly listings: ReadonlyMap<string, readonly string[]>;
  readonly outputs: readonly string[];
  readonly outputName: string | undefined;
  readonly candid: string | undefined;
  readonly metadata: ReadonlyMap<string, string>;
  readonly finisher: Program | undefined;
  readonly optimizer: Program | undefined;
  readonly optimizerFlags: readonly string[];
  /** Rows that this version does not know, and the format: by their name. */
  readonly others: ReadonlyMap<string, string>;
}

/**
 * Reads a document that action.ts wrote, or a newer version of it. A line that is no row is skipped, and folders of staged
 * migrations have the same name whatever is in them.
 */
export function factsOf(document: string): Facts {
  const rows = new Map<string, (readonly string[])[]>();
  for (const line of withoutStagedEnds(document).split('\n')) {
    const [name, ...facts] = parseRow(line);
    if (name !== undefined) remember(rows, name, () => []).push(facts);
  }
  const all = (name: string) => rows.get(name) ?? [];
  const first = (name: string) => all(name)[0];
  const pairs = (name: string) => new Map(all(name).map(([key = '', value = '']) => [key, value]));
  return {
    compiler: programOf(first('compiler')),
    flags: first('flags') ?? [],
    main: first('main')?.[0],
    variables: pairs('env'),
    packages: pairs('package'),
    inputs: pairs('input'),
    absent: new Set(all('absent').map(([path = '']) => path)),
    listings: new Map(all('listing').map(([dir = '', ...names]) => [dir, names])),
    outputs: first('outputs') ?? [],
    outputName: first('output-name')?.[0],
    candid: first('candid')?.[0],
    metadata: pairs('metadata'),
    finisher: programOf(first('finisher')),
    optimizer: programOf(first('optimizer')),
    optimizerFlags: first('optimizer-flags') ?? [],
    others: new Map([...rows].filter(([name]) => !KNOWN.has(name)).map(([name, of]) => [name, JSON.stringify(of)])),
  };
}

/** The steps of a build that have a document each, in their order. */
export type StageName = 'compile' | 'finish' | 'optimize';

/** Which of them a document describes; undefined for anything else. */
export function stageOf(document: string): StageName | undefined {
  const row = document
    .split('\n')
    .map(parseRow)
    .find(([name]) => name === 'stage');
  return STAGES.find((name) => name === row?.[1]);
}

const STAGES: readonly StageName[] = ['compile', 'finish', 'optimize'];

/** `wasm` and `did` are what the stage before made: a consequence of all else. */
const KNOWN = new Set(
  (
    'stage compiler main flags env package input absent listing outputs output-name ' +
    'wasm did candid metadata finisher optimizer optimizer-flags'
  ).split(' '),
);

function programOf(row: readonly string[] | undefined): Program | undefined {
  if (row === undefined) return undefined;
  const [name = '', version = '', digest = ''] = row;
  return { name, version, digest };
}

function parseRow(line: string): readonly string[] {
  try {
    const row: unknown = JSON.parse(line);
    return Array.isArray(row) ? row.map(String) : [];
  } catch {
    return [];
  }
}

import { factsOf, type Facts, type Program } from '../build/facts.ts';
import type { InspectedArtifact, Inspection } from '../build/inspect.ts';
import { ageText, sizeText } from './quantities.ts';
import { durationText, type Paint } from './report.ts';

/** What a key stands for: whose it is, what went in, what came out, when. Long lists end early, and say so. */
export function inspectionText(inspected: Inspection, nowMs: number, paint: Paint): string {
  const { key, document, artifacts, costMs, createdMs, lastUsedMs } = inspected;
  const ago = (ms: number) => `${ageText(Math.max(0, nowMs - ms))} ago`;
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['stage', [stageText(inspected)]],
    ...projectSections(inspected),
    ...(document === undefined ? [] : factSections(factsOf(document), paint)),
    ['from', madeLines(document ?? '', paint)],
    ['gave', artifactLines(artifacts, paint)],
    ['made', [`${ago(createdMs)} (${dateText(createdMs)}), in ${durationText(costMs)}`]],
    ['last used', [ago(lastUsedMs)]],
  ];
  const lines = sections
    .filter(([, values]) => values.length > 0)
    .flatMap(([name, values]) =>
      values.map((value, index) => `  ${paint.dim((index === 0 ? name : '').padEnd(NAME_WIDTH))}${value}`),
    );
  return `${[paint.bold(key), ...lines].join('\n')}\n`;
}

const NAME_WIDTH = 13;
const MOST_FILES = 40;

function stageText({ stage, document }: Inspection): string {
  if (stage === 'compile') return 'compile: the run of the compiler';
  if (stage === 'optimize') return 'optimize: what wasm-opt makes of the finished wasm';
  if (stage === 'finish') return "finish: what is done to the compiler's wasm";
  if (document?.includes('\n["stage","call"]\n') === true) return 'call: a run of the compiler through moccache-moc';
  if (document?.includes('\n["stage","complexity"]\n') === true) return 'complexity: the check of a wasm (check-wasm)';
  return document === undefined ? 'unknown: its document is damaged or gone' : 'unknown to this version';
}

function projectSections({ key, record }: Inspection): readonly (readonly [string, readonly string[]])[] {
  if (record === undefined) return [];
  const { canister, project, compileKey } = record;
  const [relation, other] = compileKey === key ? ['finish', record.key] : ['compile', compileKey];
  return [
    ['canister', [`${canister}, last built in ${project}`]],
    ['its ' + relation, other === undefined || other === key ? [] : [other]],
  ];
}

function factSections(facts: Facts, paint: Paint): readonly (readonly [string, readonly string[]])[] {
  const {
    compiler,
    finisher,
    optimizer,
    optimizerFlags,
    main,
    flags,
    variables,
    packages,
    inputs,
    absent,
    listings,
    candid,
    metadata,
  } = facts;
  const digested = (of: ReadonlyMap<string, string>) =>
    [...of].map(([name, digest]) => `${paint.dim(digest.slice(0, SHORT))}  ${name}`);
  return [
    ['compiler', compiler === undefined ? [] : [programText(compiler)]],
    ['finisher', finisher === undefined ? [] : [programText(finisher)]],
    ['optimizer', optimizer === undefined ? [] : [[programText(optimizer), ...optimizerFlags].join(' ')]],
    ['main', main === undefined ? [] : [main]],
    ['flags', flags.length === 0 ? [] : [flags.join(' ')]],
    ['variables', [...variables].map(([name, value]) => `${name}=${value}`)],
    ['packages', [...packages].map(([name, dir]) => `${name} in ${dir}`)],
    ['files', shortened(digested(inputs))],
    ['not there', absent.size === 0 ? [] : [`${absent.size} paths that were looked for in vain (--json lists them)`]],
    ['folders', [...listings].map(([dir, names]) => `${dir}: ${names.length} names`)],
    ['candid', candid === undefined ? [] : [candid.slice(0, SHORT)]],
    ['metadata', digested(metadata)],
  ];
}

/** What the compiler made, which a finish starts from. */
function madeLines(document: string, paint: Paint): readonly string[] {
  const rows = document.matchAll(/^\["(wasm|did)","([0-9a-f]{64})"\]$/gm);
  return [...rows].map(([, name = '', digest = '']) => `${paint.dim(digest.slice(0, SHORT))}  the compiler's ${name}`);
}

const SHORT = 12;

function programText({ name, version, digest }: Program): string {
  return `${[name, version].filter((part) => part !== '').join(' ')} (${digest.slice(0, SHORT)})`;
}

function artifactLines(artifacts: readonly InspectedArtifact[], paint: Paint): readonly string[] {
  const rows = artifacts.map(({ name, sizeBytes }) => [name, sizeText(sizeBytes)] as const);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column as 0 | 1].length)));
  return artifacts.map(({ name, sizeBytes, digest, bytes }) => {
    const trouble = bytes === 'whole' ? '' : `  ${paint.red(bytes)}`;
    return `${name.padEnd(widths[0] ?? 0)}  ${sizeText(sizeBytes).padStart(widths[1] ?? 0)}  ${paint.dim(digest)}${trouble}`;
  });
}

function shortened(lines: readonly string[]): readonly string[] {
  if (lines.length <= MOST_FILES) return lines;
  return [...lines.slice(0, MOST_FILES - 1), `and ${lines.length - MOST_FILES + 1} files more: --json has them all`];
}

function dateText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ') + ' UTC';
}

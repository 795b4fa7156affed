import type { Change, Explanation } from '../build/explain.ts';
import type { CanisterExplanation, Next } from '../build/explain-canister.ts';
import type { KeySide, KeysExplanation } from '../build/explain-keys.ts';
import type { HistoryRecord } from '../build/history.ts';
import { changeText } from './change-text.ts';
import { ageText } from './quantities.ts';
import { durationText, type Paint } from './report.ts';

/** An explanation as lines: one for each change, causes first. Long lists of files end early, and say so. */
export function explanationLines(explanation: Explanation): readonly string[] {
  switch (explanation.kind) {
    case 'first':
      return ['no earlier build of it is known here'];
    case 'gone':
      return [`what its last build${placeOf(explanation)} was made of is no longer in the cache`];
    case 'same':
      return [`nothing has changed since its last build${placeOf(explanation)}`];
    case 'changed': {
      const { project } = explanation.since;
      const lines = changeLines(explanation.changes);
      return project === undefined ? lines : [`compared with the build of its name in ${project}:`, ...lines];
    }
  }
}

function placeOf({ since: { project } }: Extract<Explanation, { readonly since: object }>): string {
  return project === undefined ? '' : ` (in ${project})`;
}

/** Changes as lines. Paths that are looked for in vain follow from other changes, and are named only where there are none. */
export function changeLines(changes: readonly Change[]): readonly string[] {
  const causes = changes.filter(({ kind }) => kind !== 'path-sought' && kind !== 'path-not-sought');
  const told = causes.length > 0 ? causes : changes;
  const isOfFile = ({ kind }: Change) => kind.startsWith('file-') || kind.startsWith('path-');
  const files = told.filter(isOfFile);
  const last = files.length > MOST_FILES ? files[MOST_FILES - 1] : undefined;
  const left = new Set(last === undefined ? [] : files.slice(MOST_FILES));
  return told.flatMap((change) => {
    if (left.has(change)) return [];
    return change === last
      ? [changeText(change), `and ${left.size} files more: --json has them all`]
      : [changeText(change)];
  });
}

const MOST_FILES = 12;

/** What the next build will do and why, and why the last one did what it did. */
export function canisterText(explained: CanisterExplanation, nowMs: number, paint: Paint): string {
  const { canister, next, latest, made } = explained;
  const lines = [`${paint.bold(canister)}: ${nextText(next)}`];
  if (next.answer !== 'uncacheable' && next.explanation.kind === 'changed') {
    lines.push(...explanationLines(next.explanation).map(indent));
  }
  const ago = ({ atMs }: HistoryRecord) => `${ageText(Math.max(0, nowMs - atMs))} ago`;
  if (latest?.outcome === 'failed') {
    lines.push('', `its last build here failed, ${ago(latest)} (${latest.failure ?? 'unknown'})`);
  }
  if (made !== undefined) {
    const { record, explanation } = made;
    const what = record.stage === 'finish' ? 'finished' : record.stage === 'optimize' ? 'optimized' : 'compiled';
    lines.push(
      '',
      `it was last ${what} here ${ago(record)}, in ${durationText(record.durationMs)}: ${causeText(record)}`,
    );
    if (explanation !== undefined) lines.push(...explanationLines(explanation).map(indent));
  }
  return `${lines.join('\n')}\n`;
}

function nextText(next: Next): string {
  if (next.answer === 'uncacheable') {
    const does = next.stage === 'optimize' ? 'runs wasm-opt on it' : 'compiles it';
    return `every build ${does}, for it cannot be cached: ${next.uncacheable}`;
  }
  const will = {
    hit: 'the next build is a hit',
    finish: 'the next build runs no compiler, only what follows it',
    optimize: 'the next build runs no compiler, only wasm-opt',
    compile: 'the next build compiles it',
  }[next.answer];
  switch (next.explanation.kind) {
    case 'first':
      return next.answer === 'hit'
        ? `${will}; it was not built here before`
        : `${will}; no earlier build of it is known on this machine, so there is nothing to compare with`;
    case 'gone':
      return `${will}; what its last build was made of is no longer in the cache, so there is nothing to compare with`;
    case 'same':
      return next.answer === 'hit'
        ? `${will}; nothing has changed since its last build`
        : `${will}; nothing has changed since its last build, but the result is no longer in the cache`;
    case 'changed':
      return next.answer === 'hit'
        ? `${will}; since its last build this has changed, but the cache has it like this already`
        : `${will}; since its last build this has changed`;
  }
}

function causeText({ cause, uncacheable }: HistoryRecord): string {
  switch (cause) {
    case 'absent':
      return 'it was not in the cache';
    case 'damaged':
      return 'the cached copy was damaged';
    case 'incomplete':
      return 'a part of the cached copy was gone';
    case 'forced':
      return 'as asked, with --rebuild';
    case 'disabled':
      return 'the cache could not be used';
    case 'uncacheable':
      return `it could not be cached: ${uncacheable ?? 'not fully understood'}`;
    default:
      return cause ?? 'unknown';
  }
}

/** What changed from one key to the other. */
export function keysText(explained: Extract<KeysExplanation, { kind: 'compared' }>, paint: Paint): string {
  const { sides, compiles, changes } = explained;
  const lines = [...sides.map((side, index) => `${index === 0 ? 'from' : 'to  '} ${sideText(side, paint)}`), ''];
  if (!compiles) lines.push('which compiles these followed is not known; only what was done after them is compared');
  if (changes.length === 0) lines.push('no difference');
  return `${[...lines, ...changeLines(changes)].join('\n')}\n`;
}

function sideText({ key, stage, record }: KeySide, paint: Paint): string {
  const built = record === undefined ? '' : `, ${record.canister} in ${record.project}`;
  return `${paint.bold(key.slice(0, 12))} (${stage}${built})`;
}

function indent(line: string): string {
  return `    ${line}`;
}

import type { ActionKey } from '../cache/digest.ts';
import type { StoreProblem } from '../cache/store-problem.ts';
import type { Verification } from '../cache/verify.ts';
import { sizeText } from './quantities.ts';
import { countText, durationText, type Paint } from './report.ts';

/** What was checked, what is wrong, and what becomes of it. `names` are the canisters that keys are known to be of. */
export function verificationText(
  verification: Verification,
  names: ReadonlyMap<ActionKey, string>,
  durationMs: number,
  paint: Paint,
): string {
  const { results, blobs, readBytes, orphans, problems } = verification;
  const checked = `${countText(results, 'result')} and ${countText(blobs, 'blob')}, ${sizeText(readBytes)}`;
  const lines = [`checked ${checked}: ${durationText(durationMs)}`];
  if (orphans.blobs > 0) {
    lines.push(
      paint.dim(
        `${countText(orphans.blobs, 'blob')}, ${sizeText(orphans.sizeBytes)}, belong${orphans.blobs === 1 ? 's' : ''} to no result any more, or to none yet`,
      ),
    );
  }
  if (problems.length === 0) return `${[...lines, paint.green('no damage found')].join('\n')}\n`;
  lines.push('', ...problems.map((problem) => `${problemText(problem, names)}: ${doneText(problem)}`), '');
  const isLeft = problems.some(({ done }) => done === 'left');
  lines.push(paint.red(`${countText(problems.length, 'problem')} found`));
  if (isLeft) lines.push('what was left where it is counts as not cached; nothing damaged is ever used');
  else lines.push('the next builds make anew what they need of it');
  return `${lines.join('\n')}\n`;
}

function problemText(problem: StoreProblem, names: ReadonlyMap<ActionKey, string>): string {
  switch (problem.kind) {
    case 'damaged-blob':
      return `blob ${short(problem.digest)} has other bytes than its name says`;
    case 'damaged-result':
      return `result ${named(problem.key, names)} ${WHY[problem.why]}`;
    case 'incomplete-result':
      return `result ${named(problem.key, names)} lacks its ${problem.what}, blob ${short(problem.digest)}`;
    case 'unreadable':
      return `${problem.path} cannot be read (${problem.code})`;
  }
}

const WHY: Readonly<Record<Extract<StoreProblem, { kind: 'damaged-result' }>['why'], string>> = {
  torn: 'is not as it was written',
  'other-key': 'is of another key',
  'other-document': 'names a document that is not that of its key',
  'other-bytes': 'names a blob with another size or checksum than it has',
};

function doneText({ done }: StoreProblem): string {
  return { 'set-aside': 'set aside', removed: 'removed', left: 'left where it is' }[done];
}

function named(key: ActionKey, names: ReadonlyMap<ActionKey, string>): string {
  const name = names.get(key);
  return name === undefined ? short(key) : `${short(key)} (${name})`;
}

function short(digest: string): string {
  return digest.slice(0, 12);
}

import type { Change } from '../build/explain.ts';
import type { Program } from '../build/facts.ts';
import { countText } from './report.ts';

/** `thing: what became of it`. */
export function changeText(change: Change): string {
  switch (change.kind) {
    case 'compiler':
    case 'finisher':
    case 'optimizer':
      return programText(change.kind, change.before, change.after);
    case 'flags':
    case 'optimizer-flags':
      return flagsText(change);
    case 'main':
      return `main: ${fromTo(change.before, change.after)}`;
    case 'variable':
      return `variable ${change.name}: ${becameText(change, (value) => JSON.stringify(value))}`;
    case 'package':
      return packageText(change);
    case 'file-edited':
      return `${change.path}: edited (${short(change.before)} to ${short(change.after)})${chainText(change.chain)}`;
    case 'file-added':
      return `${change.path}: added${change.sought ? ', where there was none before' : ''} (${short(change.after)})${chainText(change.chain)}`;
    case 'file-removed':
      return `${change.path}: ${change.sought ? 'deleted' : 'no longer used'} (${short(change.before)})${chainText(change.chain)}`;
    case 'file-moved':
      return `${change.path}: moved here from ${change.from} (${short(change.after)})${chainText(change.chain)}`;
    case 'path-sought':
      return `${change.path}: looked for now, and not there`;
    case 'path-not-sought':
      return `${change.path}: no longer looked for`;
    case 'folder':
      return `folder ${change.dir}: ${moreOrLess(change)}`;
    case 'outputs':
      return `outputs: ${moreOrLess(change)}`;
    case 'output-name':
      return `name in the source map: ${fromTo(change.before, change.after)}`;
    case 'candid':
      return `candid file: ${becameText(change, short)}`;
    case 'init-arg':
      return `initArg: ${becameText(change, short)}`;
    case 'metadata':
      return `metadata ${change.name}: ${becameText(change, short)}`;
    case 'other':
      return `${change.row}: ${becameText(change, (value) => value)}`;
  }
}

function programText(
  role: 'compiler' | 'finisher' | 'optimizer',
  before: Program | undefined,
  after: Program | undefined,
): string {
  if (before === undefined || after === undefined) return `${role}: ${fromTo(before?.name, after?.name)}`;
  if (before.name !== after.name || before.version !== after.version) {
    return `${role}: ${nameOf(before)} to ${nameOf(after)}`;
  }
  const digests = `(${short(before.digest)} to ${short(after.digest)})`;
  return `${role}: ${nameOf(after)} as before, but with other bytes ${digests}`;
}

/** A compiler that is pinned by its path may have no version. */
function nameOf({ name, version }: Program): string {
  return version === '' ? name : `${name} ${version}`;
}

function flagsText({ kind, added, removed, after }: Extract<Change, { kind: 'flags' | 'optimizer-flags' }>): string {
  const what = kind === 'flags' ? 'flags' : 'flags of the optimizer';
  if (added.length + removed.length === 0) return `${what}: in another order, now ${after.join(' ')}`;
  return `${what}: ${moreOrLess({ added, removed })}`;
}

function packageText({ name, before, after, files }: Extract<Change, { kind: 'package' }>): string {
  const read = (count: number) => (count === 0 ? 'no file of it is read' : `${countText(count, 'file')} of it read`);
  if (before === undefined) return `package ${name}: added, ${after ?? ''} (${read(files.after)})`;
  if (after === undefined) return `package ${name}: removed, ${before} (${read(files.before)})`;
  const same = files.after === 0 ? read(0) : `${files.same} of ${countText(files.after, 'file')} the same`;
  return `package ${name}: ${before} to ${after} (${same})`;
}

function moreOrLess({
  added,
  removed,
}: {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}): string {
  return [
    ...(added.length === 0 ? [] : [`${added.join(' ')} added`]),
    ...(removed.length === 0 ? [] : [`${removed.join(' ')} removed`]),
  ].join(', ');
}

function becameText(
  { before, after }: { readonly before?: string; readonly after?: string },
  show: (value: string) => string,
): string {
  if (before === undefined) return `added (${show(after ?? '')})`;
  if (after === undefined) return `removed (${show(before)})`;
  return `changed (${show(before)} to ${show(after)})`;
}

function fromTo(before: string | undefined, after: string | undefined): string {
  return `${before ?? 'none'} to ${after ?? 'none'}`;
}

/** Without the file itself. A long way is told by its ends. */
function chainText(chain: readonly string[] | undefined): string {
  const way = chain?.slice(0, -1) ?? [];
  if (way.length === 0) return '';
  const shown = way.length <= 4 ? way : [...way.slice(0, 2), `${way.length - 3} more`, ...way.slice(-1)];
  return `, imported by ${shown.join(' > ')}`;
}

function short(digest: string): string {
  return digest.slice(0, 12);
}

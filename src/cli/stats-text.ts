import { basename } from 'node:path';
import type { CanisterStats, Stats, Tally } from '../build/statistics.ts';
import type { Unit } from '../build/periods.ts';
import { sizeText } from './quantities.ts';
import { countText, durationText, type Paint } from './report.ts';

/** How the bars are drawn: with block characters, or where these may not show, with letters and signs of ASCII alone. */
export type Blocks = 'unicode' | 'ascii';

/** Blocks on a terminal whose locale is UTF-8; ASCII for files, pipes and all other terminals. */
export function blocksFor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Blocks {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '');
  return isTerminal && /utf-?8/i.test(locale ?? '') ? 'unicode' : 'ascii';
}

/** Statistics for people. */
export function statsText(stats: Stats, blocks: Blocks, paint: Paint): string {
  if (stats.builds === 0) return `nothing was built ${periodText(stats)}\n${skippedText(stats)}`;
  const projects = new Set(stats.canisters.map(({ project }) => project)).size;
  const canisters = countText(stats.canisters.length, 'canister');
  const where = projects > 1 ? `${canisters} in ${countText(projects, 'project')}` : canisters;
  const lines = [
    `${paint.bold(countText(stats.builds, 'build'))} of ${where} ${periodText(stats)}`,
    '',
    ...rateLines(stats, blocks, paint),
    '',
    ...table(totalsOf(stats), paint),
    '',
    ...canisterLines(stats, blocks, paint),
    '',
  ];
  return `${lines.join('\n')}${skippedText(stats)}`;
}

/** `since 2026-11-18 10:00`, in the user's time zone. */
export function periodText({ fromMs }: Pick<Stats, 'fromMs'>): string {
  return fromMs === undefined ? 'so far' : `since ${timeText(fromMs)}`;
}

export function timeText(ms: number): string {
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Wall time for people, up to hours. */
export function spanText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 60 ? durationText(ms) : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** When a period begins, as short as its length allows. */
export function startText(ms: number, unit: Unit): string {
  const text = timeText(ms);
  return unit === 'hour' ? text.slice(11) : unit === 'month' ? text.slice(0, 7) : text.slice(5, 10);
}

export function percentText(rate: number | undefined): string {
  return rate === undefined ? '-' : `${Math.round(rate * 100)} %`;
}

/** What a canister is called where there may be several of its name: with the folder of its project. */
export function canisterName({ canister, project }: CanisterStats, all: readonly CanisterStats[]): string {
  return all.some((other) => other.project !== project) ? `${canister} (${basename(project)})` : canister;
}

/** Words for why something was built. */
export function causeName(cause: string): string {
  return Object.hasOwn(CAUSES, cause) ? (CAUSES[cause] ?? cause) : cause;
}

const CAUSES: Readonly<Record<string, string>> = {
  absent: 'not in the cache',
  damaged: 'damaged in the cache',
  incomplete: 'incomplete in the cache',
  disabled: 'cache not usable',
  forced: 'asked for with --rebuild',
  uncacheable: 'not cacheable',
};

function skippedText({ skippedLines }: Stats): string {
  return skippedLines === 0 ? '' : `(${countText(skippedLines, 'line')} of the journal could not be read)\n`;
}

function rateLines(stats: Stats, blocks: Blocks, paint: Paint): readonly string[] {
  const { hits, misses, hitRate, periods, unit } = stats;
  const first = periods[0];
  const last = periods.at(-1);
  if (hitRate === undefined || first === undefined || last === undefined) return ['  nothing was asked of the cache'];
  const lines = [
    `  hit rate  ${paint.green(bar(hitRate, 24, blocks))}  ${paint.bold(percentText(hitRate))}  ${paint.dim(`${hits} of ${hits + misses}`)}`,
  ];
  if (periods.length < 2) return lines;
  const ends = `${startText(first.fromMs, unit)} to ${startText(last.fromMs, unit)}`;
  const legend = blocks === 'ascii' ? `${ends}; 0 to 9: none to all` : ends;
  return [
    ...lines,
    `  by ${unit}${' '.repeat(7 - unit.length)}${paint.green(sparkline(periods, blocks))}  ${paint.dim(legend)}`,
  ];
}

/** A part of a whole, between 0 and 1. Full and empty only where it is all or nothing. */
function bar(part: number, width: number, blocks: Blocks): string {
  const exact = part * width;
  const filled = part >= 1 ? width : part <= 0 ? 0 : Math.min(width - 1, Math.max(1, Math.round(exact)));
  const [full, empty] = blocks === 'ascii' ? ['#', '.'] : ['█', '░'];
  return full.repeat(filled) + empty.repeat(width - filled);
}

function sparkline(periods: readonly Tally[], blocks: Blocks): string {
  const levels = blocks === 'ascii' ? '0123456789' : '▁▂▃▄▅▆▇█';
  const none = blocks === 'ascii' ? '.' : '·';
  return periods
    .map(({ hitRate }) => (hitRate === undefined ? none : (levels[Math.round(hitRate * (levels.length - 1))] ?? none)))
    .join('');
}

type Row = readonly [name: string, amount: string, rest: string];

function totalsOf(stats: Stats): readonly Row[] {
  const { waits, storedBytes, deduplicatedBytes } = stats;
  const row = (name: string, amount: number, rest: string): readonly Row[] =>
    amount === 0 ? [] : [[name, String(amount), rest]];
  const causes = Object.entries(stats.causes);
  const causeRow = ([cause, count]: readonly [string, number]): Row => [`  ${causeName(cause)}`, String(count), ''];
  const tiers = stats.tiers.length > 1 || stats.tiers.some(({ tier }) => tier !== 'local') ? stats.tiers : [];
  return [
    ['hits', String(stats.hits), stats.savedMs === 0 ? '' : `saved ${spanText(stats.savedMs)} of compiling`],
    ...tiers.map(({ tier, hits, savedMs }): Row => [`  ${tier}`, String(hits), `saved ${spanText(savedMs)}`]),
    ...row('misses', stats.misses, ''),
    ...causes.filter(([cause]) => !NO_MISSES.has(cause)).map(causeRow),
    ...causes.filter(([cause]) => NO_MISSES.has(cause)).flatMap(([cause, count]) => row(causeName(cause), count, '')),
    ...row('compiles', stats.compiles, `took ${spanText(stats.spentMs)}`),
    ...row('finishes', stats.finishes, 'no compiler ran, only what follows it'),
    ...row('failures', stats.failures, ''),
    ...Object.entries(stats.failureKinds).map(([kind, count]): Row => [`  ${kind}`, String(count), '']),
    ...row(
      'waits',
      waits.count,
      `for another build; ${countText(waits.hits, 'hit')} then, saving ${spanText(waits.savedMs)}`,
    ),
    [
      'stored',
      sizeText(storedBytes),
      deduplicatedBytes === 0 ? '' : `and ${sizeText(deduplicatedBytes)} that was there already`,
    ],
  ];
}

/** Builds for which the cache was not asked. */
const NO_MISSES: ReadonlySet<string> = new Set(['forced', 'uncacheable']);

function table(rows: readonly Row[], paint: Paint): readonly string[] {
  const [names, amounts] = [widest(rows.map(([name]) => name)), widest(rows.map(([, amount]) => amount))];
  return rows.map(([name, amount, rest]) =>
    `  ${name.padEnd(names)}  ${amount.padStart(amounts)}  ${paint.dim(rest)}`.trimEnd(),
  );
}

const MOST_CANISTERS = 20;

function canisterLines({ canisters }: Stats, blocks: Blocks, paint: Paint): readonly string[] {
  const shown = canisters.slice(0, MOST_CANISTERS);
  const rows = shown.map((stats) => ({
    name: canisterName(stats, canisters),
    bar: stats.hitRate === undefined ? ' '.repeat(10) : bar(stats.hitRate, 10, blocks),
    cells: [
      percentText(stats.hitRate),
      `${stats.hits}/${stats.hits + stats.misses}`,
      spanText(stats.savedMs),
      stats.compileMs === undefined ? '-' : durationText(stats.compileMs),
      stats.wasmBytes === undefined ? '-' : sizeText(stats.wasmBytes),
    ],
  }));
  const heads = ['hit', 'hits', 'saved', 'compile', 'wasm'];
  const name = widest(['canister', ...rows.map((row) => row.name)]);
  const widths = heads.map((head, column) => widest([head, ...rows.map(({ cells }) => cells[column] ?? '')]));
  const cellsText = (cells: readonly string[]) =>
    cells.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ');
  const more = canisters.length - shown.length;
  return [
    paint.dim(`  ${'canister'.padEnd(name)}  ${' '.repeat(10)}  ${cellsText(heads)}`),
    ...rows.map((row) => `  ${paint.bold(row.name.padEnd(name))}  ${paint.green(row.bar)}  ${cellsText(row.cells)}`),
    ...(more > 0 ? [`  and ${more} more: --json has them all`] : []),
  ];
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(({ length }) => length));
}

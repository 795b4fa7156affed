import { hash } from 'node:crypto';
import type { CanisterStats, Stats } from '../build/statistics.ts';
import { barChart, columnChart, escapeHtml, swatch } from './charts.ts';
import { sizeText } from './quantities.ts';
import { countText } from './report.ts';
import { canisterName, causeName, percentText, periodText, spanText, startText, timeText } from './stats-text.ts';
import { STYLE } from './stats-style.ts';

/** How every report begins. */
export const MARK = '<!doctype html>\n<!-- a report of moccache -->\n';

/**
 * Statistics as one page that needs nothing else: no script, no font, no picture, and by its own policy no way to get any.
 * Of a project it has the folder's name, not where that lies.
 */
export function statsHtml(stats: Stats): string {
  const policy = `default-src 'none'; style-src 'sha256-${hash('sha256', STYLE, 'base64')}'; base-uri 'none'; form-action 'none'`;
  return `${MARK}<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Build cache: ${escapeHtml(percentText(stats.hitRate))} hits</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Build cache</h1>
<p class="soft">${escapeHtml(`${countText(stats.builds, 'build')} ${periodText(stats)}, until ${timeText(stats.untilMs)}`)}</p>
</header>
<main>
${stats.builds === 0 ? '<section><p>Nothing was built in this time.</p></section>' : bodyOf(stats)}
</main>
<footer>
<p>Time saved is what the compiler took when an entry was made, for each time that it did not have to run again. Builds that
were forced, or could not be cached, are neither hits nor misses.${stats.skippedLines === 0 ? '' : ` ${countText(stats.skippedLines, 'line')} of the journal could not be read.`}</p>
</footer>
</body>
</html>
`;
}

function bodyOf(stats: Stats): string {
  return [
    cards(stats),
    overTime(stats),
    `<div class="pair">${[
      canisterList('Size by canister', 'Wasm', stats, ({ wasmBytes }) => wasmBytes, sizeText),
      canisterList('Slowest canisters', 'Compile', stats, ({ compileMs }) => compileMs, spanText),
    ].join('')}</div>`,
    canisterTable(stats),
    `<div class="pair">${[whereFrom(stats), whyBuilt(stats)].join('')}</div>`,
  ].join('\n');
}

function cards(stats: Stats): string {
  const { waits, deduplicatedBytes } = stats;
  const card = (name: string, big: string, small: string) =>
    `<div><dt>${name}</dt><dd class="big">${escapeHtml(big)}</dd><dd class="soft">${escapeHtml(small)}</dd></div>`;
  return `<dl class="cards">${[
    card('Hit rate', percentText(stats.hitRate), `${stats.hits} of ${stats.hits + stats.misses}`),
    card('Compiling saved', spanText(stats.savedMs), `${spanText(stats.spentMs)} spent`),
    card('Stored', sizeText(stats.storedBytes), `${sizeText(deduplicatedBytes)} was there already`),
    card('Waits', String(waits.count), `${spanText(waits.savedMs)} of compiling saved`),
  ].join('')}</dl>`;
}

function overTime({ periods, unit }: Stats): string {
  const [first, last] = [periods[0], periods.at(-1)];
  if (first === undefined || last === undefined) return '';
  const start = (ms: number) => startText(ms, unit);
  const most = Math.max(...periods.map(({ hits, misses }) => hits + misses));
  const longest = Math.max(...periods.map(({ savedMs }) => savedMs));
  const lookups = columnChart(
    `Hits and misses by ${unit}; the table has the numbers`,
    periods.map(({ fromMs, hits, misses, hitRate }) => ({
      title: `${start(fromMs)}: ${countText(hits, 'hit')}, ${misses} missed, ${percentText(hitRate)}`,
      parts: [
        { kind: 'hit', amount: hits },
        { kind: 'miss', amount: misses },
      ],
    })),
  );
  const saved = columnChart(
    `Compile time saved by ${unit}; the table has the numbers`,
    periods.map(({ fromMs, savedMs }) => ({
      title: `${start(fromMs)}: ${spanText(savedMs)}`,
      parts: [{ kind: 'bar', amount: savedMs }],
    })),
  );
  const axis = `<p class="axis"><span>${start(first.fromMs)}</span><span>${start(last.fromMs)}</span></p>`;
  const rows = periods.map((period) => [
    start(period.fromMs),
    String(period.hits),
    String(period.misses),
    percentText(period.hitRate),
    spanText(period.savedMs),
  ]);
  return `<section>
<h2>Hits over time</h2>
<figure><figcaption><span>${swatch('hit')}hits</span><span>${swatch('miss')}misses</span><span>at most ${countText(most, 'build')} in ${unit === 'hour' ? 'an' : 'a'} ${unit}</span></figcaption>${lookups}${axis}</figure>
${numbersTable(`By ${unit}`, [unit, 'hits', 'misses', 'hit rate', 'saved'], rows)}
</section>
<section>
<h2>Compiling saved over time</h2>
<figure><figcaption><span>at most ${spanText(longest)} in ${unit === 'hour' ? 'an' : 'a'} ${unit}</span></figcaption>${saved}${axis}</figure>
</section>`;
}

function numbersTable(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return `<details><summary>${title}, in numbers</summary>${tableOf(heads, rows)}</details>`;
}

/** The first cell of a row is its head; the others are numbers. */
function tableOf(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((name, at) => `<th scope="col"${at === 0 ? '' : ' class="number"'}>${escapeHtml(name)}</th>`);
  const body = rows.map(([name = '', ...cells]) => {
    const numbers = cells.map((cell) => `<td class="number">${escapeHtml(cell)}</td>`);
    return `<tr><th scope="row">${escapeHtml(name)}</th>${numbers.join('')}</tr>`;
  });
  return `<table><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}

/** Canisters by some amount, the greatest first, with a bar for each. */
function canisterList(
  title: string,
  head: string,
  { canisters }: Stats,
  amountOf: (canister: CanisterStats) => number | undefined,
  show: (amount: number) => string,
): string {
  const known = canisters
    .map((canister) => ({ name: canisterName(canister, canisters), amount: amountOf(canister) ?? 0 }))
    .filter(({ amount }) => amount > 0)
    .sort((a, b) => b.amount - a.amount);
  const greatest = known[0]?.amount ?? 1;
  const items = known.map(({ name, amount }) => ({ name, numbers: [show(amount)], part: amount / greatest }));
  return listOf(title, ['Canister', head], items, 'bar');
}

function canisterTable({ canisters }: Stats): string {
  const items = canisters.map((stats) => ({
    name: canisterName(stats, canisters),
    numbers: [percentText(stats.hitRate), spanText(stats.savedMs)],
    part: stats.hitRate ?? 0,
  }));
  return listOf('Hit rate by canister', ['Canister', 'Hits', 'Saved'], items, 'hit');
}

function whereFrom({ tiers, hits }: Stats): string {
  const items = tiers.map(({ tier, hits: own, savedMs }) => ({
    name: tier === 'local' ? 'this machine' : tier,
    numbers: [String(own), spanText(savedMs)],
    part: hits === 0 ? 0 : own / hits,
  }));
  return listOf('Where hits came from', ['Cache', 'Hits', 'Saved'], items, 'hit');
}

function whyBuilt({ causes }: Stats): string {
  const all = Object.entries(causes);
  const most = Math.max(1, ...all.map(([, count]) => count));
  const items = all.map(([cause, count]) => ({
    name: causeName(cause),
    numbers: [String(count)],
    part: count / most,
  }));
  return listOf('Why it was built', ['Cause', 'Builds'], items, 'bar');
}

interface Item {
  readonly name: string;
  readonly numbers: readonly string[];
  /** Of the longest bar: between 0 and 1. */
  readonly part: number;
}

const MOST_SHOWN = 15;

/** A table of names, bars and numbers: the bars say nothing that the numbers do not. Nothing where there is nothing in it. */
function listOf(title: string, heads: readonly string[], items: readonly Item[], kind: 'hit' | 'bar'): string {
  if (items.length === 0) return '';
  const [name = '', ...numbers] = heads;
  const head = numbers.map((text) => `<th scope="col" class="number">${text}</th>`).join('');
  const rows = items.slice(0, MOST_SHOWN).map((item) => {
    const cells = item.numbers.map((text) => `<td class="number">${escapeHtml(text)}</td>`).join('');
    const bar = `<td class="chart">${barChart(item.part, kind)}</td>`;
    return `<tr><th scope="row">${escapeHtml(item.name)}</th>${bar}${cells}</tr>`;
  });
  const more = items.length - rows.length;
  return [
    `<section><h2>${title}</h2>`,
    `<table><thead><tr><th scope="col">${name}</th><td></td>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`,
    more > 0 ? `<p class="soft">and ${more} more</p>` : '',
    '</section>',
  ].join('');
}

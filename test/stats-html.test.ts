import { expect, test } from 'vitest';
import { statisticsOf } from '../src/build/statistics.ts';
import { columnChart, escapeHtml } from '../src/cli/charts.ts';
import { statsHtml } from '../src/cli/stats-html.ts';
import { STYLE } from '../src/cli/stats-style.ts';
import { chromium, lookAt, print } from './rigs/chromium.ts';
import { HOSTILE, NOON, twoWeeks } from './rigs/histories.ts';

const HTML = statsHtml(statisticsOf({ records: twoWeeks(), skipped: 0 }, undefined, NOON));

test('the page holds all that it needs and may fetch nothing', () => {
  expect(HTML).toMatch(/^<!doctype html>/);
  expect(HTML).toMatch(/content="default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'"/);
  const tags = (HTML.match(/<[^>]*>/g) ?? []).join('\n');
  expect(tags).not.toMatch(/<script|<img|<link|<iframe|\son\w+=|\sstyle=|\ssrc=|\shref=/);
  expect(STYLE).not.toMatch(/url\(|@import|https?:/);
  expect(HTML.match(/<h1>/g)).toHaveLength(1);
  expect(HTML.match(/<h2>/g)?.length).toBeGreaterThan(5);
  expect(HTML.match(/role="img" aria-label="[^"]+"/g)).toHaveLength(2);
  expect(HTML).not.toContain('/home/me');
});

test('a name that wants to be a program stays a name', () => {
  expect(HTML).toContain(escapeHtml(HOSTILE));
  expect(HTML).not.toContain('<img');
  expect(columnChart('a', [{ title: HOSTILE, parts: [] }])).not.toMatch(/<img|<script/);
});

test('nothing built makes a page that says so', () => {
  expect(statsHtml(statisticsOf({ records: [], skipped: 3 }, undefined, NOON))).toMatch(/Nothing was built[^]*3 lines/);
});

test('a chart of nothing, of one column and of all zeros is a chart', () => {
  for (const amounts of [[], [1], [0, 0]]) {
    const chart = columnChart(
      'x',
      amounts.map((amount) => ({ title: 't', parts: [{ kind: 'bar', amount }] })),
    );
    expect(chart).toMatch(/^<svg .*<\/svg>$/);
    expect(chart).not.toMatch(/NaN|Infinity/);
  }
});

test.each(['light', 'dark', 'print'])('text and charts can be told from their ground, in %s', (scheme) => {
  const colours = coloursIn(scheme);
  for (const ground of ['ground', 'card']) {
    for (const text of ['text', 'soft']) expect(contrast(colours, text, ground), text).toBeGreaterThanOrEqual(4.5);
    for (const mark of ['hit', 'miss', 'bar']) expect(contrast(colours, mark, ground), mark).toBeGreaterThanOrEqual(3);
  }
});

if (chromium === undefined) console.log('skipped: no Chromium here to look at the report with');

test.skipIf(chromium === undefined).each([
  { width: 360, dark: false },
  { width: 360, dark: true },
  { width: 1100, dark: false },
])('Chromium shows it $width px wide, dark: $dark, without a scroll bar, and asks for nothing', async (look) => {
  const seen = await lookAt(HTML, look);
  expect(seen.scrollWidth).toBe(look.width);
  expect(seen.background).toBe(look.dark ? 'rgb(20, 23, 27)' : 'rgb(250, 249, 247)');
  expect(seen.text).toContain('Slowest canisters');
  expect(seen.text).toContain(HOSTILE);
  expect(seen).toMatchObject({ images: 0, requests: [] });
});

test.skipIf(chromium === undefined)('what a gap in our escaping would let in may neither run nor fetch', async () => {
  const seen = await lookAt(HTML.replace('<main>', `<main>${HOSTILE.slice(2)}`), { width: 800, dark: false });
  expect(seen.images).toBe(2);
  expect(seen.title).toMatch(/^Build cache: \d+ % hits$/);
  expect(seen.requests).toEqual([]);
});

test.skipIf(chromium === undefined)('it can be printed', async () => {
  const pdf = Buffer.from(await print(HTML)).toString('latin1');
  expect(pdf).toMatch(/^%PDF/);
  expect(pdf.match(/\/Type ?\/Page\b/g)?.length).toBeLessThanOrEqual(4);
});

/** Names of the style's variables to colours. */
function coloursIn(scheme: string): ReadonlyMap<string, string> {
  const [, light = '', dark = '', paper = ''] = STYLE.split(':root {');
  const text = { light, dark, print: paper }[scheme] ?? '';
  return new Map(
    [...text.slice(0, text.indexOf('}')).matchAll(/--(\w+): (#[0-9a-f]{6})/g)].map(([, name = '', colour = '']) => [
      name,
      colour,
    ]),
  );
}

/** As WCAG 2 has it: 1 to 21. */
function contrast(colours: ReadonlyMap<string, string>, one: string, other: string): number {
  const [a, b] = [one, other].map((name) => luminance(colours.get(name) ?? ''));
  if (a === undefined || b === undefined) throw new Error('two colours are compared');
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

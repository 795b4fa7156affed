/*
 * Charts as inline SVG: functions from numbers to text. No words in them, for they are stretched to the width there is;
 * what they show is beside them as text, and colours come from the classes `hit`, `miss` and `bar`.
 */

export interface Column {
  /** Shown by the browser for whoever points at it. */
  readonly title: string;
  /** From the bottom up. */
  readonly parts: readonly { readonly kind: 'hit' | 'miss' | 'bar'; readonly amount: number }[];
}

const HEIGHT = 100;
const STEP = 10;
const GAP = 2;

/** Columns side by side, the highest as high as the chart. `label` says to those who cannot see it what it is. */
export function columnChart(label: string, columns: readonly Column[]): string {
  const highest = Math.max(0, ...columns.map(({ parts }) => sum(parts.map(({ amount }) => amount))));
  const scale = highest === 0 ? 0 : HEIGHT / highest;
  const width = Math.max(STEP, columns.length * STEP);
  const groups = columns.map(({ title, parts }, index) => {
    const x = index * STEP + GAP / 2;
    let bottom = HEIGHT;
    const rects = parts.map(({ kind, amount }) => {
      const height = amount * scale;
      bottom -= height;
      return height === 0 ? '' : rect(kind, { x, y: bottom, width: STEP - GAP, height });
    });
    // The whole height answers to the pointer, not the few pixels of a small column.
    const field = rect('field', { x: index * STEP, y: 0, width: STEP, height: HEIGHT });
    return `<g><title>${escapeHtml(title)}</title>${field}${rects.join('')}</g>`;
  });
  const box = `viewBox="0 0 ${width} ${HEIGHT}" preserveAspectRatio="none"`;
  return `<svg class="columns" role="img" aria-label="${escapeHtml(label)}" ${box}>${groups.join('')}</svg>`;
}

/** One bar of a list, as long as `part` of the room there is: between 0 and 1. The number is beside it. */
export function barChart(part: number, kind: 'hit' | 'bar' = 'bar'): string {
  const full = rect('track', { x: 0, y: 0, width: 100, height: STEP });
  const own = rect(kind, { x: 0, y: 0, width: Math.min(100, Math.max(part > 0 ? 0.5 : 0, part * 100)), height: STEP });
  return `<svg class="bar-chart" aria-hidden="true" viewBox="0 0 100 ${STEP}" preserveAspectRatio="none">${full}${own}</svg>`;
}

/** A square in a colour of the chart, for its legend. */
export function swatch(kind: 'hit' | 'miss'): string {
  return `<svg class="swatch" aria-hidden="true" viewBox="0 0 10 10">${rect(kind, { x: 0, y: 0, width: 10, height: 10 })}</svg>`;
}

/** Any text as text of HTML, also within quotation marks. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function rect(kind: string, { x, y, width, height }: Box): string {
  const number = (value: number) => String(Number(value.toFixed(2)));
  return `<rect class="${kind}" x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}"/>`;
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}

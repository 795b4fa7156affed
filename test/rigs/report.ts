import { appendFileSync } from 'node:fs';

/** One line of a report: what was measured, what came out, and what is asked for, where something is. */
export interface Row {
  readonly what: string;
  readonly found: string;
  readonly asked?: string;
}

/**
 * Tells numbers that a test run is to show, as a table: into the file MOCCACHE_REPORT where there is one, so that
 * `npm test` shows all of them together at its end, else on stdout.
 */
export function report(title: string, rows: readonly Row[]): void {
  const cells = rows.map(({ what, found, asked }) => [what, found, asked === undefined ? '' : `(asked: ${asked})`]);
  // A long cell is not waited for by all others: lines that wrap are hard to read.
  const widths = [0, 1].map((column) => Math.min(64, Math.max(...cells.map((row) => row[column]?.length ?? 0))));
  const lines = cells.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
  const text = `${[title, ...lines].join('\n')}\n`;
  const file = process.env.MOCCACHE_REPORT;
  if (file === undefined) process.stdout.write(`\n${text}`);
  else appendFileSync(file, `${text}\n`);
}

/** The value below which the given part of the numbers lies; 0.5 gives the median. */
export function quantileOf(numbers: readonly number[], part: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

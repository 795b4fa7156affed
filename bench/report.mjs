import { medianIn } from './measure.mjs';

/** The report as text: a table for each group. Factors are over the start of Node in the same group, or the run's own. */
export function reportText({ date, machine, node, load, cores, groups }) {
  const floor = groups.map((group) => medianIn(group, 'node -e 0')).find((ms) => ms !== undefined);
  const head = [`${date}, node ${node}, ${machine}, load ${load.join(' ')}`];
  if (load[0] > cores / 2) head.push('the machine was busy: take ratios, and not too seriously');
  return [...head, ...groups.flatMap((group) => groupLines(group, medianIn(group, 'node -e 0') ?? floor))].join('\n');
}

function groupLines({ title, rounds, cases, peaks = [], overCompilerMs }, floor) {
  const columns = ['median', 'least', '90 %', 'over node', 'x node'];
  return [
    '',
    `${title} (medians of ${rounds})`,
    row('', columns),
    ...cases.map(({ name, medianMs, minMs, p90Ms }) =>
      row(name, [ms(medianMs), ms(minMs), ms(p90Ms), ms(medianMs - floor), (medianMs / floor).toFixed(2)]),
    ),
    ...(overCompilerMs === undefined ? [] : [`over the compiler alone, the finish included: ${ms(overCompilerMs)}`]),
    ...(peaks.length === 0 ? [] : ['', row('most memory held', ['MiB', 'x node'])]),
    ...peaks.map(({ name, peakMiB }) => row(name, [peakMiB.toFixed(1), (peakMiB / peaks[0].peakMiB).toFixed(2)])),
  ];
}

function row(name, cells) {
  return name.padEnd(48) + cells.map((text) => text.padStart(12)).join('');
}

function ms(value) {
  return `${value.toFixed(Math.abs(value) < 1000 ? 1 : 0)} ms`;
}

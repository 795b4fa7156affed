import type { Paint } from './report.ts';

/** Colours for one stream, or none. */
export function paintFor(isTerminal: () => boolean, env: Environment): Paint {
  return isColoured(isTerminal, env) ? COLOURED : PLAIN;
}

/** On a terminal, unless NO_COLOR or FORCE_COLOR say otherwise (no-color.org, force-color.org). */
export function isColoured(isTerminal: () => boolean, env: Environment): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  const force = env.FORCE_COLOR;
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  return isTerminal();
}

const asItIs = (text: string) => text;

export const PLAIN: Paint = {
  ...{ bold: asItIs, dim: asItIs },
  ...{ red: asItIs, green: asItIs, yellow: asItIs, blue: asItIs },
};

/** SGR of ECMA-48, section 8.3.117. Written here because the libraries for it look at the streams, for milliseconds. */
const COLOURED: Paint = {
  ...{ bold: between(1, 22), dim: between(2, 22) },
  ...{ red: between(31, 39), green: between(32, 39), yellow: between(33, 39), blue: between(34, 39) },
};

function between(on: number, off: number) {
  return (text: string) => `\u001b[${on}m${text}\u001b[${off}m`;
}

type Environment = Readonly<Record<string, string | undefined>>;

import type { Paint } from './report.ts';

/** Colours for one stream. The library is loaded only where there are any: it looks at the streams, which is slow. */
export async function paintFor(isTerminal: boolean, env: Environment): Promise<Paint> {
  if (!isColoured(isTerminal, env)) return PLAIN;
  const { bold, dim, red, green, yellow, blue } = (await import('picocolors')).default.createColors(true);
  return { bold, dim, red, green, yellow, blue };
}

/** On a terminal, unless NO_COLOR or FORCE_COLOR say otherwise (no-color.org, force-color.org). */
export function isColoured(isTerminal: boolean, env: Environment): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  const force = env.FORCE_COLOR;
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  return isTerminal;
}

const asItIs = (text: string) => text;

export const PLAIN: Paint = {
  ...{ bold: asItIs, dim: asItIs },
  ...{ red: asItIs, green: asItIs, yellow: asItIs, blue: asItIs },
};

type Environment = Readonly<Record<string, string | undefined>>;

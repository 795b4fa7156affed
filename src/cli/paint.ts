import pc from 'picocolors';
import type { Paint } from './report.ts';

/** Colours for one stream: on a terminal, unless NO_COLOR or FORCE_COLOR say otherwise (no-color.org, force-color.org). */
export function paintFor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Paint {
  const { bold, dim, red, green, yellow, blue } = pc.createColors(isColoured(isTerminal, env));
  return { bold, dim, red, green, yellow, blue };
}

export function isColoured(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  const force = env.FORCE_COLOR;
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  return isTerminal;
}

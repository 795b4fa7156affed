/*
 * Sizes and times as people write and read them.
 *
 *     age  = number unit       30d, 12h, 45m, 90s, 2w
 *     size = number [unit]     5GiB, 500MB, 1.5 GB, 800k; a bare number is bytes
 */

/** For messages about what is none. */
export const AGE_EXAMPLE = '30d, 12h or 45m';

/** Milliseconds, or undefined where it is no age. The unit is asked for: 30 could be seconds or days. */
export function parseAge(text: string): number | undefined {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)\s*([smhdw])$/.exec(text.trim()) ?? [];
  if (number === undefined) return undefined;
  const ms = Math.round(Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS]);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** For messages about what is none. */
export const SIZE_EXAMPLE = '5GiB, 500MB or 1000000';

/** Bytes, or undefined where it is no size. `MiB`, `M` and `m` are 1024 * 1024, `MB` is a million. */
export function parseSize(text: string): number | undefined {
  const [, number, prefix = '', suffix = ''] =
    /^(\d+(?:\.\d+)?)\s*(?:([kmgt]?)(ib|b)?)$/.exec(text.trim().toLowerCase()) ?? [];
  if (number === undefined || (prefix === '' && suffix === 'ib')) return undefined;
  const bytes = Math.round(Number(number) * (suffix === 'b' ? 1000 : 1024) ** POWERS.indexOf(prefix));
  return Number.isSafeInteger(bytes) && (prefix !== '' || /^\d+$/.test(number)) ? bytes : undefined;
}

/** `1.2 GiB`, `512 B`. Rounded before the unit is chosen, so that nothing reads as `1024.0 MiB`. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (unit < UNITS.length - 1 && Number(value.toFixed(1)) >= 1024) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}

/** How long ago, in one unit: `3 days`, `1 hour`, `less than a minute`. */
export function ageText(ms: number): string {
  for (const [name, unitMs] of AGES) {
    const count = Math.floor(ms / unitMs);
    if (count >= 1) return `${count} ${name}${count === 1 ? '' : 's'}`;
  }
  return 'less than a minute';
}

const POWERS = ['', 'k', 'm', 'g', 't'];
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const AGES = [
  ['day', UNIT_MS.d],
  ['hour', UNIT_MS.h],
  ['minute', UNIT_MS.m],
] as const;

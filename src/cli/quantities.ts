/** How long ago, in one unit: `3 days`, `1 hour`, `less than a minute`. */
export function ageText(ms: number): string {
  for (const [name, unitMs] of AGES) {
    const count = Math.floor(ms / unitMs);
    if (count >= 1) return `${count} ${name}${count === 1 ? '' : 's'}`;
  }
  return 'less than a minute';
}

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const AGES = [
  ['day', UNIT_MS.d],
  ['hour', UNIT_MS.h],
  ['minute', UNIT_MS.m],
] as const;

/** A stretch of time, in milliseconds since the epoch; `toMs` is the first that is no longer in it. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

export type Unit = 'hour' | 'day' | 'week' | 'month';

const HOUR_MS = 3_600_000;
/** The longest time that is told in each unit: so there are never more than about sixty periods. */
const LONGEST_DAYS: readonly (readonly [Unit, number])[] = [
  ['hour', 2],
  ['day', 45],
  ['week', 365],
];

/**
 * The hours, days, weeks (from Monday) or months that have some part between the two times, in the time zone of this
 * process. Whole ones, so that the first begins before `fromMs`.
 */
export function periodsBetween(
  fromMs: number,
  untilMs: number,
): { readonly unit: Unit; readonly periods: readonly Period[] } {
  const days = (untilMs - fromMs) / (24 * HOUR_MS);
  const unit = LONGEST_DAYS.find(([, longest]) => days <= longest)?.[0] ?? 'month';
  const periods: Period[] = [];
  for (let at = startOf(unit, fromMs); at <= untilMs;) {
    const next = startAfter(unit, at);
    periods.push({ fromMs: at, toMs: next });
    at = next;
  }
  return { unit, periods };
}

function startOf(unit: Unit, ms: number): number {
  const date = new Date(ms);
  if (unit === 'hour') return date.setMinutes(0, 0, 0);
  date.setHours(0, 0, 0, 0);
  if (unit === 'week') date.setDate(date.getDate() - ((date.getDay() + 6) % 7));
  if (unit === 'month') date.setDate(1);
  return date.getTime();
}

/** A day is not always 24 hours long: the calendar counts. */
function startAfter(unit: Unit, ms: number): number {
  const date = new Date(ms);
  if (unit === 'hour') return ms + HOUR_MS;
  if (unit === 'month') date.setMonth(date.getMonth() + 1);
  else date.setDate(date.getDate() + (unit === 'week' ? 7 : 1));
  return date.getTime();
}

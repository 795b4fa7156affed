/** Milliseconds since some moment, never going back. `performance`, which says the same, takes a millisecond to load. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

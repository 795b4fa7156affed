// Preloaded into the CLI (NODE_OPTIONS=--require): its clock is CLOCK_SHIFT_MS off, as after somebody set it, while the
// file system keeps the right time, as a file server does. The compiler inherits the variables and not the clock: what
// it is asked to do has nothing to do with time.
'use strict';

const { CLOCK_SHIFT_MS } = process.env;

if (/\/(?:mops|moccache|moccache-moc)\.cjs$/.test(process.argv[1] ?? '')) {
  const Real = Date;
  const shiftMs = Number(CLOCK_SHIFT_MS);
  globalThis.Date = class Date extends Real {
    constructor(...given) {
      if (given.length === 0) super(Real.now() + shiftMs);
      else super(...given);
    }
    static now() {
      return Real.now() + shiftMs;
    }
  };
  // `performance.now()` counts on: a clock that is set does not change how time passes.
  Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin + shiftMs });
}

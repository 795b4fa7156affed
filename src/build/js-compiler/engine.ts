/**
 * Flags of V8 for the thread that compiles, by V8's version (`process.versions.v8`). They change how fast it is, never what
 * it writes. Measured with catalog of fixtures/shop on two cores: 11.2 to 9.0 s in Node 20, 11.5 to 9.3 s in Node 22; at
 * once with loyalty 17.1 to 13.5 s and 16.0 to 12.9 s; 150 MiB more memory in Node 20.
 */
export function engineFlagsFor(v8Version: string): readonly string[] {
  const major = v8Version.split('.')[0] ?? '';
  return [...ROOMY, ...(PATIENT[major] ?? [])];
}

/** New objects begin with the space that V8 gives them after some dozens of collections, in MiB, and with twice of it. */
const ROOMY = ['--min-semi-space-size=32', '--max-semi-space-size=32'];

/**
 * V8 optimizes a function that was called some times, on a second core. Most of the compiler's are called a little more
 * often than that and then no more, so that a compile took half a core in addition, for nothing. The flags are V8's own,
 * and a version may drop them: one that is not known here is asked for none.
 */
const PATIENT: Readonly<Record<string, readonly string[]>> = {
  11: ['--interrupt-budget=500000'], // 67,584 by default
  12: ['--invocation-count-for-turbofan=12000'], // 3,000 by default
};

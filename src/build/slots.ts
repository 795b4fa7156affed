/** A bounded number of things at once. Of those that wait the one goes first that takes longest, as far as is known. */
export interface Slots {
  /**
   * Runs `work` when a place is free. An aborted wait rejects with the signal's reason. Without `expectedMs` it may take
   * any time, and goes before all others; of equals the first come is the first served.
   */
  use<T>(work: () => Promise<T>, signal?: AbortSignal, expectedMs?: number): Promise<T>;
}

/** Indexes in the order in which to begin: the longest first, those of which nothing is known before all others. */
export function longestFirst(expectedMs: readonly (number | undefined)[]): readonly number[] {
  const lengthOf = (index: number) => expectedMs[index] ?? Infinity;
  // Infinity minus itself is no number: of two of which nothing is known the first stays the first.
  return [...expectedMs.keys()].sort((a, b) => (lengthOf(a) === lengthOf(b) ? a - b : lengthOf(b) - lengthOf(a)));
}

export function slots(count: number): Slots {
  let free = count;
  const waiting: Waiting[] = [];
  const leave = () => {
    const [at] = longestFirst(waiting.map(({ expectedMs }) => expectedMs));
    const [next] = at === undefined ? [] : waiting.splice(at, 1);
    if (next === undefined) free += 1;
    else next.proceed();
  };
  const enter = (signal: AbortSignal | undefined, expectedMs: number | undefined) =>
    new Promise<void>((done, fail) => {
      if (free > 0) {
        free -= 1;
        done();
        return;
      }
      const proceed = () => {
        signal?.removeEventListener('abort', giveUp);
        done();
      };
      const giveUp = () => {
        waiting.splice(waiting.indexOf(asking), 1);
        fail(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      const asking = { expectedMs, proceed };
      waiting.push(asking);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  return {
    async use(work, signal, expectedMs) {
      signal?.throwIfAborted();
      await enter(signal, expectedMs);
      try {
        const made = await work();
        leave();
        return made;
      } catch (error) {
        // Whoever hears of the failure may stop those who wait: they must not start before it is heard.
        setImmediate(leave);
        throw error;
      }
    },
  };
}

interface Waiting {
  readonly expectedMs: number | undefined;
  readonly proceed: () => void;
}

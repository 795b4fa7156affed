/** A bounded number of things at once, first come first served. */
export interface Slots {
  /** Runs `work` when a place is free. An aborted wait rejects with the signal's reason. */
  use<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function slots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];
  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  const enter = (signal: AbortSignal | undefined) =>
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
        waiting.splice(waiting.indexOf(proceed), 1);
        fail(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      waiting.push(proceed);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  return {
    async use(work, signal) {
      signal?.throwIfAborted();
      await enter(signal);
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

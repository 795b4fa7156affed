/** The wish to stop, from outside. */
export interface Stop {
  readonly signal: AbortSignal;
  /** The signal that came, if any. */
  readonly by: NodeJS.Signals | undefined;
  dispose(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function stopOnSignal(): Stop {
  const controller = new AbortController();
  let by: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    by ??= signal;
    controller.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    signal: controller.signal,
    get by() {
      return by;
    },
    dispose() {
      for (const signal of SIGNALS) process.removeListener(signal, onSignal);
    },
  };
}

/** Ends as the signal ends a program that does not listen for it: that is what the caller would see of the compiler. */
export function dieBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** A child process, as far as it is to be stopped. It was started with `detached: STARTS_GROUPS`. */
export interface Leader {
  readonly pid?: number | undefined;
  kill(signal: NodeJS.Signals): boolean;
}

/** Whether a process can be given a group of its own, so that what it starts is stopped with it. */
export const STARTS_GROUPS = process.platform !== 'win32';

/** How long a process that was asked to stop may take before it is killed, in milliseconds. */
const GRACE_MS = 2_000;

/**
 * Stops a process and all that it started when the signal says so, and kills them when this process exits: whoever exits in
 * the middle leaves nothing running. Gives back what ends the watch, to be called once the process has ended.
 */
export function stopWith(leader: Leader, signal: AbortSignal | undefined): () => void {
  const kill = (how: NodeJS.Signals) => {
    try {
      if (leader.pid !== undefined && STARTS_GROUPS) process.kill(-leader.pid, how);
      else leader.kill(how);
    } catch {
      // the group is gone already
    }
  };
  let killer: NodeJS.Timeout | undefined;
  const stop = () => {
    kill('SIGTERM');
    killer = setTimeout(() => kill('SIGKILL'), GRACE_MS);
  };
  const killNow = () => kill('SIGKILL');
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop, { once: true });
  process.once('exit', killNow);
  return () => {
    clearTimeout(killer);
    signal?.removeEventListener('abort', stop);
    process.removeListener('exit', killNow);
  };
}

import type { Stream } from './host.ts';
import { durationText } from './report.ts';

/** Lines at the bottom of the terminal that say what goes on right now. */
export interface Live {
  /** Says what is going on under a name; undefined: no more. */
  set(name: string, what: Going | undefined): void;
  /** Prints above the live lines. */
  print(text: string): void;
  /** The same to stdout, which may be the same terminal. */
  printOut(text: string): void;
  close(): void;
}

export interface Going {
  readonly doing: string;
  readonly sinceMs: number;
  /** How long it may take, where that is known. */
  readonly expectedMs: number | undefined;
}

/** Nothing but the printing: for streams that are no terminal. */
export function plainLines(err: Stream, out: Stream): Live {
  const print = (text: string) => err.write(text);
  return { set: () => undefined, print, printOut: (text) => out.write(text), close: () => undefined };
}

const FRAME_MS = 120;

/** Live lines on a terminal. The library is loaded when there is first something to show, so that a hit never pays for it. */
export function liveLines(err: Stream, out: Stream, target: NodeJS.WriteStream): Live {
  const going = new Map<string, Going>();
  let timer: NodeJS.Timeout | undefined;
  let screen: { (text: string): void; clear: () => void; done: () => void } | undefined;
  const draw = () => screen?.([...going].map(([name, what]) => lineOf(name, what, performance.now(), err)).join('\n'));
  const start = () => {
    if (timer !== undefined) return;
    timer = setInterval(draw, FRAME_MS);
    timer.unref();
    void import('log-update').then(({ createLogUpdate }) => (screen ??= createLogUpdate(target)));
  };
  const printTo = (stream: Stream, text: string) => {
    screen?.clear();
    stream.write(text);
    if (going.size > 0) draw();
  };
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
    screen?.clear();
  };
  return {
    set(name, what) {
      if (what === undefined) going.delete(name);
      else going.set(name, what);
      if (going.size === 0) stop();
      else start();
    },
    print: (text) => printTo(err, text),
    printOut: (text) => printTo(out, text),
    close() {
      stop();
      screen?.done();
    },
  };
}

const BAR = 20;

function lineOf(name: string, { doing, sinceMs, expectedMs }: Going, nowMs: number, { paint }: Stream): string {
  const elapsedMs = nowMs - sinceMs;
  const head = `  ${paint.bold(name)}  ${doing} ${durationText(elapsedMs)}`;
  if (expectedMs === undefined || expectedMs <= 0) return head;
  // Never full before it is over: the last compile is a guess, not a promise.
  const filled = Math.min(BAR - 1, Math.floor((elapsedMs / expectedMs) * BAR));
  const bar = '━'.repeat(filled) + paint.dim('━'.repeat(BAR - filled));
  return `${head} ${bar} ${paint.dim(`took ${durationText(expectedMs)} last time`)}`;
}

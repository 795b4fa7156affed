import type { Paint } from './report.ts';

/** What the commands see of the process: made once in main.ts, handed down, never looked up. */
export interface Host {
  /** Absolute; `MOPS_CWD` applied. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** What follows the program's name. */
  readonly args: readonly string[];
  readonly platform: NodeJS.Platform;
  /** Real path of the running script. */
  readonly script: string;
  /** The running Node, absolute. */
  readonly node: string;
  readonly tmpDir: string;
  readonly out: Stream;
  readonly err: Stream;
  /** Aborts on the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Stream {
  write(text: string): void;
  readonly paint: Paint;
  readonly isTerminal: boolean;
}

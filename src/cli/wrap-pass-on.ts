import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dieBy } from './wrap-process.ts';
import { writeWhole } from './wrap-streams.ts';

/** The compiler's path, and what it is given. */
export interface PassedCall {
  readonly compiler: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Those that may be sent to one process alone; the terminal sends its own to the compiler too. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'] as const;

const NOT_RUN = 126;

/** Runs the compiler with the caller's arguments, streams and folder, passes signals on, and ends as it ends. */
export function passOn({ compiler, argv, environment }: PassedCall): Promise<void> {
  return new Promise((done) => {
    const child = spawn(compiler, argv, { env: environment, stdio: 'inherit' });
    const pass = (signal: NodeJS.Signals) => void child.kill(signal);
    for (const signal of SIGNALS) process.on(signal, pass);
    child.once('error', ({ message }) => {
      writeWhole(2, Buffer.from(`moccache-moc: ${compiler} cannot be run: ${message}\n`));
      process.exitCode = NOT_RUN;
      done();
    });
    child.once('exit', (code, signal) => {
      for (const name of SIGNALS) process.removeListener(name, pass);
      process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      if (signal !== null) dieBy(signal);
      done();
    });
  });
}

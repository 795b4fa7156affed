import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { findIcMops } from '../build/ic-mops.ts';
import type { Host } from './host.ts';

/** Runs a command that is upstream's, with the same arguments, streams and exit code. */
export async function handOver(args: readonly string[], host: Host): Promise<number> {
  const icMops = findIcMops({ from: [host.cwd, dirname(host.script)], path: host.env.PATH, node: host.node });
  if (icMops === undefined) {
    host.err.write(
      [
        `error: mops ${args[0] ?? ''} is a command of ic-mops, which is not installed`,
        'install it beside moccache: npm install --save-dev ic-mops',
        '',
      ].join('\n'),
    );
    return 1;
  }
  const [command = host.node, ...leading] = icMops.command;
  return new Promise((done) => {
    const child = spawn(command, [...leading, ...args], { cwd: host.cwd, env: host.env, stdio: 'inherit' });
    // The terminal sends its signals to the child too; one that was sent to us alone is passed on.
    const pass = () => child.kill('SIGTERM');
    host.signal.addEventListener('abort', pass, { once: true });
    child.once('error', (error) => {
      host.err.write(`error: ${command}: cannot be run: ${error.message}\n`);
      done(1);
    });
    child.once('close', (code, signal) => {
      host.signal.removeEventListener('abort', pass);
      done(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

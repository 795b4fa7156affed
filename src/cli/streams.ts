import { fstatSync, statSync, writeSync } from 'node:fs';

/**
 * Writing to stdout and stderr without `process.stdout`, whose making loads streams, sockets and terminals: more than
 * all the rest of a build that finds nothing to do.
 */

export type Descriptor = 1 | 2;

/**
 * Whether the descriptor is a terminal that understands colours and moving about. Where it is a device that takes characters
 * and keeps them, nobody minds colours; to ask whether it is a terminal loads as much as `process.stdout` does.
 */
export function isTerminal(fd: Descriptor, term: string | undefined): boolean {
  if (term === 'dumb') return false;
  try {
    const stats = fstatSync(fd);
    if (!stats.isCharacterDevice()) return false;
    if (process.platform === 'win32') return process.getBuiltinModule('node:tty').isatty(fd);
    return stats.rdev !== statSync('/dev/null').rdev;
  } catch {
    return false;
  }
}

/** Writes all of it. A reader that went away (`mops build | head`) is no failure. */
export function writeOut(fd: Descriptor, text: string): void {
  let rest: Uint8Array = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
  } catch (error) {
    // A pipe that is full and must not be waited for: Node's own streams know how.
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
    const stream = fd === 1 ? process.stdout : process.stderr;
    handedOver = true;
    stream.on('error', () => undefined);
    stream.write(rest);
  }
}

/** Whether all that was to be written is: else a stream of Node's has the rest, and the process is not to be ended. */
export function isAllWritten(): boolean {
  return !handedOver;
}

let handedOver = false;

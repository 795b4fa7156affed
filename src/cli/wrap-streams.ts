import { writeSync } from 'node:fs';

/**
 * Writes all of it, at once: process.stdout takes longer to load than a hit has time. A stream that takes nothing more is
 * the caller's affair, as it would be with the compiler.
 */
export function writeWhole(stream: 1 | 2, bytes: Uint8Array): void {
  for (let start = 0; start < bytes.length;) {
    try {
      start += writeSync(stream, bytes, start);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EAGAIN') return; // the reader has gone, or the stream is closed
      pause(); // a pipe that somebody else made non-blocking, and that is full
    }
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}

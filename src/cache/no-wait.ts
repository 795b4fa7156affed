import { constants, readFileSync } from 'node:fs';

/**
 * The flags to open a file of the store with. A pipe in its place is read as empty; a plain open would wait for ever for
 * whoever is to write to it.
 */
export const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** The bytes of a file of the store. Throws the system's error. */
export function readNoWait(path: string): Uint8Array {
  return readFileSync(path, { flag: FLAG });
}

/** The same as text, for which Node has a shorter way. */
export function readTextNoWait(path: string): string {
  return readFileSync(path, { encoding: 'utf8', flag: FLAG });
}

const FLAG = READ as unknown as string; // Node takes numbers, its types only texts

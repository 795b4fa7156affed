import { shortHashOf } from './short-hash.ts';

/**
 * Small texts that notice their own damage: notes, stamps, owner records, the version file, a message between processes.
 *
 *     sealed = text, LF, the text's short hash, LF
 */
export function seal(text: string): string {
  return `${text}\n${shortHashOf(text)}\n`;
}

/** The text that was sealed, or undefined where it is cut, changed or something else altogether. */
export function unseal(sealed: string): string | undefined {
  const text = sealed.slice(0, -SEAL_LENGTH);
  return sealed === seal(text) ? text : undefined;
}

const SEAL_LENGTH = 16 + 2; // with its two line ends

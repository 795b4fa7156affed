import { digestOf } from './digest.ts';

/**
 * Small texts that notice their own damage: notes, stamps, owner records, the version file, a message between processes.
 *
 *     sealed = text, LF, the first 16 hex digits of the text's SHA-256, LF
 */
export function seal(text: string): string {
  return `${text}\n${sealOf(text)}\n`;
}

/** The text that was sealed, or undefined where it is cut, changed or something else altogether. */
export function unseal(sealed: string): string | undefined {
  const text = sealed.slice(0, -SEAL_LENGTH);
  return sealed === seal(text) ? text : undefined;
}

const HEX_LENGTH = 16;
const SEAL_LENGTH = HEX_LENGTH + 2; // with its two line ends

function sealOf(text: string): string {
  return digestOf(text).slice(0, HEX_LENGTH);
}

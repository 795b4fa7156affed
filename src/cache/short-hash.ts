/**
 * 64 bits of a text as 16 hex digits (FNV-1a, in two lanes, on code units). For names and for noticing accidents in small
 * texts: to load SHA-256 takes longer than all the rest of a hit. Whoever wants two texts with the same finds them.
 */
export function shortHashOf(text: string): string {
  const { imul } = Math; // taken out once, and the length too: a hit is over before V8 compiles this
  const { length } = text;
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (let at = 0; at < length; at += 1) {
    const unit = text.charCodeAt(at);
    a = imul(a ^ unit, 0x01000193);
    b = imul(b ^ unit, 0x85ebca6b);
    b ^= b >>> 13;
  }
  return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}

/** 12 hex digits that no other call in any process gives, but by a chance of 2^-48. No secret: they can be guessed. */
export function randomDigits(): string {
  return Math.floor(Math.random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0');
}

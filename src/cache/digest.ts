/** SHA-256 of bytes as 64 lower-case hex digits (FIPS 180-4). Names content; safe to share between machines. */
export type Digest = string & { readonly brand: 'Digest' };

/** The digest of an action's document. A type of its own, so that a key is never taken for the name of a blob. */
export type ActionKey = string & { readonly brand: 'ActionKey' };

export function digestOf(bytes: Uint8Array | string): Digest {
  crypto ??= process.getBuiltinModule('node:crypto');
  return crypto.hash('sha256', bytes) as Digest;
}

export function actionKeyOf(document: string): ActionKey {
  return digestOf(document) as string as ActionKey;
}

/** The text as a digest, or undefined where it is none. */
export function parseDigest(text: unknown): Digest | undefined {
  return typeof text === 'string' && HEX64.test(text) ? (text as Digest) : undefined;
}

/** The text as an action key, or undefined where it is none. */
export function parseActionKey(text: unknown): ActionKey | undefined {
  return typeof text === 'string' && HEX64.test(text) ? (text as ActionKey) : undefined;
}

let crypto: typeof import('node:crypto') | undefined; // loaded at the first use: a build that finds nothing changed has none

const HEX64 = /^[0-9a-f]{64}$/;

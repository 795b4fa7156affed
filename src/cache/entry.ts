import type { Checksum, ChecksumOf } from './checksum.ts';
import type { ActionKey, Digest } from './digest.ts';

/** Bytes in the CAS: what they are called, how they are checked, how long they are. */
export interface BlobRef {
  readonly digest: Digest;
  readonly checksum: Checksum;
  readonly sizeBytes: number;
}

/** Whether the bytes are those that the reference is to. */
export function isBlobOf(ref: BlobRef, bytes: Uint8Array, checksumOf: ChecksumOf): boolean {
  return bytes.length === ref.sizeBytes && checksumOf(bytes) === ref.checksum;
}

/** The stored form of an entry (ActionResult of Bazel's Remote Execution API): names to blobs. */
export interface ActionResult {
  readonly key: ActionKey;
  /** The document whose digest is the key, kept so that a miss can be explained. */
  readonly document: BlobRef;
  readonly artifacts: Readonly<Record<string, BlobRef>>;
  /** What the action took when it ran, in whole milliseconds of wall time. */
  readonly costMs: number;
  /** When it ran, in whole milliseconds since the epoch. For people and for eviction; decides nothing. */
  readonly createdMs: number;
}

/** What a successful run produced, in hand: the result, and the bytes of those artifacts that were asked for. */
export interface Entry {
  readonly result: ActionResult;
  readonly bytes: Readonly<Record<string, Uint8Array>>;
}

export type MissCause = 'absent' | 'damaged' | 'incomplete' | 'disabled';

/** `what` says in a few words what is damaged or not there. */
export type Lookup =
  | { readonly kind: 'hit'; readonly tier: string; readonly entry: Entry }
  | { readonly kind: 'miss'; readonly cause: MissCause; readonly what?: string };

/**
 * A result as text. It repeats its key and ends in a checksum of all that is above it, so that it vouches for itself.
 *
 *     moccache result 1
 *     key DIGEST
 *     document DIGEST CHECKSUM SIZE
 *     artifact NAME DIGEST CHECKSUM SIZE      one line each, in code-unit order of their names
 *     cost MILLISECONDS
 *     created MILLISECONDS
 *     check CHECKSUM
 *
 * Throws where the result cannot be written so that it reads back the same: an artifact's name with a space in it,
 * a time that is no whole number.
 */
export function writeResult(result: ActionResult, checksumOf: ChecksumOf): string {
  const names = Object.keys(result.artifacts).sort();
  const odd = names.find((name) => !NAME.test(name));
  if (odd !== undefined) throw new Error(`not a name for an artifact: ${JSON.stringify(odd)}`);
  const lines = [
    FIRST_LINE,
    `key ${result.key}`,
    `document ${refText(result.document)}`,
    ...names.map((name) => `artifact ${name} ${refText(result.artifacts[name])}`),
    `cost ${wholeText(result.costMs)}`,
    `created ${wholeText(result.createdMs)}`,
    '',
  ];
  const text = lines.join('\n');
  return `${text}check ${checksumOf(Buffer.from(text, 'latin1'))}\n`;
}

/**
 * The result that was written, or undefined where a single bit of it is not as writeResult would have it: the grammar
 * leaves one way to write each result, and the checksum tells of an accident that the grammar lets pass.
 */
export function parseResult(bytes: Uint8Array, checksumOf: ChecksumOf): ActionResult | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const [whole, key, documentText, artifactLines = '', costText, createdText, check] = RESULT.exec(text) ?? [];
  if (whole === undefined || checksumOf(bytes.subarray(0, -CHECK_LINE_BYTES)) !== check) return undefined;
  const document = parseRef(documentText);
  const costMs = parseWhole(costText);
  const createdMs = parseWhole(createdText);
  if (document === undefined || costMs === undefined || createdMs === undefined) return undefined;
  const artifacts: [string, BlobRef][] = [];
  for (const line of artifactLines.split('\n').slice(0, -1)) {
    const [, name = '', ...refText] = line.split(' ');
    const ref = parseRef(refText.join(' '));
    if (ref === undefined || name <= (artifacts.at(-1)?.[0] ?? '')) return undefined;
    artifacts.push([name, ref]);
  }
  return { key: key as ActionKey, document, artifacts: Object.fromEntries(artifacts), costMs, createdMs };
}

const FIRST_LINE = 'moccache result 1';
// Without digits alone, which an object would put first; without `__proto__`, which it would swallow.
const NAME_SHAPE = '[A-Za-z][A-Za-z0-9._-]*';
const NAME = new RegExp(`^${NAME_SHAPE}$`);
const WHOLE_SHAPE = '(?:0|[1-9][0-9]{0,15})';
const REF_SHAPE = `[0-9a-f]{64} [0-9a-f]{16} ${WHOLE_SHAPE}`;
const RESULT = new RegExp(
  `^${FIRST_LINE}\nkey ([0-9a-f]{64})\ndocument (${REF_SHAPE})\n((?:artifact ${NAME_SHAPE} ${REF_SHAPE}\n)*)` +
    `cost (${WHOLE_SHAPE})\ncreated (${WHOLE_SHAPE})\ncheck ([0-9a-f]{16})\n$`,
);
const CHECK_LINE_BYTES = 'check 0123456789abcdef\n'.length;

function refText(ref: BlobRef | undefined): string {
  if (ref === undefined) throw new Error('an artifact without a blob');
  return `${ref.digest} ${ref.checksum} ${wholeText(ref.sizeBytes)}`;
}

function wholeText(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`not a whole number: ${value}`);
  return String(value);
}

/** Of a text that has the shape. */
function parseRef(text = ''): BlobRef | undefined {
  const [digest, checksum, sizeText] = text.split(' ');
  const sizeBytes = parseWhole(sizeText);
  return sizeBytes === undefined ? undefined : { digest: digest as Digest, checksum: checksum as Checksum, sizeBytes };
}

function parseWhole(text: string | undefined): number | undefined {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

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
 * A result as bytes: a head, and the document whose digest is the key, kept so that a miss can be explained. The head
 * repeats the key and ends in a checksum of all that is above it, so that it vouches for itself and for the document.
 *
 *     moccache result 1
 *     key DIGEST
 *     artifact NAME DIGEST CHECKSUM SIZE      one line each, in code-unit order of their names
 *     cost MILLISECONDS
 *     created MILLISECONDS
 *     document CHECKSUM SIZE
 *     check CHECKSUM
 *     the document, to the end
 *
 * Throws where the result cannot be written so that it reads back the same: an artifact's name with a space in it,
 * a time that is no whole number.
 */
export function writeResult(result: ActionResult, document: string, checksumOf: ChecksumOf): Uint8Array {
  const names = Object.keys(result.artifacts).sort();
  const odd = names.find((name) => !NAME.test(name));
  if (odd !== undefined) throw new Error(`not a name for an artifact: ${JSON.stringify(odd)}`);
  const documentBytes = Buffer.from(document);
  const lines = [
    FIRST_LINE,
    `key ${result.key}`,
    ...names.map((name) => `artifact ${name} ${refText(result.artifacts[name])}`),
    `cost ${wholeText(result.costMs)}`,
    `created ${wholeText(result.createdMs)}`,
    `document ${checksumOf(documentBytes)} ${documentBytes.length}`,
    '',
  ];
  const text = lines.join('\n');
  return Buffer.concat([Buffer.from(`${text}check ${checksumOf(Buffer.from(text, 'latin1'))}\n`), documentBytes]);
}

/** What was written as a result. */
export interface StoredResult {
  readonly result: ActionResult;
  readonly document: Uint8Array;
}

/** Undefined where a single bit is not as writeResult would have it. */
export function parseResult(bytes: Uint8Array, checksumOf: ChecksumOf): StoredResult | undefined {
  const head = parseHead(bytes, checksumOf);
  if (head === undefined) return undefined;
  const document = bytes.subarray(head.sizeBytes);
  const isWhole = document.length === head.documentBytes && checksumOf(document) === head.documentChecksum;
  return isWhole ? { result: head.result, document } : undefined;
}

export interface ResultHead {
  readonly result: ActionResult;
  /** Of the head itself; the document follows. */
  readonly sizeBytes: number;
  readonly documentBytes: number;
  readonly documentChecksum: Checksum;
}

/**
 * The head alone, of bytes that begin with it; undefined where a single bit of it is not as writeResult would have it: the
 * grammar leaves one way to write each head, and the checksum tells of an accident that the grammar lets pass.
 */
export function parseHead(bytes: Uint8Array, checksumOf: ChecksumOf): ResultHead | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const checkedBytes = buffer.indexOf(CHECK_LINE_START) + 1;
  const sizeBytes = checkedBytes + CHECK_LINE_BYTES;
  const fields = HEAD.exec(buffer.toString('latin1', 0, sizeBytes));
  const [, key, artifactLines = '', costText, createdText, documentChecksum, documentText, check] = fields ?? [];
  if (fields === null || checksumOf(bytes.subarray(0, checkedBytes)) !== check) return undefined;
  const documentBytes = parseWhole(documentText);
  const costMs = parseWhole(costText);
  const createdMs = parseWhole(createdText);
  if (documentBytes === undefined || costMs === undefined || createdMs === undefined) return undefined;
  const artifacts: [string, BlobRef][] = [];
  for (const line of artifactLines.split('\n').slice(0, -1)) {
    const [, name = '', ...refText] = line.split(' ');
    const ref = parseRef(refText.join(' '));
    if (ref === undefined || name <= (artifacts.at(-1)?.[0] ?? '')) return undefined;
    artifacts.push([name, ref]);
  }
  const result = { key: key as ActionKey, artifacts: Object.fromEntries(artifacts), costMs, createdMs };
  return { result, sizeBytes, documentBytes, documentChecksum: documentChecksum as Checksum };
}

const FIRST_LINE = 'moccache result 1';
// Without digits alone, which an object would put first; without `__proto__`, which it would swallow.
const NAME_SHAPE = '[A-Za-z][A-Za-z0-9._-]*';
const NAME = new RegExp(`^${NAME_SHAPE}$`);
const WHOLE_SHAPE = '(?:0|[1-9][0-9]{0,15})';
const REF_SHAPE = `[0-9a-f]{64} [0-9a-f]{16} ${WHOLE_SHAPE}`;
const HEAD = new RegExp(
  `^${FIRST_LINE}\nkey ([0-9a-f]{64})\n((?:artifact ${NAME_SHAPE} ${REF_SHAPE}\n)*)` +
    `cost (${WHOLE_SHAPE})\ncreated (${WHOLE_SHAPE})\ndocument ([0-9a-f]{16}) (${WHOLE_SHAPE})\ncheck ([0-9a-f]{16})\n$`,
);
const CHECK_LINE_START = '\ncheck ';
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

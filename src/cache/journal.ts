import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeDir } from './make-dir.ts';
import { READ } from './no-wait.ts';

/** What was journalled: any object of JSON. What is in it is the business of who wrote it. */
export type JournalRecord = Readonly<Record<string, unknown>>;

export interface Journal {
  /** Oldest first, as far as they are kept; lines of processes that wrote at once in the order of writing. */
  readonly records: readonly JournalRecord[];
  /** Lines that are torn, or that another program or a newer version wrote. */
  readonly skipped: number;
}

/*
 * journal = ( LF record )*
 * record  = JSON object with `"format":1`, without a line end in it
 *
 * The line end comes first: what a full disk or a power cut left of a line then ends where the next one begins.
 *
 * Lines go to CURRENT. A full one is renamed to `TIME-RANDOM.jsonl`, and the oldest of these are deleted. Their order is
 * that in which they were made: each is made after the one before it was renamed, while the time in a name is that of a
 * process which may have been slow to rename.
 */
const FORMAT = 1;
const CURRENT = 'journal.jsonl';
const FULL = /^\d{15}-[0-9a-f]{8}\.jsonl$/;

/** One file, and all of them: some 18,000 lines of 450 bytes, read and parsed in about 0.1 s. */
const FILE_BYTES = 1024 * 1024;
const ALL_BYTES = 8 * FILE_BYTES;
/** A longer line is left out: it would drive out the others. */
const LINE_BYTES = 64 * 1024;

/**
 * Appends a record as one line, in one write, so that processes that append at once do not mix theirs. Never throws: a
 * line that cannot be kept is not missed.
 */
export function appendRecord(journalDir: string, record: JournalRecord, nowMs: number): void {
  appendRecords(journalDir, [record], nowMs);
}

/** The same for several, in their order. */
export function appendRecords(journalDir: string, records: readonly JournalRecord[], nowMs: number): void {
  const lines = records.map((record) => `\n${JSON.stringify({ format: FORMAT, ...record })}`);
  const text = lines.filter((line) => Buffer.byteLength(line) <= LINE_BYTES).join('');
  if (text === '') return;
  const current = join(journalDir, CURRENT);
  try {
    const stats = statSync(current, { throwIfNoEntry: false });
    if (stats?.isFile() === false) return; // to open a pipe would wait for whoever reads it
    if (stats === undefined) makeDir(journalDir);
    else if (stats.size >= FILE_BYTES) orNone(() => setAside(journalDir, stats.ino, nowMs), undefined); // or another process
    writeFileSync(current, text, APPEND); // of a text, Node has a shorter way for that
  } catch {
    // the store tells of its own trouble
  }
}

const APPEND = { flag: 'a', mode: 0o600 } as const;

/**
 * Everything that is kept. `mentioning` leaves out, unparsed, what does not contain that text: a line is found by a name
 * in it in a tenth of the time. Throws the system's error where a file is there and cannot be read.
 */
export function readJournal(journalDir: string, mentioning = ''): Journal {
  const parts = readFiles(journalDir).map((text) => parseJournal(text, mentioning));
  return {
    records: parts.flatMap(({ records }) => records),
    skipped: parts.reduce((sum, { skipped }) => sum + skipped, 0),
  };
}

/** The records in a text, and how many lines are none. */
export function parseJournal(text: string, mentioning = ''): Journal {
  const lines = mentioning === '' ? text.split('\n').filter((line) => line !== '') : [...linesWith(text, mentioning)];
  const records = lines.map(parseLine).filter((record) => record !== undefined);
  return { records, skipped: lines.length - records.length };
}

function* linesWith(text: string, part: string): Generator<string> {
  for (let at = text.indexOf(part); at !== -1;) {
    const end = text.indexOf('\n', at);
    yield text.slice(text.lastIndexOf('\n', at) + 1, end === -1 ? undefined : end);
    at = end === -1 ? -1 : text.indexOf(part, end);
  }
}

function parseLine(line: string): JournalRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'format' in value && value.format === FORMAT
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes room. Of several processes that find the file full one renames it; should another then rename the new one, in the
 * blink between its look and its rename, there is a short file among the old ones, and no line is lost.
 */
function setAside(dir: string, full: number, nowMs: number): void {
  const current = join(dir, CURRENT);
  if (statSync(current, { throwIfNoEntry: false })?.ino !== full) return;
  renameSync(current, join(dir, `${String(nowMs).padStart(15, '0')}-${randomHex()}.jsonl`));
  let keptBytes = FILE_BYTES; // for the new one
  for (const name of fullFiles(dir).reverse()) {
    keptBytes += statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0;
    if (keptBytes > ALL_BYTES) rmSync(join(dir, name), { force: true });
  }
}

/** Eight digits, so that two who rename at once take two names. */
function randomHex(): string {
  return Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
}

/** Oldest first. Where the file system does not keep when a file was made, by their names. */
function fullFiles(dir: string): string[] {
  const names = orNone(() => readdirSync(dir).filter((name) => FULL.test(name)), []).sort();
  const files = names.flatMap((name) => {
    const madeNs = statSync(join(dir, name), { bigint: true, throwIfNoEntry: false })?.birthtimeNs;
    return madeNs === undefined ? [] : { name, madeNs };
  });
  return files.sort((a, b) => Number(a.madeNs - b.madeNs)).map(({ name }) => name);
}

/** The current file is read first: should it be set aside meanwhile it is found again, and known by its number. */
function readFiles(dir: string): readonly string[] {
  const current = readNumbered(join(dir, CURRENT));
  const older = fullFiles(dir).flatMap((name) => readNumbered(join(dir, name)) ?? []);
  const last = current === undefined || older.some(({ ino }) => ino === current.ino) ? [] : [current];
  return [...older, ...last].map(({ text }) => text);
}

function readNumbered(path: string): { readonly ino: bigint; readonly text: string } | undefined {
  return orNone(() => {
    const file = openSync(path, READ);
    try {
      return { ino: fstatSync(file, { bigint: true }).ino, text: readFileSync(file, 'utf8') };
    } finally {
      closeSync(file);
    }
  }, undefined);
}

function orNone<T>(read: () => T, none: T): T {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return none;
    throw error;
  }
}

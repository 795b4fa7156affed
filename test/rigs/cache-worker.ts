// One process of a test: does the task that its only argument names, and tells its parent of every step.
import { appendFileSync, closeSync, existsSync, openSync } from 'node:fs';
import { openCache, type Cache, type CacheEvent } from '../../src/cache/cache.ts';
import { actionKeyOf, digestOf } from '../../src/cache/digest.ts';
import { withFileLock } from '../../src/cache/file-lock.ts';

export type Task =
  | {
      readonly kind: 'build';
      readonly dir: string;
      readonly document: string;
      readonly countFile: string;
      readonly leaseWaitMs: number;
      /** `hold`: works until told to go on. `fail`: the same, and then fails. */
      readonly work: 'quick' | 'hold' | 'fail';
    }
  | { readonly kind: 'nested'; readonly dir: string; readonly documents: readonly [string, string] }
  /** Writes `PATH.log` while holding the lock. `hold`: until `PATH.finish` is there. */
  | { readonly kind: 'file-lock'; readonly path: string; readonly maxWaitMs: number; readonly work: 'quick' | 'hold' }
  /** Appends that many lines of some 500 bytes to the journal. */
  | { readonly kind: 'journal'; readonly dir: string; readonly name: string; readonly lines: number }
  | { readonly kind: 'no-handles'; readonly dir: string; readonly document: string };

/** `atMs` is the time of day in milliseconds, with fractions. */
export type Told =
  | { readonly kind: 'ready'; readonly atMs: number }
  | { readonly kind: 'working'; readonly atMs: number }
  | { readonly kind: 'event'; readonly event: CacheEvent }
  | {
      readonly kind: 'end';
      readonly atMs: number;
      readonly outcome: string;
      readonly waited?: boolean;
      readonly digest?: string;
    };

type End = Pick<Extract<Told, { kind: 'end' }>, 'outcome' | 'waited' | 'digest'>;

async function main(): Promise<void> {
  const task = JSON.parse(process.argv[2] ?? '') as Task;
  tell({ kind: 'ready', atMs: nowMs() });
  await told('go');
  const end = await perform(task);
  if ('dir' in task) await openCache({ dir: task.dir, mode: 'read-write', leaseWaitMs: 0 }).sweep([]);
  tell({ kind: 'end', atMs: nowMs(), ...end });
  process.disconnect();
}

function perform(task: Task): Promise<End> {
  switch (task.kind) {
    case 'build':
      return build(task);
    case 'nested':
      return nested(task);
    case 'file-lock':
      return lockFile(task);
    case 'no-handles':
      return withoutHandles(task);
    case 'journal':
      return Promise.resolve(journal(task));
  }
}

async function build(task: Extract<Task, { kind: 'build' }>): Promise<End> {
  const cache = open(task.dir, task.leaseWaitMs);
  const key = actionKeyOf(task.document);
  const find = async (): Promise<End | undefined> => {
    const found = await cache.lookUp(key, ['wasm']);
    const bytes = found.kind === 'hit' ? found.entry.bytes.wasm : undefined;
    return bytes === undefined ? undefined : { outcome: 'hit', digest: digestOf(bytes) };
  };
  const found = await find();
  if (found !== undefined) return found;
  const failures = {
    write: (error: unknown) => (error instanceof Error ? error.message : undefined),
    read: (text: string) => new Error(`told: ${text.slice(0, 20)}`),
  };
  try {
    const { value, waited } = await cache.withLease(
      key,
      'worker',
      find,
      async () => {
        appendFileSync(task.countFile, `${process.pid}\n`);
        tell({ kind: 'working', atMs: nowMs() });
        if (task.work !== 'quick') await told('finish');
        if (task.work === 'fail') throw new Error(`no ${'x'.repeat(1_000_000)}`);
        // Each run gives other bytes, so that a file from two runs would be seen.
        const wasm = Buffer.alloc(300_000, `${process.pid}:${nowMs()};`);
        await cache.record({ document: task.document, artifacts: { wasm }, costMs: 1 });
        return { outcome: 'built', digest: digestOf(wasm) };
      },
      { failures },
    );
    return { ...value, waited };
  } catch (error) {
    return { outcome: `failed: ${(error as Error).message.slice(0, 20)}` };
  }
}

async function nested({ dir, documents }: Extract<Task, { kind: 'nested' }>): Promise<End> {
  const cache = open(dir, 1_500);
  const [outer, inner] = documents.map(actionKeyOf);
  if (outer === undefined || inner === undefined) throw new Error('two documents are needed');
  const nothing = () => Promise.resolve(undefined);
  const { value } = await cache.withLease(outer, 'outer', nothing, async () => {
    tell({ kind: 'working', atMs: nowMs() });
    await told('finish');
    return (await cache.withLease(inner, 'inner', nothing, () => Promise.resolve('through'))).value;
  });
  return { outcome: value };
}

async function lockFile(task: Extract<Task, { kind: 'file-lock' }>): Promise<End> {
  const { path, maxWaitMs } = task;
  const end = await withFileLock(path, { label: 'worker', maxWaitMs }, () => {
    appendFileSync(`${path}.log`, `begin ${process.pid}\n`);
    while (task.work === 'hold' && !existsSync(`${path}.finish`)) Atomics.wait(NEVER, 0, 0, 5);
    appendFileSync(`${path}.log`, `end ${process.pid}\n`);
  });
  return { outcome: end.kind };
}

function journal({ dir, name, lines }: Extract<Task, { kind: 'journal' }>): End {
  const cache = open(dir, 0);
  for (let line = 0; line < lines; line += 1) cache.appendRecord({ name, line, filler: name.repeat(450) });
  return { outcome: 'appended' };
}

/** Looks up, takes a lease and records with not one file handle left. */
async function withoutHandles({ dir, document }: Extract<Task, { kind: 'no-handles' }>): Promise<End> {
  const cache = open(dir, 1_000);
  const key = actionKeyOf(document);
  await cache.withLease(actionKeyOf('load all modules'), 'warm', nothingFound, () => Promise.resolve(1));
  await cache.lookUp(key, []);
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    // that was the last one
  }
  const found = await cache.lookUp(key, ['wasm']);
  const { value } = await cache.withLease(key, 'worker', nothingFound, () => Promise.resolve('worked'));
  await cache.record({ document, artifacts: { wasm: Buffer.from('wasm') }, costMs: 1 });
  taken.forEach((file) => closeSync(file));
  return { outcome: `${found.kind}, ${value}` };
}

function open(dir: string, leaseWaitMs: number): Cache {
  return openCache({ dir, mode: 'read-write', leaseWaitMs, onEvent: (event) => tell({ kind: 'event', event }) });
}

const NEVER = new Int32Array(new SharedArrayBuffer(4));
const nothingFound = (): Promise<undefined> => Promise.resolve(undefined);

const heard: string[] = [];
let listener: (() => void) | undefined;
process.on('message', (word: string) => {
  heard.push(word);
  listener?.();
});

async function told(word: string): Promise<void> {
  while (!heard.includes(word)) await new Promise<void>((resolve) => (listener = resolve));
}

function tell(message: Told): void {
  process.send?.(message);
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

await main();

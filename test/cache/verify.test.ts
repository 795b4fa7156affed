import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadChecksum } from '../../src/cache/checksum.ts';
import { actionKeyOf, digestOf } from '../../src/cache/digest.ts';
import { writeResult, type ActionResult } from '../../src/cache/entry.ts';
import { openLocalStore } from '../../src/cache/local-store.ts';
import { verifyStore, type VerifyOptions, type VerifyProgress } from '../../src/cache/verify.ts';
import { blobFile, bytesOf, entryOf, resultFile, snapshotOf } from '../rigs/cache-entries.ts';
import { tempDir } from '../rigs/cache-temp.ts';

const DOCUMENT = 'a document\n';
const OTHER = 'another document\n';
const WASM = bytesOf(3_000_000);
const ARTIFACTS = {
  wasm: WASM,
  did: bytesOf(70, 2),
  stdout: bytesOf(0),
  stderr: bytesOf(10, 4),
  importers: bytesOf(9, 5),
};
const KEY = actionKeyOf(DOCUMENT);

test('a whole store: everything is counted, nothing is found, nothing is touched', async () => {
  const { dir, verify } = await scene();
  const before = snapshotOf(dir);
  const readBytes = [...Object.values(ARTIFACTS), bytesOf(50, 3)].reduce((sum, { length }) => sum + length, 0);
  expect(await verify()).toEqual({
    ...{ results: 2, blobs: 6, orphans: { blobs: 0, sizeBytes: 0 }, problems: [] },
    readBytes,
  });
  expect(snapshotOf(dir)).toEqual(before);
});

test('a store that was never used is whole, and none is made', async () => {
  const dir = join(tempDir(), 'builds');
  expect(await verifyStore({ dir, readOnly: false })).toMatchObject({ results: 0, blobs: 0, problems: [] });
  expect(existsSync(dir)).toBe(false);
});

const wasm = digestOf(WASM);
const damagedBlob = { kind: 'damaged-blob', digest: wasm, done: 'set-aside' };
const lacks = (what: string, digest: string) => ({
  kind: 'incomplete-result',
  key: KEY,
  what,
  digest,
  done: 'removed',
});
const damagedResult = (why: string) => ({ kind: 'damaged-result', key: KEY, why, done: 'set-aside' });

test.each<[string, (dir: string) => unknown, readonly object[]]>([
  [
    'a bit flipped in the last megabyte of a blob',
    (dir) => flipLast(blobFile(dir, wasm)),
    [damagedBlob, lacks('wasm', wasm)],
  ],
  ['a blob that was cut off', (dir) => cut(blobFile(dir, wasm)), [damagedBlob, lacks('wasm', wasm)]],
  ['a folder in the place of a blob', (dir) => beFolder(blobFile(dir, wasm)), [damagedBlob, lacks('wasm', wasm)]],
  ['a blob that is gone', (dir) => rmSync(blobFile(dir, wasm)), [lacks('wasm', wasm)]],
  ['an empty blob that is gone', (dir) => rmSync(blobFile(dir, digestOf(''))), [lacks('stdout', digestOf(''))]],
  ['a result that was cut off', (dir) => cut(resultFile(dir, DOCUMENT)), [damagedResult('torn')]],
  ['an empty result', (dir) => writeFileSync(resultFile(dir, DOCUMENT), ''), [damagedResult('torn')]],
  ['a pipe in the place of a blob', (dir) => bePipe(blobFile(dir, wasm)), [damagedBlob, lacks('wasm', wasm)]],
  ['a pipe in the place of a result', (dir) => bePipe(resultFile(dir, DOCUMENT)), [damagedResult('torn')]],
  ['a folder in the place of a result', (dir) => beFolder(resultFile(dir, DOCUMENT)), [damagedResult('torn')]],
  [
    'a result that is of another key',
    (dir) => copyFileSync(resultFile(dir, OTHER), resultFile(dir, DOCUMENT)),
    [damagedResult('other-key')],
  ],
  ["a result with another key's document", (dir) => writeResultOf(dir, {}, OTHER), [damagedResult('other-document')]],
  [
    'a result that gives a blob another size',
    async (dir) => {
      const { artifacts } = (await entryOf(DOCUMENT, ARTIFACTS)).result;
      const { wasm } = artifacts;
      if (wasm === undefined) throw new Error('no wasm');
      await writeResultOf(dir, { artifacts: { ...artifacts, wasm: { ...wasm, sizeBytes: wasm.sizeBytes + 1 } } });
    },
    [damagedResult('other-bytes')],
  ],
])('%s is found, taken away, and found no more; the other entry stays', async (_, damage, problems) => {
  const { dir, store, entry, verify } = await scene();
  await damage(dir);
  expect((await verify()).problems).toEqual(problems);
  expect((await verify()).problems).toEqual([]);
  expect(await store.get(KEY, Object.keys(ARTIFACTS))).toEqual({ kind: 'miss', cause: 'absent' });
  expect(await store.get(actionKeyOf(OTHER), ['wasm', 'did'])).toMatchObject({ kind: 'hit' });
  await store.put(DOCUMENT, entry);
  expect((await verify()).problems).toEqual([]);
  expect(await store.get(KEY, Object.keys(ARTIFACTS))).toMatchObject({ kind: 'hit' });
  expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
});

test('in a store that is only read everything is found and left, each time', async () => {
  const { dir, verify } = await scene();
  cut(blobFile(dir, wasm));
  cut(resultFile(dir, OTHER));
  const before = snapshotOf(dir);
  for (const round of [1, 2]) {
    const { problems } = await verify({ readOnly: true });
    expect(problems, `round ${round}`).toHaveLength(3);
    expect(problems.map(({ done }) => done)).toEqual(['left', 'left', 'left']);
  }
  expect(snapshotOf(dir)).toEqual(before);
});

test('blobs that no result names are counted, and are no damage', async () => {
  const { dir, verify } = await scene();
  rmSync(resultFile(dir, DOCUMENT));
  const { problems, orphans } = await verify();
  expect(problems).toEqual([]);
  // The did is the other entry's as well.
  expect(orphans).toEqual({ blobs: 4, sizeBytes: WASM.length + 10 + 9 });
});

test('what is evicted or stored while it checks is no damage', async () => {
  const { dir, store, entry, verify } = await scene();
  const evict = () => {
    rmSync(resultFile(dir, DOCUMENT), { force: true });
    for (const bytes of Object.values(ARTIFACTS))
      if (bytes !== ARTIFACTS.did) rmSync(blobFile(dir, digestOf(bytes)), { force: true });
  };
  const inMiddle = (stage: VerifyProgress['stage'], act: () => void) => {
    let done = false;
    return (progress: VerifyProgress) => {
      if (progress.stage !== stage || done) return;
      done = true;
      act();
    };
  };
  expect(await verify({ onProgress: inMiddle('blobs', evict) })).toMatchObject({ results: 1, problems: [] });
  await store.put(DOCUMENT, entry);
  expect(await verify({ onProgress: inMiddle('results', evict) })).toMatchObject({ results: 1, problems: [] });
  // A result of blobs that came after the blobs were read.
  const aside = join(tempDir(), 'later');
  const later = openLocalStore(aside);
  await later.put(DOCUMENT, entry);
  const arrive = () => {
    for (const digest of Object.values(ARTIFACTS).map(digestOf)) {
      const to = blobFile(dir, digest);
      mkdirSync(join(to, '..'), { recursive: true });
      copyFileSync(blobFile(aside, digest), to);
    }
    mkdirSync(join(resultFile(dir, DOCUMENT), '..'), { recursive: true });
    copyFileSync(resultFile(aside, DOCUMENT), resultFile(dir, DOCUMENT));
  };
  expect(await verify({ onProgress: inMiddle('results', arrive) })).toMatchObject({
    problems: [],
    orphans: { blobs: 0 },
  });
});

test('a store that is deleted while it checks is no damage', async () => {
  for (const stage of ['blobs', 'results'] as const) {
    const { dir, verify } = await scene();
    cut(resultFile(dir, DOCUMENT));
    const remove = (progress: VerifyProgress) => {
      if (progress.stage === stage) rmSync(dir, { recursive: true, force: true });
    };
    expect(await verify({ onProgress: remove })).toMatchObject({ results: 0, problems: [] });
    expect(existsSync(dir)).toBe(false);
  }
});

test('a file that cannot be read is told, and the rest is checked', async () => {
  const { dir, verify } = await scene();
  const path = blobFile(dir, wasm);
  rmSync(path);
  symlinkSync(path, path); // ELOOP, whoever asks
  cut(resultFile(dir, OTHER));
  expect((await verify()).problems).toMatchObject([
    { kind: 'unreadable', path, code: 'ELOOP', done: 'left' },
    { kind: 'damaged-result' },
  ]);
});

test('it ends when it is told to', async () => {
  const { verify } = await scene();
  const reason = new Error('enough');
  await expect(verify({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

async function scene() {
  const dir = join(tempDir(), 'builds');
  const store = openLocalStore(dir);
  const entry = await entryOf(DOCUMENT, ARTIFACTS);
  await store.put(DOCUMENT, entry);
  await store.put(OTHER, await entryOf(OTHER, { did: ARTIFACTS.did, wasm: bytesOf(50, 3) }));
  const verify = (options: Partial<VerifyOptions> = {}) => verifyStore({ dir, readOnly: false, ...options });
  return { dir, store, entry, verify };
}

async function writeResultOf(dir: string, changed: Partial<ActionResult>, document = DOCUMENT): Promise<void> {
  const { result } = await entryOf(DOCUMENT, ARTIFACTS);
  writeFileSync(resultFile(dir, DOCUMENT), writeResult({ ...result, ...changed }, document, await loadChecksum()));
}

function flipLast(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

function cut(path: string): void {
  writeFileSync(path, readFileSync(path).subarray(0, -1));
}

function bePipe(path: string): void {
  rmSync(path);
  execFileSync('mkfifo', [path]);
}

function beFolder(path: string): void {
  rmSync(path);
  mkdirSync(join(path, 'inner'), { recursive: true });
}

import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sweepOutputs } from '../src/build/sweep-outputs.ts';
import { openCache } from '../src/cache/cache.ts';
import { actionKeyOf } from '../src/cache/digest.ts';
import { seeLock } from '../src/cache/lock.ts';
import { ownerHere, writeOwnerRecord, type Owner } from '../src/cache/owner.ts';
import { nameOfOurs } from '../src/cache/process.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'moccache-sweep-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A name that a process would have given which had our process id before us. */
function nameOfTheDead(): string {
  const [pid, world, started = '', random] = nameOfOurs().split('-');
  return [pid, world, `${Number(started) - 1}`, random].join('-');
}

function nameOfAnotherHost(): string {
  const [pid, , started, random] = nameOfOurs().split('-');
  return [pid, '00000000', started, random].join('-');
}

function put(path: string, ageMs = 0): void {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '');
  const time = new Date(Date.now() - ageMs);
  utimesSync(file, time, time);
}

const isThere = (path: string) => lstatSync(join(dir, path), { throwIfNoEntry: false }) !== undefined;

test.each(['tmp', 'sandbox', 'stamps'])(
  'in %s of the store what a dead process left goes at once, what another host left after a day, and nothing else',
  async (folder) => {
    const cache = openCache({ dir, mode: 'read-write', leaseWaitMs: 0 });
    const dead = join(folder, nameOfTheDead());
    const old = join(folder, nameOfAnotherHost());
    const kept = [nameOfOurs(), nameOfAnotherHost(), actionKeyOf('a stamp')].map((name) => join(folder, name));
    for (const path of [dead, ...kept]) put(path);
    put(old, DAY_MS + 60_000);
    mkdirSync(join(dir, folder, nameOfTheDead(), 'inner'), { recursive: true });
    await cache.sweep([]);
    expect(readdirSync(join(dir, folder)).sort()).toEqual(kept.map((path) => path.slice(folder.length + 1)).sort());
  },
);

test('in a folder of temporary files only what is named by us goes', async () => {
  const cache = openCache({ dir: join(dir, 'builds'), mode: 'off', leaseWaitMs: 0 });
  const dead = join('scratch', nameOfTheDead());
  const kept = ['scratch/notes.txt', 'scratch/12-34', join('scratch', nameOfOurs())];
  for (const path of [dead, ...kept]) put(path);
  await cache.sweep([join(dir, 'scratch')]);
  expect([dead, ...kept].filter(isThere)).toEqual(kept);
});

test('a cache that must not be written is left as it is', async () => {
  openCache({ dir, mode: 'read-write', leaseWaitMs: 0 });
  const dead = join('tmp', nameOfTheDead());
  put(dead);
  await openCache({ dir, mode: 'read-only', leaseWaitMs: 0 }).sweep([]);
  expect(isThere(dead)).toBe(true);
});

test('leases of the dead go, with what breaking them may leave; those of the living and of other hosts stay', async () => {
  const cache = openCache({ dir, mode: 'read-write', leaseWaitMs: 0 });
  const us = ownerHere('test', '');
  lease('dead', { ...us, started: '1' });
  lease('alive', us);
  lease('elsewhere', { ...us, host: 'elsewhere' });
  mkdirSync(join(dir, 'lease', nameOfTheDead()));
  put(`lease/${actionKeyOf('torn')}.owner`, 120_000);
  await cache.sweep([]);
  const kept = ['alive', 'elsewhere'].flatMap((name) => ['lock', 'owner'].map((end) => `${actionKeyOf(name)}.${end}`));
  expect(readdirSync(join(dir, 'lease')).sort()).toEqual(kept.sort());
});

function lease(name: string, owner: Owner): void {
  const lockDir = join(dir, 'lease', `${actionKeyOf(name)}.lock`);
  const recordPath = lockDir.replace(/lock$/, 'owner');
  mkdirSync(lockDir, { recursive: true });
  const lockIdentity = seeLock({ lockDir, recordPath, recordKind: 'own' })?.identity ?? '';
  writeFileSync(recordPath, writeOwnerRecord({ owner, lockIdentity }));
}

test('beside the outputs what a killed build left goes, of every canister, and nothing of the user', async () => {
  const [dead, ours] = [nameOfTheDead(), nameOfOurs()];
  const litter = [`.a.wasm.${dead}.tmp`, `.a.b.did.${dead}.old`, `.a.wasm.map.${dead}.tmp`, `.a.buildlock.${dead}.old`];
  const kept = [`.a.wasm.${ours}.tmp`, '.a.wasm.tmp', `${dead}.tmp`, '.a.buildlock', 'a.wasm'];
  for (const name of [...litter, ...kept]) put(name);
  await sweepOutputs(dir, Date.now());
  expect(readdirSync(dir).sort()).toEqual([...kept].sort());
});

test('a lock of ours that never says whose it is goes when a second has passed, among leases and outputs', async () => {
  const cache = openCache({ dir, mode: 'read-write', leaseWaitMs: 0 });
  mkdirSync(join(dir, 'lease'));
  mkdirSync(join(dir, 'lease', `${actionKeyOf('nameless')}.lock`), { mode: 0o1777 });
  mkdirSync(join(dir, 'out'));
  mkdirSync(join(dir, 'out', '.a.buildlock.lock'), { mode: 0o1777 });
  const beganMs = performance.now();
  await Promise.all([cache.sweep([]), sweepOutputs(join(dir, 'out'), Date.now())]);
  expect(performance.now() - beganMs).toBeGreaterThan(900);
  expect([...readdirSync(join(dir, 'lease')), ...readdirSync(join(dir, 'out'))]).toEqual([]);
});

test("beside the outputs the lock of a killed build of ours goes; one of another program's stays", async () => {
  for (const name of ['ours', 'theirs']) mkdirSync(join(dir, `.${name}.buildlock.lock`));
  const place = {
    lockDir: join(dir, '.ours.buildlock.lock'),
    recordPath: join(dir, '.ours.buildlock'),
    recordKind: 'marker',
  } as const;
  const owner = { ...ownerHere('test', ''), started: '1' };
  writeFileSync(place.recordPath, writeOwnerRecord({ owner, lockIdentity: seeLock(place)?.identity ?? '' }));
  put('.theirs.buildlock');
  await sweepOutputs(dir, Date.now());
  expect(readdirSync(dir).sort()).toEqual(['.ours.buildlock', '.theirs.buildlock', '.theirs.buildlock.lock']);
});

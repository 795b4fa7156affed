import { chmodSync, linkSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../src/cache/digest.ts';
import { materialize, planMaterialize } from '../src/build/materialize.ts';
import { BuildError } from '../src/build/outcome.ts';

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'moccache-materialize-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const bytes = (text: string) => Buffer.from(text);
const ref = (text: string) => ({ digest: digestOf(text), sizeBytes: text.length });
const NEW = { wasm: bytes('wasm 2'), did: bytes('did 2'), most: bytes('most 2') };
const WANTED = { wasm: ref('wasm 2'), did: ref('did 2'), most: ref('most 2') };

function putOld(): void {
  for (const name of ['wasm', 'did', 'most']) writeFileSync(join(dir, `a.${name}`), `${name} 1`);
}

test('files appear with their bytes and nothing beside them', () => {
  materialize(dir, 'a', NEW);
  expect(readdirSync(dir).sort()).toEqual(['a.did', 'a.most', 'a.wasm']);
  expect(readFileSync(join(dir, 'a.wasm'), 'utf8')).toBe('wasm 2');
});

test('what is there already is not planned, and the wasm is planned last', () => {
  putOld();
  expect(planMaterialize(dir, 'a', WANTED)).toEqual(['did', 'most', 'wasm']);
  materialize(dir, 'a', { did: NEW.did });
  expect(planMaterialize(dir, 'a', WANTED)).toEqual(['most', 'wasm']);
  materialize(dir, 'a', NEW);
  expect(planMaterialize(dir, 'a', WANTED)).toEqual([]);
});

test('the same size and time with other bytes is not the same file', () => {
  putOld();
  const { mtime } = statSync(join(dir, 'a.did'));
  materialize(dir, 'a', NEW);
  writeFileSync(join(dir, 'a.did'), 'did X');
  utimesSync(join(dir, 'a.did'), mtime, mtime);
  expect(planMaterialize(dir, 'a', WANTED)).toEqual(['did']);
});

test('a symbolic or hard link is replaced by a file of its own, and what it led to is left alone', () => {
  const elsewhere = join(dir, 'elsewhere');
  writeFileSync(elsewhere, 'wasm 2');
  for (const link of [symlinkSync, linkSync]) {
    rmSync(join(dir, 'a.wasm'), { force: true });
    link(elsewhere, join(dir, 'a.wasm'));
    expect(planMaterialize(dir, 'a', { wasm: WANTED.wasm })).toEqual(['wasm']);
    materialize(dir, 'a', { wasm: NEW.wasm });
    const stats = statSync(join(dir, 'a.wasm'));
    expect([stats.isFile(), stats.nlink]).toEqual([true, 1]);
    expect(readFileSync(elsewhere, 'utf8')).toBe('wasm 2');
  }
});

test('a read-only file is replaced by a writable one', () => {
  putOld();
  chmodSync(join(dir, 'a.wasm'), 0o444);
  materialize(dir, 'a', NEW);
  expect(statSync(join(dir, 'a.wasm')).mode & 0o200).toBe(0o200);
});

test.each(['wasm', 'did', 'most'] as const)(
  'a folder in the place of the %s is a failure that leaves the other files as they were',
  (name) => {
    putOld();
    rmSync(join(dir, `a.${name}`));
    mkdirSync(join(dir, `a.${name}`));
    const before = readdirSync(dir).sort();
    expect(() => materialize(dir, 'a', NEW)).toThrow(BuildError);
    expect(readdirSync(dir).sort()).toEqual(before);
    for (const other of ['wasm', 'did', 'most'].filter((each) => each !== name)) {
      expect(readFileSync(join(dir, `a.${other}`), 'utf8')).toBe(`${other} 1`);
    }
  },
);

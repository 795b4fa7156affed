import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../src/cache/digest.ts';
import { collectArtifacts, stageSandbox } from '../src/build/sandbox.ts';

let parent: string;
beforeEach(() => (parent = mkdtempSync(join(tmpdir(), 'moccache-sandbox-'))));
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const file = (path: string, text = path) => ({ path, bytes: Buffer.from(text), digest: digestOf(text) });
const stage = (paths: string[], dirs: string[] = []) =>
  stageSandbox(parent, { closure: { inputs: paths.map((path) => file(path)), absent: [] }, dirs });

test('it holds the closure at the same relative paths, and nothing else', () => {
  const { root } = stage(['src/Main.mo', 'src/Lib/lib.mo'], ['.mops/core@1.0.0/src']);
  expect(readdirSync(root, { recursive: true }).sort()).toEqual(
    ['.mops', '.mops/core@1.0.0', '.mops/core@1.0.0/src', 'src', 'src/Lib', 'src/Lib/lib.mo', 'src/Main.mo'].sort(),
  );
  expect(readFileSync(join(root, 'src/Main.mo'), 'utf8')).toBe('src/Main.mo');
});

test('paths that leave the root stay inside the sandbox', () => {
  const { root } = stage(['src/Main.mo', '../../shared/Lib.mo'], ['../../../far']);
  expect(readFileSync(join(root, '../../shared/Lib.mo'), 'utf8')).toBe('../../shared/Lib.mo');
  expect(statSync(join(root, '../../../far')).isDirectory()).toBe(true);
  expect(join(root, '../../../far').startsWith(parent)).toBe(true);
});

test('no path outside the root leads back into it', () => {
  const siblings = ['root', 'up', 'in'].map((name) => join('..', name, 'src/Lib.mo'));
  const paths = ['src/Lib.mo', ...siblings, '../../up/src/Lib.mo'];
  const { root } = stage(paths);
  for (const path of paths) expect(readFileSync(join(root, path), 'utf8')).toBe(path);
});

test('a file with an absolute path stays where it is', () => {
  const outside = join(parent, 'outside.did');
  writeFileSync(outside, 'service : {}');
  const { root } = stage([outside, 'Main.mo']);
  expect(readdirSync(root)).toEqual(['Main.mo']);
});

test('it is for this user alone, and gone when removed', async () => {
  const sandbox = stage(['Main.mo']);
  const [name = ''] = readdirSync(parent);
  expect(statSync(join(parent, name)).mode & 0o777).toBe(0o700);
  await sandbox.remove();
  expect(readdirSync(parent)).toEqual([]);
});

test('a staging that fails leaves nothing behind', () => {
  expect(() => stage(['Main.mo', 'Main.mo/below.mo'])).toThrow();
  expect(readdirSync(parent)).toEqual([]);
});

test('artifacts that the compiler did not write are not there', () => {
  const { out } = stage(['Main.mo']);
  writeFileSync(join(out, 'a.wasm'), 'wasm');
  writeFileSync(join(out, 'b.did'), 'another');
  expect(collectArtifacts(out, 'a', ['wasm', 'did'])).toEqual({ wasm: Buffer.from('wasm') });
});

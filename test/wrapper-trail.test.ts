import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Loaded } from './rigs/trail-scene.ts';
import { scene, WRAPPER, type Ended, type RunOptions, type Scene } from './rigs/stand-in-project.ts';

const COMPILE = ['-c', '--idl', '--stable-types', '-o', 'out/a.wasm', 'src/A.mo'];
const FILES = {
  'src/A.mo': 'import Lib "./Lib";\nimport Util "./Util";\n// stand-in: warn mind this\nactor { }\n',
  'src/Util/lib.mo': 'module { }\n',
};

test('a call of which nothing has changed takes one file of our code', async () => {
  const at = await open();
  const first = await at.direct();
  const again = await at.wrapped();
  expect(again).toMatchObject({ ...first, loaded: ['moccache-moc.cjs'] });
});

test('its outputs are put back from there, those that another program changed included', async () => {
  const at = await open();
  const before = at.scene.files(at.out);
  appendFileSync(join(at.out, 'a.wasm'), 'processed in place');
  rmSync(join(at.out, 'a.did'));
  expect((await at.wrapped()).loaded).toEqual(['moccache-moc.cjs']);
  expect(at.scene.files(at.out)).toEqual(before);
});

test.each<{ what: string; change: (at: Scene) => void; env?: Record<string, string> }>([
  { what: 'an edit of the same length', change: (at) => at.put({ 'src/Lib.mo': 'module {}; \n' }) },
  { what: 'a file in the place of a folder', change: (at) => at.put({ 'src/Util.mo': 'module { /* new */ }\n' }) },
  { what: 'an import that is gone', change: (at) => at.put({ 'src/Lib.mo': undefined }) },
  { what: 'another compiler', change: ({ root }) => appendFileSync(join(root, 'moc'), '// rebuilt\n') },
  { what: 'a variable of the compiler', change: () => undefined, env: { MOC_UNLOCK_PRIM: '1' } },
  { what: 'a damaged blob', change: ({ store }) => rmSync(join(store, 'cas'), { recursive: true }) },
  { what: 'a cut trail', change: ({ store }) => rmSync(join(store, 'trails'), { recursive: true }) },
])('after $what the answer is still that of the compiler', async ({ change, env = {} }) => {
  const at = await open();
  change(at.scene);
  const expected = await at.direct({ env });
  const files = at.scene.files(at.out);
  for (const name of ['a.did', 'a.most', 'a.wasm']) writeFileSync(join(at.out, name), '');
  const { code, stdout, stderr } = await at.wrapped({ env });
  expect({ code, stdout, stderr }).toEqual(expected);
  if (expected.code === 0) expect(at.scene.files(at.out)).toEqual(files);
});

test('an answer from there is a use: its result does not grow old', async () => {
  const at = await open();
  const ac = join(at.scene.store, 'ac');
  const results = Object.keys(at.scene.files(ac)).map((name) => join(ac, name));
  for (const path of results) utimesSync(path, new Date(0), new Date(0));
  expect((await at.wrapped()).loaded).toEqual(['moccache-moc.cjs']);
  expect(results.map((path) => statSync(path).mtimeMs > 0)).toEqual([true]);
});

test('half a trail is none', async () => {
  const at = await open();
  const [name = ''] = Object.keys(at.scene.files(join(at.scene.store, 'trails')));
  const trail = join(at.scene.store, 'trails', name);
  truncateSync(trail, readFileSync(trail).length - 1);
  expect((await at.wrapped()).loaded).toContain('moccache-moc-whole.cjs');
  expect((await at.wrapped()).loaded).toEqual(['moccache-moc.cjs']);
});

test('what is put back again comes from blobs that are known by their stamps', async () => {
  const at = await open();
  const before = at.scene.files(at.out);
  const said = await at.direct();
  const putBack = async () => {
    for (const name of Object.keys(before)) rmSync(join(at.out, name));
    const { loaded, node, ...ended } = await at.wrapped();
    expect({ loaded, ...ended }).toEqual({ loaded: ['moccache-moc.cjs'], ...said });
    expect(node).toEqual([]);
    expect(at.scene.files(at.out)).toEqual(before);
    const [name = ''] = Object.keys(at.scene.files(join(at.scene.store, 'trails')));
    const trail = join(at.scene.store, 'trails', name);
    return { number: statSync(trail).ino, blobs: readFileSync(trail, 'utf8').match(/\["blob",/g)?.length };
  };
  await putBack(); // from blobs that were read and checked, of which it leaves word
  const first = await putBack();
  expect(first.blobs).toBe(2 * 4); // three files and what was said; a trail says all twice
  expect(await putBack()).toEqual(first);
});

test.each<{ what: string; change: (blob: string) => void }>([
  { what: 'altered in place, with its time set back', change: alter },
  {
    what: 'replaced by others of the same size and time',
    change: (blob) => {
      copyFileSync(blob, `${blob}.new`);
      alter(`${blob}.new`);
      renameSync(`${blob}.new`, blob);
    },
  },
  { what: 'cut short', change: (blob) => truncateSync(blob, 5) },
  { what: 'gone', change: (blob) => rmSync(blob) },
])('known blobs that are $what are not given out', async ({ change }) => {
  const at = await open();
  const before = at.scene.files(at.out);
  const said = await at.direct();
  const clear = () => Object.keys(before).forEach((name) => rmSync(join(at.out, name)));
  clear();
  await at.wrapped();
  const cas = join(at.scene.store, 'cas');
  const all = Object.keys(at.scene.files(cas)).map((name) => join(cas, name));
  const blobs = all.filter((path) => statSync(path).size > 0);
  expect(blobs).toHaveLength(4); // three files and what was said
  for (const blob of blobs) {
    clear();
    change(blob);
    const { loaded, code, stdout, stderr } = await at.wrapped();
    expect({ code, stdout, stderr }).toEqual(said);
    expect(loaded).toContain('moccache-moc-whole.cjs');
    expect(at.scene.files(at.out)).toEqual(before);
    clear();
    await at.wrapped(); // all are known again
  }
});

/** Other bytes of the same number, in the same file, as a program leaves them that sets the time back. */
function alter(path: string): void {
  const { atime, mtime } = statSync(path);
  const bytes = readFileSync(path);
  writeFileSync(path, Buffer.from(bytes.map((byte) => byte ^ 1)));
  utimesSync(path, atime, mtime);
}

interface Place {
  readonly scene: Scene;
  readonly out: string;
  /** The compiler without the wrapper. */
  direct(options?: RunOptions): Promise<Ended>;
  /** `loaded`: files of ours; `node`: modules of Node's that were not there before. */
  wrapped(
    options?: RunOptions,
  ): Promise<Ended & { readonly loaded: readonly string[]; readonly node: readonly string[] }>;
}

/** A scene in which the call was made before, and every file has been lying there for a while. */
async function open(): Promise<Place> {
  const at = scene(FILES);
  const out = join(at.root, 'out');
  mkdirSync(out);
  const moc = join(at.root, 'moc');
  const rig = (name: string) => `--require=${join(import.meta.dirname, 'rigs', name)}`;
  const loadedFile = join(at.base, 'loaded.json');
  const later = {
    ...{ MOCCACHE_MOC: moc, CLOCK_SHIFT_MS: '10000', LOADED_FILE: loadedFile },
    NODE_OPTIONS: `${rig('faults-clock.cjs')} ${rig('trail-loaded.cjs')}`,
  };
  const wrapped: Place['wrapped'] = async (options = {}) => {
    const command = [process.execPath, WRAPPER];
    const ended = await at.start(COMPILE, { ...options, command, env: { ...later, ...options.env } }).ended;
    const { files, node } = JSON.parse(readFileSync(loadedFile, 'utf8')) as Loaded;
    return { ...ended, loaded: files.filter((name) => name.startsWith('moccache-moc')), node };
  };
  for (const round of ['compiles', 'hits']) expect((await wrapped()).code, round).toBe(0);
  return { scene: at, out, wrapped, direct: (options) => at.start(COMPILE, { ...options, command: [moc] }).ended };
}

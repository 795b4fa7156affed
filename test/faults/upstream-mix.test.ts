import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UPSTREAM } from '../rigs/project-tools.ts';
import { report } from '../rigs/report.ts';
import { MOPS, scene, until } from '../rigs/stand-in-project.ts';

const ROUNDS = 50;

/** Builders, each with a checkout whose interface bears its name. Upstream's take a second to start. */
const UPSTREAMS = ['upstream1', 'upstream2'];
const OURS = ['ours1', 'ours2'];

/** When ours start, in turn: with upstream's, or when one of upstream's compilers has started. */
const STARTS = [0, 1, 1];

test("upstream's builds and ours at once into the same folder: the three files always belong to one build", async () => {
  const on = scene();
  const out = join(on.base, 'out');
  for (const name of [...UPSTREAMS, ...OURS]) {
    cpSync(on.root, join(on.base, name), { recursive: true });
    writeFileSync(join(on.base, name, 'src/A.mo'), `// did: service : { ${name} : () -> () }\nactor { }\n`);
  }
  const start = (script: string, name: string, flag: number) =>
    on.start(['build', '-o', out, '--', '--max-stable-pages', `${flag}`], {
      cwd: join(on.base, name),
      command: [process.execPath, script],
    });
  const wins = new Map<string, number>();
  const mixes: string[] = [];
  const failures: string[] = [];
  const sets = new Set<string>();
  const beganMs = performance.now();
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = on.starts().length;
    // A second one of upstream's costs more than all the rest, and adds little.
    const upstreams = UPSTREAMS.slice(0, round % 5 === 0 ? 2 : 1).map((name, index) =>
      start(UPSTREAM, name, 1000 + 10 * round + index),
    );
    const compilers = STARTS[round % STARTS.length] ?? 0;
    await Promise.any(upstreams.map((upstream) => until(() => on.starts().length >= before + compilers, upstream)));
    // Flags of ours come again after some rounds: then they do not compile, and are the faster.
    const ours = OURS.map((name, index) => start(MOPS, name, 10 * (round % 12) + index));
    for (const end of await Promise.all([...upstreams, ...ours].map(({ ended }) => ended)))
      if (end.code !== 0) failures.push(`round ${round}: ${JSON.stringify(end)}`);
    const { name, mark, whole } = filesIn(out);
    if (!whole) mixes.push(`round ${round}: ${name}`);
    wins.set(name, (wins.get(name) ?? 0) + 1);
    sets.add(mark);
  }
  const builds = [...UPSTREAMS, ...OURS];
  report("Upstream's builds and ours into the same folder", [
    {
      what: 'rounds of 3 or 4 builds at once',
      found: `${ROUNDS} in ${((performance.now() - beganMs) / 1000).toFixed(0)} s`,
    },
    { what: 'builds that failed', found: `${failures.length}`, asked: '0' },
    { what: 'rounds after which the files are of two builds', found: `${mixes.length} of ${ROUNDS}`, asked: '0' },
    { what: 'last to write', found: builds.map((name) => `${name}: ${wins.get(name) ?? 0}`).join(', ') },
    { what: 'different sets of files', found: `${sets.size}` },
  ]);
  expect(failures).toEqual([]);
  expect(mixes).toEqual([]);
  // Both were last now and then, or the rounds say little.
  for (const names of [UPSTREAMS, OURS]) expect(names.some((name) => wins.has(name))).toBe(true);
  expect(readdirSync(out).sort()).toEqual(['.a.buildlock', 'a.did', 'a.most', 'a.wasm']);
});

/**
 * Whose build the files are, and whether all three are. The stand-in leaves the same mark, of its sources and flags, in
 * the .most and the .wasm; the .did is in the .wasm as it is, as metadata.
 */
function filesIn(dir: string): { readonly name: string; readonly mark: string; readonly whole: boolean } {
  const [wasm = '', most = '', did = ''] = ['wasm', 'most', 'did'].map((end) =>
    readFileSync(join(dir, `a.${end}`), 'latin1'),
  );
  const [mark = 'no mark'] = /[0-9a-f]{64}/.exec(wasm) ?? [];
  const [, name = 'nobody'] = /^service : \{ (\w+) : /.exec(did) ?? [];
  return { name, mark, whole: most.includes(mark) && wasm.includes(did) };
}

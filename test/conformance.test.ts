import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { slots } from '../src/build/slots.ts';
import { BASE_FILES, type Case, type FactCase } from './rigs/conformance-case.ts';
import { CACHE } from './rigs/conformance-cache.ts';
import { COMMAND_LINE } from './rigs/conformance-command-line.ts';
import { differencesBetween, unforeseen } from './rigs/conformance-compare.ts';
import { COMPILER } from './rigs/conformance-compiler.ts';
import { CONFIGURATION } from './rigs/conformance-configuration.ts';
import { DEVIATIONS, listedDeviations } from './rigs/conformance-deviations.ts';
import { FACTS } from './rigs/conformance-facts.ts';
import { OUTPUTS } from './rigs/conformance-outputs.ts';
import { PACKAGES } from './rigs/conformance-packages.ts';
import { openPlace, repeatable, type Observation, type Place, type Step } from './rigs/conformance-scene.ts';
import { bundleUpstream } from './rigs/conformance-upstream.ts';
import { UPSTREAM } from './rigs/project-tools.ts';
import { MOPS } from './rigs/stand-in-project.ts';

const upstream = bundleUpstream();
afterAll(() => upstream.remove());

/** Cases at a time. */
const two = slots(2);

const CASES: readonly Case[] = [...COMMAND_LINE, ...CONFIGURATION, ...COMPILER, ...PACKAGES, ...OUTPUTS, ...CACHE];

async function observe(script: string, at: Case | FactCase): Promise<Observation> {
  return await inPlaceOf(at, (place) => place.observe(script, stepsOf(at)));
}

/** Ours is run once more, without its output: then mostly from the cache. Nothing else may be different. */
async function observeOurs(at: Case | FactCase): Promise<Observation> {
  return await inPlaceOf(at, async (place) => {
    const steps = stepsOf(at, at.ours);
    const first = await place.observe(MOPS, steps);
    if (steps.at(-1)?.args[0] !== 'build') return first;
    place.removeOutputs();
    const again = await place.observe(MOPS, steps.slice(-1));
    expect(repeatable(again), again.said).toEqual(repeatable({ ...first, lines: linesOfLast(first, steps.length) }));
    return first;
  });
}

async function inPlaceOf<T>(at: Case | FactCase, look: (place: Place) => Promise<T>): Promise<T> {
  const place = openPlace({ ...BASE_FILES, ...at.files });
  try {
    return await look(place);
  } finally {
    place.remove();
  }
}

/** Leaves out what earlier steps printed. */
function linesOfLast({ lines }: Observation, steps: number): readonly string[] {
  const exits = lines.flatMap((line, index) => (line.startsWith('exit ') ? [index] : []));
  return lines.slice(exits[steps - 1] ?? 0);
}

function stepsOf(at: Case | FactCase, own: readonly string[] = []): readonly Step[] {
  const { args = ['build'], env = {}, from = '.', before = [], change = {} } = at;
  const dashes = args.includes('--') ? args.indexOf('--') : args.length;
  return [...before, { args: [...args.slice(0, dashes), ...own, ...args.slice(dashes)], env, from, files: change }];
}

/** The lines of upstream 2.9 as 3 would have them. */
function linesOf3({ lines }: Observation, { since3 = {} }: Case): readonly string[] {
  const changed = Object.keys(since3).filter((line) => !lines.includes(line));
  if (changed.length > 0) throw new Error(`2.9 has no such line: ${changed.join(', ')}`);
  return lines.flatMap((line) => (line in since3 ? (since3[line] ?? []) : line));
}

/** Differences that no deviation explains, and what was not told, or told in vain. */
function surprisesOf(at: Case | FactCase, expected: readonly string[], ours: Observation): readonly string[] {
  const differences = differencesBetween(expected, ours.lines);
  return [...unforeseen(differences, Object.values(at.differs ?? {}).flat()), ...untold(at, ours, 'ours')];
}

function untold({ says = [], silentOf = [] }: Case | FactCase, { said }: Observation, who: string): readonly string[] {
  return [
    ...says.filter((text) => !said.includes(text)).map((text) => `${who} does not say: ${text}`),
    ...silentOf.filter((text) => said.includes(text)).map((text) => `${who} says: ${text}`),
  ];
}

describe.concurrent('as ic-mops does it', () => {
  test.each(CASES)('$title', (at) =>
    two.use(async () => {
      const theirs = await observe(upstream.script, at);
      const ours = await observeOurs(at);
      const surprises = [...surprisesOf(at, linesOf3(theirs, at), ours), ...untold(at, theirs, 'ic-mops')];
      expect(surprises, `ours said:\n${ours.said}\nic-mops said:\n${theirs.said}`).toEqual([]);
    }),
  );
});

describe.concurrent('as ic-mops 3 does it, which 2.9 does not yet', () => {
  test.each(FACTS)('$title', (at) =>
    two.use(async () => {
      const ours = await observeOurs(at);
      const lines = ours.lines.map((line) => line.replace(DIGEST, '$1').replace(MARK, '$1(digest)'));
      expect(surprisesOf(at, inOrder(at.facts), { ...ours, lines: inOrder(lines) }), ours.said).toEqual([]);
    }),
  );
});

/** What the contract does not know: the digest of a file, and the stand-in's mark in its wasm. */
const DIGEST = /^((?:new|changed) .* \d+) [0-9a-f]{16}$/;
const MARK = /^( {2}section stand-in: )"[0-9a-f]{64}"$/;

/** Changes of files are told in no order. */
function inOrder(lines: readonly string[]): readonly string[] {
  const isChange = (line: string) => /^(?:new|changed|gone| {2}section) /.test(line);
  return [...lines.filter((line) => !isChange(line)), ...lines.filter(isChange).sort()];
}

test('the list in README has every known deviation, and the cases show each', () => {
  const shown = new Set([...CASES, ...FACTS].flatMap(({ differs }) => Object.keys(differs ?? {})));
  const bySuite = Object.entries(DEVIATIONS).filter(([, where]) => where === 'cases');
  expect([...shown].sort()).toEqual(bySuite.map(([id]) => id).sort());
  expect([...listedDeviations()].sort()).toEqual(Object.keys(DEVIATIONS).sort());
  const elsewhere = Object.values(DEVIATIONS).filter((where) => where !== 'cases');
  expect(elsewhere.filter((file) => !existsSync(join(import.meta.dirname, '..', file)))).toEqual([]);
});

test('ic-mops as one file does what ic-mops does as it is installed', async () => {
  const titles = ['2: the compiler rejects the program', '3: a canister as a table', '3: MOPS_CWD'];
  const some = CASES.filter(({ title }) => titles.includes(title));
  expect(some).toHaveLength(titles.length);
  for (const at of some) expect(await observe(upstream.script, at)).toEqual(await observe(UPSTREAM, at));
});

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { slots } from '../src/build/slots.ts';
import { lockText } from './rigs/packages-scene.ts';
import { buildOurs, buildUpstream } from './rigs/project-build.ts';
import { layOut, MOC_PIN, type Layout } from './rigs/project-checkout.ts';
import { PROGRAMS } from './rigs/project-programs.ts';
import { copyTools, CORPUS, FIXTURES } from './rigs/project-tools.ts';

const tools = copyTools();
afterAll(() => tools.remove());

/** Two projects at a time: the biggest takes more than a gigabyte of memory. */
const two = slots(2);

interface Comparison {
  readonly layout: Layout;
  readonly arrange?: ((root: string) => void) | undefined;
  readonly args?: readonly string[] | undefined;
  /** What upstream has to be told beyond that. */
  readonly upstreamArgs?: readonly string[] | undefined;
  /** Where the user stands for our build, relative to the root. */
  readonly from?: string | undefined;
}

/** Builds a project twice with ours, the second time from the cache, and once with the real ic-mops, in copies. */
async function compare({ layout, arrange, args = [], upstreamArgs = [], from = '.' }: Comparison): Promise<void> {
  const [mine, theirs] = [layOut(tools, layout), layOut(tools, layout)];
  try {
    for (const { root } of [mine, theirs]) arrange?.(root);
    const cwd = join(mine.root, from);
    const first = await buildOurs(tools, mine, { args, cwd });
    const expected = await buildUpstream(theirs, [...args, ...upstreamArgs]);
    expect(first.outputs).toEqual(expected);
    expect(Object.keys(expected)).toContain(`${first.canisters[0]?.canister ?? ''}.wasm`);

    rmSync(join(mine.root, '.mops/.build'), { recursive: true });
    const second = await buildOurs(tools, mine, { args, cwd });
    expect(second.canisters.map(({ outcome, files }) => ({ outcome, files }))).toEqual(
      first.canisters.map(() => ({ outcome: 'hit', files: 'written' })),
    );
    expect(second.outputs).toEqual(expected);
  } finally {
    mine.remove();
    theirs.remove();
  }
}

describe.concurrent('the bytes are those of ic-mops build, and those of the cache are the same', () => {
  test('the shop of the fixtures', { timeout: 1_200_000 }, () =>
    two.use(() => compare({ layout: { copyOf: join(FIXTURES, 'shop') } })),
  );

  for (const { title, files, arrange, args, from } of PROGRAMS) {
    test(title, { timeout: 1_200_000 }, () => two.use(() => compare({ layout: { files }, arrange, args, from })));
  }

  const names = existsSync(CORPUS) ? readdirSync(CORPUS).filter((name) => existsSync(tomlOf(name))) : [];
  if (names.length === 0) console.log('skipped: the larger collection of programs (../shared/corpus) is not here');

  test.skipIf(names.length === 0).each(names)('%s of the larger collection', { timeout: 1_200_000 }, (name) => {
    const toml = readFileSync(tomlOf(name), 'utf8');
    const files = { 'mops.toml': toml.replace(/^moc = .*$/m, `moc = "${MOC_PIN}"`), 'mops.lock': lockFor(toml) };
    // ic-mops 2.9 has not heard of migrations yet; the flag that newer ones make of them it passes on.
    const upstreamArgs = name === 'migrations' ? ['--', '--enhanced-migration=migrations'] : [];
    return two.use(() => compare({ layout: { copyOf: join(CORPUS, name), files }, upstreamArgs }));
  });
});

function tomlOf(name: string): string {
  return join(CORPUS, name, 'mops.toml');
}

/** The programs come without a mops.lock; with one ic-mops asks nobody for their packages. */
function lockFor(toml: string): string {
  const section = /^\[dependencies\]\n((?:[\w-]+ = .*\n)*)/m.exec(toml)?.[1] ?? '';
  const dependencies = Object.fromEntries(
    [...section.matchAll(/^([\w-]+) = "(.*)"$/gm)].map(([, name = '', version = '']) => [name, version]),
  );
  return lockText({ dependencies }, dependencies);
}

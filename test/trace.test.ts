import { join, sep } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { layOut, type Layout } from './rigs/project-checkout.ts';
import { CHAIN, FACTORY, FORMS } from './rigs/project-forms.ts';
import { copyTools, FIXTURES } from './rigs/project-tools.ts';
import { canTrace, traceBuild } from './rigs/project-trace.ts';

const tools = copyTools();
afterAll(() => tools.remove());

const PROGRAMS: readonly (readonly [title: string, layout: Layout])[] = [
  ['every kind of import', { files: FORMS }],
  ['migrations', { files: CHAIN }],
  ['an imported actor class', { files: FACTORY }],
  ['the shop of the fixtures', { copyOf: join(FIXTURES, 'shop') }],
];

const traceable = canTrace();
if (!traceable) console.log('skipped: strace is not here or must not watch programs');

describe.skipIf(!traceable)(
  'the compiler in its sandbox opens the inputs of the document and nothing else of a project:',
  () => {
    test.each(PROGRAMS)('%s', { timeout: 1_200_000 }, async (_, layout) => {
      const checkout = layOut(tools, layout);
      try {
        const compiles = await traceBuild(tools, checkout);
        expect(compiles).not.toEqual([]);
        for (const { canister, trace, recorded } of compiles) {
          expect(canister).toMatchObject({ outcome: 'built', stage: 'compile' });
          expect({ inputs: trace.opened, absent: trace.absent }).toEqual(recorded);
          expect(recorded.inputs.length).toBeGreaterThan(1);
          const ofProject = trace.elsewhere.filter((path) => path.startsWith(checkout.root + sep));
          expect(ofProject.filter((path) => !path.startsWith(join(checkout.root, 'node_modules')))).toEqual([]);
        }
      } finally {
        checkout.remove();
      }
    });
  },
);

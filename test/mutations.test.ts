import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { slots } from '../src/build/slots.ts';
import { digestOf } from '../src/cache/digest.ts';
import { buildOurs, type Built, type BuiltCanister, type RunOptions } from './rigs/project-build.ts';
import { layOut, type Checkout } from './rigs/project-checkout.ts';
import { FORMS } from './rigs/project-forms.ts';
import { MUTATIONS } from './rigs/project-mutations.ts';
import { NO_OPS } from './rigs/project-no-ops.ts';
import { copyTools } from './rigs/project-tools.ts';

const tools = copyTools();
/** One cache for all: each row then compiles its edit alone. */
const cacheDir = mkdtempSync(join(tmpdir(), 'moccache-mutations-'));
afterAll(() => {
  tools.remove();
  rmSync(cacheDir, { recursive: true, force: true });
});

const two = slots(2);

describe.concurrent('an edit is noticed, changes what it should, and is forgotten when undone:', () => {
  for (const { title, project, given, edit, stage, changes } of MUTATIONS) {
    test(title, { timeout: 1_200_000 }, () =>
      inCheckout({ files: project }, async (checkout) => {
        const asked = given?.(checkout.root) ?? {};
        const before = await build(checkout, asked);
        const after = await build(checkout, edit(checkout.root) ?? asked);
        expect(after.canister).toMatchObject({ outcome: 'built', cause: 'absent', stage });
        expect(keysThatDiffer(before.canister, after.canister)).toContain(stage);
        if (stage === 'finish') expect(keysThatDiffer(before.canister, after.canister)).toEqual(['finish']);
        expect(changesBetween(before.canister, after.canister)).toBe(changes);

        checkout.reset();
        given?.(checkout.root);
        const undone = await build(checkout, asked);
        expect(undone.canister).toMatchObject({ outcome: 'hit', files: 'written' });
        expect(keysOf(undone)).toEqual(keysOf(before));
        expect(undone.outputs).toEqual(before.outputs);
      }),
    );
  }
});

describe.concurrent('what no compiler sees is not noticed:', () => {
  for (const [title, edit, given] of NO_OPS) {
    test(title, { timeout: 1_200_000 }, () =>
      inCheckout({ files: FORMS }, async (checkout) => {
        given?.(checkout.root);
        const before = await build(checkout, {});
        const after = await build(checkout, edit(checkout.root) ?? {});
        expect(after.canister).toMatchObject({ outcome: 'hit', waited: false });
        expect(keysOf(after)).toEqual(keysOf(before));
        expect(changesBetween(before.canister, after.canister)).toBe('nothing');
      }),
    );
  }

  test('another output directory', { timeout: 1_200_000 }, () =>
    inCheckout({ files: FORMS }, async (checkout) => {
      const before = await build(checkout, {});
      const { canisters } = await buildOurs(tools, checkout, { args: ['--output', 'elsewhere'] });
      expect(canisters).toMatchObject([{ outcome: 'hit', files: 'written', ...keysOf(before) }]);
      for (const name of Object.keys(before.outputs)) {
        expect(digestOf(readFileSync(join(checkout.root, 'elsewhere', name)))).toBe(before.outputs[name]);
      }
    }),
  );
});

async function inCheckout(
  layout: { readonly files: (typeof MUTATIONS)[number]['project'] },
  use: (checkout: Checkout) => Promise<void>,
): Promise<void> {
  await two.use(async () => {
    const checkout = layOut(tools, { ...layout, cacheDir });
    try {
      await use(checkout);
    } finally {
      checkout.remove();
    }
  });
}

async function build(checkout: Checkout, options: RunOptions): Promise<Built & { readonly canister: BuiltCanister }> {
  const built = await buildOurs(tools, checkout, options);
  const [canister] = built.canisters;
  if (canister === undefined) throw new Error('no canister was built');
  for (const [name, ref] of Object.entries(canister.artifacts)) {
    expect(built.outputs[`${canister.canister}.${name}`]).toBe(ref.digest);
  }
  return { ...built, canister };
}

function keysOf({ canister }: { readonly canister: BuiltCanister }) {
  return { compileKey: canister.compileKey, key: canister.key };
}

/** The stages whose keys are others. A compile that gives the same wasm as before has the same finish. */
function keysThatDiffer(before: BuiltCanister, after: BuiltCanister): readonly string[] {
  return [
    ...(before.compileKey === after.compileKey ? [] : ['compile']),
    ...(before.key === after.key ? [] : ['finish']),
  ];
}

/** The artifacts of which the bytes differ. */
function changesBetween(before: BuiltCanister, after: BuiltCanister): string {
  const names = (['wasm', 'did', 'most'] as const).filter(
    (name) => before.artifacts[name]?.digest !== after.artifacts[name]?.digest,
  );
  return names.length === 0 ? 'nothing' : names.join(' ');
}

import { expect, test } from 'vitest';
import type { CanisterExplanation } from '../src/build/explain-canister.ts';
import type { Explanation } from '../src/build/explain.ts';
import type { Outcome } from '../src/build/outcome.ts';
import { explanationLines } from '../src/cli/explain-text.ts';
import { BASE, EXPLAINED } from './rigs/explain-mutations.ts';
import { scene } from './rigs/stand-in-project.ts';

/** As people read it, digests as `#`; nothing, where nothing has changed. */
function linesOf(explanation: Explanation | undefined): readonly string[] {
  if (explanation?.kind === 'same') return [];
  return explanation === undefined
    ? ['none']
    : explanationLines(explanation).map((line) => line.replace(/\b[0-9a-f]{12}\b/g, '#'));
}

test.each(EXPLAINED)(
  '$title: said before the build, by the build, and after it',
  async ({ files, edit, env = {}, mocArgs, says }) => {
    const on = scene(BASE);
    const more = mocArgs === undefined ? [] : ['--', ...mocArgs];
    const explain = async () => {
      const end = await on.mops(['cache', 'explain', 'a', '--json', ...more], { env });
      expect(end.code, end.stdout + end.stderr).toBe(0);
      return JSON.parse(end.stdout) as CanisterExplanation;
    };
    const build = async (args: readonly string[], as = env) => {
      const end = await on.mops(['build', '--json', ...args], { env: as });
      expect(end.code, end.stdout + end.stderr).toBe(0);
      return (JSON.parse(end.stdout) as { canisters: readonly Outcome[] }).canisters[0];
    };
    await build([], {});
    const starts = on.starts().length;

    on.put(files ?? {});
    edit?.(on);
    const { next } = await explain();
    expect(on.starts()).toHaveLength(starts);
    if (next.answer === 'uncacheable') throw new Error(next.uncacheable);
    expect(linesOf(next.explanation)).toEqual(says);

    const outcome = await build(['--explain', ...more]);
    if (outcome?.outcome === undefined || outcome.outcome === 'failed') throw new Error('it was not built');
    const did = outcome.outcome === 'hit' ? 'hit' : outcome.stage;
    expect(next.answer).toBe(did);
    if (did === 'hit') return;
    expect(linesOf(outcome.explanation)).toEqual(says);

    const after = await explain();
    expect(after.next).toMatchObject({ answer: 'hit', explanation: { kind: 'same' } });
    expect(linesOf(after.made?.explanation)).toEqual(says);
  },
);

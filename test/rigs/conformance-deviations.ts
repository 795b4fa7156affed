import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Where a build of ours knowingly differs from upstream's, and where that is shown: by cases of the conformance suite, or
 * by another test. README lists the same ids, with the reasons.
 */
export const DEVIATIONS = {
  'from-root': 'cases',
  'default-output': 'cases',
  'lock-not-written': 'cases',
  'verbose-on-stderr': 'cases',
  'mistakes-first': 'cases',
  'output-when-needed': 'cases',
  'failed-leaves-files': 'cases',
  'names-stay-inside': 'cases',
  'compiles-once': 'cases',
  offline: 'cases',
  'pocket-ic-url': 'cases',
  'side-by-side': 'test/build.test.ts',
  'wasm-opt-fails': 'test/optimize.test.ts',
  'wasm-opt-alone': 'test/optimize.test.ts',
  'staged-migrations': 'test/migrations.test.ts',
  'check-wasm-lines': 'test/complexity.test.ts',
  'check-deploy': 'test/check-deploy.test.ts',
  'check-stable-path': 'test/migrations.test.ts',
  'optimize-table': 'test/project.test.ts',
  'own-words': 'test/bad-input.test.ts',
  'shorter-waits': 'test/concurrency.test.ts',
} as const;

export type DeviationId = keyof typeof DEVIATIONS;

/** The ids of the list in README, in its order. */
export function listedDeviations(): readonly string[] {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const section = /^## Known deviations\n([^]*?)^## /m.exec(readme)?.[1] ?? '';
  return [...section.matchAll(/^- `([\w-]+)`: /gm)].map(([, id = '']) => id);
}

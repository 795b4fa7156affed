import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository } from './rigs/built.ts';

/** What dependency-cruiser cannot see: words, and what the language offers without an import. */
test.each([
  { layer: 'cache', what: 'Motoko', words: /\b(canisters?|motoko|mops|moc)\b/i },
  { layer: 'cache', what: 'the terminal', words: /\bconsole\.|\bprocess\.(env|argv|exit|exitCode|stdout|stderr)\b/ },
  { layer: 'build', what: 'the terminal', words: /\bconsole\.|\bprocess\.(env|argv|exit|exitCode|stdout|stderr)\b/ },
])('src/$layer knows nothing of $what', ({ layer, words }) => {
  const folder = join(repository, 'src', layer);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(0);
  const found = files.flatMap((path) =>
    readFileSync(join(folder, path), 'utf8')
      .split('\n')
      .flatMap((line, index) => (words.test(line) ? [`src/${layer}/${path}:${index + 1}: ${line.trim()}`] : [])),
  );
  expect(found).toEqual([]);
});

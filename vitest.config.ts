import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // A compile of a real program takes up to 25 CPU seconds, and several tests may compile at once.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});

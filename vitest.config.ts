import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // A compile of a real program takes up to 25 CPU seconds, and several tests may compile at once. A build that is killed
    // at every call of the file system, and every next one, are a thousand processes.
    testTimeout: 900_000,
    hookTimeout: 300_000,
  },
});

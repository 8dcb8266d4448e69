import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/setup.ts',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // browsers hear sound in real time: one file after another
    fileParallelism: false,
    expect: { requireAssertions: true },
  },
});

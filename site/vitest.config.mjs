import { defineConfig } from 'vitest/config';
import { alias } from './vite.config.mjs';

export default defineConfig({
  resolve: { alias },
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

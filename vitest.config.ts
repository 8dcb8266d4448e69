import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { BROWSERS, CHROMIUM_ARGUMENTS } from './scripts/browsers.mjs';

// Every *.test.ts runs in Node and in headless Chromium; *.node.test.ts only in Node: files, processes, the package.
const chromium = BROWSERS.find(({ name }) => name === 'Chromium')!.path;
if (!chromium) {
  const message = 'chromium: no browser found in the usual places or at $CHROMIUM';
  if (process.env.CI) throw new Error(message);
  console.warn(`SKIPPED ${message}; the tests run in Node only`);
}

// test/wide.slow.node.test.ts runs tests so, in processes that pack vectors into 256 bits
const wide = { execArgv: ['--experimental-wasm-revectorize'], setupFiles: ['test/support/wide.ts'] };
const node = {
  extends: true as const,
  test: { name: 'node', include: ['test/**/*.test.ts'], ...(process.env.WIDE ? wide : {}) },
};
const browser = {
  extends: true as const,
  test: {
    name: 'chromium',
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/*.node.test.ts'],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          executablePath: chromium ?? '',
          args: [...CHROMIUM_ARGUMENTS],
        },
      }),
      instances: [{ browser: 'chromium' as const }],
    },
  },
};

export default defineConfig({
  test: {
    globalSetup: 'test/support/setup.ts',
    testTimeout: 60_000,
    // a test that returns before it has looked at anything fails
    expect: { requireAssertions: true },
    projects: chromium ? [node, browser] : [node],
  },
});

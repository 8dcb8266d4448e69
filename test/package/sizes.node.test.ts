// Growth is seen here and decided: `npm run sizes -- --record` writes test/sizes.json anew. dist/ must have been built.
import { expect, it } from 'vitest';
import { measure } from '../../scripts/sizes.mjs';
import recorded from '../sizes.json' with { type: 'json' };

const sizes = await measure();

it('every entry point has its recorded size, minified and gzipped, within 2 %', () => {
  expect(Object.keys(sizes)).toEqual(Object.keys(recorded));
  for (const [path, byBundler] of Object.entries(recorded)) {
    expect(Object.keys(sizes[path]!)).toEqual(Object.keys(byBundler));
    for (const [bundler, bytes] of Object.entries(byBundler)) {
      const size = sizes[path]![bundler]!;
      expect(size, `${path} by ${bundler}, recorded with ${bytes}`).toBeGreaterThanOrEqual(0.98 * bytes);
      expect(size, `${path} by ${bundler}, recorded with ${bytes}`).toBeLessThanOrEqual(1.02 * bytes);
    }
  }
});

it('the main entry has at most 27,000 bytes', () => {
  for (const [bundler, bytes] of Object.entries(sizes['.']!)) expect(bytes, bundler).toBeLessThanOrEqual(27_000);
});

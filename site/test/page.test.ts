import { existsSync, readFileSync, statSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, inject } from 'vitest';
import { findings, inBrowsers } from './support.ts';

const PANELS = ['home', 'voice', 'amp', 'noise', 'words', 'model', 'fast'];
const DIST = new URL('../dist/', import.meta.url);

inBrowsers('the page asks no other host, and has no finding of axe', async (page) => {
  for (const panel of PANELS) await page.show(panel);
  const addresses: string[] = await page.evaluate(`performance.getEntriesByType('resource').map(({ name }) => name)`);
  expect(addresses.length).toBeGreaterThan(5);
  expect(addresses.filter((url) => !url.startsWith(inject('site')) && !/^(blob|data):/.test(url))).toEqual([]);
  expect(await findings(page)).toEqual([]);
});

inBrowsers(
  'on a phone in the dark axe finds nothing, and nothing is wider than the screen',
  async (page) => {
    for (const panel of PANELS) await page.show(panel);
    expect(await findings(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
  },
  {
    names: ['Chromium', 'Firefox'],
    look: { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true },
  },
);

inBrowsers(
  'what the first screen loads is at most 150 KB compressed without models and recordings, fonts 62 KB of it',
  async (page) => {
    await page.until(`document.querySelector('#home lw-strip .row')`);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const addresses: string[] = await page.evaluate(`performance.getEntriesByType('resource').map(({ name }) => name)`);
    const paths = ['index.html', ...addresses.map((url) => url.slice(inject('site').length))].filter(
      (path) => !/\.(safetensors|wav|onnx)$/.test(path) && existsSync(new URL(path, DIST)),
    );
    const sizes = [...new Set(paths)].map((path) => {
      const url = new URL(path, DIST);
      return path.endsWith('.woff2') ? statSync(url).size : gzipSync(readFileSync(url), { level: 9 }).length;
    });
    const fonts = paths
      .filter((path) => path.endsWith('.woff2'))
      .reduce((sum, path) => sum + statSync(new URL(path, DIST)).size, 0);
    expect(
      sizes.reduce((sum, size) => sum + size, 0),
      paths.join(' '),
    ).toBeLessThanOrEqual(150_000);
    expect(fonts).toBeLessThanOrEqual(62_000);
  },
  { names: ['Chromium'] },
);

for (const width of [390, 820, 1440]) {
  inBrowsers(
    `nothing moves while the page loads, ${width} px`,
    async (page) => {
      for (const panel of PANELS) {
        await page.show(panel);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      const shift = `new Promise((resolve) => new PerformanceObserver((list) => resolve(list.getEntries()
        .filter(({ hadRecentInput }) => !hadRecentInput)
        .map(({ value, sources }) => [value, sources.map(({ node }) => node?.parentElement?.closest('section')?.id + ' ' + (node?.className ?? node?.nodeName)).join()].join(' ')))
      ).observe({ type: 'layout-shift', buffered: true }) ?? setTimeout(() => resolve([]), 1000))`;
      expect(await page.evaluate(shift)).toEqual([]);
    },
    { names: ['Chromium'], look: { viewport: { width, height: 900 } } },
  );
}

inBrowsers(
  'Tab reaches every control of the page',
  async (page) => {
    for (const panel of PANELS) await page.show(panel);
    await page.evaluate('scrollTo(0, 0); document.body.focus()');
    // of radio buttons with one name Tab reaches one, and the arrows the others
    const controls: number = await page.evaluate(`(() => {
      const all = document.querySelectorAll('a[href], button:not(:disabled), input:not(:disabled), select, summary, textarea, [tabindex="0"]');
      const seen = [...all].filter((element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length);
      return new Set(seen.map((element) => element.type === 'radio' ? element.name : element)).size;
    })()`);
    const here = `(() => {
      const element = document.activeElement;
      if (element === document.body) return '';
      element.dataset.stop ??= document.querySelectorAll('[data-stop]').length;
      return element.dataset.stop;
    })()`;
    const stops = new Set<string>();
    for (let n = 0; n < controls + 2; n++) {
      await page.press('Tab');
      stops.add(await page.evaluate(here));
    }
    stops.delete('');
    expect(stops.size).toBe(controls);
  },
  { names: ['Chromium', 'Firefox'] },
);

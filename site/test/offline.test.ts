import { preview } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BROWSERS, type Browser } from '../../scripts/browsers.mjs';
import { needEngine } from '../../test/support/need.ts';

const chromium = BROWSERS.find(({ name }) => name === 'Chromium')!;
let browser: Browser | undefined;
beforeAll(async () => {
  if (chromium.path) browser = await chromium.start();
});
afterAll(() => browser?.close());

test('a page that is kept works when its server is gone, and nothing is left when it is removed', async (context) => {
  needEngine(context, 'Chromium', chromium.path);
  const root = new URL('..', import.meta.url).pathname;
  const server = await preview({ root, preview: { port: 0, host: '127.0.0.1' } });
  const errors: Error[] = [];
  const page = await browser!.open(server.resolvedUrls!.local[0]!, (error) => errors.push(error));
  const status = () => page.evaluate(`document.getElementById('offline-status').textContent`);
  const until = async (text: RegExp) => {
    for (const end = Date.now() + 60_000; !text.test(await status()); ) {
      if (Date.now() > end) throw new Error(`expected ${text}, the page says "${await status()}"`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await page.click('#offline');
  await until(/without a network now/);
  await server.close();

  await page.evaluate('void setTimeout(() => location.reload())');
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(await page.title()).toMatch(/^lstm-wasm/);
  expect(await page.evaluate(`fetch('licences.txt').then((response) => response.text())`)).toMatch(/^# Licences/);
  await page.click('#offline');
  await until(/Nothing is kept/);
  expect(await page.evaluate('caches.keys()')).toEqual([]);
  expect(errors).toEqual([]);
});

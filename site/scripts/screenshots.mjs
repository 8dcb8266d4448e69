// Pictures of the built page for the eye: each panel at three widths, light and dark, in screenshots/ (not kept in the repository).
// node scripts/screenshots.mjs [--panel voice] [--width 1440] [--theme dark]
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { preview } from 'vite';
import { BROWSERS, CHROMIUM_ARGUMENTS } from '../../scripts/browsers.mjs';

const { values } = parseArgs({
  options: { panel: { type: 'string' }, width: { type: 'string' }, theme: { type: 'string' } },
});
const root = new URL('..', import.meta.url);
const folder = new URL('screenshots/', root);
mkdirSync(folder, { recursive: true });
const server = await preview({ root: root.pathname, preview: { port: 0, host: '127.0.0.1' } });
const executablePath = BROWSERS.find(({ name }) => name === 'Chromium')?.path;
const browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGUMENTS });

for (const width of values.width ? [Number(values.width)] : [390, 820, 1440]) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    if (values.theme && values.theme !== colorScheme) continue;
    const viewport = { width, height: width < 600 ? 844 : 900 };
    const page = await browser.newPage({ viewport, colorScheme, deviceScaleFactor: width < 600 ? 2 : 1 });
    page.setDefaultTimeout(180_000);
    page.on('pageerror', (error) => console.error(`${width} ${colorScheme}: ${error}`));
    await page.goto(server.resolvedUrls.local[0]);
    // it would lie over panels that are taller than the screen
    await page.addStyleTag({ content: '.top { position: static !important }' });
    for (const section of await page.locator('main > section').all()) {
      const panel = await section.getAttribute('id');
      if (values.panel && values.panel !== panel) continue;
      await section.scrollIntoViewIfNeeded();
      await page.waitForTimeout(4000);
      await section.screenshot({ path: new URL(`${panel}-${width}-${colorScheme}.png`, folder).pathname });
    }
    if (!values.panel)
      await page.screenshot({ path: new URL(`page-${width}-${colorScheme}.png`, folder).pathname, fullPage: true });
    await page.close();
  }
}
await browser.close();
await server.close();
console.log(`screenshots are in ${folder.pathname}`);

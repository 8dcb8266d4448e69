// Records the run that the panel "How fast" shows before a visitor has run one: node scripts/record-fast.mjs, on a machine that does nothing
// else, after npm run build. Runs the page's own benchmark, the thorough one, in Chromium.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { preview } from 'vite';
import { processorOf } from '../../benchmarks/charts.mjs';
import { processor } from '../../benchmarks/launch.mjs';
import { BROWSERS } from '../../scripts/browsers.mjs';

const MINUTES = 10;
const target = new URL('../src/panels/fast/recorded.json', import.meta.url);

const server = await preview({
  root: fileURLToPath(new URL('..', import.meta.url)),
  preview: { port: 0, host: '127.0.0.1' },
});
const browser = await BROWSERS.find(({ name }) => name === 'Chromium').start();
const page = await browser.open(`${server.resolvedUrls.local[0]}#fast`, (error) => console.error(error));
const result = await page.evaluate(`new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error('no result after ${MINUTES} minutes')), ${MINUTES * 60_000});
  document.addEventListener('fast-result', ({ detail }) => resolve(detail));
  const begin = () => document.querySelector('#fast [data-started]')
    ? document.querySelector('#fast [data-thorough]').click()
    : setTimeout(begin, 100);
  begin();
})`);
await browser.close();
await server.close();
writeFileSync(target, `${JSON.stringify({ ...result, machine: processorOf(processor()) }, undefined, 1)}\n`);
console.log(`${fileURLToPath(target)}: ${result.rows.length} rows, ${result.browser}, ${processorOf(processor())}`);

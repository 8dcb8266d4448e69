// Records the run that the panel "How fast" shows before a visitor has run one: node scripts/record-fast.mjs, after npm run build, on a machine
// that does nothing else. Runs the page's own benchmark, the thorough one, in Chromium. With --from-results the rows are those that
// benchmarks/RESULTS.md has of Chromium, and the second part alone is measured now.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { preview } from 'vite';
import { labelOf, processorOf } from '../../benchmarks/charts.mjs';
import { processor } from '../../benchmarks/launch.mjs';
import { recordedRuns } from '../../benchmarks/recorded.mjs';
import { BROWSERS } from '../../scripts/browsers.mjs';

const MINUTES = 10;
const NAMES = ['ours', 'ours int8', 'plain', 'ort-web'];
const target = new URL('../src/panels/fast/recorded.json', import.meta.url);
const fromResults = process.argv.includes('--from-results');

const { result, labels } = await runInPage(fromResults ? 'run' : 'thorough');
const recorded = fromResults ? rowsOfResults(result, labels) : { ...result, machine: processorOf(processor()) };
writeFileSync(target, `${JSON.stringify(recorded, undefined, 2)}\n`);
console.log(`${fileURLToPath(target)}: ${recorded.rows.length} rows, ${recorded.browser}, ${recorded.machine}`);

/** What the page measures when a button is pressed, and its rows' labels. */
async function runInPage(button) {
  const server = await preview({
    root: fileURLToPath(new URL('..', import.meta.url)),
    preview: { port: 0, host: '127.0.0.1' },
  });
  const browser = await BROWSERS.find(({ name }) => name === 'Chromium').start();
  const page = await browser.open(`${server.resolvedUrls.local[0]}#fast`, (error) => console.error(error));
  const found = await page.evaluate(`new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('no result after ${MINUTES} minutes')), ${MINUTES * 60_000});
    document.addEventListener('fast-result', ({ detail }) => {
      const labels = [...document.querySelectorAll('#fast tbody th')].map(({ textContent }) => textContent);
      resolve({ result: detail, labels });
    });
    const begin = () => document.querySelector('#fast [data-started]')
      ? document.querySelector('#fast [data-${button}]').click()
      : setTimeout(begin, 100);
    begin();
  })`);
  await browser.close();
  await server.close();
  return found;
}

/** The same rows as benchmarks/RESULTS.md has them, with the second part of `measured`. */
function rowsOfResults(measured, labels) {
  const runs = recordedRuns(readFileSync(new URL('../../benchmarks/RESULTS.md', import.meta.url), 'utf8'));
  const run = runs.find(({ runtime }) => runtime.startsWith('Chromium'));
  const rows = labels.map((label) => {
    const wanted = label.replace(/^One step, /, '');
    const shape = run.shapes.find(({ name }) => {
      const said = labelOf(name);
      return said.label === wanted && said.stream === label.startsWith('One step');
    });
    return Object.fromEntries(NAMES.map((name) => [name, { us: shape.times[name].us, p95: shape.times[name].p95 }]));
  });
  return {
    browser: run.runtime.match(/^\w+ \d+/)[0],
    machine: processorOf(run.cpu),
    date: run.date,
    thorough: !run.quick,
    // of the stopwatch in benchmarks/measure.mjs in a page
    sampleMs: 0.5,
    ort: run.versions['ort-web'],
    rows,
    startDate: measured.date,
    start: measured.start,
  };
}

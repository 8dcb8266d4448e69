import { expect } from 'vitest';
import { findings, inBrowsers, type Opened } from '../support.ts';

const PANEL = `document.querySelector('#fast')`;
const RECEIPT = `${PANEL}.querySelector('.receipt').textContent`;
const READY = `/^Run/.test(${PANEL}.querySelector('[data-run]').textContent.trim())`;
/** A run of 20 s on a machine that others use too. */
const PATIENCE = 110;

const heights = (page: Opened): Promise<number[]> =>
  page.evaluate(
    `[...${PANEL}.querySelectorAll('.times, .starts, .receipt')].map((one) => Math.round(one.getBoundingClientRect().height))`,
  );

const press = (page: Opened, button: string) => page.evaluate(`${PANEL}.querySelector('[data-${button}]').click()`);

/** The cells of the table's body. */
const table = (page: Opened): Promise<string[][]> =>
  page.evaluate(
    `[...${PANEL}.querySelectorAll('tbody tr')].map((row) => [...row.children].map(({ textContent }) => textContent))`,
  );

inBrowsers('How fast: a recorded run is drawn before any other, with a table of it', async (page) => {
  await page.show('fast');
  await page.until(`${PANEL}.querySelectorAll('.times svg circle').length > 12`);
  expect(await page.evaluate(RECEIPT)).toMatch(
    /^Faster in \d+ of 12, .*Recorded: Chromium \d+, .+, 1 thread, \d+ \w+ 20\d\d\.$/,
  );
  const rows = await table(page);
  expect(rows).toHaveLength(12);
  expect(rows.flat().filter((cell) => cell === '–' || cell === '')).toEqual([]);
  await page.until(
    `/Run fetches onnxruntime-web 1\\.\\d+\\.\\d+ .* MB/.test(${PANEL}.querySelector('[data-weights]').textContent)`,
  );
  const fetched: string[] = await page.evaluate(`performance.getEntriesByType('resource').map(({ name }) => name)`);
  expect(fetched.filter((url) => url.endsWith('.wasm'))).toEqual([]);
  expect(await findings(page, PANEL)).toEqual([]);
});

inBrowsers(
  'How fast: a run compares, times everybody everywhere and says who won; its link shows the same',
  async (page, _, browser) => {
    await page.show('fast');
    await page.until(READY);
    const before = await heights(page);
    await press(page, 'run');
    await page.until(`${PANEL}.querySelector('[data-run]').textContent.trim() === 'Stop'`);
    await page.until(`/^Row \\d+ of 12/.test(${RECEIPT})`);
    expect(await heights(page)).toEqual(before);
    await page.until(READY, PATIENCE);
    await page.until(`/ in \\d+ of 12/.test(${RECEIPT})`);
    expect(await heights(page)).toEqual(before);
    const said: string = await page.evaluate(RECEIPT);
    expect(said).not.toMatch(/Recorded|differ/);
    const rows = await table(page);
    expect(rows.flat().filter((cell) => cell === '–' || cell === 'differs')).toEqual([]);
    expect(rows.filter((cells) => /×/.test(cells.at(-1)!))).toHaveLength(12);
    const text: string = await page.evaluate(`${PANEL}.querySelector('pre').textContent`);
    const [ours, peer] = ['ours', 'onnxruntime-web'].map((name) =>
      text.match(new RegExp(`${name} [\\d.,]+ m?s(, [\\d.]+ [KM]B)?[;.]`)),
    );
    // WebKit does not say what a worker's files weigh
    const isWeighed = browser !== 'WebKit';
    expect([ours![1], peer![1]]).toEqual(Array(2).fill(isWeighed ? expect.stringMatching(/ MB$/) : undefined));
    expect(await page.evaluate(`[...${PANEL}.querySelectorAll('.starts rect')].length`)).toBe(isWeighed ? 4 : 2);
    expect(await findings(page, PANEL)).toEqual([]);

    await press(page, 'copy-link');
    const hash: string = await page.evaluate('location.hash');
    expect(hash).toMatch(/^#fast=1\.[\w.()%/,+-]{100,600}$/);
    await page.evaluate(`location.hash = ''`);
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
    await page.until(`/From a link: /.test(${RECEIPT})`);
    expect(await page.evaluate(`${PANEL}.querySelector('.receipt b').textContent`)).toBe(
      said.slice(0, said.indexOf('.', said.lastIndexOf(' in ')) + 1),
    );
  },
);

inBrowsers(
  'How fast: Stop brings back what was there, and the benchmark goes without onnxruntime-web where it cannot be had',
  async (page) => {
    await page.show('fast');
    await page.until(READY);
    const before = await table(page);
    await press(page, 'run');
    await page.until(`/^Row [12] of 12/.test(${RECEIPT})`);
    await press(page, 'run');
    await page.until(READY);
    await page.until(`/Recorded/.test(${RECEIPT})`);
    expect(await table(page)).toEqual(before);

    await page.evaluate(`globalThis.fetch = () => Promise.reject(new TypeError('no network')), undefined`);
    await press(page, 'run');
    await page.until(`/^Row \\d+ of 12/.test(${RECEIPT})`);
    await page.until(READY, PATIENCE);
    const said: string = await page.evaluate(RECEIPT);
    expect(said).toMatch(/^ort-wasm-simd-threaded\.wasm did not come\. .* Measured without onnxruntime-web\.$/);
    const rows = await table(page);
    expect(rows.map((cells) => cells.at(-1))).toEqual(Array(12).fill('–'));
    expect(rows.map((cells) => cells[1]).filter((cell) => cell === '–')).toEqual([]);
  },
  { names: ['Chromium'] },
);

inBrowsers(
  'How fast: a link that says nothing sensible is refused with a sentence, and nothing of it is shown',
  async (page) => {
    await page.until(`/cannot be read/.test(${RECEIPT})`);
    expect(await page.evaluate(RECEIPT)).toBe(
      'The result in this link cannot be read: a part of it is missing. Press Run for one of your own.',
    );
    expect(await page.evaluate(`${PANEL}.querySelectorAll('img').length`)).toBe(0);
    expect(await page.evaluate(`${PANEL}.querySelector('.receipt').className`)).toContain('error');
    expect(await page.evaluate(`${PANEL}.getBoundingClientRect().top`)).toBeLessThan(900);
  },
  { hash: '#fast=1.<img src=x onerror=alert(1)>.x' },
);

/** The shortest and the longest that the receipt says. */
const SAYINGS = [
  'Warming up',
  'Faster in 6 of 10, by 1.1 to 58 times; slower in 3; a draw in 1; in 1 the answers differed, and nothing was timed.<br>From a link: Chromium 156, AMD EPYC (Zen 4), 1 thread, 26 Nov 2026.',
  'ort-wasm-simd-threaded.wasm did not come (status 404). Look at the connection, and try again. Measured without onnxruntime-web.',
];

for (const width of [390, 820, 1100, 1440]) {
  inBrowsers(
    `How fast: whatever the receipt says, nothing below it moves, ${width} px`,
    async (page) => {
      await page.show('fast');
      await page.until(`${PANEL}.querySelector('.times svg')`);
      const tops: number[] = await page.evaluate(`${JSON.stringify(SAYINGS)}.map((words) => {
        ${PANEL}.querySelector('.receipt').innerHTML = words;
        return ${PANEL}.querySelector('.sheet').getBoundingClientRect().top - ${PANEL}.getBoundingClientRect().top;
      })`);
      expect(new Set(tops).size, tops.join(' ')).toBe(1);
      const heights: [number, number][] = await page.evaluate(
        `[...${PANEL}.querySelectorAll('.sheet svg')].map((one) => [one.clientHeight, one.parentElement.clientHeight])`,
      );
      expect(heights).toHaveLength(2);
      for (const [drawn, reserved] of heights) expect(drawn).toBeLessThanOrEqual(reserved);
    },
    { names: ['Chromium'], look: { viewport: { width, height: 900 } } },
  );
}

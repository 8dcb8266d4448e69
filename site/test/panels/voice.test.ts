import { expect } from 'vitest';
import { findings, hears, inBrowsers } from '../support.ts';

const receipt = `document.querySelector('#voice .receipt').textContent`;
const title = `document.querySelector('#voice .stretches h3').textContent`;
const seconds = `Number(${title}.match(/([\\d.]+) s of/)[1])`;
const read = `/41\\.0 s of sound read/.test(${receipt})`;

inBrowsers('thresholds recolour at once, by keys', async (page) => {
  await page.show('voice');
  await page.until(read);
  await page.until(`${title} === '8 stretches of speech, 15.5 s of 41.0 s'`);
  await page.evaluate(`document.querySelector('#voice .threshold.on').focus()`);
  const all: number = await page.evaluate(seconds);
  await page.press('End');
  await page.until(`${seconds} < ${all} - 1`);
  expect(await page.evaluate(`document.querySelector('#voice .threshold.on').ariaValueNow`)).toBe('0.98');
  await page.press('Home');
  await page.until(`${seconds} > ${all} + 1`);
  // the end goes along: it never lies above the start
  expect(await page.evaluate(`document.querySelector('#voice .threshold.off').ariaValueNow`)).toBe('0.02');
});

inBrowsers('rows of the table move the strip, and the window follows', async (page) => {
  await page.show('voice');
  await page.until(read);
  await page.until(`document.querySelectorAll('#voice tbody button').length === 8`);
  await page.evaluate(`document.querySelectorAll('#voice tbody button')[6].click()`);
  await page.until(`document.querySelector('#voice .playhead output').textContent === '28.90 s'`);
  await page.until(`document.querySelectorAll('#voice tbody tr')[6].ariaCurrent === 'true'`);
  const shown: string = await page.evaluate(`document.querySelector('#voice .window').ariaValueText`);
  const [from, to] = shown.match(/[\d.]+/g)!.map(Number) as [number, number];
  expect(from).toBeLessThan(28.9);
  expect(to).toBeGreaterThan(34);
  await page.evaluate(`document.querySelector('#voice .window').focus()`);
  await page.press('Home');
  await page.until(`document.querySelector('#voice .window').ariaValueText.startsWith('0.0 to')`);
});

inBrowsers('another model reads the same sound, and its answer differs', async (page) => {
  await page.show('voice');
  await page.until(read);
  await page.until(`${title}.startsWith('8 stretches')`);
  await page.evaluate(`document.querySelector('#voice input[value="v6"]').click()`);
  await page.until(`!${title}.startsWith('8 stretches of speech, 15.5 s')`);
  expect(await page.evaluate(title)).toMatch(/^\d+ stretches of speech, [\d.]+ s of 41\.0 s$/);
});

// WebKitGTK has no microphone that stands in for one
inBrowsers(
  'the microphone is heard until it is stopped, and what was heard stays',
  async (page, context, name) => {
    if (!(await hears(page))) context.skip(`${name} has no audio output on this machine`);
    await page.show('voice');
    await page.until(read);
    await page.click('#voice [data-do="microphone"]');
    await page.until(`/s heard from the microphone so far/.test(${receipt})`);
    await page.until(`Number.parseFloat(document.querySelector('#voice .overview .value').textContent) > 2.5`);
    expect(await page.evaluate(`document.querySelector('#voice [data-do="listen"]').disabled`)).toBe(true);
    expect(await findings(page, `document.getElementById('voice')`)).toEqual([]);
    await page.click('#voice [data-do="microphone"]');
    await page.until(`/s heard from the microphone just now: \\d+ steps/.test(${receipt})`);
    expect(await page.evaluate(`document.querySelector('#voice .overview .name').textContent`)).toBe('microphone');
    await page.click('#voice [data-do="back"]');
    await page.until(read);
  },
  { names: ['Chromium', 'Firefox'] },
);

inBrowsers('what is no sound is refused in place, and the strip stays', async (page) => {
  await page.show('voice');
  await page.until(read);
  await page.evaluate(`(() => {
    const input = document.querySelector('#voice input[type="file"]');
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(1000)], 'model.bin'));
    input.files = data.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  })()`);
  await page.until(`/no sound that the browser can decode/.test(${receipt})`);
  expect(await page.evaluate(`document.querySelector('#voice .receipt').className`)).toMatch(/error/);
  expect(await page.evaluate(title)).toBe('8 stretches of speech, 15.5 s of 41.0 s');
});

inBrowsers('without WebAssembly SIMD the drawing stays, and a sentence says what is needed', async (page) => {
  await page.evaluate(`void (WebAssembly.validate = () => false)`);
  await page.show('voice');
  await page.until(`/has no WebAssembly SIMD, which lstm-wasm needs: Chrome 91/.test(${receipt})`);
  await page.until(`${title}.startsWith('8 stretches')`);
  await page.click('#voice [data-do="listen"]');
  expect(await page.evaluate(receipt)).toMatch(/has no WebAssembly SIMD/);
});

inBrowsers('without a microphone the panel says what to do', async (page) => {
  await page.show('voice');
  await page.until(read);
  await page.evaluate(
    `navigator.mediaDevices && (navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('refused')))`,
  );
  await page.click('#voice [data-do="microphone"]');
  await page.until(`/did not give us the microphone\\. Drop a recording instead/.test(${receipt})`);
});

inBrowsers(
  'while a recording of ten minutes is read, the page answers its visitor',
  async (page) => {
    await page.show('voice');
    await page.until(read);
    await page.evaluate(`(async () => {
      const bytes = new Uint8Array(await (await fetch('built/mixed.wav')).arrayBuffer());
      const times = 15;
      const long = new Uint8Array(44 + times * (bytes.length - 44));
      long.set(bytes);
      for (let n = 1; n < times; n++) long.set(bytes.subarray(44), 44 + n * (bytes.length - 44));
      const view = new DataView(long.buffer);
      view.setUint32(4, long.length - 8, true);
      view.setUint32(40, long.length - 44, true);
      const data = new DataTransfer();
      data.items.add(new File([long], 'long.wav', { type: 'audio/wav' }));
      const input = document.querySelector('#voice input[type="file"]');
      input.files = data.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    })()`);
    await page.until(`/^Read \\d+ of 616 s/.test(${receipt})`);
    await page.evaluate(`document.querySelector('#voice .threshold.on').focus()`);
    await page.press('ArrowUp');
    expect(await page.evaluate(`document.querySelector('#voice .threshold.on').ariaValueNow`)).toBe('0.51');
    expect(await page.evaluate(receipt)).toMatch(/^Read \d+ of 616 s/);
    await page.until(`/^615\\.\\d s of sound read/.test(${receipt})`);
    expect(await page.evaluate(title)).toMatch(/^1[12]\d stretches of speech, \d+\.\d s of 615\.\d s$/);
    expect(await page.evaluate(`document.querySelector('#voice [data-do="more"]').textContent`)).toMatch(
      /^and 1\d\d more$/,
    );
  },
  { names: ['Chromium'] },
);

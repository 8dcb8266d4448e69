import { expect } from 'vitest';
import { hears, inBrowsers } from '../support.ts';

const receipt = `document.querySelector('#home .receipt').textContent`;

inBrowsers('the recording at the top is read where the page is seen, and heard at a click', async (page) => {
  await page.until(`/s of sound read in/.test(${receipt})`);
  const text: string = await page.evaluate(receipt);
  expect(text).toMatch(/^13\.4 s of sound read in [\d.,]+ m?s on this computer, just now: 420 steps of [\d.]+ [µm]s\./);
  expect(text).toMatch(/\d KB of code, \d+ KB of Silero VAD\. Nothing was uploaded\.$/);
  expect(await page.evaluate(`document.querySelector('#home-title em').textContent`)).toMatch(/^2\d KB/);
  const tag = `Number.parseFloat(document.querySelector('#home .playhead output').textContent)`;
  const before: number = await page.evaluate(tag);
  const silent = `/gave no sound output/.test(${receipt})`;
  await page.click('#home [data-do="listen"]');
  await page.until(`${silent} || document.querySelector('#home [data-do="listen"]').textContent.includes('Pause')`);
  if (await page.evaluate(silent)) {
    // a machine without a sound output: that is said, and nothing else breaks
    expect(await hears(page)).toBe(false);
    return;
  }
  await page.until(`${tag} !== ${before} && ${tag} > 1.6`);
  await page.click('#home [data-do="listen"]');
  await page.until(`document.querySelector('#home [data-do="listen"]').textContent.includes('Listen')`);
});

inBrowsers('arrows move the playhead, and a reader of screens is told what is there', async (page) => {
  await page.until(`/read in/.test(${receipt})`);
  const slider = `document.querySelector('#home .over')`;
  expect(await page.evaluate(`document.querySelector('#home lw-strip > .visually-hidden').textContent`)).toMatch(
    /^2 stretches of speech in 13\.4 s: 2\.24 to 4\.83 s; 8\.48 to 11\.39 s\.$/,
  );
  await page.evaluate(`${slider}.focus()`);
  await page.press('Home');
  expect(await page.evaluate(`${slider}.ariaValueText`)).toMatch(/^0\.00 s: speech 0\.\d\d, silence$/);
  await page.press('ArrowRight');
  expect(await page.evaluate(`${slider}.ariaValueText`)).toMatch(/^0\.03 s/);
});

inBrowsers(
  'with Save-Data nothing but a drawing is loaded until a visitor listens',
  async (page) => {
    const save = `Object.defineProperty(Navigator.prototype, 'connection', { get: () => ({ saveData: true }) })`;
    await page.evaluate(`void sessionStorage.setItem('save', '')`);
    expect(await page.evaluate(`typeof (${save})`)).toBe('object');
    // the page asks once it is started: a panel that has not been near yet shows what it does
    await page.show('voice');
    await page.until(`/asks for little data/.test(document.querySelector('#voice .receipt').textContent)`);
    const fetched = `performance.getEntriesByType('resource').map(({ name }) => name).join()`;
    expect(await page.evaluate(fetched)).not.toMatch(/mixed\.wav/);
    await page.click('#voice [data-do="listen"]');
    await page.until(`/41\\.0 s of sound read/.test(document.querySelector('#voice .receipt').textContent)`);
    expect(await page.evaluate(fetched)).toMatch(/mixed\.wav/);
  },
  { names: ['Chromium'] },
);

inBrowsers(
  'a recording that is dropped on the page is read by the panel on the screen',
  async (page) => {
    await page.until(`/read in/.test(${receipt})`);
    const drop = `fetch('built/noisy.wav').then((response) => response.blob()).then((blob) => {
      const data = new DataTransfer();
      data.items.add(new File([blob], 'talk.wav', { type: 'audio/wav' }));
      for (const type of ['dragover', 'drop']) {
        dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
        if (type === 'dragover') globalThis.seenNote = document.querySelector('.drop-note').textContent;
      }
    })`;
    await page.evaluate(drop);
    expect(await page.evaluate('seenNote')).toBe('Drop it: the strip at the top will read it.');
    await page.until(`/^4\\.\\d s of sound read/.test(${receipt})`);
    await page.click('#home [data-do="back"]');
    await page.until(`/^13\\.4 s of sound read/.test(${receipt})`);
  },
  { names: ['Chromium'] },
);

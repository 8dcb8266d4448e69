import { expect } from 'vitest';
import { findings, hears, inBrowsers } from '../support.ts';

const receipt = `document.querySelector('#noise .receipt').textContent`;
const listen = `document.querySelector('#noise [data-do="listen"]').textContent`;
const tag = `Number.parseFloat(document.querySelector('#noise .playhead output').textContent)`;

inBrowsers('the recording is cleaned here at a click, and switched while it plays', async (page) => {
  await page.show('noise');
  expect(await page.evaluate(receipt)).toMatch(/^Cleaned when this page was built/);
  await page.click('#noise [data-do="listen"]');
  await page.until(`/^4\\.9 s cleaned in/.test(${receipt})`);
  expect(await page.evaluate(receipt)).toMatch(
    /blocks of 8 ms, [\d.]+ [µm]s each\..*KB of code, [34](\.\d)? MB of DTLN/,
  );
  const values: string = await page.evaluate(`document.querySelector('#noise lw-strip').textContent`);
  expect(values).toMatch(/noise taken−1\d\.\d dB/);
  expect(values).toMatch(/voice kept−0\.\d dB/);
  if (!(await hears(page))) return;
  // play again if it has come to its end meanwhile
  await page.evaluate(`${listen}.includes('Pause') || document.querySelector('#noise [data-do="listen"]').click()`);
  await page.until(`${listen}.includes('Pause')`);
  const before: number = await page.evaluate(tag);
  await page.evaluate(`document.querySelector('#noise input[value="0"]').click()`);
  const after: number = await page.evaluate(tag);
  expect(after - before).toBeGreaterThanOrEqual(0);
  expect(after - before).toBeLessThan(1.5);
  expect(await page.evaluate(`${listen}.includes('Pause') || ${tag} > 4`)).toBe(true);
});

inBrowsers('the key N holds the noisy sound', async (page) => {
  await page.show('noise');
  const key = (type: string) => page.evaluate(`void dispatchEvent(new KeyboardEvent('${type}', { key: 'n' }))`);
  const noisy = `document.querySelector('#noise input[value="0"]').checked`;
  await page.until(`(dispatchEvent(new KeyboardEvent('keydown', { key: 'n' })), ${noisy})`);
  await key('keyup');
  expect(await page.evaluate(noisy)).toBe(false);
});

inBrowsers(
  'the microphone asks for headphones first, is cleaned, and stays',
  async (page, context, name) => {
    if (!(await hears(page))) context.skip(`${name} has no audio output on this machine`);
    await page.show('noise');
    await page.click('#noise [data-do="microphone"]');
    expect(await page.evaluate(`document.activeElement.dataset.do`)).toBe('headphones');
    expect(await findings(page, `document.getElementById('noise')`)).toEqual([]);
    await page.click('#noise [data-do="headphones"]');
    await page.until(`/^[1-9][\\d.]* s of microphone cleaned so far/.test(${receipt})`);
    await page.click('#noise [data-do="microphone"]');
    await page.until(`/s of microphone cleaned just now: .* of a core/.test(${receipt})`);
    await page.until(`/noise taken−?\\d/.test(document.querySelector('#noise lw-strip').textContent)`);
    await page.click('#noise [data-do="back"]');
    await page.until(`/^4\\.9 s cleaned/.test(${receipt})`);
  },
  { names: ['Chromium', 'Firefox'] },
);

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { findings, hears, inBrowsers, type Opened } from '../support.ts';

const AMP = new URL('../../../examples/guitar-amp/data/nam/lstm.nam', import.meta.url).pathname;
const FILE = '#amp input[type="file"]';
const RECEIPT = `document.querySelector('#amp .receipt').textContent`;
const STRIP = `document.querySelector('#amp lw-strip')`;
const label = (name: string) => `document.querySelector('#amp [data-do="${name}"] span').textContent`;
const fact = (name: string) => `document.querySelector('#amp [data-fact="${name}"]').textContent`;

const ready = async (page: Opened) => {
  await page.show('amp');
  await page.until(`/of guitar played in .*KB of code, [\\d.]+ KB of amp/.test(${RECEIPT})`);
};

inBrowsers('the riff is drawn through the amp before anything is heard', async (page) => {
  await page.evaluate(`(() => {
    globalThis.opened = 0;
    globalThis.AudioContext = class extends AudioContext {
      constructor(...given) {
        super(...given);
        globalThis.opened++;
      }
    };
  })()`);
  await ready(page);
  expect(await page.evaluate(RECEIPT)).not.toContain('–');
  expect(await page.evaluate('opened')).toBe(0);
  expect(await page.evaluate(fact('polarity'))).toContain('turned');
  const reached = `document.querySelector('#amp figcaption').textContent`;
  expect(await page.evaluate(reached)).toMatch(/input reached 0\.[1-9]\d, the output 0\.[1-9]/);
  // louder into the amp
  const before: string = await page.evaluate(reached);
  await page.evaluate(`document.querySelector('#amp-drive').focus()`);
  await page.press('ArrowRight');
  await page.until(`${reached} !== ${JSON.stringify(before)}`);
  expect(await page.evaluate(`document.querySelector('output[for="amp-drive"]').value`)).toBe('+4 dB');
  expect(await findings(page, `'#amp'`)).toEqual([]);
});

inBrowsers('files of amps play, and others are refused in a sentence', async (page) => {
  await ready(page);
  await page.choose(FILE, [AMP]);
  await page.until(`${fact('name')} === 'lstm.nam'`);
  expect(await page.evaluate(fact('family'))).toBe('Neural Amp Modeler');
  const folder = mkdtempSync(join(tmpdir(), 'amp-'));
  const wrong = join(folder, 'wave.nam');
  writeFileSync(wrong, '{ "version": "0.5.0", "architecture": "WaveNet", "config": {}, "weights": [] }');
  await page.choose(FILE, [wrong]);
  await page.until(`/wave\\.nam does not play here: .*WaveNet/.test(${RECEIPT})`);
  // the amp before is still there
  expect(await page.evaluate(fact('name'))).toBe('lstm.nam');
});

inBrowsers('the amp plays, its load is measured, and switching keeps the place', async (page) => {
  const runs = await hears(page);
  await ready(page);
  await page.click('#amp [data-do="play"]');
  if (!runs) {
    // a machine without a loudspeaker
    await page.until(`/gave no sound output/.test(${RECEIPT})`);
    return;
  }
  await page.until(`${label('play')} === 'Pause'`);
  const before: number = await page.evaluate(`${STRIP}.playhead`);
  await page.until(`${STRIP}.playhead !== ${before}`);
  await page.until(`/ of each 2,667 µs block.*(No|\\d) dropouts? in [\\d,]+ blocks/.test(${RECEIPT})`);
  await page.click('#amp [name="amp-heard"][value="guitar"]');
  await page.click('#amp [data-do="bypass"]');
  expect(await page.evaluate(`document.querySelector('#amp [data-do="bypass"]').ariaPressed`)).toBe('true');
  await page.choose(FILE, [AMP]);
  await page.until(`${fact('name')} === 'lstm.nam'`);
  expect(await page.evaluate(label('play'))).toBe('Pause');
  await page.evaluate(`${STRIP}.querySelector('.over').focus()`);
  await page.press(' ');
  await page.until(`${label('play')} === 'Listen'`);
});

inBrowsers(
  'live input plays through the amp until it ends',
  async (page, context, name) => {
    if (!(await hears(page))) context.skip(`${name} has no audio output on this machine`);
    await ready(page);
    await page.click('#amp [data-do="live"]');
    await page.until(`${label('live')} === 'End live' && ${STRIP}.length > 1`);
    await page.click('#amp [data-do="live"]');
    await page.until(`${label('live')} === 'Play live'`);
    expect(await page.evaluate(`${STRIP}.length`)).toBeCloseTo(3.2, 5);
  },
  { names: ['Chromium', 'Firefox'] },
);

inBrowsers('a refused input and a missing worklet are sentences', async (page) => {
  await page.evaluate(`(() => {
    if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('no'));
  })()`);
  await ready(page);
  await page.click('#amp [data-do="live"]');
  await page.until(`/did not give us the live input/.test(${RECEIPT})`);
  await page.evaluate(`(() => {
    Object.defineProperty(BaseAudioContext.prototype, 'audioWorklet', { value: undefined });
  })()`);
  await page.choose(FILE, [AMP]);
  await page.until(`/has no AudioWorklet/.test(${RECEIPT})`);
});

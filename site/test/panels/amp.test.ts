import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { findings, inBrowsers, type Opened } from '../support.ts';

const AMP = new URL('../../../examples/guitar-amp/data/nam/lstm.nam', import.meta.url).pathname;
const WRONG = join(mkdtempSync(join(tmpdir(), 'amp-')), 'wave.nam');
writeFileSync(WRONG, '{ "version": "0.5.0", "architecture": "WaveNet", "config": {}, "weights": [] }');
/** GuitarML's model with a knob: its gates see the signal and the knob, which turns the output up. */
const KNOB = join(dirname(WRONG), 'knob.json');
writeFileSync(
  KNOB,
  JSON.stringify({
    model_data: {
      model: 'SimpleRNN',
      input_size: 2,
      skip: 0,
      output_size: 1,
      unit_type: 'LSTM',
      num_layers: 1,
      hidden_size: 1,
      bias_fl: true,
    },
    state_dict: {
      'rec.weight_ih_l0': [
        [0, 4],
        [0, 0],
        [1, 0],
        [0, 4],
      ],
      'rec.weight_hh_l0': [[0], [0], [0], [0]],
      'rec.bias_ih_l0': [-2, -9, 0, -2],
      'rec.bias_hh_l0': [0, 0, 0, 0],
      'lin.weight': [[1]],
      'lin.bias': [0],
    },
  }),
);
const FILE = '#amp input[type="file"]';
const RECEIPT = `document.querySelector('#amp .receipt').textContent`;
const STRIP = `document.querySelector('#amp lw-strip')`;
const label = (name: string) => `document.querySelector('#amp [data-do="${name}"] span').textContent`;
const fact = (name: string) => `document.querySelector('#amp [data-fact="${name}"]').textContent`;

const ready = async (page: Opened) => {
  await page.show('amp');
  await page.until(`/of guitar played in .*KB of code, [\\d.]+ KB of amp/.test(${RECEIPT})`);
};

/** Presses a button that begins sound. @returns false where the page says that the machine has no output, as Firefox needs one */
async function begins(page: Opened, button: string, shown: string, browser: string): Promise<boolean> {
  await page.click(`#amp [data-do="${button}"]`);
  await page.until(`${label(button)} === '${shown}' || /gave no sound output/.test(${RECEIPT})`);
  const plays = await page.evaluate(`${label(button)} === '${shown}'`);
  if (browser === 'Chromium') expect(plays).toBe(true);
  return plays;
}

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
  await page.choose(FILE, [WRONG]);
  await page.until(`/wave\\.nam does not play here: .*WaveNet/.test(${RECEIPT})`);
  // the amp before is still there
  expect(await page.evaluate(fact('name'))).toBe('lstm.nam');
  await page.choose(FILE, [KNOB]);
  await page.until(`document.querySelector('#amp-knob-0')`);
  const reached = `document.querySelector('#amp figcaption').textContent`;
  const before: string = await page.evaluate(reached);
  await page.evaluate(`document.querySelector('#amp-knob-0').focus()`);
  await page.press('End');
  await page.until(`${reached} !== ${JSON.stringify(before)}`);
  expect(await page.evaluate(`document.querySelector('label[for="amp-knob-0"] + output').value`)).toBe('1.00');
  await page.choose(FILE, [AMP]);
  await page.until(`!document.querySelector('#amp-knob-0')`);
});

inBrowsers('the amp plays, its load is measured, and switching keeps the place', async (page, _, browser) => {
  await ready(page);
  if (!(await begins(page, 'play', 'Pause', browser))) return;
  const before: number = await page.evaluate(`${STRIP}.playhead`);
  await page.until(`${STRIP}.playhead !== ${before}`);
  await page.until(`/ of each 2,667 µs block.*(No|\\d) dropouts? in [\\d,]+ blocks/.test(${RECEIPT})`);
  await page.click('#amp [name="amp-heard"][value="guitar"]');
  await page.click('#amp [data-do="bypass"]');
  expect(await page.evaluate(`document.querySelector('#amp [data-do="bypass"]').ariaPressed`)).toBe('true');
  await page.choose(FILE, [AMP]);
  await page.until(`${fact('name')} === 'lstm.nam'`);
  expect(await page.evaluate(label('play'))).toBe('Pause');
  // what is refused does not end what plays
  await page.choose(FILE, [WRONG]);
  await page.until(`/does not play here/.test(${RECEIPT})`);
  expect(await page.evaluate(label('play'))).toBe('Pause');
  await page.evaluate(`${STRIP}.querySelector('.over').focus()`);
  await page.press(' ');
  await page.until(`${label('play')} === 'Listen'`);
});

inBrowsers(
  'live input plays through the amp until it ends',
  async (page, _, browser) => {
    await ready(page);
    if (!(await begins(page, 'live', 'End live', browser))) return;
    // longer than the riff
    await page.until(`${STRIP}.length > 4`);
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

import type { Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BROWSERS, type Browser, type Page } from '../../scripts/browsers.mjs';
import { loadGuitarML, loadRTNeural } from '../../src/audio.ts';
import { Linear, LSTM } from '../../src/index.ts';
import { guitarML, rtneural } from '../support/audio-files.ts';
import { root } from '../support/consumer.ts';
import { needEngine } from '../support/need.ts';
import { callIn, serve } from './pages.mjs';

// LstmNode in whole browsers, by OfflineAudioContext. dist/ must have been built.

let server: Server;
let url: string;
beforeAll(async () => {
  ({ server, url } = await serve(root));
});
afterAll(() => {
  server.close();
});

const PROGRAM = '/test/worklet/page.mjs';

describe.each(BROWSERS)('$name', ({ name, path, start }) => {
  let browser: Browser | undefined;
  let page: Page;
  beforeAll(async () => {
    browser = path === undefined ? undefined : await start();
    if (browser) page = await browser.open(url);
  }, 60_000);
  afterAll(() => browser?.close());
  beforeEach((context) => needEngine(context, name, path));

  test.each([
    ['nam', 128, 1, false],
    ['nam', 128, 2, false],
    ['nam', 128, 1, true],
    ['nam', 256, 1, false],
    ['nam', 300, 1, false],
    ['nam', 64, 2, false],
    ['nam', 4096, 1, false],
    ['rtneural', 128, 1, false],
  ])('%s, quantum %i, %i channels, processor as text: %s: what was published', async (...parameters) => {
    const { quantum, latency, samples, differences } = await callIn(page, PROGRAM, 'published', parameters);
    // an engine that has no renderSizeHint renders 128 samples at a time
    expect([128, parameters[1]]).toContain(quantum);
    if (name === 'Chromium') expect(quantum).toBe(parameters[1]);
    expect(samples).toBeGreaterThanOrEqual(1000);
    expect(latency).toBe(0);
    expect(differences).toHaveLength(parameters[2]);
    for (const difference of differences) expect(difference).toBeLessThanOrEqual(1e-6);
  });

  test('errors reach the page with their messages', async () => {
    expect(await callIn(page, PROGRAM, 'errors')).toEqual({
      model: ['ModelError', expect.stringMatching(/a WaveNet has convolutions/), 'unsupported'],
      rate: ['RangeError', expect.stringMatching(/"sampleRate" expected a rate of a model from 1000/)],
      url: [
        'Error',
        expect.stringMatching(/no processor could be loaded from "\/nowhere.js": pass { processorUrl: new URL/),
      ],
      option: ['TypeError', expect.stringMatching(/unknown option "gain"/)],
      context: ['TypeError', expect.stringMatching(/"context" expected an AudioContext/)],
      closed: ['TypeError', expect.stringMatching(/"context" is closed/)],
      insecure: ['TypeError', expect.stringMatching(/it needs a page from https: or localhost/)],
      constructed: ['TypeError', 'LstmNode: it is made by LstmNode.create()'],
      load: ['ModelError', expect.stringMatching(/got the fields of nothing/), 'unsupported'],
      event: ['TypeError', expect.stringMatching(/"message.type" expected "load" or .* got "nonsense"/)],
      disposed: Array(3).fill(['Error', 'LstmNode: used after dispose()']),
    });
  });

  test('knobs, elu, state dicts, bypass, load() and other rates: the bits of Node', async () => {
    const elu = rtneural({
      H: 6,
      dense: [
        [4, 'elu'],
        [1, ''],
      ],
    });
    const knobs = guitarML({ I: 3, H: 8 });
    const [lstm, head] = [new LSTM(1, 6, { numLayers: 2, seed: 5 }), new Linear(6, 1, { seed: 6 })];
    const tensors = [...lstm.stateDict('lstm.'), ...head.stateDict('head.')];
    const dict = tensors.map(([key, { data, dims }]) => [key, [...data], dims]);
    const result = await callIn(page, PROGRAM, 'features', { elu, knobs, dict });
    const input = Float32Array.from(result.input as number[]);
    const play = (model: ReturnType<typeof loadRTNeural>, values?: number[]) => {
      const output = new Float32Array(input.length);
      model.process(input, output, values);
      return [...output];
    };
    expect(result.elu).toEqual({ output: play(loadRTNeural(elu)), latency: 0, knobs: 0 });
    expect(result.knobs).toEqual({ output: play(loadGuitarML(knobs), [0.25, -0.5]), latency: 0, knobs: 2 });
    const hidden = lstm.forward({ data: input, dims: [input.length, 1] }).output;
    expect(result.dict.output).toEqual([...head.forward(hidden).data]);
    expect(result.bypass).toEqual({ output: result.input, latency: 0, knobs: 2 });
    // 960 samples until it is heard alone, and its state began before
    expect(result.loaded.output.slice(0, 480)).toEqual(result.input.slice(0, 480));
    expect(result.loaded.output.slice(960)).toEqual(result.elu.output.slice(960));
    expect(result.resampled.latency).toBe(70 / 48_000);
    expect(result.measured.output).toEqual(result.elu.output);
  });
});

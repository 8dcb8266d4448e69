import { describe, expect, test, vi } from 'vitest';
import { GRU } from '../../src/gru.ts';
import { bytesUsed, Linear, LSTM } from '../../src/index.ts';
import { knobsOf, readModel } from '../../src/worklet/read-model.ts';
import { receiveError } from '../../src/worklet/sent-error.ts';
import { guitarML, nam, rtneural } from '../support/audio-files.ts';
import { Rig, rigFor } from './host.ts';

// What goes wrong: in the page, in the processor's start, while it plays; and messages that no LstmNode sends.

const read = (model: unknown) => readModel('LstmNode', model, undefined);
const ones = (count: number) => new Float32Array(count).fill(0.5);

describe('a bad model is refused in the page, by its place in the file', () => {
  const rnn = { weight_ih_l0: [[1]], weight_hh_l0: [[1]], bias_ih_l0: [1], bias_hh_l0: [1] };
  test.each<[string, unknown, RegExp]>([
    ['cut text', JSON.stringify(nam()).slice(0, 50), /^LstmNode: /],
    ['a page', '<!doctype html><title>404</title>', /^LstmNode: this is an HTML page/],
    ['a path', 'amps/my amp.nam', /^LstmNode: "amps\/my amp.nam" is a path or an address, which is not opened/],
    [
      'other JSON',
      '{"a":1}',
      /expected a model of Neural Amp Modeler, RTNeural or GuitarML, or a state dict, got the fields a/,
    ],
    ['nothing', {}, /got the fields of nothing/],
    ['a WaveNet', { ...nam(), architecture: 'WaveNet' }, /a WaveNet has convolutions, and only LSTMs are read/],
    ['a plain RNN', rnn, /"weight_ih_l0" expected an LSTM or GRU, got a plain RNN/],
    ['a missing weight', { ...nam(), weights: nam().weights.slice(1) }, /"weights" expected \d+ elements, got \d+/],
  ])('%s', async (_, model, message) => {
    await expect(read(model)).rejects.toMatchObject({ name: 'ModelError', message: expect.stringMatching(message) });
  });

  test.each([undefined, null, 7, [], new Uint8Array(3)])('%s is no model', async (model) => {
    await expect(read(model)).rejects.toBeInstanceOf(TypeError);
  });
});

describe('a state dict', () => {
  const lstm = new LSTM(2, 8, { numLayers: 2, projSize: 3, seed: 1 });
  const head = new Linear(3, 1, { seed: 2 });
  const dict = new Map([...head.stateDict('head.'), ...lstm.stateDict('rnn.')]);

  test('of any nn.LSTM plays, its head wherever it stands', async () => {
    for (const model of [dict, new Map([...dict].reverse()), Object.fromEntries(dict)]) {
      const rig = await rigFor(model);
      expect(rig.said).toEqual([{ type: 'ready', latency: 0 }]);
      rig.knobs.knob0![0] = 0.25;
      const [y] = rig.play([ones(50)]);
      const stream = lstm.stream();
      const expected = Array.from({ length: 50 }, () => {
        stream.input.set([0.5, 0.25]);
        stream.step();
        return head.forward({ data: stream.output.slice(), dims: [3] }).data[0];
      });
      expect([...y!]).toEqual(expected);
    }
  });

  test('of an nn.GRU plays, in float32 and in 8 bits', async () => {
    const float = new GRU(2, 8, { numLayers: 2, seed: 1 });
    const end = new Linear(8, 1, { seed: 2 });
    const small = float.quantize();
    for (const [gru, tensors] of [
      [float, float.stateDict('rnn.')],
      [small, small.quantizedStateDict('rnn.')],
    ] as const) {
      const rig = await rigFor(new Map<string, unknown>([...end.stateDict('head.'), ...tensors]));
      expect(rig.said).toEqual([{ type: 'ready', latency: 0 }]);
      rig.knobs.knob0![0] = 0.25;
      const [y] = rig.play([ones(50)]);
      const stream = gru.stream();
      const expected = Array.from({ length: 50 }, () => {
        stream.input.set([0.5, 0.25]);
        stream.step();
        return end.forward({ data: stream.output.slice(), dims: [8] }).data[0];
      });
      expect([...y!]).toEqual(expected);
    }
  });

  test('without biases, in float64, and at a rate that its user knows', async () => {
    const [plain, end] = [new LSTM(1, 4, { bias: false, seed: 3 }), new Linear(4, 1, { bias: false, seed: 4 })];
    const weight = end.stateDict().get('weight')!;
    const model = new Map([
      ...plain.stateDict(),
      ['fc.weight', { ...weight, data: Float64Array.from(weight.data) }],
    ] as any);
    const rig = await rigFor(model, { sampleRate: 44_100 });
    expect(rig.said).toEqual([{ type: 'ready', latency: 70 }]);
  });

  const bidirectional = new LSTM(1, 1, { bidirectional: true, seed: 1 });
  test.each<[string, unknown, RegExp]>([
    ['no LSTM', head.stateDict(), /expected the tensors of an LSTM or GRU, got none/],
    [
      'a tensor of neither',
      new Map([...dict, ['x', { data: ones(1), dims: [1] }]]),
      /"x" expected a tensor of an LSTM, a GRU or/,
    ],
    [
      'two heads',
      new Map([...dict, ...new Linear(1, 1).stateDict('more.')]),
      /an LSTM or GRU between two linear layers/,
    ],
    [
      'whole numbers',
      new Map([...lstm.stateDict(), ['h.weight', { data: new Int8Array(3), dims: [1, 3] }]] as any),
      /float32 or float64/,
    ],
    [
      'a wrong bias',
      new Map([...dict, ['head.bias', { data: ones(2), dims: [2] }]]),
      /"head.bias" expected \[1\], got \[2\]/,
    ],
    ['wrong dims', new Map([...dict, ['head.weight', { data: ones(3), dims: [3, 3] }]]), /2 dims for 3 elements/],
  ])('with %s is refused in the page', async (_, model, message) => {
    await expect(read(model)).rejects.toMatchObject({ name: 'ModelError', message: expect.stringMatching(message) });
  });

  test.each<[string, unknown, RegExp]>([
    ['a missing tensor', new Map([...dict].filter(([key]) => key !== 'rnn.weight_hh_l1')), /weight_hh_l1/],
    [
      'two outputs',
      new Map([...lstm.stateDict(), ...new Linear(3, 2).stateDict('head.')]),
      /expected 1 output, .* got 2/,
    ],
    ['two directions', bidirectional.stateDict(), /./],
  ])('with %s is refused by the processor', async (_, model, message) => {
    const { said } = await rigFor(model);
    expect(said).toEqual([
      { type: 'failed', error: expect.objectContaining({ message: expect.stringMatching(message) }) },
    ]);
  });

  test('of no tensors is a TypeError', async () => {
    await expect(read(new Map([['a', 1]]))).rejects.toThrow(/"model\["a"\]" expected a tensor/);
  });
});

describe('the start', () => {
  test.each<[string, object, RegExp]>([
    ['another version', { protocol: 0 }, /the processor is of another version of lstm-wasm than the page/],
    ['no channels', { channels: 0 }, /"channels" expected an integer from 1 to 32, got 0/],
    ['many channels', { channels: 1e9 }, /"channels"/],
    ['half a knob', { knobs: 0.5 }, /"knobs"/],
    ['fade', { fade: NaN }, /"fade" expected seconds from 0 to 10, got NaN/],
    ['bypass', { bypass: 1 }, /"bypass" expected a boolean, got 1/],
    ['too few knobs', { knobs: 0 }, /the model has 2 knobs, and the node 0: create it with \{ knobs: 2 \}/],
  ])('with a wrong option fails with its message: %s', async (_, options, message) => {
    const before = bytesUsed();
    const rig = new Rig(await read(guitarML({ I: 3 })), { knobs: 2, ...options });
    expect(rig.said).toEqual([
      { type: 'failed', error: expect.objectContaining({ message: expect.stringMatching(message) }) },
    ]);
    expect(bytesUsed()).toBe(before);
    expect(rig.host.process([ones(128)], [ones(128)], {})).toBe(false);
  });

  test.each([999, 1e6, 0.5])('a model of %f Hz is refused', async (sampleRate) => {
    const before = bytesUsed();
    const { said } = await rigFor(nam(), { sampleRate, channels: 2 });
    expect(said).toEqual([
      {
        type: 'failed',
        error: expect.objectContaining({
          name: 'RangeError',
          message: expect.stringMatching(/from 1000 to 768000 Hz/),
        }),
      },
    ]);
    expect(bytesUsed()).toBe(before);
  });

  test('the second channel fails as the first would, and nothing is kept', () => {
    const dispose = vi.fn();
    const effect = { process() {}, reset() {}, dispose };
    let calls = 0;
    const make = () => {
      if (calls++ === 1) throw new TypeError('no second one');
      return effect;
    };
    expect(new Rig(null, { make, channels: 2 }).said).toEqual([
      { type: 'failed', error: { name: 'TypeError', message: 'no second one' } },
    ]);
    expect(dispose).toHaveBeenCalledOnce();
  });
});

describe('while it plays', () => {
  test('a trap is an error event, and the input is passed on', () => {
    const x = ones(4096);
    const effect = {
      process: () => {
        throw new WebAssembly.RuntimeError('unreachable');
      },
      reset() {},
      dispose() {},
    };
    const own = new Rig(null, { make: () => effect });
    const [y] = own.play([x]);
    expect(own.said.slice(1)).toEqual([
      {
        type: 'error',
        error: {
          name: 'RuntimeError',
          message: 'LstmNode: the model has failed, and its input is passed on: unreachable',
        },
      },
    ]);
    expect(y).toEqual(x);
  });

  test('so is a sample that is not finite', async () => {
    const head = new Map([
      ...new LSTM(1, 2, { seed: 1 }).stateDict(),
      ['h.weight', { data: Float32Array.of(3e38, 3e38), dims: [1, 2] }],
      ['h.bias', { data: Float32Array.of(Infinity), dims: [1] }],
    ] as any);
    const rig = await rigFor(head);
    const x = ones(256);
    expect(rig.play([x])[0]).toEqual(x);
    expect(rig.said.slice(1)).toEqual([
      {
        type: 'error',
        error: expect.objectContaining({ message: expect.stringMatching(/gave a sample that is not finite/) }),
      },
    ]);
  });

  test('an input that is not finite is silence, and missing channels are', async () => {
    const [rig, other, none] = [await rigFor(nam()), await rigFor(nam()), await rigFor(nam())];
    const x = ones(256).fill(NaN, 10, 20).fill(-Infinity, 20, 30);
    expect(rig.play([x])).toEqual(other.play([ones(256).fill(0, 10, 30)]));
    const out = new Float32Array(128);
    none.host.process([], [out], {});
    expect(out).toEqual((await rigFor(nam())).play([new Float32Array(128)])[0]);
    expect(rig.said).toHaveLength(1);
  });
});

test('errors come out of a message as they went in', async () => {
  const error = await read({ ...nam(), architecture: 'X' }).catch((thrown) => thrown);
  const { sendError } = await import('../../src/worklet/sent-error.ts');
  for (const each of [
    error,
    new TypeError('a'),
    new RangeError('b'),
    new Error('c'),
    new WebAssembly.RuntimeError('d'),
  ]) {
    const again = receiveError(structuredClone(sendError(each)));
    expect(again).toMatchObject({ name: each.name, message: each.message });
    if (!(each instanceof WebAssembly.RuntimeError)) expect(again.constructor).toBe(each.constructor);
  }
  expect(receiveError(sendError(error))).toMatchObject({ code: error.code, path: error.path, found: error.found });
  expect(sendError('text')).toEqual({ name: 'Error', message: '"text"' });
});

test('a model tells its knobs', async () => {
  expect(knobsOf(await read(guitarML({ I: 3 })))).toBe(2);
  expect(knobsOf(await read(rtneural()))).toBe(0);
});

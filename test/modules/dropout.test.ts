import { afterEach, describe, expect, test, vi } from 'vitest';
import { LSTM, packSequence, type TensorLike } from '../../src/index.ts';
import { bits } from '../support/bits.ts';
import { type Any, tensor, zeros } from '../support/tensors.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('dropout', () => {
  const p = 0.3;

  /**
   * Layer 1 shows which of its inputs were zeroed: g = input, i = o = 1, f = 0, no recurrence, so h = tanh(tanh(input)). It
   * is an LSTM like any other to layer 0, whose weights are random.
   */
  function telltale(options: Any): LSTM {
    const H = 8;
    const lstm = new LSTM(3, H, { numLayers: 2, dropout: p, seed: 5, ...options });
    const changes = new Map<string, TensorLike>();
    for (const direction of lstm.bidirectional ? [0, 1] : [0]) {
      const suffix = `_l1${direction ? '_reverse' : ''}`;
      const width = lstm.bidirectional ? 2 * H : H;
      const ih = zeros(4 * H, width);
      for (let j = 0; j < H; j++) ih.data[(2 * H + j) * width + direction * H + j] = 1;
      const bias = zeros(4 * H);
      bias.data
        .fill(200, 0, H)
        .fill(-200, H, 2 * H)
        .fill(200, 3 * H);
      changes.set(`weight_ih${suffix}`, ih).set(`bias_ih${suffix}`, bias);
      changes.set(`weight_hh${suffix}`, zeros(4 * H, H)).set(`bias_hh${suffix}`, zeros(4 * H));
    }
    lstm.loadStateDict(changes, '', { strict: false });
    return lstm;
  }

  /** A layer of `lstm` as a module of its own. */
  function layerOf(lstm: LSTM, layer: number): LSTM {
    const own = [...lstm.stateDict()].filter(([key]) => key.includes(`_l${layer}`));
    return LSTM.fromStateDict(new Map(own.map(([key, value]) => [key.replace(`_l${layer}`, '_l0'), value])));
  }

  const lengths = [40, 40, 31, 9, 2];
  const padded = tensor(40, 5, 3);
  const packed = packSequence(lengths.map((length) => tensor(length, 3)));

  test.each<[string, Any, Any]>([
    ['plain', {}, padded],
    ['unbatched', {}, tensor(200, 3)],
    ['bidirectional', { bidirectional: true }, padded],
    ['packed', {}, packed],
    ['packed and bidirectional', { bidirectional: true }, packed],
    ['over several chunks', {}, tensor(5000, 1, 3)],
  ])('%s: falls on outputs between layers alone, and is scaled by 1 / (1 - p)', (_, options, input) => {
    const lstm = telltale(options);
    const [first, second] = [layerOf(lstm, 0), layerOf(lstm, 1)];
    const plain = lstm.forward(input) as Any;
    const result = lstm.train({ seed: 3 }).forward(input) as Any;
    const data = (tensor: Any): Float32Array => (tensor.batchSizes ? tensor.data.data : tensor.data);
    // some rows have a state that goes on, but f = 0 forgets it: what is zero was zeroed, and nothing else
    const shown = data(result.output);
    expect(data(plain.output).every((value) => Math.abs(value) > 1e-7)).toBe(true);
    const between = first.forward(input) as Any;
    const scale = Math.fround(1 / (1 - p));
    const dropped = data(between.output).map((value, i) => (shown[i] === 0 ? 0 : value * scale));
    const fraction = shown.filter((value) => value === 0).length / shown.length;
    expect(Math.abs(fraction - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / shown.length));
    const masked = input.batchSizes
      ? { ...between.output, data: { ...between.output.data, data: dropped } }
      : { ...between.output, data: dropped };
    const wanted = second.forward(masked) as Any;
    expect([...shown]).toEqual([...data(wanted.output)]);
    // the states of layer 0 went on without dropout
    const half = between.hn.data.length;
    expect(bits(result.hn.data.subarray(0, half))).toEqual(bits(between.hn));
    expect(bits(result.cn.data.subarray(0, half))).toEqual(bits(between.cn));
    expect(bits(result.hn.data.subarray(half))).toEqual(bits(wanted.hn));
    // no pattern along units: each is dropped about as often
    const width = between.hn.dims.at(-1);
    const perUnit = new Array(width).fill(0);
    shown.forEach((value, i) => {
      perUnit[i % width] += value === 0 ? 1 : 0;
    });
    const n = shown.length / width;
    for (const hits of perUnit) expect(Math.abs(hits / n - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / n));
    expect(bits(data((lstm.eval().forward(input) as Any).output))).toEqual(bits(data(plain.output)));
  });

  test('three layers: two masks, drawn one after the other', () => {
    const lstm = new LSTM(3, 8, { numLayers: 3, dropout: 0.5, seed: 1 });
    const dict = lstm.stateDict();
    const outputs = new Set<string>();
    lstm.train({ seed: 1 });
    for (let k = 0; k < 20; k++) {
      const { output, hn } = lstm.forward(padded);
      expect(output.data.every((value) => value !== 0)).toBe(true);
      expect([...hn.data.subarray(2 * 5 * 8)]).toEqual([...output.data.subarray(39 * 5 * 8)]);
      outputs.add(bits(output).join());
    }
    expect(outputs.size).toBe(20);
    expect(lstm.stateDict()).toEqual(dict);
  });

  test('train({ seed }) repeats the masks, calls after it differ', () => {
    const [a, b] = [telltale({}), telltale({ seed: 6 })];
    const run = (lstm: LSTM) => bits(lstm.forward(padded).output).join();
    const mask = (lstm: LSTM) => [...lstm.forward(padded).output.data].map((value) => value === 0).join();
    expect(a.training).toBe(false);
    expect(a.train({ seed: 9 })).toBe(a);
    expect(a.training).toBe(true);
    const sequence = [run(a), run(a), run(a)];
    expect(new Set(sequence).size).toBe(3);
    a.train({ seed: 9 });
    expect([run(a), run(a), run(a)]).toEqual(sequence);
    // the mask comes from the seed alone, not from weights
    expect(mask(a.train({ seed: 9 }))).toBe(mask(b.train({ seed: 9 })));
    expect(mask(a.train({ seed: 9 }))).not.toBe(mask(a.train({ seed: 10 })));
    // without a seed the masks go on, also over eval() and train()
    a.train({ seed: 9 });
    run(a);
    a.eval().forward(padded);
    expect(run(a.train())).toBe(sequence[1]);
    expect(a.eval()).toBe(a);
    expect(a.training).toBe(false);
    const [c, d] = [telltale({ seed: undefined }).train(), telltale({ seed: undefined }).train()];
    expect(mask(c)).not.toBe(mask(d));
    for (const [options, error] of [
      [{ seed: -1 }, RangeError],
      [{ seed: '1' }, TypeError],
      [{ mode: true }, TypeError],
      [true, TypeError],
    ] as Any) {
      expect(() => a.train(options)).toThrow(error);
      expect(a.training).toBe(false);
    }
  });

  test('p = 1 gives zeros to the next layer, p = 0 changes nothing', () => {
    const all = new LSTM(3, 8, { numLayers: 2, dropout: 1, seed: 5 });
    const second = layerOf(all, 1);
    const { output } = all.train().forward(padded);
    expect(bits(output)).toEqual(bits(second.forward(zeros(40, 5, 8)).output));
    const none = new LSTM(3, 8, { numLayers: 2, dropout: 0, seed: 5 });
    const wanted = bits(none.forward(padded).output);
    expect(bits(none.train({ seed: 1 }).forward(padded).output)).toEqual(wanted);
    expect(bits(all.eval().forward(padded).output)).toEqual(wanted);
  });

  test('with one layer nothing is dropped, and one warning a process says so', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    new LSTM(3, 8, { numLayers: 2, dropout: 0.5 });
    new LSTM(3, 8, { dropout: 0 });
    expect(warn).not.toHaveBeenCalled();
    const lstm = new LSTM(3, 8, { dropout: 0.5, seed: 1 });
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^LSTM: dropout .*numLayers 1/)]]);
    new LSTM(3, 8, { dropout: 0.9 });
    LSTM.fromStateDict(lstm.stateDict(), { dropout: 0.5 });
    expect(warn).toHaveBeenCalledTimes(1);
    const wanted = bits(lstm.forward(padded).output);
    expect(bits(lstm.train().forward(padded).output)).toEqual(wanted);
  });

  test('streams never drop, whatever the mode', () => {
    const lstm = telltale({});
    const input = tensor(200, 3);
    const wanted = bits(lstm.forward(input).output);
    const before = lstm.stream();
    lstm.train({ seed: 1 });
    for (const stream of [before, lstm.stream()]) {
      const data = new Float32Array(200 * 8);
      stream.run(input.data.subarray(0, 300), data.subarray(0, 800));
      for (let t = 100; t < 200; t++) {
        stream.input.set(input.data.subarray(3 * t, 3 * t + 3));
        stream.step();
        data.set(stream.output, 8 * t);
      }
      expect(bits(data)).toEqual(wanted);
    }
    // nor do they draw from the generator
    const first = bits(lstm.forward(input).output);
    lstm.train({ seed: 1 });
    expect(bits(lstm.forward(input).output)).toEqual(first);
  });

  test('a failed call draws no mask', () => {
    const lstm = telltale({});
    lstm.train({ seed: 2 });
    const wanted = bits(lstm.forward(padded).output);
    lstm.train({ seed: 2 });
    expect(() => lstm.forward(padded, { h0: zeros(1, 1, 1), c0: zeros(1, 1, 1) })).toThrow(RangeError);
    expect(bits(lstm.forward(padded).output)).toEqual(wanted);
  });
});

import { describe, expect, test } from 'vitest';
import { LSTM, packSequence, unpackSequence } from '../../src/index.ts';
import { beside, pick, reverse, slice, transpose } from '../support/axes.ts';
import { type Case, expectSame, expectSameResult, run, stateOf, stepThrough } from '../support/laws.ts';
import { randomTensor } from '../support/tensors.ts';

// Several chunks and blocks (CHUNK_BYTES and BLOCK_BYTES in src/nn/sequence.ts): no such border may be heard.
describe('long sequences', () => {
  const base = { bias: true, batchFirst: false, bidirectional: false, projSize: 0, state: true, seed: 9 };
  const long: [string, Case][] = [
    ['one unit', { ...base, inputSize: 1, hiddenSize: 1, numLayers: 1, batch: 1, steps: 70_001 }],
    ['odd sizes, three layers', { ...base, inputSize: 3, hiddenSize: 7, numLayers: 3, batch: 1, steps: 5000 }],
    ['wide input', { ...base, inputSize: 37, hiddenSize: 5, numLayers: 2, batch: 2, steps: 3001 }],
    ['batch of 5', { ...base, inputSize: 3, hiddenSize: 9, numLayers: 2, batch: 5, steps: 1999 }],
    ['batchFirst', { ...base, inputSize: 5, hiddenSize: 6, numLayers: 2, batch: 3, steps: 3000, batchFirst: true }],
    ['projection', { ...base, inputSize: 4, hiddenSize: 11, numLayers: 2, batch: 2, steps: 3000, projSize: 3 }],
    [
      'a step above a block',
      { ...base, inputSize: 2, hiddenSize: 130, numLayers: 1, batch: 67, steps: 9, bias: false },
    ],
    ['a step above a chunk', { ...base, inputSize: 700, hiddenSize: 3, numLayers: 2, batch: 101, steps: 5 }],
  ];

  test.each(long)('%s: the same in small pieces', (_, c) => {
    run(c, (model, input, given) => {
      const axis = c.batchFirst ? 1 : 0;
      const whole = model.forward(input, given);
      let state = given!;
      for (let at = 0, n = 1; at < c.steps; at += n, n = Math.min(1 + ((n * 7) % 501), c.steps - at)) {
        const { output, hn, cn } = model.forward(slice(input, axis, at, at + n), state);
        expectSame(`${n} steps from ${at}`, output, slice(whole.output, axis, at, at + n));
        state = { h0: hn, c0: cn };
      }
      expectSame('hn', state.h0, whole.hn);
      expectSame('cn', state.c0, whole.cn);
    });
  });

  test.each(long)('%s: output over input, in the same place and shifted', (_, c) => {
    run({ ...c, inputSize: c.projSize || c.hiddenSize }, (model, input, given) => {
      const wanted = model.forward(input, given);
      for (const [from, to] of [
        [0, 0],
        [0, 1],
        [7, 0],
      ] as const) {
        const buffer = new Float32Array(input.data.length + 7);
        const data = buffer.subarray(from, from + input.data.length);
        data.set(input.data);
        const output = { data: buffer.subarray(to, to + input.data.length), dims: input.dims };
        const out = {
          output,
          hn: { ...wanted.hn, data: wanted.hn.data.slice() },
          cn: { ...wanted.cn, data: wanted.cn.data.slice() },
        };
        expectSameResult(`from ${from} to ${to}`, model.forward({ data, dims: input.dims }, given, { out }), wanted);
      }
    });
  });

  test.each(long)('%s: packed equals each alone', (_, c) => {
    run(c, (model, input, given) => {
      const rows = c.batchFirst ? input : transpose(input);
      const lengths = Array.from({ length: c.batch }, (_, b) => c.steps - Math.floor((((b * 5) % 7) * c.steps) / 8));
      const sequences = lengths.map((length, b) => slice(pick(rows, 0, b), 0, 0, length));
      const { output, hn, cn } = model.forward(packSequence(sequences, { enforceSorted: false }), given);
      const outputs = unpackSequence(output);
      sequences.forEach((alone, b) => {
        const parts = { output: outputs[b]!, hn: pick(hn, 1, b), cn: pick(cn, 1, b) };
        expectSameResult(`sequence ${b}`, parts, model.forward(alone, stateOf(given, b)));
      });
    });
  });

  test.each(long)('%s: both directions equal one module each, one of them on the reversed sequence', (_, c) => {
    const both = { ...c, numLayers: 1, bidirectional: true };
    run(both, (model, input, given) => {
      const weights = [...model.stateDict()];
      const x = c.batchFirst ? transpose(input) : input;
      const parts = ['_l0', '_l0_reverse'].map((suffix, direction) => {
        const own = weights.filter(([key]) => key.endsWith(suffix));
        const single = LSTM.fromStateDict(new Map(own.map(([key, value]) => [key.replace(suffix, '_l0'), value])));
        const state = {
          h0: slice(given!.h0, 0, direction, direction + 1),
          c0: slice(given!.c0, 0, direction, direction + 1),
        };
        const { output } = single.forward(direction ? reverse(x) : x, state);
        single.dispose();
        return direction ? reverse(output) : output;
      });
      const { output } = model.forward(input, given);
      expectSame('output', c.batchFirst ? transpose(output) : output, beside(parts[0]!, parts[1]!));
    });
  });

  test('a stream runs 40,000 steps at once as one by one', () => {
    const model = new LSTM(2, 2, { numLayers: 2, seed: 4 });
    const input = randomTensor([40_000, 2], 8).data;
    const [one, many, inPlace] = [model.stream(), model.stream(), model.stream()];
    const dims = [40_000, 2];
    const [a, b, c] = [new Float32Array(80_000), new Float32Array(80_000), input.slice()];
    stepThrough(one, input, a);
    expect(many.run(input, b)).toBe(40_000);
    expect(inPlace.run(c, c)).toBe(40_000);
    expectSame('run', { data: b, dims }, { data: a, dims });
    expectSame('in place', { data: c, dims }, { data: a, dims });
    expect(many.save()).toEqual(one.save());
    expect(inPlace.save()).toEqual(one.save());
    model.dispose();
  });
});

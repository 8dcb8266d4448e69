import { describe, expect, test } from 'vitest';
import { Embedding, Linear, LSTM, LSTMCell } from '../../src/index.ts';
import { bits, words } from '../support/bits.ts';
import { type Any, count, dimsOf, shapes, tensor, zeros } from '../support/tensors.ts';
import { soon } from '../support/work.ts';

// What the modules give and refuse. What the numbers are is for torch.slow.test.ts and laws/.

describe('the documentation examples', () => {
  test('LSTM(10, 20, 2) on 5 x 3 x 10', () => {
    const lstm = new LSTM(10, 20, { numLayers: 2 });
    const { output, hn, cn } = lstm.forward(tensor(5, 3, 10), { h0: tensor(2, 3, 20), c0: tensor(2, 3, 20) });
    expect(shapes(output, hn, cn)).toBe('5x3x20 2x3x20 2x3x20');
    expect([...hn.data.subarray(60)]).toEqual([...output.data.subarray(240)]);
  });

  test('LSTMCell(10, 20) in a loop of 6', () => {
    const cell = new LSTMCell(10, 20);
    let [h, c] = [tensor(3, 20), tensor(3, 20)];
    for (let t = 0; t < 6; t++) {
      const { h1, c1 } = cell.forward(tensor(3, 10), { h0: h, c0: c });
      expect(shapes(h1, c1)).toBe('3x20 3x20');
      expect(h1.data.every((value) => Math.abs(value) < 1)).toBe(true);
      [h, c] = [h1, c1];
    }
  });

  test.each<[string, Any, string, string]>([
    ['batchFirst', { batchFirst: true }, '3x5x10', '3x5x20 1x3x20 1x3x20'],
    ['unbatched', { batchFirst: true }, '5x10', '5x20 1x20 1x20'],
    ['bidirectional', { bidirectional: true, numLayers: 2 }, '5x3x10', '5x3x40 4x3x20 4x3x20'],
    ['projSize', { projSize: 7, bidirectional: true }, '5x3x10', '5x3x14 2x3x7 2x3x20'],
    ['projSize, unbatched', { projSize: 7, numLayers: 3 }, '5x10', '5x7 3x7 3x20'],
  ])('shapes: %s', (_, options, input, wanted) => {
    const { output, hn, cn } = new LSTM(10, 20, options).forward(tensor(...dimsOf(input)));
    expect(shapes(output, hn, cn)).toBe(wanted);
    for (const { data, dims } of [output, hn, cn]) expect(data.length).toBe(count(dims));
  });

  test('the options can be read, and TypeScript forbids to write them', () => {
    const options = { numLayers: 2, bias: false, batchFirst: true, dropout: 0.25, bidirectional: true, projSize: 3 };
    const lstm = new LSTM(4, 6, options);
    expect(lstm).toMatchObject({ inputSize: 4, hiddenSize: 6, ...options });
    expect(new LSTM(4, 6)).toMatchObject({
      ...{ numLayers: 1, bias: true, batchFirst: false, dropout: 0, bidirectional: false, projSize: 0 },
      training: false,
    });
    expect(new LSTMCell(4, 6)).toMatchObject({ inputSize: 4, hiddenSize: 6, bias: true });
    expect(new Linear(4, 6, { bias: false })).toMatchObject({ inFeatures: 4, outFeatures: 6, bias: false });
    expect(new Embedding(4, 6, { paddingIdx: -1 })).toMatchObject({ numEmbeddings: 4, embeddingDim: 6, paddingIdx: 3 });
    // never called: tsc looks at it, in `npm run check`
    void (() => {
      // @ts-expect-error readonly
      lstm.hiddenSize = 7;
      // @ts-expect-error readonly
      lstm.training = true;
    });
  });

  test("results are the caller's: changing one changes no other", () => {
    const lstm = new LSTM(3, 4);
    const first = lstm.forward(tensor(5, 2, 3)) as Any;
    const kept = bits(first.output);
    for (const result of [first.output, first.hn, first.cn]) result.dims.fill(9);
    const second = lstm.forward(tensor(5, 2, 3));
    expect(shapes(second.output, second.hn, second.cn)).toBe('5x2x4 1x2x4 1x2x4');
    second.output.data.fill(7);
    expect(bits(first.output)).toEqual(kept);
    const { h1, c1 } = new LSTMCell(3, 4).forward(tensor(2, 3)) as Any;
    h1.dims[0] = 9;
    expect(c1.dims).toEqual([2, 4]);
    expect(h1.data).not.toBe(c1.data);
  });
});

describe('empty batches', () => {
  test.each<[string, Any, string, string]>([
    ['time first', {}, '5x0x4', '5x0x6 1x0x6 1x0x6'],
    ['batchFirst', { batchFirst: true }, '0x5x4', '0x5x6 1x0x6 1x0x6'],
    ['bidirectional', { bidirectional: true, numLayers: 2 }, '5x0x4', '5x0x12 4x0x6 4x0x6'],
    ['projSize', { projSize: 2, batchFirst: true }, '0x5x4', '0x5x2 1x0x2 1x0x6'],
    ['2^50 steps', {}, '1125899906842624x0x4', '1125899906842624x0x6 1x0x6 1x0x6'],
  ])('%s', (_, options, dims, wanted) => {
    const lstm = new LSTM(4, 6, options);
    const input = zeros(...dimsOf(dims));
    const out = lstm.forward(input);
    expect(shapes(out.output, out.hn, out.cn)).toBe(wanted);
    expect([out.output, out.hn, out.cn].map(({ data }) => data.length)).toEqual([0, 0, 0]);
    expect(lstm.forward(input, { h0: out.hn, c0: out.cn }, { out })).toBe(out);
    expect(() => lstm.forward(input, { h0: zeros(1, 1, 6), c0: zeros(1, 1, 6) })).toThrow(RangeError);
  });

  test('LSTMCell, Linear and Embedding', () => {
    const { h1, c1 } = new LSTMCell(4, 6).forward(zeros(0, 4));
    expect([h1.dims, c1.dims, h1.data.length, c1.data.length]).toEqual([[0, 6], [0, 6], 0, 0]);
    expect(new Linear(4, 6).forward(zeros(0, 3, 4))).toEqual(zeros(0, 3, 6));
    expect(new Embedding(4, 6).forward({ data: [], dims: [0, 2] })).toEqual(zeros(0, 2, 6));
  });

  test('no features: the state alone goes on', () => {
    const lstm = new LSTM(0, 3, { seed: 2 });
    const wanted = new LSTM(1, 3);
    const dict = lstm.stateDict();
    wanted.loadStateDict(new Map([...dict, ['weight_ih_l0', zeros(12, 1)]]));
    expect(dict.get('weight_ih_l0')!.dims).toEqual([12, 0]);
    expect(lstm.forward({ data: words([]), dims: [7, 2, 0] })).toEqual(wanted.forward(zeros(7, 2, 1)));
  });

  test('Linear without features either way is done at once', () => {
    const { dims } = soon(() => new Linear(0, 0).forward({ data: words([]), dims: [2 ** 30, 0] }));
    expect(dims).toEqual([2 ** 30, 0]);
  });
});

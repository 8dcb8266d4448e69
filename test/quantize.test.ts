import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bytesUsed,
  Linear,
  LSTM,
  LSTMCell,
  ModelError,
  packSequence,
  type StateDict,
  type TensorLike,
} from '../src/index.ts';
import { parseSafetensors, serializeSafetensors } from '../src/safetensors.ts';
import { digest } from './support/digest.ts';
import { uniforms } from './support/random.ts';

// 8-bit weights in whole modules; kernels/int8.test.ts has their products.

function tensor(dims: readonly number[], seed = 1, size = 1): TensorLike {
  const next = uniforms(seed);
  const count = dims.reduce((product, n) => product * n, 1);
  return { data: Float32Array.from({ length: count }, () => (2 * next() - 1) * size), dims };
}

function error(actual: TensorLike, expected: TensorLike): number {
  expect(actual.dims).toEqual(expected.dims);
  return actual.data.reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected.data[i]!)), 0);
}

/** A float32 LSTM with the weights that a quantized one stands for. */
function dequantized(quantized: LSTM): LSTM {
  const { inputSize, hiddenSize, numLayers, bias, batchFirst, bidirectional, projSize } = quantized;
  const lstm = new LSTM(inputSize, hiddenSize, { numLayers, bias, batchFirst, bidirectional, projSize });
  lstm.loadStateDict(quantized.stateDict());
  return lstm;
}

const MODELS = [
  { I: 1, H: 8 },
  { I: 64, H: 64 },
  { I: 33, H: 77, numLayers: 2, bidirectional: true },
  { I: 10, H: 50, numLayers: 2, projSize: 11 },
  { I: 128, H: 128, bias: false, batchFirst: true },
] as const;

test.each(MODELS)('is within 5e-3 of float32, and 2e-4 of the weights it has: %o', ({ I, H, ...options }) => {
  const lstm = new LSTM(I, H, { seed: 7, ...options });
  const quantized = lstm.quantize();
  const same = dequantized(quantized);
  // of variance 1
  const input = tensor([12, 3, I], 5, Math.sqrt(3));
  const { output, hn, cn } = quantized.forward(input);
  for (const [reference, bound] of [
    [lstm.forward(input), 5e-3],
    [same.forward(input), 2e-4],
  ] as const) {
    expect(error(output, reference.output)).toBeLessThan(bound);
    expect(error(hn, reference.hn)).toBeLessThan(bound);
    expect(error(cn, reference.cn)).toBeLessThan(2 * bound);
  }
  for (const module of [lstm, quantized, same]) module.dispose();
});

test('quantized weights are within half a step of the row, and exact at its largest', () => {
  const lstm = new LSTM(5, 9, { seed: 3 });
  const weight = lstm.stateDict().get('weight_ih_l0')!;
  const quantized = lstm.quantize().stateDict().get('weight_ih_l0')!;
  for (let row = 0; row < 36; row++) {
    const values = weight.data.subarray(5 * row, 5 * row + 5);
    const max = Math.max(...values.map(Math.abs));
    for (const [k, value] of values.entries()) {
      const bound = Math.abs(value) === max ? max * 2 ** -22 : (max / 254) * 1.0001;
      expect(Math.abs(quantized.data[5 * row + k]! - value)).toBeLessThanOrEqual(bound);
    }
  }
});

test('options and sizes are those of the original; the original does not change', () => {
  const lstm = new LSTM(3, 4, { numLayers: 2, batchFirst: true, dropout: 0.5, projSize: 2 });
  const before = lstm.stateDict();
  const quantized = lstm.quantize();
  const { inputSize, hiddenSize, numLayers, bias, batchFirst, dropout, bidirectional, projSize, training } = quantized;
  expect({
    inputSize,
    hiddenSize,
    numLayers,
    bias,
    batchFirst,
    dropout,
    bidirectional,
    projSize,
    training,
  }).toEqual({
    inputSize: 3,
    hiddenSize: 4,
    numLayers: 2,
    bias: true,
    batchFirst: true,
    dropout: 0.5,
    bidirectional: false,
    projSize: 2,
    training: false,
  });
  expect(lstm.stateDict()).toEqual(before);
  lstm.dispose();
  expect(quantized.forward(tensor([1, 2, 3])).output.dims).toEqual([1, 2, 2]);
});

test('takes a quarter of the memory', () => {
  const start = bytesUsed();
  const lstm = new LSTM(256, 256);
  const float = bytesUsed() - start;
  const quantized = lstm.quantize();
  const int8 = bytesUsed() - start - float;
  expect(int8).toBeLessThan(0.27 * float);
  quantized.dispose();
  lstm.dispose();
  expect(bytesUsed()).toBe(start);
});

test('a sequence has the same bits alone, in a batch, packed, and in a stream', () => {
  fc.assert(
    fc.property(
      fc.record({
        I: fc.integer({ min: 1, max: 20 }),
        H: fc.integer({ min: 2, max: 20 }),
        numLayers: fc.integer({ min: 1, max: 3 }),
        projected: fc.boolean(),
        lengths: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }),
        seed: fc.nat(),
        special: fc.constantFrom(0, NaN, Infinity, 1e-40, 1e30),
      }),
      ({ I, H, numLayers, projected, lengths, seed, special }) => {
        const lstm = new LSTM(I, H, { numLayers, projSize: projected ? H >> 1 : 0, seed }).quantize();
        const sequences = lengths.map((T, i) => tensor([T, I], seed + i, 3));
        sequences[0]!.data[0] = special;
        const alone = sequences.map((sequence) => lstm.forward(sequence));
        const packed = lstm.forward(packSequence(sequences, { enforceSorted: false }));
        const rows = (t: TensorLike, layer: number, row: number) => {
          const size = t.dims[2]!;
          const at = (layer * lengths.length + row) * size;
          return t.data.slice(at, at + size);
        };
        for (const [row, { hn, cn }] of alone.entries()) {
          for (let layer = 0; layer < numLayers; layer++) {
            const width = hn.dims[1]!;
            expect(rows(packed.hn, layer, row)).toEqual(hn.data.slice(layer * width, (layer + 1) * width));
            expect(rows(packed.cn, layer, row)).toEqual(cn.data.slice(layer * H, (layer + 1) * H));
          }
        }
        const stream = lstm.stream();
        for (const [i, { data }] of sequences.entries()) {
          stream.reset();
          const { output } = alone[i]!;
          const width = output.dims[1]!;
          for (let t = 0; t < lengths[i]!; t++) {
            stream.input.set(data.subarray(t * I, (t + 1) * I));
            stream.step();
            expect(stream.output).toEqual(output.data.slice(t * width, (t + 1) * width));
          }
        }
        stream.dispose();
        lstm.dispose();
      },
    ),
    { seed: 20250101, numRuns: 60 },
  );
});

test('many streams give the bits of each alone', () => {
  const lstm = new LSTM(5, 21, { numLayers: 2, projSize: 3, seed: 8 }).quantize();
  const streams = lstm.streams({ capacity: 40 });
  const alone = Array.from({ length: 40 }, () => lstm.stream());
  const ids = alone.map(() => streams.open());
  for (let step = 0; step < 6; step++) {
    const chosen = ids.filter((_, k) => (k * 7 + step) % 3 !== 0);
    const { data } = tensor([chosen.length, 5], step + 1, 2);
    data[step] = NaN;
    const outputs = new Float32Array(3 * chosen.length);
    streams.step(chosen, data, outputs);
    for (const [row, id] of chosen.entries()) {
      const stream = alone[ids.indexOf(id)]!;
      stream.input.set(data.subarray(5 * row, 5 * row + 5));
      stream.step();
      expect(outputs.slice(3 * row, 3 * row + 3)).toEqual(stream.output);
    }
  }
  for (const [k, id] of ids.entries()) expect(streams.save(id)).toEqual(alone[k]!.save());
  for (const resource of [...alone, streams, lstm]) resource.dispose();
});

test.each([NaN, Infinity, -Infinity])('%d in an input or a state gives what float32 gives', (special) => {
  const quantized = new LSTM(6, 10, { seed: 4 }).quantize();
  const float = dequantized(quantized);
  const input = tensor([4, 3, 6]);
  input.data[6 * 3 + 1] = special;
  const state = { h0: tensor([1, 3, 10], 2), c0: tensor([1, 3, 10], 3) };
  state.h0.data[20] = special;
  const actual = quantized.forward(input, state);
  const expected = float.forward(input, state);
  for (const name of ['output', 'hn', 'cn'] as const) {
    const { data } = expected[name];
    actual[name].data.forEach((value, i) => {
      if (Number.isNaN(data[i])) expect(value).toBeNaN();
      else expect(Math.abs(value - data[i]!)).toBeLessThan(1e-3);
    });
  }
});

test('LSTMCell and Linear', () => {
  const cell = new LSTMCell(7, 13, { seed: 1 });
  const input = tensor([5, 7]);
  const state = { h0: tensor([5, 13], 2), c0: tensor([5, 13], 3) };
  expect(error(cell.quantize().forward(input, state).h1, cell.forward(input, state).h1)).toBeLessThan(5e-3);
  for (const bias of [true, false]) {
    const linear = new Linear(300, 21, { seed: 1, bias });
    const many = tensor([2, 200, 300]);
    const quantized = linear.quantize();
    expect(error(quantized.forward(many), linear.forward(many))).toBeLessThan(1e-2);
    const read = Linear.fromStateDict(quantized.quantizedStateDict('head.'), { prefix: 'head.' });
    expect(read.bias).toBe(bias);
    expect(read.forward(many)).toEqual(quantized.forward(many));
  }
});

describe('quantizedStateDict', () => {
  const lstm = new LSTM(40, 24, { numLayers: 2, bidirectional: true, projSize: 10, seed: 2 });
  const quantized = lstm.quantize();
  const dict = () => new Map<string, any>(quantized.quantizedStateDict('a.'));

  test('through a safetensors file: a quarter of the size, and the same bits', () => {
    const metadata = { quantization: 'int8, a scale a row' };
    const file = serializeSafetensors(quantized.quantizedStateDict(), metadata);
    const read = LSTM.fromStateDict(parseSafetensors(file));
    const input = tensor([9, 2, 40]);
    expect(read.forward(input)).toEqual(quantized.forward(input));
    expect(read.quantizedStateDict()).toEqual(quantized.quantizedStateDict());
    const big = new LSTM(256, 256);
    const bytes = (d: StateDict) => serializeSafetensors(d).length;
    expect(bytes(big.quantizedStateDict())).toBeLessThan(0.27 * bytes(big.stateDict()));
    big.dispose();
  });

  test('of a float32 module is that of the module quantized', () => {
    expect(lstm.quantizedStateDict('a.')).toEqual(quantized.quantizedStateDict('a.'));
  });

  test('is what loadStateDict of a quantized module takes, and so are floats', () => {
    const other = new LSTM(40, 24, { numLayers: 2, bidirectional: true, projSize: 10, seed: 3 }).quantize();
    const input = tensor([3, 2, 40]);
    const expected = quantized.forward(input);
    for (const source of [quantized.quantizedStateDict('a.'), lstm.stateDict('a.')]) {
      other.loadStateDict(new LSTM(40, 24, { numLayers: 2, bidirectional: true, projSize: 10, seed: 4 }).stateDict());
      expect(other.forward(input)).not.toEqual(expected);
      other.loadStateDict(source, 'a.');
      expect(other.forward(input)).toEqual(expected);
    }
  });

  const wrong: readonly [what: string, change: (d: Map<string, any>) => void, code: string, message: RegExp][] = [
    ['-128', (d) => (d.get('a.weight_hh_l1').data[7] = -128), 'out-of-range', /"a\.weight_hh_l1" expected 8-bit/],
    ['a NaN scale', (d) => (d.get('a.weight_hr_l0_scale').data[3] = NaN), 'not-finite', /"a\.weight_hr_l0_scale".*NaN/],
    ['no scale', (d) => d.delete('a.weight_ih_l0_scale'), 'missing-key', /"a\.weight_ih_l0_scale"/],
    [
      'too few scales',
      (d) => d.set('a.weight_ih_l0_scale', tensor([95])),
      'wrong-shape',
      /"a\.weight_ih_l0_scale" expected \[96\], got \[95\]/,
    ],
    ['a scale too many', (d) => d.set('a.bias_ih_l0_scale', tensor([96])), 'unexpected-key', /"a\.bias_ih_l0_scale"/],
    [
      'an int8 bias',
      (d) => d.set('a.bias_ih_l0', { data: new Int8Array(96), dims: [96] }),
      'not-float',
      /"a\.bias_ih_l0" expected floating-point/,
    ],
    [
      'int8 of another length',
      (d) => d.set('a.weight_ih_l0', { data: new Int8Array(5), dims: [96, 40] }),
      'wrong-length',
      /"a\.weight_ih_l0" expected 3840 elements, got 5/,
    ],
  ];
  test.each(wrong)('with %s is refused, and nothing changes', (_, change, code, message) => {
    const bad = dict();
    for (const [key, { data, dims }] of bad) bad.set(key, { data: data.slice(), dims });
    change(bad);
    const before = quantized.quantizedStateDict();
    for (const load of [() => LSTM.fromStateDict(bad, { prefix: 'a.' }), () => quantized.loadStateDict(bad, 'a.')]) {
      expect(load).toThrow(message);
      expect(load).toThrow(expect.objectContaining({ name: 'ModelError', code }));
    }
    expect(quantized.quantizedStateDict()).toEqual(before);
  });

  test('is refused by a float32 module', () => {
    expect(() => lstm.loadStateDict(dict(), 'a.')).toThrow(/"a\.weight_ih_l0" expected floating-point/);
  });
});

test.each([NaN, Infinity])('a weight of %d cannot be quantized: refused, and nothing changes', (special) => {
  const lstm = new LSTM(3, 4);
  const quantized = lstm.quantize();
  const dict = lstm.stateDict();
  dict.get('weight_hh_l0')!.data[5] = special;
  lstm.loadStateDict(dict);
  const bytes = bytesUsed();
  const before = quantized.quantizedStateDict();
  for (const refused of [() => lstm.quantize(), () => lstm.quantizedStateDict(), () => quantized.loadStateDict(dict)]) {
    expect(refused).toThrow(ModelError);
    expect(refused).toThrow(/weight_hh_l0 expected finite weights to quantize, got (NaN|Infinity) in row 1/);
  }
  expect(quantized.quantizedStateDict()).toEqual(before);
  expect(bytesUsed()).toBe(bytes);
});

test('other options are refused', () => {
  const lstm = new LSTM(3, 4);
  expect(lstm.quantize({ bits: 8 }).hiddenSize).toBe(4);
  expect(() => lstm.quantize({ bits: 16 } as any)).toThrow(new RangeError('LSTM: "bits" expected 8, got 16'));
  expect(() => new Linear(1, 1).quantize({ scale: 1 } as any)).toThrow(/^Linear: unknown option "scale"/);
});

test('used after dispose()', () => {
  const lstm = new LSTM(3, 4);
  lstm.dispose();
  expect(() => lstm.quantize()).toThrow(/LSTM: used after dispose/);
  expect(() => lstm.quantizedStateDict()).toThrow(/LSTM: used after dispose/);
});

test('the same bits before and after 100,000 calls, in either tier of the compiler', () => {
  const lstm = new LSTM(9, 16, { seed: 1 }).quantize();
  const input = tensor([5, 9]);
  const first = lstm.forward(input);
  const before = digest();
  const stream = lstm.stream();
  stream.input.set(input.data.subarray(0, 9));
  for (let i = 0; i < 100_000; i++) stream.step();
  stream.reset();
  const output = new Float32Array(5 * 16);
  stream.run(input.data, output);
  expect(output).toEqual(first.output.data);
  expect(lstm.forward(input)).toEqual(first);
  expect(digest()).toBe(before);
});

import { describe, expect, test } from 'vitest';
import { type Activation, activate, activation } from '../src/cells/activations.ts';
import type { CellOptions, Cells, CellWeights } from '../src/cells/cells.ts';
import { makeCells } from '../src/cells/make-cells.ts';
import { RareCells } from '../src/cells/rare.ts';
import { StandardCells } from '../src/cells/standard.ts';
import { KERAS_ACTIVATIONS as KERAS } from '../src/keras/activations.ts';
import { bytesUsed } from '../src/memory/arena.ts';
import { bits } from './support/bits.ts';
import { erf } from './support/erf.ts';
import { uniforms } from './support/random.ts';

// The activation functions of all formats against their formulas in float64, and the cells that run on them.

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => (x > 40 ? x : Math.log1p(Math.exp(x)));
const clip = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);
/** The formula of each function with its constants, and how far a result may be off, for results above 1 in parts of them. */
const FORMULAS: Record<string, [f: Activation, formula: (x: number) => number, bound?: number]> = {
  linear: [activation('linear'), (x) => x, 0],
  sigmoid: [activation('sigmoid'), sigmoid],
  tanh: [activation('tanh'), Math.tanh],
  relu: [activation('relu'), (x) => Math.max(x, 0), 0],
  exponential: [activation('exponential'), Math.exp, 6e-8],
  scaledTanh: [activation('scaledTanh', 1.5, 0.25), (x) => 1.5 * Math.tanh(0.25 * x), 2.5e-7],
  silu: [activation('silu'), (x) => x * sigmoid(x), 1e-6],
  mish: [activation('mish'), (x) => x * Math.tanh(softplus(x)), 1e-6],
  geluTanh: [
    activation('geluTanh'),
    (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    1e-6,
  ],
  gelu: [activation('gelu'), (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)), 6e-8],
  affine: [activation('affine', 2, 0.5), (x) => 2 * x + 0.5, 6e-8],
  leakyRelu: [activation('leakyRelu', 0.25), (x) => (x < 0 ? 0.25 * x : x), 0],
  thresholdedRelu: [activation('thresholdedRelu', 2), (x) => (x <= 2 ? 0 : x), 0],
  relu6: [activation('relu6'), (x) => clip(x, 0, 6), 0],
  hardSigmoid: [activation('hardSigmoid', 0.25, 0.5), (x) => clip(0.25 * x + 0.5, 0, 1), 6e-8],
  hardSilu: [activation('hardSilu'), (x) => x * clip(x / 6 + 0.5, 0, 1), 6e-8],
  elu: [activation('elu', 2), (x) => (x < 0 ? 2 * Math.expm1(x) : x), 6e-8],
  selu: [activation('selu'), (x) => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * Math.expm1(x) : x), 6e-8],
  softsign: [activation('softsign'), (x) => x / (1 + Math.abs(x)), 1e-7],
  softplus: [activation('softplus'), softplus, 6e-8],
};

/** -12 to 12, then powers of 2 of both signs, so many that no block of the kernels is whole */
const GRID = Float32Array.from([
  ...Array.from({ length: 24_001 }, (_, i) => (i - 12_000) / 1000),
  ...Array.from({ length: 140 }, (_, i) => (i & 1 ? -1 : 1) * 2 ** ((i >> 1) - 60)),
]);

describe('activations', () => {
  test.each(Object.entries(FORMULAS))('%s', (_, [f, formula, bound = 1e-7]) => {
    const y = GRID.slice();
    activate(f, y, y.length);
    const wrong = GRID.findIndex((x, i) => {
      const exact = formula(x);
      return !(y[i] === Math.fround(exact) || Math.abs(y[i]! - exact) <= bound * Math.max(1, Math.abs(exact)));
    });
    expect(wrong < 0 ? 'right' : `f(${GRID[wrong]}) = ${y[wrong]}, wanted ${formula(GRID[wrong]!)}`).toBe('right');
  });

  test.each(Object.entries(FORMULAS))('%s: a NaN stays in its element, ends are the limits', (name, [f, formula]) => {
    const x = Float32Array.of(1, NaN, -1, Infinity, -Infinity);
    const y = x.slice();
    activate(f, y, 5);
    const alone = [1, -1].map((value) => {
      const data = Float32Array.of(value);
      activate(f, data, 1);
      return data[0];
    });
    expect([y[0], y[2]]).toEqual(alone);
    expect(y[1]).toBeNaN();
    // -infinity times a gate of 0, where others have the limit -0
    const lost = ['silu', 'mish', 'geluTanh', 'gelu', 'hardSilu'].includes(name);
    const limits: Record<string, number[]> = { softsign: [1, -1], softplus: [Infinity, 0] };
    const [top, bottom] = limits[name] ?? [formula(Infinity), formula(-Infinity)];
    expect(y[3]! + 0).toBe(top);
    expect(y[4]! + 0).toBe(lost ? NaN : Math.fround(bottom!) + 0);
  });

  test('softmax and its logarithm go over rows', () => {
    const x = GRID.slice(0, 60);
    for (const [name, formula] of [
      ['softmax', (v: number) => v],
      ['logSoftmax', Math.log],
    ] as const) {
      const y = x.slice();
      activate(activation(name), y, 12);
      for (let row = 0; row < 60; row += 12) {
        const sum = x.subarray(row, row + 12).reduce((total, v) => total + Math.exp(v), 0);
        for (let i = row; i < row + 12; i++) expect(y[i]).toBeCloseTo(formula(Math.exp(x[i]!) / sum), 6);
      }
    }
  });

  test('Keras and ONNX have the same elu, hard_sigmoid, softplus and softsign, in layers and in cells', () => {
    const n = 200;
    const x = Float32Array.from({ length: n }, (_, i) => (i - 100) / 17);
    const zeros = (count: number) => new Float32Array(count);
    for (const [name, f] of [
      ['elu', activation('elu', 1)],
      ['hard_sigmoid', activation('hardSigmoid', 1 / 6, 0.5)],
      ['softplus', activation('softplus')],
      ['softsign', activation('softsign')],
    ] as const) {
      const wanted = x.slice();
      activate(KERAS.get(name)!, wanted, n);
      // h = 1 f(0 c + 1 x): gates i and o are 1, f is 0
      const gates = activation('affine', 1, 0);
      const bias = zeros(4 * n);
      for (let k = 0; k < n; k++) {
        bias[k] = bias[3 * n + k] = 1;
        bias[2 * n + k] = x[k]!;
      }
      const cells = makeCells({
        I: 1,
        H: n,
        directions: [{ ih: zeros(4 * n), hh: zeros(4 * n * n), bias: [bias, zeros(4 * n)] }],
        functions: [gates, gates, f],
      });
      const { y } = cells.run({ x: zeros(1), T: 1, batch: 1, lengths: undefined, h0: undefined, c0: undefined });
      expect(bits(y)).toEqual(bits(wanted));
      cells.dispose();
    }
  });
});

describe('cells', () => {
  const [I, H, T, batch] = [5, 7, 40, 3];
  const next = uniforms(3);
  const numbers = (count: number) => Float32Array.from({ length: count }, () => 2 * next() - 1);
  const weights = (peepholes?: Float32Array): CellWeights => ({
    ih: numbers(4 * H * I),
    hh: numbers(4 * H * H),
    bias: [numbers(4 * H), numbers(4 * H)],
    peepholes,
  });
  const STANDARD = [activation('sigmoid'), activation('tanh'), activation('tanh')];
  const x = numbers(T * batch * I);
  const state = { h0: numbers(2 * batch * H), c0: numbers(2 * batch * H) };

  /** [T][batch][size] to [batch][T][size], or back */
  function swapped(data: Float32Array, outer: number, inner: number): Float32Array {
    const size = data.length / (outer * inner);
    const out = new Float32Array(data.length);
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < inner; j++) {
        out.set(data.subarray((i * inner + j) * size, (i * inner + j + 1) * size), (j * outer + i) * size);
      }
    }
    return out;
  }

  const runOnce = (cells: Cells, sequences: Parameters<Cells['run']>[0]) => {
    const states = cells.run(sequences);
    cells.dispose();
    return states;
  };

  test('are PyTorch’s where nothing is rare', () => {
    const options = { I, H, directions: [weights()], functions: STANDARD };
    const kinds: [Partial<CellOptions>, unknown][] = [
      [{}, StandardCells],
      [{ clip: 1 }, RareCells],
      [{ inputForget: true }, RareCells],
      [{ directions: [weights(numbers(3 * H))] }, RareCells],
      [{ functions: [activation('tanh'), activation('tanh'), activation('tanh')] }, RareCells],
    ];
    for (const [change, kind] of kinds) {
      const cells = makeCells({ ...options, ...change });
      expect(cells).toBeInstanceOf(kind);
      cells.dispose();
    }
  });

  for (const lengths of [undefined, [40, 1, 17]]) {
    test(`rare and standard ones agree, ${lengths ? 'lengths' : 'no lengths'}`, () => {
      const options = { I, H, directions: [weights(), weights()], functions: [...STANDARD, ...STANDARD] };
      const sequences = { x, T, batch, lengths, ...state };
      const [rare, standard] = [new RareCells(options), new StandardCells(options)].map((one) =>
        runOnce(one, sequences),
      );
      for (const name of ['y', 'h', 'c'] as const) {
        expect(rare![name]).toHaveLength(standard![name].length);
        for (const [i, value] of rare![name].entries()) expect(value).toBeCloseTo(standard![name][i]!, 5);
      }
    });

    test(`batchFirst changes the layout alone, ${lengths ? 'lengths' : 'no lengths'}`, () => {
      const options = {
        I,
        H,
        directions: [weights(numbers(3 * H)), weights()],
        functions: Array<Activation>(6).fill(activation('softsign')),
        clip: 0.7,
      };
      const wanted = runOnce(makeCells(options), { x, T, batch, lengths, ...state });
      const first = makeCells({ ...options, batchFirst: true });
      const { y, h, c } = runOnce(first, { x: swapped(x, T, batch), T, batch, lengths, ...state });
      expect(bits(swapped(y, batch, T))).toEqual(bits(wanted.y));
      expect([bits(h), bits(c)]).toEqual([bits(wanted.h), bits(wanted.c)]);
    });
  }

  test('a row has the bits that it has alone, in blocks of steps too', () => {
    const [many, wide] = [400, 60];
    const options: CellOptions = {
      I: wide,
      H: wide,
      directions: [{ ih: numbers(4 * wide * wide), hh: numbers(4 * wide * wide), bias: undefined }],
      functions: [activation('sigmoid'), activation('silu'), activation('gelu')],
      batchFirst: true,
    };
    const inputs = numbers(2 * many * wide);
    const run = (data: Float32Array, batch: number) =>
      runOnce(makeCells(options), { x: data, T: many, batch, lengths: undefined, h0: undefined, c0: undefined });
    const both = run(inputs, 2);
    for (const row of [0, 1]) {
      const one = run(inputs.slice(row * many * wide, (row + 1) * many * wide), 1);
      expect(bits(one.y)).toEqual(bits(both.y.slice(row * many * wide, (row + 1) * many * wide)));
    }
  });

  test('give their memory back', () => {
    const before = bytesUsed();
    runOnce(new RareCells({ I, H, directions: [weights(), weights()], functions: [...STANDARD, ...STANDARD] }), {
      x,
      T,
      batch,
      lengths: undefined,
      ...state,
    });
    expect(bytesUsed()).toBe(before);
  });
});

import { expect, test } from 'vitest';
import { bytesUsed } from '../src/index.ts';
import { KERAS_ACTIVATIONS } from '../src/keras/activations.ts';
import { loadKeras, ModelError } from '../src/keras.ts';
import { erf } from './support/erf.ts';
import { type LayerConfig, lstmWeights, nested, noise, sequential, tfjs, type Weight } from './support/keras-files.ts';

// Each layer against its definition in plain numbers.

function run(layers: LayerConfig[], weights: Record<string, Weight>, input: Weight, version?: string) {
  const shape = [null, ...input.dims.slice(1)];
  const model = loadKeras(tfjs(sequential(layers, shape), weights, version));
  const result = model.predict(input);
  const [output] = model.outputs;
  // the shape that was promised
  expect(result.dims.slice(1)).toEqual(output!.dims.slice(1));
  model.dispose();
  return result;
}

function close(actual: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 2e-6): void {
  expect(actual.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    if (Number.isNaN(wanted[i]!) || !Number.isFinite(wanted[i]!)) expect(actual[i], `[${i}]`).toBe(wanted[i]);
    else
      expect(Math.abs(actual[i]! - wanted[i]!), `[${i}] ${actual[i]}`).toBeLessThanOrEqual(
        tolerance * Math.max(1, Math.abs(wanted[i]!)),
      );
  }
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.log1p(Math.exp(x));
const selu = [1.0507009873554805, 1.6732632423543772] as const;
const FORMULAS: Record<string, (x: number) => number> = {
  linear: (x) => x,
  tanh: Math.tanh,
  sigmoid,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  leaky_relu: (x) => (x < 0 ? 0.2 * x : x),
  elu: (x) => (x < 0 ? Math.expm1(x) : x),
  selu: (x) => selu[0] * (x < 0 ? selu[1] * Math.expm1(x) : x),
  exponential: Math.exp,
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  silu: (x) => x * sigmoid(x),
  swish: (x) => x * sigmoid(x),
  hard_silu: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  hard_swish: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  mish: (x) => x * Math.tanh(softplus(x)),
  gelu: (x) => x * 0.5 * (1 + erf(x / Math.SQRT2)),
  gelu_new: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};
const rows = { softmax: (row: number[]) => row.map((x) => Math.exp(x) / row.reduce((sum, y) => sum + Math.exp(y), 0)) };

test.each(Object.entries(FORMULAS))('activation %s', (activation, formula) => {
  const x = Float32Array.from({ length: 400 }, (_, i) => (i - 200) / 20);
  close(run([['Activation', { activation }]], {}, { data: x, dims: [4, 100] }).data, Array.from(x, formula));
});

test('softmax, log_softmax and both hard_sigmoid', () => {
  const x = noise([5, 7], 1, 8);
  const wanted = Array.from({ length: 5 }, (_, i) => rows.softmax([...x.data.subarray(7 * i, 7 * i + 7)])).flat();
  const activation = (name: string, version?: string) => [
    ...run([['Activation', { activation: name }]], {}, x, version).data,
  ];
  close(activation('softmax'), wanted);
  close(activation('log_softmax'), wanted.map(Math.log), 3e-6);
  const old = Array.from(x.data, (v) => Math.min(Math.max(0.2 * v + 0.5, 0), 1));
  close(activation('hard_sigmoid', 'tfjs-layers 4.22.0'), old);
  close(activation('hard_sigmoid', '2.15.0'), old);
  close(
    activation('hard_sigmoid', '3.8.0'),
    Array.from(x.data, (v) => Math.min(Math.max(v + 3, 0), 6) / 6),
  );
  const table = [...Object.keys(FORMULAS), 'softmax', 'log_softmax', 'hard_sigmoid'];
  expect([...KERAS_ACTIVATIONS.keys()].sort()).toEqual(table.sort());
});

const ACTIVATION_PAIRS: [string, string][] = [
  ['tanh', 'hard_sigmoid'],
  ['relu', 'sigmoid'],
  ['linear', 'tanh'],
  ['softsign', 'hard_sigmoid'],
  ['elu', 'sigmoid'],
];

/** LSTM by the formulas of keras.layers.LSTM, one row: x [T][I]. */
function lstm(
  weights: Record<string, Weight>,
  x: number[][],
  f: (x: number) => number,
  r: (x: number) => number,
  mask = x.map(() => 1),
) {
  const { data: k, dims } = weights['lstm/kernel']!;
  const H = dims[1]! / 4;
  const u = weights['lstm/recurrent_kernel']!.data;
  const b = weights['lstm/bias']!.data;
  let [h, c]: [number[], number[]] = [Array(H).fill(0), Array(H).fill(0)];
  const outputs = x.map((row, t) => {
    if (!mask[t]) return h;
    const z = Array.from({ length: 4 * H }, (_, j) => {
      return (
        b[j]! +
        row.reduce((s, v, i) => s + v * k[i * 4 * H + j]!, 0) +
        h.reduce((s, v, i) => s + v * u[i * 4 * H + j]!, 0)
      );
    });
    const at = (gate: number, j: number) => z[gate * H + j]!;
    c = c.map((old, j) => r(at(1, j)) * old + r(at(0, j)) * f(at(2, j)));
    h = c.map((value, j) => r(at(3, j)) * f(value));
    return h;
  });
  return { outputs, h, c };
}

const toRows = ({ data, dims }: Weight, b: number) => {
  const [, T, I] = dims as [number, number, number];
  return Array.from({ length: T }, (_, t) => [...data.subarray((b * T + t) * I, (b * T + t + 1) * I)]);
};

test.each(ACTIVATION_PAIRS)('LSTM with %s and %s', (activation, recurrent_activation) => {
  const weights = lstmWeights('lstm', 4, 5);
  const input = noise([3, 6, 4], 7);
  const hard = (x: number) => Math.min(Math.max(0.2 * x + 0.5, 0), 1);
  const gate = recurrent_activation === 'hard_sigmoid' ? hard : FORMULAS[recurrent_activation]!;
  const wanted = [0, 1, 2].flatMap((b) => lstm(weights, toRows(input, b), FORMULAS[activation]!, gate).outputs.flat());
  const config = { name: 'lstm', units: 5, activation, recurrent_activation, return_sequences: true };
  const { data, dims } = run([['LSTM', config]], weights, input);
  expect(dims).toEqual([3, 6, 5]);
  close(data, wanted, 1e-5);
});

const mask = [1, 0, 1, 1, 0, 0];
test.each([
  ['sigmoid', false],
  ['sigmoid', true],
  ['hard_sigmoid', false],
  ['hard_sigmoid', true],
] as [string, boolean][])('masked steps, %s, go_backwards %s', (recurrent_activation, go_backwards) => {
  const weights = lstmWeights('lstm', 4, 5);
  const input = noise([2, 6, 4], 7);
  // the first row is masked here and there, the second not at all
  for (const [t, kept] of mask.entries()) if (!kept) input.data.fill(0, t * 4, t * 4 + 4);
  const hard = (x: number) => Math.min(Math.max(0.2 * x + 0.5, 0), 1);
  const gate = recurrent_activation === 'sigmoid' ? sigmoid : hard;
  const order = <T>(list: T[]) => (go_backwards ? [...list].reverse() : list);
  const wanted = [mask, mask.map(() => 1)].flatMap((kept, b) => {
    return lstm(weights, order(toRows(input, b)), Math.tanh, gate, order(kept)).outputs.flat();
  });
  const layers: LayerConfig[] = [
    ['Masking', { mask_value: 0 }],
    [
      'LSTM',
      { name: 'lstm', units: 5, recurrent_activation, activation: 'tanh', return_sequences: true, go_backwards },
    ],
  ];
  close(run(layers, weights, input).data, wanted, 1e-5);
  const zero: LayerConfig[] = [layers[0]!, ['LSTM', { ...layers[1]![1], zero_output_for_mask: true }]];
  const zeros = wanted.map((value, i) => (i < 30 && !order(mask)[Math.floor(i / 5)] ? 0 : value));
  close(run(zero, weights, input).data, zeros, 1e-5);
});

test.each(['concat', 'sum', 'mul', 'ave'])(
  'Bidirectional %s with a mask: Keras has zeros at masked steps, TensorFlow.js repeats',
  (merge_mode) => {
    const forward = lstmWeights('lstm', 4, 5, 1);
    const backward = lstmWeights('lstm', 4, 5, 11);
    const input = noise([1, 6, 4], 7);
    for (const [t, kept] of mask.entries()) if (!kept) input.data.fill(0, t * 4, t * 4 + 4);
    const x = toRows(input, 0);
    const back = (list: any[]) => [...list].reverse();
    const merge = (a: number[], b: number[]) => {
      if (merge_mode === 'concat') return [...a, ...b];
      return a.map((v, j) => ({ sum: v + b[j]!, mul: v * b[j]!, ave: (v + b[j]!) / 2 })[merge_mode]!);
    };
    const weights = Object.fromEntries(
      [forward, backward].flatMap((all, i) => {
        return Object.entries(all).map(([name, weight]) => [
          name.replace('lstm/', `bi/${i ? 'backward' : 'forward'}_x/`),
          weight,
        ]);
      }),
    );
    const config = { name: 'x', units: 5, recurrent_activation: 'sigmoid', return_sequences: true };
    const layers: LayerConfig[] = [
      ['Masking', {}],
      ['Bidirectional', { name: 'bi', merge_mode, layer: { class_name: 'LSTM', config } }],
    ];
    for (const version of ['tfjs-layers 4.22.0', '2.15.0']) {
      const one = lstm(forward, x, Math.tanh, sigmoid, mask).outputs;
      const two = back(lstm(backward, back(x), Math.tanh, sigmoid, back(mask)).outputs);
      const zero = (rows: number[][]) =>
        rows.map((row, t) => (mask[t] || version.startsWith('tfjs') ? row : row.map(() => 0)));
      const [a, b] = [zero(one), zero(two)];
      close(
        run(layers, weights, input, version).data,
        a.flatMap((row, t) => merge(row, b[t]!)),
        1e-5,
      );
    }
  },
);

test('a stateful LSTM goes on, row by row as one long sequence, until it is reset', () => {
  for (const recurrent_activation of ['sigmoid', 'hard_sigmoid']) {
    const weights = lstmWeights('lstm', 4, 5);
    const config = { name: 'lstm', units: 5, recurrent_activation, return_sequences: true };
    const whole = run([['LSTM', config]], weights, noise([1, 6, 4], 7)).data;
    const model = loadKeras(tfjs(sequential([['LSTM', { ...config, stateful: true }]], [1, 3, 4]), weights));
    const { data } = noise([1, 6, 4], 7);
    for (let round = 0; round < 2; round++) {
      const parts = [0, 1].flatMap((i) => [
        ...model.predict({ data: data.slice(12 * i, 12 * i + 12), dims: [1, 3, 4] }).data,
      ]);
      expect(new Float32Array(parts)).toEqual(whole);
      model.resetStates();
    }
    expect(() => model.predict({ data, dims: [2, 3, 4] })).toThrow(RangeError);
    model.dispose();
  }
});

test('a batch has the bits of each sample alone', () => {
  const weights = lstmWeights('lstm', 4, 5);
  const input = noise([3, 6, 4], 7);
  for (const recurrent_activation of ['sigmoid', 'hard_sigmoid']) {
    const layers: LayerConfig[] = [['LSTM', { name: 'lstm', units: 5, recurrent_activation }]];
    const all = run(layers, weights, input).data;
    const alone = [0, 1, 2].flatMap((b) => [
      ...run(layers, weights, { data: input.data.slice(24 * b, 24 * b + 24), dims: [1, 6, 4] }).data,
    ]);
    expect(new Float32Array(alone)).toEqual(all);
  }
});

test('Embedding, Flatten, RepeatVector, Reshape, Dropout', () => {
  const table = noise([6, 3]);
  const layers: LayerConfig[] = [
    ['Embedding', { name: 'e', input_dim: 6, output_dim: 3 }],
    ['Dropout', { rate: 0.5 }],
    ['Flatten', {}],
    ['RepeatVector', { n: 2 }],
    ['Reshape', { target_shape: [-1, 4] }],
  ];
  const { data, dims } = run(
    layers,
    { 'e/embeddings': table },
    nested([
      [1, 5, 0, 2],
      [3, 3, 4, 1],
    ]),
  );
  const row = (list: number[]) => list.flatMap((i) => [...table.data.subarray(3 * i, 3 * i + 3)]);
  expect(dims).toEqual([2, 6, 4]);
  expect([...data]).toEqual(
    [
      [1, 5, 0, 2],
      [3, 3, 4, 1],
    ].flatMap((list) => [...row(list), ...row(list)]),
  );
  const model = loadKeras(tfjs(sequential(layers.slice(0, 1), [null, 2]), { 'e/embeddings': table }));
  for (const wrong of [6, -1, 0.5, NaN]) expect(() => model.predict(nested([[0, wrong]]))).toThrow(RangeError);
  expect(model.predict({ data: new BigInt64Array([1n, 2n]), dims: [1, 2] }).dims).toEqual([1, 2, 3]);
  model.dispose();
});

test('BatchNormalization and LayerNormalization', () => {
  const x = noise([2, 3, 4]);
  const positive = { data: noise([4], 5).data.map((v) => v * v), dims: [4] };
  const [gamma, beta, mean] = [noise([4], 2), noise([4], 3), noise([4], 4)];
  const weights = { 'n/gamma': gamma, 'n/beta': beta, 'n/moving_mean': mean, 'n/moving_variance': positive };
  const batch = run([['BatchNormalization', { name: 'n', axis: [2], epsilon: 0.01 }]], weights, x).data;
  close(
    batch,
    Array.from(x.data, (v, i) => {
      const k = i % 4;
      return ((v - mean.data[k]!) / Math.sqrt(positive.data[k]! + 0.01)) * gamma.data[k]! + beta.data[k]!;
    }),
  );
  const plain = { 'n/moving_mean': mean, 'n/moving_variance': positive };
  const bare = run([['BatchNormalization', { name: 'n', scale: false, center: false }]], plain, x).data;
  close(
    bare,
    Array.from(x.data, (v, i) => (v - mean.data[i % 4]!) / Math.sqrt(positive.data[i % 4]! + 0.001)),
  );
  const layer = run(
    [['LayerNormalization', { name: 'n', axis: -1, epsilon: 0.001 }]],
    { 'n/gamma': gamma, 'n/beta': beta },
    x,
  ).data;
  const wanted = Array.from({ length: 6 }, (_, r) => {
    const row = [...x.data.subarray(4 * r, 4 * r + 4)];
    const average = row.reduce((a, b) => a + b) / 4;
    const variance = row.reduce((a, b) => a + (b - average) ** 2, 0) / 4;
    return row.map((v, k) => ((v - average) / Math.sqrt(variance + 0.001)) * gamma.data[k]! + beta.data[k]!);
  }).flat();
  close(layer, wanted);
});

test('Reshape with null, as TensorFlow.js may write it', () => {
  const x = noise([2, 3, 4]);
  expect(run([['Reshape', { target_shape: [null, 6] }]], {}, x)).toEqual({ data: x.data, dims: [2, 2, 6] });
});

test('BatchNormalization over the steps, LayerNormalization over steps and features', () => {
  const x = noise([2, 3, 4]);
  const [gamma, beta, mean] = [noise([3], 2), noise([3], 3), noise([3], 4)];
  const variance = { data: noise([3], 5).data.map((v) => v * v), dims: [3] };
  const weights = { 'n/gamma': gamma, 'n/beta': beta, 'n/moving_mean': mean, 'n/moving_variance': variance };
  const wanted = Array.from(x.data, (v, i) => {
    const k = Math.floor(i / 4) % 3;
    return ((v - mean.data[k]!) / Math.sqrt(variance.data[k]! + 0.001)) * gamma.data[k]! + beta.data[k]!;
  });
  for (const axis of [1, -2, { class_name: '__tuple__', items: [1] }]) {
    close(run([['BatchNormalization', { name: 'n', axis }]], weights, x).data, wanted);
  }
  const [scale, shift] = [noise([3, 4], 6), noise([3, 4], 7)];
  for (const axis of [
    [1, 2],
    [-1, -2],
  ]) {
    const { data } = run([['LayerNormalization', { name: 'n', axis }]], { 'n/gamma': scale, 'n/beta': shift }, x);
    close(
      data,
      [0, 1].flatMap((b) => {
        const row = [...x.data.subarray(12 * b, 12 * b + 12)];
        const average = row.reduce((sum, v) => sum + v) / 12;
        const spread = row.reduce((sum, v) => sum + (v - average) ** 2, 0) / 12;
        return row.map((v, k) => ((v - average) / Math.sqrt(spread + 0.001)) * scale.data[k]! + shift.data[k]!);
      }),
    );
  }
  for (const [name, axis] of [
    ['BatchNormalization', [1, 2]],
    ['BatchNormalization', 0],
    ['LayerNormalization', 1],
    ['LayerNormalization', [2, 2]],
  ] as const) {
    expect(() => run([[name, { name: 'n', axis }]], {}, x), `${name} ${axis}`).toThrow(ModelError);
  }
});

/** Convolution and maximum by their definitions, over an explicitly padded sequence. */
function windows(x: Weight, size: number, stride: number, dilation: number, padding: string) {
  const [B, T] = x.dims as [number, number];
  const span = (size - 1) * dilation + 1;
  const count = padding === 'valid' ? Math.ceil((T - span + 1) / stride) : Math.ceil(T / stride);
  const total = Math.max(0, (count - 1) * stride + span - T);
  const left = padding === 'valid' ? 0 : padding === 'causal' ? span - 1 : Math.floor(total / 2);
  return Array.from({ length: B }, (_, b) => {
    const rows = toRows(x, b);
    return Array.from({ length: count }, (_, t) =>
      Array.from({ length: size }, (_, k) => rows[t * stride + k * dilation - left]),
    );
  });
}

const CONVOLUTIONS: [string, number, number, number, number][] = [
  ['valid', 1, 1, 1, 3],
  ['valid', 2, 1, 1, 4],
  ['valid', 1, 2, 1, 3],
  ['same', 1, 1, 1, 4],
  ['same', 2, 1, 1, 3],
  ['same', 1, 2, 2, 3],
  ['causal', 1, 2, 1, 3],
  ['causal', 2, 1, 2, 2],
];
test.each(CONVOLUTIONS)(
  'Conv1D %s, stride %i, dilation %i, groups %i, size %i',
  (padding, strides, dilation, groups, size) => {
    const x = noise([2, 9, 4]);
    const filters = 6;
    const [kernel, bias] = [noise([size, 4 / groups, filters], 2), noise([filters], 3)];
    const config = {
      name: 'c',
      filters,
      kernel_size: [size],
      strides: [strides],
      dilation_rate: dilation,
      padding,
      groups,
      activation: 'relu',
    };
    const { data } = run([['Conv1D', config]], { 'c/kernel': kernel, 'c/bias': bias }, x);
    const per = filters / groups;
    const width = 4 / groups;
    const wanted = windows(x, size, strides, dilation, padding)
      .flat()
      .flatMap((window) => {
        return Array.from({ length: filters }, (_, o) => {
          const from = Math.floor(o / per) * width;
          let sum = bias.data[o]!;
          for (const [k, row] of window.entries()) {
            for (let i = 0; i < width; i++) sum += (row?.[from + i] ?? 0) * kernel.data[(k * width + i) * filters + o]!;
          }
          return Math.max(sum, 0);
        });
      });
    close(data, wanted);
  },
);

test.each([
  ['valid', 2, 2],
  ['same', 3, 2],
  ['valid', 3, 1],
  ['same', 2, 2],
] as [string, number, number][])('MaxPooling1D %s, size %i, stride %i', (padding, size, stride) => {
  const x = noise([2, 9, 4]);
  const { data } = run([['MaxPooling1D', { pool_size: [size], strides: stride, padding }]], {}, x);
  const wanted = windows(x, size, stride, 1, padding)
    .flat()
    .flatMap((window) => {
      const rows = window.filter((row) => row !== undefined);
      return [0, 1, 2, 3].map((k) => Math.max(...rows.map((row) => row[k]!)));
    });
  expect([...data]).toEqual(wanted);
});

test('a NaN in a window is its maximum, wherever it stands', () => {
  const x = nested([
    [
      [NaN, 1],
      [2, NaN],
      [3, 4],
      [5, 6],
      [NaN, NaN],
      [7, 8],
    ],
  ]);
  const { data } = run([['MaxPooling1D', { pool_size: 2 }]], {}, x);
  expect([...data]).toEqual([NaN, NaN, 5, 6, NaN, NaN]);
  expect([...run([['MaxPooling1D', { pool_size: 3, padding: 'same', strides: 2 }]], {}, x).data]).toEqual([
    NaN,
    NaN,
    NaN,
    NaN,
    NaN,
    NaN,
  ]);
  expect([...run([['GlobalMaxPooling1D', {}]], {}, x).data]).toEqual([NaN, NaN]);
});

test('GlobalMaxPooling1D', () => {
  const x = noise([2, 9, 4]);
  const { data, dims } = run([['GlobalMaxPooling1D', {}]], {}, x);
  expect(dims).toEqual([2, 4]);
  expect([...data]).toEqual(
    [0, 1].flatMap((b) => [0, 1, 2, 3].map((k) => Math.max(...toRows(x, b).map((row) => row[k]!)))),
  );
});

test('all that is not supported is one error', () => {
  const layers: LayerConfig[] = [
    ['Lambda', { name: 'code' }],
    ['LSTM', { name: 'lstm', units: 2, activation: 'sin', time_major: true }],
    ['ConvLSTM2D', { name: 'conv' }],
    ['Bidirectional', { name: 'bi', layer: { class_name: 'ConvLSTM2D', config: {} } }],
    ['TimeDistributed', { name: 'td', layer: { class_name: 'TimeDistributed', config: {} } }],
    ['TimeDistributed', { name: 'applied', layer: { class_name: 'ConvLSTM2D', config: { name: 'inner' } } }],
    ['Conv1D', { name: 'c', filters: 1, kernel_size: 1, padding: 'full', data_format: 'channels_first' }],
    ['Dense', { name: 'd', units: 1, dtype: { class_name: 'DTypePolicy', config: { name: 'int8_from_float32' } } }],
  ];
  let error: unknown;
  try {
    loadKeras(tfjs(sequential(layers, [null, 3, 2]), {}));
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ModelError);
  const { message, code } = error as ModelError;
  expect(code).toBe('unsupported');
  for (const text of [
    'Lambda ("code")',
    '"sin"',
    'time_major',
    'ConvLSTM2D ("conv")',
    'Bidirectional of ConvLSTM2D',
    'a TimeDistributed without a layer',
    'ConvLSTM2D ("inner")',
    '"full"',
    'channels_first',
    'int8_from_float32',
  ]) {
    expect(message).toContain(text);
  }
});

test.each([
  ['no tensor', undefined, TypeError],
  ['another rank', { data: new Float32Array(8), dims: [2, 4] }, RangeError],
  ['other features', { data: new Float32Array(10), dims: [1, 2, 5] }, RangeError],
  ['other data', { data: new Float64Array(8), dims: [1, 2, 4] }, TypeError],
  ['too few numbers', { data: new Float32Array(7), dims: [1, 2, 4] }, RangeError],
  ['texts', { data: Array(8).fill('1'), dims: [1, 2, 4] }, TypeError],
  ['no steps', { data: [], dims: [1, 0, 4] }, RangeError],
  [
    'two tensors',
    [
      { data: [], dims: [] },
      { data: [], dims: [] },
    ],
    RangeError,
  ],
] as [string, any, any][])('predict refuses %s', (_, input, type) => {
  const model = loadKeras(
    tfjs(sequential([['LSTM', { name: 'lstm', units: 2 }]], [null, null, 4]), lstmWeights('lstm', 4, 2)),
  );
  expect(() => model.predict(input)).toThrow(type);
  expect(model.predict(noise([0, 2, 4])).dims).toEqual([0, 2]);
  model.dispose();
});

test('a model that a getter of an input disposes of is not run', () => {
  const before = bytesUsed();
  const model = loadKeras(
    tfjs(sequential([['Dense', { name: 'd', units: 2 }]], [null, 4]), {
      'd/kernel': noise([4, 2]),
      'd/bias': noise([2]),
    }),
  );
  const { data, dims } = noise([1, 4]);
  const input = {
    get data() {
      model.dispose();
      return data;
    },
    dims,
  };
  expect(() => model.predict(input)).toThrow('KerasModel: used after dispose()');
  expect(bytesUsed()).toBe(before);
});

test.each([
  ['tfjs-layers 4.22.0', Math.sqrt(1e-7)],
  ['2.15.0', 1e-6],
])('Dot of %s takes a norm as %f at least', (version, least) => {
  const layers = [
    { class_name: 'InputLayer', name: 'x', config: { name: 'x', batch_input_shape: [null, 2] }, inbound_nodes: [] },
    {
      class_name: 'Dot',
      name: 'dot',
      config: { name: 'dot', axes: -1, normalize: true },
      inbound_nodes: [
        [
          ['x', 0, 0, {}],
          ['x', 0, 0, {}],
        ],
      ],
    },
  ];
  const config = { name: 'm', layers, input_layers: [['x', 0, 0]], output_layers: [['dot', 0, 0]] };
  const model = loadKeras(tfjs({ class_name: 'Functional', config }, {}, version));
  const { data } = model.predict(
    nested([
      [3e-7, 4e-7],
      [3e-5, 4e-5],
      [3, 4],
    ]),
  );
  for (const [i, norm] of [5e-7, 5e-5, 5].entries())
    expect(data[i]).toBeCloseTo((norm / Math.max(norm, least)) ** 2, 6);
  model.dispose();
});

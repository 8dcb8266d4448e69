import { describe, expect, test } from 'vitest';
import { bytesUsed, Linear, ModelError } from '../src/index.ts';
import { loadKeras } from '../src/keras.ts';
import { gc } from './support/garbage.ts';
import { kerasArchive, kerasH5 } from './support/hdf5-files.ts';
import { type LayerConfig, lstmWeights, noise, sequential, tfjs, type Weight } from './support/keras-files.ts';
import { refusal, thrownBy } from './support/refusals.ts';
import { soon } from './support/work.ts';

// What a model may hold and what a call may ask for: in proportion to its weights and inputs, whatever sizes are in the file.

const load = (layers: LayerConfig[], shape: (number | null)[], weights: Record<string, Weight> = {}) =>
  loadKeras(tfjs(sequential(layers, shape), weights));

/** Predicts, which is refused soon, without memory for what the layer would make. */
function refusedCall(
  layers: LayerConfig[],
  shape: (number | null)[],
  dims: number[],
  weights: Record<string, Weight> = {},
) {
  const model = load(layers, shape, weights);
  const input = { data: new Float32Array(dims.reduce((a, b) => a * b, 1)), dims };
  const { arrayBuffers } = process.memoryUsage();
  const error = soon(() => thrownBy(() => model.predict(input)));
  expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(2 ** 24);
  model.dispose();
  expect(error).toBeInstanceOf(ModelError);
  expect((error as ModelError).code).toBe('too-large');
  return (error as ModelError).message;
}

describe('work', () => {
  const repeat = (n: number, name: string): LayerConfig => ['RepeatVector', { name, n }];

  test('known at load: a vector repeated 2^26 times, and again', () => {
    for (const times of [2 ** 26, 2 ** 25 + 1]) {
      expect(refusal(() => load([repeat(times, 'r')], [null, 1])).code).toBe('too-large');
    }
    const twice = [repeat(2 ** 13, 'a'), ['Flatten', {}], repeat(2 ** 13, 'b')] as LayerConfig[];
    expect(refusal(() => load(twice, [null, 1])).message).toContain('layer "b" (RepeatVector) asks for more work');
    load([repeat(2 ** 13, 'a'), ['Flatten', {}]], [null, 1]).dispose();
  });

  test('not known before the call: refused there, before memory is taken', () => {
    const chain: LayerConfig[] = [repeat(2 ** 26, 'a'), ['Flatten', {}], repeat(2 ** 26, 'b')];
    expect(refusedCall(chain, [null, null], [1, 1])).toContain('layer "a" (RepeatVector) asks for more work');
    const short: LayerConfig[] = [repeat(4096, 'a'), ['Flatten', {}], repeat(8192, 'b')];
    expect(refusedCall(short, [null, null], [1, 1])).toContain('layer "b" (RepeatVector) asks for more work');
  });

  test('a size of 0 hides no other', () => {
    expect(refusedCall([repeat(2 ** 26, 'r')], [null, null], [1, 0])).toContain('"r"');
    expect(refusedCall([repeat(97, 'r')], [null, null], [2 ** 31 - 1, 0])).toContain('"r"');
    const layers: [LayerConfig[], (number | null)[], number[], Record<string, Weight>][] = [
      [
        [['Dense', { name: 'd', units: 2 }]],
        [null, null, 3],
        [2 ** 31 - 1, 0, 3],
        { 'd/kernel': noise([3, 2]), 'd/bias': noise([2]) },
      ],
      [[['Flatten', {}]], [null, null, 3], [2 ** 31 - 1, 0, 3], {}],
      [
        [['BatchNormalization', { name: 'b', center: false, scale: false }]],
        [null, null, 3],
        [2 ** 31 - 1, 0, 3],
        { 'b/moving_mean': noise([3]), 'b/moving_variance': noise([3]) },
      ],
      [[['Masking', {}]], [null, null, 3], [2 ** 31 - 1, 0, 3], {}],
      [
        [['Embedding', { name: 'e', input_dim: 3, output_dim: 2 }]],
        [null, null],
        [2 ** 31 - 1, 0],
        { 'e/embeddings': noise([3, 2]) },
      ],
      [[['LSTM', { name: 'l', units: 2 }]], [null, 4, 3], [0, 4, 3], lstmWeights('l', 3, 2)],
      [
        [['Bidirectional', { name: 'b', layer: { class_name: 'LSTM', config: { name: 'l', units: 2 } } }]],
        [null, 4, 3],
        [0, 4, 3],
        { ...lstmWeights('b/forward_l', 3, 2), ...lstmWeights('b/backward_l', 3, 2) },
      ],
      [
        [['Conv1D', { name: 'c', filters: 2, kernel_size: 1 }]],
        [null, 4, 3],
        [0, 4, 3],
        { 'c/kernel': noise([1, 3, 2]), 'c/bias': noise([2]) },
      ],
    ];
    for (const [list, shape, dims, weights] of layers) {
      const model = load(list, shape, weights);
      const result = soon(() => model.predict({ data: [], dims }), list[0]![0]);
      expect(result.data.length, list[0]![0]).toBe(0);
      model.dispose();
    }
  });

  test('products: a short file that repeats a vector for a wide layer', () => {
    const layers: LayerConfig[] = [repeat(2 ** 18, 'r'), ['LSTM', { name: 'l', units: 64 }]];
    expect(refusal(() => load(layers, [null, 4], lstmWeights('l', 4, 64))).message).toContain(
      'layer "l" (LSTM) asks for more work',
    );
    load([repeat(1000, 'r'), layers[1]!], [null, 4], lstmWeights('l', 4, 64)).dispose();
  });

  test('windows of max pooling that each take the whole input', () => {
    const pool: LayerConfig = ['MaxPooling1D', { name: 'p', pool_size: 2 ** 31 - 1, strides: 1, padding: 'same' }];
    expect(refusal(() => load([pool], [null, 1e5, 1])).message).toContain(
      'layer "p" (MaxPooling1D) asks for more work',
    );
    expect(refusedCall([pool], [null, null, 1], [1, 1e5, 1])).toContain('"p"');
    load([pool], [null, 1e4, 1]).dispose();
  });

  test('one output a hundred thousand times', () => {
    const input = {
      name: 'in',
      class_name: 'InputLayer',
      config: { name: 'in', batch_input_shape: [null, 1000] },
      inbound_nodes: [],
    };
    const layers = [
      input,
      { name: 'd', class_name: 'Dropout', config: { name: 'd' }, inbound_nodes: [[['in', 0, 0, {}]]] },
    ];
    const output_layers = Array.from({ length: 100_000 }, () => ['d', 0, 0]);
    const config = { layers, input_layers: [['in', 0, 0]], output_layers };
    const model = loadKeras(tfjs({ class_name: 'Functional', config }, {}));
    const error = thrownBy(() => model.predict([noise([1, 1000])]));
    expect((error as ModelError).code).toBe('too-large');
  });

  test('a declared shape without weights takes no memory', () => {
    const { arrayBuffers } = process.memoryUsage();
    const model = load([['LayerNormalization', { name: 'n', scale: false, center: false }]], [null, 2 ** 26]);
    expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(2 ** 20);
    model.dispose();
  });

  test('models of usual sizes are not refused', () => {
    const decoder: LayerConfig[] = [
      ['RepeatVector', { name: 'r', n: 500 }],
      ['LSTM', { name: 'l', units: 32, return_sequences: true }],
      ['Dense', { name: 'd', units: 7 }],
    ];
    const weights = { ...lstmWeights('l', 16, 32), 'd/kernel': noise([32, 7]), 'd/bias': noise([7]) };
    const model = load(decoder, [null, 16], weights);
    expect(model.predict(noise([20, 16])).dims).toEqual([20, 500, 7]);
    model.dispose();
    const deep = Array.from(
      { length: 300 },
      (_, i): LayerConfig => ['Activation', { name: `a${i}`, activation: 'relu' }],
    );
    const chain = load(deep, [null, null, 1]);
    expect(chain.predict(noise([1, 1000, 1])).dims).toEqual([1, 1000, 1]);
    chain.dispose();
  });
});

describe('memory', () => {
  const size = ({ data }: Weight) => data.length;

  test('narrow matrices, each 16 times its size in panels', () => {
    const N = 3000;
    const input = {
      name: 'x',
      class_name: 'InputLayer',
      config: { name: 'x', batch_input_shape: [null, 256] },
      inbound_nodes: [],
    };
    const layers = Array.from({ length: N }, (_, i) => ({
      class_name: 'Dense',
      name: `d${i}`,
      config: { name: `d${i}`, units: 1, use_bias: false },
      inbound_nodes: [[['x', 0, 0, {}]]],
    }));
    const config = { layers: [input, ...layers], input_layers: [['x', 0, 0]], output_layers: [['d1234', 0, 0]] };
    const kernels = layers.map((_, i) => noise([256, 1], i));
    const weights = Object.fromEntries(kernels.map((kernel, i) => [`d${i}/kernel`, kernel]));
    const before = bytesUsed();
    const model = loadKeras(tfjs({ class_name: 'Functional', config }, weights));
    expect(bytesUsed() - before).toBeLessThanOrEqual(3 * 1024 * N + 2 ** 22);
    const x = noise([3, 256], 1);
    const { data } = model.predict([x])[0]!;
    model.dispose();
    expect(bytesUsed()).toBe(before);
    const alone = load([['Dense', { name: 'd', units: 1, use_bias: false }]], [null, 256], {
      'd/kernel': kernels[1234]!,
    });
    expect(data).toEqual(alone.predict(x).data);
    alone.dispose();
  });

  test.each([
    [1024, 1],
    [1025, 2],
    [4097, 3],
  ])('a kernel (%i, %i) without panels gives the bits of one with panels', (inputs, columns) => {
    const kernel = noise([inputs, columns], 1);
    const bias = noise([columns], 2);
    const before = bytesUsed();
    const model = load([['Dense', { name: 'd', units: columns }]], [null, inputs], {
      'd/kernel': kernel,
      'd/bias': bias,
    });
    expect(bytesUsed()).toBe(before);
    const weight = { data: new Float32Array(columns * inputs), dims: [columns, inputs] };
    for (let i = 0; i < columns * inputs; i++) {
      weight.data[i] = kernel.data[(i % inputs) * columns + Math.floor(i / inputs)]!;
    }
    const packed = Linear.fromStateDict({ weight, bias });
    for (const rows of [0, 1, 2, 5]) {
      const x = noise([rows, inputs], 3);
      expect(model.predict(x).data).toEqual(packed.forward(x).data);
    }
    packed.dispose();
    model.dispose();
    expect(bytesUsed()).toBe(before);
  });

  test('a square kernel is packed, a narrow one is not', () => {
    const before = bytesUsed();
    for (const [inputs, outputs, isPacked] of [
      [64, 64, true],
      [64, 1, true],
      [1024, 16, true],
      [1024, 1, false],
    ] as const) {
      const layer: LayerConfig = ['Dense', { name: 'd', units: outputs, use_bias: false }];
      const model = load([layer], [null, inputs], { 'd/kernel': noise([inputs, outputs]) });
      expect(bytesUsed() > before).toBe(isPacked);
      model.dispose();
      expect(bytesUsed()).toBe(before);
    }
  });

  test('an LSTM of one unit, 4 times its size in panels, is made in each call, with the same bits', () => {
    const [I, wide] = [1000, 600_000];
    const layer: LayerConfig = ['LSTM', { name: 'l', units: 1, recurrent_activation: 'sigmoid', stateful: true }];
    const cell = lstmWeights('l', I, 1);
    const before = bytesUsed();
    const model = load([layer], [null, 2, I], cell);
    expect(bytesUsed()).toBeGreaterThan(before);
    const x = noise([1, 2, I], 9);
    const wanted = [0, 1].map(() => model.predict(x).data);
    model.dispose();
    // more inputs, which are zeros
    const kernel = { data: new Float32Array(4 * wide), dims: [wide, 4] };
    kernel.data.set(cell['l/kernel']!.data);
    const large = load([layer], [null, 2, wide], { ...cell, 'l/kernel': kernel });
    expect(bytesUsed()).toBe(before);
    const far = { data: new Float32Array(2 * wide), dims: [1, 2, wide] };
    for (const t of [0, 1]) far.data.set(x.data.subarray(t * I, (t + 1) * I), t * wide);
    expect([0, 1].map(() => large.predict(far).data)).toEqual(wanted);
    expect(wanted[0]).not.toEqual(wanted[1]);
    // the plan keeps the input, of which there are two steps
    expect(bytesUsed() - before).toBeLessThan(1.01 * far.data.byteLength);
    large.dispose();
    expect(bytesUsed()).toBe(before);
  });

  test('a convolution of as many groups as channels', () => {
    const C = 20_000;
    const kernel = noise([2, 1, C], 1);
    const bias = noise([C], 2);
    const conv: LayerConfig = ['Conv1D', { name: 'c', filters: C, groups: C, kernel_size: 2 }];
    const before = bytesUsed();
    const model = load([conv], [null, 3, C], { 'c/kernel': kernel, 'c/bias': bias });
    expect(bytesUsed() - before).toBeLessThanOrEqual(12 * (size(kernel) + size(bias)) + 2 ** 22);
    const x = noise([1, 3, C], 3);
    const { data } = model.predict(x);
    for (const [t, c] of [
      [0, 0],
      [1, 0],
      [0, 777],
      [1, C - 1],
    ] as const) {
      // in float64, rounded once
      const wanted = Math.fround(
        bias.data[c]! + kernel.data[c]! * x.data[t * C + c]! + kernel.data[C + c]! * x.data[(t + 1) * C + c]!,
      );
      expect(data[t * C + c]).toBe(wanted);
    }
    model.dispose();
    expect(bytesUsed()).toBe(before);
  });

  const H = 200;
  test.each<[string, LayerConfig, (number | null)[], Record<string, Weight>]>([
    [
      'Dense',
      ['Dense', { name: 'l', units: 600 }],
      [null, 600],
      { 'l/kernel': noise([600, 600]), 'l/bias': noise([600]) },
    ],
    ['LSTM', ['LSTM', { name: 'l', units: H }], [null, 3, 2 * H], lstmWeights('l', 2 * H, H)],
    [
      'Bidirectional',
      ['Bidirectional', { name: 'l', layer: { class_name: 'LSTM', config: { name: 'l', units: H } } }],
      [null, 3, H],
      { ...lstmWeights('l/forward_l', H, H), ...lstmWeights('l/backward_l', H, H) },
    ],
    [
      'Conv1D',
      ['Conv1D', { name: 'l', filters: 300, kernel_size: 3 }],
      [null, 9, 300],
      { 'l/kernel': noise([3, 300, 300]), 'l/bias': noise([300]) },
    ],
  ])('%s keeps its weights in linear memory alone', async (_, layer, shape, weights) => {
    const source = tfjs(sequential([layer], shape), weights);
    const settle = async () => {
      for (let i = 0; i < 3; i++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return process.memoryUsage().arrayBuffers;
    };
    const [before, linear] = [await settle(), bytesUsed()];
    const model = loadKeras(source);
    expect(bytesUsed() - linear).toBeGreaterThanOrEqual(source.weights.length);
    expect((await settle()) - before).toBeLessThan(source.weights.length / 4);
    model.dispose();
  });

  test('a long window is laid out in few rows', () => {
    const K = 2 ** 16;
    const kernel = noise([K, 1, 1], 1);
    const model = load(
      [['Conv1D', { name: 'c', filters: 1, kernel_size: K, padding: 'same', use_bias: false }]],
      [null, null, 1],
      { 'c/kernel': kernel },
    );
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const set = Float32Array.prototype.set;
    Float32Array.prototype.set = function (...args) {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      return set.apply(this, args);
    };
    try {
      expect(model.predict({ data: Float32Array.of(1, ...Array(39).fill(0)), dims: [1, 40, 1] }).dims).toEqual([
        1, 40, 1,
      ]);
    } finally {
      Float32Array.prototype.set = set;
    }
    expect(most).toBeLessThan(2 ** 24);
    model.dispose();
  });

  test('in .keras and .h5 too', () => {
    const before = bytesUsed();
    const N = 300;
    const layers = Array.from(
      { length: N },
      (_, i): LayerConfig => ['Dense', { name: `d${i}`, units: 1, use_bias: false }],
    );
    const [first, ...rest] = layers;
    const kernels = [noise([20_000, 1], 1), ...rest.map((_, i) => noise([1, 1], i + 2))];
    const model = sequential([first!, ...rest], [null, 20_000]);
    const named = new Map(kernels.map((kernel, i) => [`d${i}`, { [`d${i}/kernel:0`]: kernel }]));
    const sources = [
      { h5: kerasH5(model, named) },
      {
        keras: kerasArchive(
          model,
          kernels.map((kernel) => ['Dense', { '': [kernel] }]),
        ),
      },
    ];
    for (const source of sources) {
      const loaded = loadKeras(source);
      expect(bytesUsed() - before).toBeLessThan(12 * 20_300 + 2 ** 22);
      loaded.dispose();
    }
    expect(bytesUsed()).toBe(before);
  });
});

test('60,000 inputs of one layer among 9,000 others', () => {
  const input = {
    name: 'in',
    class_name: 'InputLayer',
    config: { name: 'in', batch_input_shape: [null, 3] },
    inbound_nodes: [],
  };
  const layer = (name: string, sources: string[]) => {
    const inbound_nodes = [sources.map((source) => [source, 0, 0, {}])];
    return { name, class_name: 'Dropout', config: { name }, inbound_nodes };
  };
  const others = Array.from({ length: 9000 }, (_, i) => layer(`d${i}`, ['in']));
  const all = layer(
    'all',
    Array.from({ length: 60_000 }, (_, i) => `d${(i * 7919) % 9000}`),
  );
  const config = { layers: [input, all, ...others], input_layers: [['in', 0, 0]], output_layers: [['all', 0, 0]] };
  const error = refusal(() => loadKeras(tfjs({ class_name: 'Functional', config }, {})));
  expect(error.code).toBe('wrong-inputs');
});

test('a name of a million parts', () => {
  const model = sequential([['Dense', { name: 'd', units: 2, use_bias: false }]], [null, 2]);
  const { modelJson, weights } = tfjs(model, { 'd/kernel': noise([2, 2]) });
  modelJson.weightsManifest[0].weights[0].name = `d/${'/'.repeat(1e6)}kernel`;
  const error = refusal(() => loadKeras({ modelJson: JSON.stringify(modelJson), weights }));
  expect(error.code).toBe('too-deep');
});

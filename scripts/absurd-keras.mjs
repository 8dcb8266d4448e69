// node scripts/absurd-keras.mjs [COUNT [FIRST]]: makes COUNT valid but absurd models of Keras from number FIRST on, in all forms,
// loads and runs each, and prints a line for each that takes more than a second of the processor, more memory than it may, or
// throws anything but a ModelError, TypeError or RangeError of the package. Before each it prints its number, so that a crash of the
// process names it: run it as a program of its own. Needs dist/.
import { loadKeras, ModelError } from 'lstm-wasm/keras';
import { FORMS } from './write-keras.mjs';

const [total = 200, first = 0] = process.argv.slice(2).map(Number);
/** Sizes that a place without weights may have: usual, prime, and far beyond any memory. A size of 0 is refused in most. */
const SIZES = [0, 1, 1, 2, 3, 4, 7, 8, 97, 4099, 2 ** 16, 2 ** 20, 2 ** 24, 2 ** 26, 2 ** 31 - 1];
/** Sizes of weights, which have to be in the file. */
const WIDTHS = [1, 1, 2, 3, 4, 7, 8, 17, 97];
/** The most numbers of a weight of the file, and of an input that is fed. */
const ELEMENTS = 2 ** 15;

/** Numbers from 0 to below 1, by a seed: mulberry32. */
function randomOf(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const lstmWeights = (inputs, units, scope = '', folder = 'cell') =>
  [
    ['kernel', [inputs, 4 * units]],
    ['recurrent_kernel', [units, 4 * units]],
    ['bias', [4 * units]],
  ].map(([name, dims]) => ({ name: `${scope}${name}`, folder, dims }));
const own = (...weights) => weights.map(([name, dims]) => ({ name, folder: '', dims }));

/**
 * Layers: for the shape of an input, its config, weights and the shape of its output; undefined if it cannot take the input. A size
 * that weights depend on is small; every other is any.
 */
const LAYERS = {
  Dense: (shape, { width }) => {
    const [K, units] = [shape.at(-1), width()];
    return (
      known(K) && [
        { units, use_bias: true },
        own(['kernel', [K, units]], ['bias', [units]]),
        [...shape.slice(0, -1), units],
      ]
    );
  },
  Embedding: (shape, { width }) => {
    const [rows, units] = [97, width()];
    return [{ input_dim: rows, output_dim: units }, own(['embeddings', [rows, units]]), [...shape, units]];
  },
  LSTM: (shape, { width, flag }) => {
    const [[batch, steps, K], units, all] = [shape, width(), flag()];
    if (shape.length !== 3 || !known(K)) return undefined;
    const config = { units, return_sequences: all, go_backwards: flag(), recurrent_activation: 'sigmoid' };
    return [config, lstmWeights(K, units), all ? [batch, steps, units] : [batch, units]];
  },
  Bidirectional: (shape, { width }) => {
    const [[batch, , K], units] = [shape, width()];
    if (shape.length !== 3 || !known(K)) return undefined;
    const layer = { class_name: 'LSTM', config: { name: 'i', units, recurrent_activation: 'sigmoid' } };
    const both = ['forward', 'backward'].flatMap((way) => lstmWeights(K, units, `${way}_i/`, `${way}_layer/cell`));
    return [{ layer }, both, [batch, 2 * units]];
  },
  Conv1D: (shape, { size, width, flag }) => {
    const [[batch, , C], kernel_size, padding] = [shape, width(), flag() ? 'same' : 'valid'];
    const groups = flag() && known(C) ? C : 1;
    const filters = groups * width();
    if (shape.length !== 3 || !known(C)) return undefined;
    const config = {
      filters,
      kernel_size,
      groups,
      padding,
      ...(flag() ? { strides: size() } : { dilation_rate: size() }),
    };
    return [config, own(['kernel', [kernel_size, C / groups, filters]], ['bias', [filters]]), [batch, null, filters]];
  },
  MaxPooling1D: (shape, { size, flag }) => {
    const config = { pool_size: size(), strides: size(), padding: flag() ? 'same' : 'valid' };
    return shape.length === 3 && [config, [], [shape[0], null, shape[2]]];
  },
  GlobalMaxPooling1D: (shape) => shape.length === 3 && [{}, [], [shape[0], shape[2]]],
  Flatten: (shape) => [{}, [], [shape[0], shape.slice(1).includes(null) ? null : product(shape.slice(1))]],
  Reshape: (shape, { size, flag }) => {
    const target_shape = Array.from({ length: 1 + (flag() ? 1 : 0) }, size);
    if (flag()) target_shape[0] = -1;
    return [{ target_shape }, [], [shape[0], ...target_shape.map((one) => (one === -1 ? null : one))]];
  },
  RepeatVector: (shape, { size }) => {
    const n = size();
    return shape.length === 2 && [{ n }, [], [shape[0], n, shape[1]]];
  },
  BatchNormalization: (shape) => {
    const size = shape.at(-1);
    const names = ['gamma', 'beta', 'moving_mean', 'moving_variance'];
    return known(size) && [{}, own(...names.map((name) => [name, [size]])), shape];
  },
  LayerNormalization: (shape) => {
    const size = shape.at(-1);
    if (size === null) return undefined;
    return known(size)
      ? [{}, own(['gamma', [size]], ['beta', [size]]), shape]
      : [{ scale: false, center: false }, [], shape];
  },
  Masking: (shape) => shape.length === 3 && [{}, [], shape],
  Activation: (shape, { flag }) => [{ activation: flag() ? 'softmax' : 'relu' }, [], shape],
  Dropout: (shape) => [{ rate: 0.5 }, [], shape],
  SpatialDropout1D: (shape) => shape.length === 3 && [{ rate: 0.5 }, [], shape],
};
for (const axes of [1, 2]) {
  const rank = axes + 2;
  const open = (shape, channels) => [shape[0], ...Array(axes).fill(null), channels];
  const each = (make) => Array.from({ length: axes }, make);
  const pooling = (shape, { size, flag }) =>
    shape.length === rank && [
      { pool_size: each(size), strides: each(size), padding: flag() ? 'same' : 'valid' },
      [],
      open(shape, shape.at(-1)),
    ];
  const global = (shape) => shape.length === rank && [{}, [], [shape[0], shape.at(-1)]];
  const resized =
    (key) =>
    (shape, { size, flag }) =>
      shape.length === rank && [
        { [key]: flag() ? size() : each(() => (axes === 1 || key === 'size' ? size() : [size(), size()])) },
        [],
        open(shape, shape.at(-1)),
      ];
  Object.assign(LAYERS, {
    [`MaxPooling${axes}D`]: pooling,
    [`AveragePooling${axes}D`]: pooling,
    [`GlobalMaxPooling${axes}D`]: global,
    [`GlobalAveragePooling${axes}D`]: global,
    [`ZeroPadding${axes}D`]:
      axes === 1
        ? (shape, { size }) => shape.length === 3 && [{ padding: [size(), size()] }, [], open(shape, shape.at(-1))]
        : resized('padding'),
    [`Cropping${axes}D`]:
      axes === 1
        ? (shape, { size }) => shape.length === 3 && [{ cropping: [size(), size()] }, [], open(shape, shape.at(-1))]
        : resized('cropping'),
    [`UpSampling${axes}D`]: resized('size'),
    [`DepthwiseConv${axes}D`]: (shape, { size, width, flag }) => {
      const C = shape.at(-1);
      if (shape.length !== rank || !known(C)) return undefined;
      const [kernel_size, depth_multiplier] = [each(width), flag() ? 1 : 2];
      const config = { kernel_size, depth_multiplier, padding: flag() ? 'same' : 'valid', strides: each(size) };
      const kernel = ['depthwise_kernel', [...kernel_size, C, depth_multiplier]];
      return [config, own(kernel, ['bias', [C * depth_multiplier]]), open(shape, C * depth_multiplier)];
    },
  });
}
Object.assign(LAYERS, {
  Conv2D: (shape, { size, width, flag }) => {
    const C = shape.at(-1);
    if (shape.length !== 4 || !known(C)) return undefined;
    const [kernel_size, filters] = [[width(), width()], width()];
    const config = { kernel_size, filters, padding: flag() ? 'same' : 'valid' };
    Object.assign(config, flag() ? { strides: [size(), size()] } : { dilation_rate: [size(), size()] });
    return [
      config,
      own(['kernel', [...kernel_size, C, filters]], ['bias', [filters]]),
      [shape[0], null, null, filters],
    ];
  },
  Permute: (shape) => {
    const dims = shape.slice(1).map((_, i) => i + 1);
    return [{ dims: [...dims].reverse() }, [], [shape[0], ...shape.slice(1).reverse()]];
  },
  Softmax: (shape) => [{ axis: 1 }, [], shape],
  PReLU: (shape) => {
    const alpha = shape.slice(1).map((size, i) => (i < shape.length - 2 ? 1 : size));
    const shared_axes = alpha.flatMap((_, i) => (i < alpha.length - 1 ? [i + 1] : []));
    return (
      known(shape.at(-1)) && [{ shared_axes: shared_axes.length ? shared_axes : null }, own(['alpha', alpha]), shape]
    );
  },
  RNN: (shape, { width, flag }) => {
    const [[batch, steps, K], units, all] = [shape, width(), flag()];
    if (shape.length !== 3 || !known(K)) return undefined;
    const cell = { class_name: 'LSTMCell', config: { units, recurrent_activation: 'sigmoid' } };
    return [{ cell, return_sequences: all }, lstmWeights(K, units), all ? [batch, steps, units] : [batch, units]];
  },
  TimeDistributed: (shape, { width }) => {
    const [K, units] = [shape.at(-1), width()];
    if (shape.length < 3 || !known(K)) return undefined;
    const layer = { class_name: 'Dense', config: { name: 'i', units } };
    const weights = own(['kernel', [K, units]], ['bias', [units]]).map((one) => ({ ...one, folder: 'layer' }));
    return [{ layer }, weights, [...shape.slice(0, -1), units]];
  },
});
const known = (size) => size !== null && size <= 97;
const product = (dims) => dims.reduce((a, b) => a * b, 1);

function absurdModel(index) {
  const random = randomOf(index);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const sizes = { size: () => pick(SIZES.slice(1)), width: () => pick(WIDTHS), flag: () => random() < 0.5 };
  const inputShape = [
    null,
    ...Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
      random() < 0.3 ? null : random() < 0.7 ? pick(WIDTHS) : pick(SIZES.slice(1)),
    ),
  ];
  const layers = [];
  /** Adds a layer that can take `shape`, and gives the shape of its output. */
  const add = (shape, from) => {
    for (let tries = 0; tries < 200; tries++) {
      const className = pick(Object.keys(LAYERS));
      const made = LAYERS[className](shape, sizes);
      if (!made || made[1].some(({ dims }) => product(dims) > ELEMENTS)) continue;
      const [config, weights, output] = made;
      layers.push({ class_name: className, config: { name: `l${layers.length}`, ...config }, weights, from });
      return output;
    }
    return undefined;
  };
  // deep: each layer takes the last one; wide: all take the input
  const wide = random() < 0.2;
  const depth = random() < 0.2 ? 60 : 1 + Math.floor(random() * 4);
  let shape = inputShape;
  for (let k = 0; k < depth && shape; k++)
    shape = wide ? add(inputShape, 'in') && inputShape : add(shape, k ? `l${k - 1}` : 'in');
  const last = layers.at(-1).config.name;
  const version = pick(['2.15.0', '3.8.0', 'tfjs-layers 4.22.0']);
  const input = { class_name: 'InputLayer', config: { name: 'in', batch_input_shape: inputShape } };
  const called = layers.map(({ class_name, config, from }) => ({
    class_name,
    name: config.name,
    config,
    inbound_nodes: [[[from, 0, 0, {}]]],
  }));
  const outputs = Array.from({ length: random() < 0.1 ? 1000 : 1 }, () => [last, 0, 0]);
  const functional = {
    layers: [{ ...input, name: 'in', inbound_nodes: [] }, ...called],
    input_layers: [['in', 0, 0]],
    output_layers: outputs,
  };
  const sequential = { layers: [input, ...layers.map(({ class_name, config }) => ({ class_name, config }))] };
  const isFunctional = wide || outputs.length > 1 || random() < 0.3;
  const model = isFunctional
    ? { class_name: 'Functional', config: functional }
    : { class_name: 'Sequential', config: sequential };
  const form = pick(Object.keys(FORMS));
  const dims = inputShape.map((size, i) => size ?? (i === 0 ? pick([0, 1, 1, 2, 3]) : pick([0, 1, 2, 5, 97, 4099])));
  if (random() < 0.05 && dims.includes(0)) dims[0] = 2 ** 31 - 1;
  return {
    what: `${form} ${layers.map(({ class_name }) => class_name).slice(0, 6)}`,
    ...FORMS[form]({ model, layers, version }),
    dims,
  };
}

const outcomes = new Map();
for (let index = first; index < first + total; index++) {
  process.stderr.write(`${index}\n`);
  const { what, source, bytes, dims } = absurdModel(index);
  const fed = product(dims);
  // where the shape is too large to feed, any other is refused
  const input =
    fed <= ELEMENTS ? { data: new Float32Array(fed).fill(1), dims } : { data: new Float32Array(1), dims: [1] };
  const start = process.cpuUsage();
  const before = process.memoryUsage().arrayBuffers;
  let outcome = 'ran';
  let model;
  try {
    model = loadKeras(source);
    model.predict([input]);
  } catch (error) {
    outcome =
      error instanceof ModelError
        ? error.code
        : /^(KerasModel|"?l\d+"?): /.test(error.message)
          ? 'arguments'
          : `${error.name}: ${error.message}`;
    if (/: /.test(outcome)) console.log(`${index} (${what}): ${outcome}`);
  }
  const grown = process.memoryUsage().arrayBuffers - before;
  model?.dispose();
  const { user, system } = process.cpuUsage(start);
  const milliseconds = (user + system) / 1000;
  if (milliseconds > 1000) console.log(`${index} (${what}): ${bytes} bytes took ${Math.round(milliseconds)} ms`);
  if (grown > 2 ** 28) console.log(`${index} (${what}): ${grown} bytes of arrays`);
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}
console.error(JSON.stringify(Object.fromEntries(outcomes)));

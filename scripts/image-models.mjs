// Models of images before LSTMs, of the sizes that people use, with random weights by a seed: as ONNX files.
import { randomOf } from './random-of.mjs';
import { onnxFile, tensor } from './write-onnx.mjs';

const product = (dims) => dims.reduce((a, b) => a * b, 1);

/** Collects nodes one after the other, with weights that keep the size of what goes through them. */
export class Chain {
  nodes = [];
  initializers = [];
  at = 'x';

  constructor(seed) {
    this.random = randomOf(seed);
  }

  weights(dims, fanIn) {
    const bound = Math.sqrt(3 / fanIn);
    return this.numbers(dims, () => bound * (2 * this.random() - 1));
  }

  numbers(dims, next) {
    return this.constant(
      dims,
      Float32Array.from({ length: product(dims) }, () => next()),
    );
  }

  constant(dims, data) {
    const name = `c${this.initializers.length}`;
    this.initializers.push(tensor(name, dims, data));
    return name;
  }

  integers(...list) {
    return this.constant([list.length], BigInt64Array.from(list, BigInt));
  }

  add(op, inputs = [], attributes = {}, more = []) {
    const output = `v${this.nodes.length}`;
    this.nodes.push({ op, inputs: [this.at, ...inputs], outputs: [output, ...more], attributes });
    this.at = output;
    return this;
  }

  conv(channels, outputs, kernel, attributes = {}) {
    const inputs = channels / (attributes.group ?? 1);
    // relu halves the variance of what comes in
    const fanIn = (inputs * product(kernel)) / 2;
    const bias = this.numbers([outputs], () => 0.1 * (2 * this.random() - 1));
    return this.add('Conv', [this.weights([outputs, inputs, ...kernel], fanIn), bias], {
      kernel_shape: kernel,
      ...attributes,
    });
  }

  norm(channels) {
    const near = (middle) => this.numbers([channels], () => middle + 0.2 * (this.random() - 0.5));
    return this.add('BatchNormalization', [near(1), near(0), near(0), near(1)]);
  }

  /** [T, N, I] -> [T, N, 2 H], both directions side by side */
  bilstm(inputs, hidden) {
    const w = this.weights([2, 4 * hidden, inputs], inputs);
    const r = this.weights([2, 4 * hidden, hidden], hidden);
    const b = this.numbers([2, 8 * hidden], () => 0.1 * (2 * this.random() - 1));
    this.add('LSTM', [w, r, b], { hidden_size: hidden, direction: 'bidirectional' });
    return this.add('Transpose', [], { perm: [0, 2, 1, 3] }).add('Reshape', [this.integers(0, 0, -1)]);
  }

  linear(inputs, outputs) {
    this.add('MatMul', [this.weights([inputs, outputs], inputs)]);
    return this.add('Add', [this.numbers([outputs], () => 0.1 * (2 * this.random() - 1))]);
  }

  file(dims) {
    const { nodes, initializers } = this;
    nodes.at(-1).outputs[0] = 'y';
    return onnxFile({ nodes, initializers, inputs: { x: dims }, outputs: ['y'] });
  }
}

/** Text reading: a picture [N, 1, 32, W] -> logits [W / 4 - 1, N, 97]. VGG's convolutions, two bidirectional LSTMs. */
export function crnn(seed = 1) {
  const chain = new Chain(seed);
  const same = { pads: [1, 1, 1, 1] };
  const pool = (height, width) => chain.add('MaxPool', [], { kernel_shape: [height, width], strides: [height, width] });
  chain.conv(1, 32, [3, 3], same).add('Relu');
  pool(2, 2);
  chain.conv(32, 64, [3, 3], same).add('Relu');
  pool(2, 2);
  chain.conv(64, 128, [3, 3], same).add('Relu').conv(128, 128, [3, 3], same).add('Relu');
  pool(2, 1);
  chain.conv(128, 256, [3, 3], same).norm(256).add('Relu').conv(256, 256, [3, 3], same).norm(256).add('Relu');
  pool(2, 1);
  chain.conv(256, 256, [2, 2]).add('Relu');
  chain.add('Squeeze', [chain.integers(2)]).add('Transpose', [], { perm: [2, 0, 1] });
  chain.bilstm(256, 256).linear(512, 256).bilstm(256, 256).linear(512, 97);
  return chain.file(['N', 1, 32, 'W']);
}

/** Keywords: a spectrogram [N, 1, 101, 40] -> probabilities [N, 12]. Convolutions, of each channel too, and a bidirectional LSTM. */
export function keywords(seed = 2) {
  const chain = new Chain(seed);
  const each = { group: 64, pads: [1, 1, 1, 1] };
  chain
    .conv(1, 64, [10, 4], { strides: [2, 2], auto_pad: 'SAME_UPPER' })
    .norm(64)
    .add('Relu');
  for (let i = 0; i < 3; i++) {
    chain.conv(64, 64, [3, 3], each).norm(64).add('Relu').conv(64, 64, [1, 1]).norm(64).add('Relu');
  }
  chain.add('AveragePool', [], { kernel_shape: [2, 3], strides: [1, 2], pads: [0, 1, 1, 1], ceil_mode: 1 });
  // [N, 64, T, F] -> [T, N, 64 F]
  chain.add('Transpose', [], { perm: [2, 0, 1, 3] }).add('Reshape', [chain.integers(0, 0, -1)]);
  chain
    .bilstm(704, 128)
    .add('ReduceMean', [], { axes: [0], keepdims: 0 })
    .linear(256, 12)
    .add('Softmax');
  return chain.file(['N', 1, 101, 40]);
}

/** What a model is fed: numbers from -1 to below 1 by a seed. */
export function picture(dims, seed) {
  const random = randomOf(seed);
  return Float32Array.from({ length: product(dims) }, () => 2 * random() - 1);
}

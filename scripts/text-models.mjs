// Models of sequences of words, with random weights by a seed: a pair that translates, and a tagger of padded sentences.
import { Chain } from './image-models.mjs';
import { randomOf } from './random-of.mjs';
import { onnxFile } from './write-onnx.mjs';

/** Words of a sentence, numbers of a word, units; a decoder's step reads the encoder's last state beside a word. */
export const SIZES = { T: 20, words: 32, H: 64, tags: 12 };
const { words, H, tags } = SIZES;

/** An LSTM's W, R and B. */
function lstm(chain, D, inputs) {
  const bias = chain.numbers([D, 8 * H], () => 0.1 * (2 * chain.random() - 1));
  return [chain.weights([D, 4 * H, inputs], inputs), chain.weights([D, 4 * H, H], H), bias];
}

/** x [T, 1, words] -> context [1, H], the last state. */
export function encoder() {
  const chain = new Chain(21);
  const inputs = ['x', ...lstm(chain, 1, words)];
  const nodes = [
    { op: 'LSTM', inputs, outputs: ['', 'h'], attributes: { hidden_size: H } },
    { op: 'Squeeze', inputs: ['h', chain.integers(0)], outputs: ['context'] },
  ];
  return onnxFile({ nodes, initializers: chain.initializers, inputs: { x: ['T', 1, words] }, outputs: ['context'] });
}

/** x [1, H + words], and states that come from the step before -> scores of words [1, words] and states. */
export function decoder() {
  const chain = new Chain(22);
  const state = [1, 1, H];
  const nodes = [
    { op: 'Unsqueeze', inputs: ['x', chain.integers(0)], outputs: ['step'] },
    {
      op: 'LSTM',
      inputs: ['step', ...lstm(chain, 1, H + words), '', 'h', 'c'],
      outputs: ['', 'hn', 'cn'],
      attributes: { hidden_size: H },
    },
    { op: 'Squeeze', inputs: ['hn', chain.integers(0)], outputs: ['last'] },
    { op: 'MatMul', inputs: ['last', chain.weights([H, words], H)], outputs: ['product'] },
    { op: 'Add', inputs: ['product', chain.numbers([words], () => 0.1 * chain.random())], outputs: ['sums'] },
    { op: 'LogSoftmax', inputs: ['sums'], outputs: ['scores'], attributes: { axis: -1 } },
  ];
  const inputs = { x: [1, H + words], h: state, c: state };
  return onnxFile({ nodes, initializers: chain.initializers, inputs, outputs: ['scores', 'hn', 'cn'] });
}

/** x [1, T, words]; a word of zeros is padding, and has no tag: scores [1, T, tags]. */
export function tagger() {
  const chain = new Chain(23);
  const nodes = [
    { op: 'ReduceSum', inputs: ['squares', chain.integers(2)], outputs: ['energy'], attributes: { keepdims: 0 } },
    { op: 'Cast', inputs: ['energy'], outputs: ['is_word'], attributes: { to: 9 } },
    { op: 'Cast', inputs: ['is_word'], outputs: ['mask'], attributes: { to: 6 } },
    { op: 'ReduceSum', inputs: ['mask', chain.integers(1)], outputs: ['lengths'], attributes: { keepdims: 0 } },
    { op: 'Transpose', inputs: ['x'], outputs: ['steps'], attributes: { perm: [1, 0, 2] } },
    {
      op: 'LSTM',
      inputs: ['steps', ...lstm(chain, 2, words), 'lengths'],
      outputs: ['y'],
      attributes: { hidden_size: H, direction: 'bidirectional' },
    },
    { op: 'Transpose', inputs: ['y'], outputs: ['batch_first'], attributes: { perm: [2, 0, 1, 3] } },
    { op: 'Reshape', inputs: ['batch_first', chain.integers(0, 0, -1)], outputs: ['sides'] },
    { op: 'MatMul', inputs: ['sides', chain.weights([2 * H, tags], 2 * H)], outputs: ['product'] },
    { op: 'Cast', inputs: ['mask'], outputs: ['ones'], attributes: { to: 1 } },
    { op: 'Unsqueeze', inputs: ['ones', chain.integers(2)], outputs: ['columns'] },
    { op: 'Mul', inputs: ['product', 'columns'], outputs: ['scores'] },
  ];
  nodes.unshift({ op: 'Mul', inputs: ['x', 'x'], outputs: ['squares'] });
  return onnxFile({ nodes, initializers: chain.initializers, inputs: { x: [1, 'T', words] }, outputs: ['scores'] });
}

/** Numbers in -1 .. 1, the last `padding` of them zeros. */
export function sentence(count, seed, padding = 0) {
  const random = randomOf(seed);
  return Float32Array.from({ length: count }, (_, i) => (i < count - padding ? 2 * random() - 1 : 0));
}

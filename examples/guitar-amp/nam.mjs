// Neural Amp Modeler's LSTM models: a JSON file whose `weights` are one long array.
import { LSTM } from 'lstm-wasm';

/**
 * @typedef {import('lstm-wasm').TensorLike} Tensor
 * @typedef {object} Amp
 * @property {LSTM} lstm
 * @property {{ h0: Tensor, c0: Tensor }} state where every session starts: the amplifier at rest
 * @property {Float32Array} head one weight for each number of the last layer's h
 * @property {number} bias
 * @property {number} sampleRate in Hz
 */

/** @returns {Amp} */
export function loadNam({ architecture, config, weights, sample_rate: sampleRate = 48_000 }) {
  if (architecture !== 'LSTM') throw new Error(`NAM: "architecture" expected LSTM, got ${architecture}`);
  const { input_size: inputSize, hidden_size: H, num_layers: L } = config;
  let at = 0;
  const take = (length) => {
    at += length;
    return Float32Array.from(weights.slice(at - length, at));
  };

  /** @type {Record<string, Tensor>} */
  const stateDict = {};
  const h0 = { data: new Float32Array(L * H), dims: [L, H] };
  const c0 = { data: new Float32Array(L * H), dims: [L, H] };
  for (let layer = 0; layer < L; layer++) {
    // Each row of the matrix [4H, I + H] holds I weights of x, then H weights of h. The gates come in PyTorch's order.
    const I = layer === 0 ? inputSize : H;
    const joined = take(4 * H * (I + H));
    stateDict[`weight_ih_l${layer}`] = columns(joined, I + H, 0, I);
    stateDict[`weight_hh_l${layer}`] = columns(joined, I + H, I, I + H);
    // One bias, which is already the sum of PyTorch's two.
    stateDict[`bias_ih_l${layer}`] = { data: take(4 * H), dims: [4 * H] };
    stateDict[`bias_hh_l${layer}`] = { data: new Float32Array(4 * H), dims: [4 * H] };
    h0.data.set(take(H), layer * H);
    c0.data.set(take(H), layer * H);
  }
  const head = take(H);
  const [bias] = take(1);
  if (at !== weights.length) throw new Error(`NAM: "weights" expected ${at} numbers, got ${weights.length}`);
  return { lstm: LSTM.fromStateDict(stateDict), state: { h0, c0 }, head, bias, sampleRate };
}

/** @returns {Tensor} columns `from` .. `to` - 1 of a matrix of `width` columns */
function columns(matrix, width, from, to) {
  return {
    data: matrix.filter((_, i) => i % width >= from && i % width < to),
    dims: [matrix.length / width, to - from],
  };
}

/**
 * Sends samples through the amplifier one at a time, as a sound card would bring them.
 * @param {Amp} amp
 * @param {Float32Array} input
 * @param {Float32Array} output of the same length; may be `input`
 */
export function play({ lstm, state, head, bias }, input, output) {
  const stream = lstm.stream();
  stream.setState(state);
  // Views of wasm memory, good until that memory grows. Nothing in the loop allocates, so they are fetched once.
  const { input: x, output: h } = stream;
  for (let n = 0; n < input.length; n++) {
    x[0] = input[n];
    stream.step();
    // A Linear would make a new tensor for every sample; a few products are cheaper written out.
    let y = bias;
    for (let k = 0; k < head.length; k++) y += head[k] * h[k];
    output[n] = y;
  }
  stream.dispose();
}

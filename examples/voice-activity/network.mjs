// The 16 kHz half of Silero VAD v5 and v6, from the layers of lstm-wasm: what a page loads is 25 KB of code and the weights. Any
// number of callers are stepped together, each with the bits that it would have alone.
import { Linear, LSTM, ModelError, relu, sigmoid } from 'lstm-wasm';
import { RealTransform } from '../sound/real-transform.mjs';

export const RATE = 16_000;
export const FRAME = 512;
const CONTEXT = 64;
/** Samples that a frame is reflected by at its end, and those of a window and between two windows. */
const REFLECTED = 64;
const [WINDOW, HOP, COLUMNS] = [256, 128, 4];
const BINS = WINDOW / 2 + 1;
const UNITS = 128;
/** Inputs and outputs of the convolutions: taps times channels, and channels. */
const ENCODERS = [
  [3 * BINS, UNITS],
  [3 * UNITS, 64],
  [2 * 64, 64],
  [64, UNITS],
];
/** Periodic Hann window */
const HANN = Float64Array.from({ length: WINDOW }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / WINDOW));

/** Silero VAD for any number of callers. */
export class VoiceNetwork {
  #transform = new RealTransform(WINDOW);
  #padded = new Float32Array(CONTEXT + FRAME + REFLECTED);
  #column = new Float32Array(WINDOW);
  #layers;
  #streams;
  /** The last samples of each caller's frame before. @type {Map<number, Float32Array>} */
  #contexts = new Map();
  /** Tensors for batches, by their sizes. @type {Map<number, Record<string, import('lstm-wasm').TensorLike>>} */
  #tensors = new Map();

  /**
   * @param {import('lstm-wasm').StateDict} weights of readWeights() or expand()
   * @throws ModelError if a tensor is missing or has another shape
   */
  constructor(weights) {
    this.#layers = {
      encoders: [0, 1, 2, 3].map((i) => Linear.fromStateDict(weights, { prefix: `encoder.${i}.` })),
      lstm: LSTM.fromStateDict(weights, { prefix: 'lstm.' }),
      head: Linear.fromStateDict(weights, { prefix: 'head.' }),
    };
    const { encoders, lstm, head } = this.#layers;
    for (const [i, encoder] of encoders.entries()) checkSizes(`encoder.${i}`, sizesOf(encoder), ENCODERS[i]);
    checkSizes(
      'lstm',
      [lstm.inputSize, lstm.projSize || lstm.hiddenSize, lstm.bidirectional ? 2 : 1],
      [UNITS, UNITS, 1],
    );
    checkSizes('head', sizesOf(head), [UNITS, 1]);
    this.#streams = lstm.streams();
  }

  /** A new caller's id. */
  open() {
    const id = this.#streams.open();
    this.#contexts.set(id, new Float32Array(CONTEXT));
    return id;
  }

  /** A copy of a caller's state, (128) each. @param {number} id */
  getState(id) {
    const stream = this.#layers.lstm.stream();
    stream.load(this.#streams.save(id));
    const { h0, c0 } = stream.getState();
    stream.dispose();
    return { h: h0.data, c: c0.data };
  }

  /** @param {number} id */
  close(id) {
    this.#streams.close(id);
    this.#contexts.delete(id);
  }

  /**
   * Steps callers by a frame each.
   * @param {Int32Array | number[]} ids (n), different ones
   * @param {Float32Array} frames (n, FRAME)
   * @param {Float32Array} probabilities (n), written
   */
  step(ids, frames, probabilities) {
    const { encoders, head } = this.#layers;
    const size = ids.length;
    const t = this.#tensorsFor(size);
    for (let k = 0; k < size; k++) {
      this.#spectra(this.#contexts.get(ids[k]), frames.subarray(k * FRAME, (k + 1) * FRAME), t.spectra.data, k);
    }
    relu(encoders[0].forward(t.spectra, { out: t.first }), { out: t.first });
    // The second convolution has stride 2 and zeros in front: columns -1, 0, 1 and columns 1, 2, 3.
    for (let k = 0; k < size; k++) {
      const columns = t.first.data.subarray(k * COLUMNS * UNITS, (k + 1) * COLUMNS * UNITS);
      t.windows.data.set(columns.subarray(0, 2 * UNITS), (6 * k + 1) * UNITS);
      t.windows.data.set(columns.subarray(UNITS), (6 * k + 3) * UNITS);
    }
    relu(encoders[1].forward(t.windows, { out: t.second }), { out: t.second });
    relu(encoders[2].forward(t.pairs, { out: t.third }), { out: t.third });
    relu(encoders[3].forward(t.third, { out: t.fourth }), { out: t.fourth });
    this.#streams.step(ids, t.fourth.data, t.hidden.data);
    relu(t.hidden, { out: t.hidden });
    sigmoid(head.forward(t.hidden, { out: t.probability }), { out: t.probability });
    probabilities.set(t.probability.data);
  }

  /** Writes the windows of the first convolution: for each column the magnitudes of the one before, its own, and the next one's. */
  #spectra(context, samples, out, row) {
    const padded = this.#padded;
    padded.set(context);
    padded.set(samples, CONTEXT);
    context.set(samples.subarray(FRAME - CONTEXT));
    const last = CONTEXT + FRAME - 1;
    for (let n = 1; n <= REFLECTED; n++) padded[last + n] = padded[last - n];
    const start = row * COLUMNS * 3 * BINS;
    for (let column = 0; column < COLUMNS; column++) {
      for (let n = 0; n < WINDOW; n++) this.#column[n] = HANN[n] * padded[column * HOP + n];
      this.#transform.forward(this.#column);
      const own = start + (column * 3 + 1) * BINS;
      this.#transform.magnitudes(out.subarray(own, own + BINS));
      if (column > 0) out.copyWithin(own - 2 * BINS, own, own + BINS);
      if (column > 0) out.copyWithin(start + column * 3 * BINS, own - 3 * BINS, own - 2 * BINS);
    }
  }

  #tensorsFor(size) {
    let tensors = this.#tensors.get(size);
    if (tensors) return tensors;
    const tensor = (...dims) => ({ data: new Float32Array(dims.reduce((a, b) => a * b)), dims });
    const second = tensor(2 * size, 64);
    tensors = {
      spectra: tensor(COLUMNS * size, 3 * BINS),
      first: tensor(COLUMNS * size, UNITS),
      windows: tensor(2 * size, 3 * UNITS),
      second,
      pairs: { data: second.data, dims: [size, UNITS] },
      third: tensor(size, 64),
      fourth: tensor(size, UNITS),
      hidden: tensor(size, UNITS),
      probability: tensor(size, 1),
    };
    this.#tensors.set(size, tensors);
    return tensors;
  }
}

const sizesOf = ({ inFeatures, outFeatures }) => [inFeatures, outFeatures];

function checkSizes(path, found, expected) {
  if (expected.every((size, i) => size === found[i])) return;
  const message = `Silero VAD: "${path}" expected sizes ${expected.join(', ')}, got ${found.join(', ')}`;
  throw new ModelError(message, { code: 'wrong-shape', path, expected, found });
}

/** A network with one caller, in the form of Detector. */
export class OneCaller {
  rate = RATE;
  frame = FRAME;
  #network;
  #ids;
  #probabilities = new Float32Array(1);

  /** @param {VoiceNetwork} network */
  constructor(network) {
    this.#network = network;
    this.#ids = Int32Array.of(network.open());
  }

  /** @param {Float32Array} samples a frame @returns {number} the probability of speech in it */
  push(samples) {
    this.#network.step(this.#ids, samples, this.#probabilities);
    return this.#probabilities[0];
  }

  getState() {
    return this.#network.getState(this.#ids[0]);
  }

  /** Begins anew, with silence before. */
  reset() {
    this.dispose();
    this.#ids[0] = this.#network.open();
  }

  dispose() {
    this.#network.close(this.#ids[0]);
  }
}

import { loadOnnx } from 'lstm-wasm/onnx';
import { InputError } from '../program.mjs';

/**
 * Silero VAD v5 or v6, the ONNX file as it is, at 16 or 8 kHz: the probability of speech in each frame of 32 ms. The state stays
 * bound to the stream, and a frame makes no garbage.
 */
export class Detector {
  #session;
  #stream;
  #input;
  #feeds;
  #options;

  /**
   * @param {Uint8Array} bytes
   * @param {number} rate 16000 or 8000
   * @throws ModelError if the file is damaged; InputError if it is another model
   */
  constructor(bytes, rate) {
    this.rate = rate;
    /** Samples of a frame, and of the frame before that the model sees again. */
    this.frame = (512 * rate) / 16_000;
    this.context = (64 * rate) / 16_000;
    this.#session = loadOnnx(bytes);
    const names = (ports) => ports.map(({ name }) => name).join(', ');
    const found = `${names(this.#session.inputs)} -> ${names(this.#session.outputs)}`;
    if (found !== 'input, state, sr -> output, stateN') {
      throw new InputError(
        `expected Silero VAD v5 or v6 (input, state, sr -> output, stateN), got a model of ${found}`,
      );
    }
    this.#stream = this.#session.stream({ state: 'stateN' });
    this.#input = new Float32Array(this.context + this.frame);
    const sr = { data: BigInt64Array.of(BigInt(rate)), dims: [] };
    this.#feeds = { input: { data: this.#input, dims: [1, this.#input.length] }, sr };
    this.#options = { out: { output: { data: new Float32Array(1), dims: [1, 1] } } };
  }

  /** @param {Float32Array} samples a frame, in -1 .. 1 @returns {number} the probability of speech in it */
  push(samples) {
    this.#input.copyWithin(0, this.frame);
    this.#input.set(samples, this.context);
    return this.#stream.run(this.#feeds, this.#options).output.data[0];
  }

  /** @returns {{ h: Float32Array, c: Float32Array }} (128) each */
  getState() {
    const { data } = this.#stream.getState().state;
    return { h: data.slice(0, 128), c: data.slice(128) };
  }

  /** Begins anew, with silence before. */
  reset() {
    this.#stream.reset();
    this.#input.fill(0);
  }

  dispose() {
    this.#stream.dispose();
    this.#session.dispose();
  }
}

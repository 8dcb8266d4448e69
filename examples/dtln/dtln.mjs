// DTLN, a speech denoiser (Westhausen and Meyer, Interspeech 2020), as its authors run it: 8 ms at a time, the spectrum of the last 32 ms
// through a mask, the masked frame through the second model, overlap-add. Its ONNX files as they are, in lstm-wasm/onnx.
import { loadOnnx } from 'lstm-wasm/onnx';
import { Fft } from './fft.mjs';

/** The rate in Hz, the samples of a block, and how many samples late a block comes out. */
export const SAMPLE_RATE = 16_000;
export const BLOCK = 128;
export const LATENCY = 384;

const FRAME = 512;
const BINS = 257;

/** Both models, shared by any number of voices. */
export class Dtln {
  #one;
  #two;

  /**
   * @param {Uint8Array | ArrayBuffer} one model_1.onnx: magnitudes to a mask
   * @param {Uint8Array | ArrayBuffer} two model_2.onnx: frame to frame
   */
  constructor(one, two) {
    this.#one = loadOnnx(one);
    this.#two = loadOnnx(two);
  }

  /** Opens a session of one voice. */
  open() {
    return new Voice(this.#one, this.#two);
  }

  dispose() {
    this.#one.dispose();
    this.#two.dispose();
  }
}

class Voice {
  #fft = new Fft(FRAME);
  #frame = new Float32Array(FRAME);
  #sum = new Float32Array(FRAME);
  #one;
  #two;
  #magnitudes = new Float32Array(BINS);
  #masked = new Float32Array(FRAME);
  #feedOne = { input_2: { data: this.#magnitudes, dims: [1, 1, BINS] } };
  #feedTwo = { input_4: { data: this.#masked, dims: [1, 1, FRAME] } };
  #outOne;
  #outTwo;

  constructor(one, two) {
    this.#one = one.stream({ input_3: 'tf_op_layer_stack_2' });
    this.#two = two.stream({ input_5: 'tf_op_layer_stack_5' });
    // what the first run gives is written to by all others
    this.#outOne = { out: this.#one.run(this.#feedOne) };
    this.#outTwo = { out: this.#two.run(this.#feedTwo) };
    this.reset();
  }

  /**
   * Denoises a block; it comes out LATENCY samples late. Makes no garbage.
   * @param {Float32Array} input BLOCK samples in ±1
   * @param {Float32Array} output BLOCK samples; may be `input`
   */
  process(input, output) {
    const frame = this.#frame;
    frame.copyWithin(0, BLOCK);
    frame.set(input, FRAME - BLOCK);
    this.#fft.forward(frame);
    const { real, imaginary } = this.#fft;
    for (let k = 0; k < BINS; k++) this.#magnitudes[k] = Math.sqrt(real[k] * real[k] + imaginary[k] * imaginary[k]);
    this.#one.run(this.#feedOne, this.#outOne);
    const mask = this.#outOne.out.activation_2.data;
    for (let k = 0; k < BINS; k++) {
      real[k] *= mask[k];
      imaginary[k] *= mask[k];
    }
    this.#fft.backward(this.#masked);
    this.#two.run(this.#feedTwo, this.#outTwo);
    const decoded = this.#outTwo.out.conv1d_3.data;
    const sum = this.#sum;
    sum.copyWithin(0, BLOCK);
    sum.fill(0, FRAME - BLOCK);
    for (let n = 0; n < FRAME; n++) sum[n] += decoded[n];
    for (let n = 0; n < BLOCK; n++) output[n] = sum[n];
  }

  /** Forgets what was heard. */
  reset() {
    this.#frame.fill(0);
    this.#sum.fill(0);
    this.#one.reset();
    this.#two.reset();
  }

  dispose() {
    this.#one.dispose();
    this.#two.dispose();
  }
}

// The worklet's side: DTLN as the effect of an LstmNode. serve.mjs bundles it into one file.
import { registerEffect } from 'lstm-wasm/worklet-scope';
import { BLOCK, Dtln, LATENCY, SAMPLE_RATE } from '../dtln/dtln.mjs';

/** The models that a page has sent, read once for all channels, and how many of those play. */
const models = new WeakMap();

function open(model) {
  const shared = models.get(model) ?? { dtln: new Dtln(model.one, model.two), voices: 0 };
  models.set(model, shared);
  shared.voices++;
  return shared;
}

/** One channel. */
export class Denoiser {
  sampleRate = SAMPLE_RATE;
  /** A block must have come before it can be denoised. */
  latency = BLOCK + LATENCY;
  #shared;
  #voice;
  #input = new Float32Array(BLOCK);
  #output = new Float32Array(BLOCK);
  #at = 0;

  /** @param {{ one: ArrayBuffer, two: ArrayBuffer }} model the two ONNX files */
  constructor(model) {
    this.#shared = open(model);
    this.#voice = this.#shared.dtln.open();
  }

  process(input, output) {
    for (let n = 0; n < input.length; n++) {
      this.#input[this.#at] = input[n];
      output[n] = this.#output[this.#at];
      this.#at++;
      if (this.#at < BLOCK) continue;
      this.#voice.process(this.#input, this.#output);
      this.#at = 0;
    }
  }

  reset() {
    this.#voice.reset();
    this.#output.fill(0);
    this.#at = 0;
  }

  dispose() {
    this.#voice.dispose();
    this.#shared.voices--;
    if (this.#shared.voices === 0) this.#shared.dtln.dispose();
  }
}

registerEffect('dtln', (model) => new Denoiser(model));

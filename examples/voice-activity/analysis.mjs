import { SpeechSegments } from './segments.mjs';

/** What a detector hears in a recording, which may come in pieces of any length. */
export class Analysis {
  samples = 0;
  /** @type {number[]} the probability of speech in each frame */
  probabilities = [];
  /** @type {number[]} the largest absolute sample of each frame */
  peaks = [];
  #detector;
  #speech;
  #frame;
  #filled = 0;

  /** @param {{ rate: number, frame: number, push: (samples: Float32Array) => number }} detector */
  constructor(detector) {
    this.#detector = detector;
    this.#speech = new SpeechSegments(detector.rate, detector.frame);
    this.#frame = new Float32Array(detector.frame);
  }

  get segments() {
    return this.#speech.segments;
  }

  /**
   * Goes on with samples.
   * @param {Float32Array} samples at the detector's rate
   * @returns {import('./segments.mjs').SpeechEvent[]} what happened in the frames that are full now
   */
  push(samples) {
    const events = [];
    this.samples += samples.length;
    for (let at = 0; at < samples.length; ) {
      const some = samples.subarray(at, at + this.#frame.length - this.#filled);
      this.#frame.set(some, this.#filled);
      this.#filled += some.length;
      at += some.length;
      if (this.#filled === this.#frame.length) events.push(this.#step());
    }
    return events.filter(Boolean);
  }

  /** Ends the recording: fills its last frame up with zeros. */
  end() {
    const events = [];
    if (this.#filled > 0) {
      this.#frame.fill(0, this.#filled);
      events.push(this.#step());
    }
    events.push(this.#speech.end(this.samples));
    return events.filter(Boolean);
  }

  #step() {
    this.#filled = 0;
    const probability = this.#detector.push(this.#frame);
    this.probabilities.push(probability);
    this.peaks.push(this.#frame.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0));
    return this.#speech.push(probability);
  }
}

/** When speech begins and ends, as in Silero's own toolkit. */
const THRESHOLD = 0.5;
const NEGATIVE_THRESHOLD = 0.35;
/** Seconds: speech is longer, silence that ends it not shorter, and a segment has this much more on both sides. */
const MIN_SPEECH = 0.25;
const MIN_SILENCE = 0.1;
const PADDING = 0.03;

/**
 * Finds segments of speech from the probabilities of frames, as they come. Positions are samples; `end` is exclusive.
 * @typedef {{ start: number, end: number }} Segment
 * @typedef {{ type: 'start', at: number } | { type: 'end', segment: Segment } | { type: 'dropped', segment: Segment }} SpeechEvent
 */
export class SpeechSegments {
  /** @type {Segment[]} */
  segments = [];
  #frame;
  #minSpeech;
  #minSilence;
  #padding;
  #at = 0;
  /** The first sample of the speech that is open, and of the silence in it. */
  #start;
  #silence;

  /** @param {number} rate @param {number} frame samples of a frame */
  constructor(rate, frame) {
    this.#frame = frame;
    [this.#minSpeech, this.#minSilence, this.#padding] = [MIN_SPEECH, MIN_SILENCE, PADDING].map((s) => s * rate);
  }

  /** @param {number} probability of the next frame @returns {SpeechEvent | undefined} */
  push(probability) {
    const at = this.#at;
    this.#at += this.#frame;
    if (probability >= THRESHOLD) {
      this.#silence = undefined;
      if (this.#start !== undefined) return undefined;
      this.#start = at;
      return { type: 'start', at: Math.max(0, at - this.#padding) };
    }
    if (probability >= NEGATIVE_THRESHOLD || this.#start === undefined) return undefined;
    this.#silence ??= at;
    return at - this.#silence >= this.#minSilence ? this.#close(this.#silence, at) : undefined;
  }

  /** @param {number} samples the length of the recording @returns {SpeechEvent | undefined} */
  end(samples) {
    return this.#start === undefined ? undefined : this.#close(samples, samples);
  }

  /** Padding never reaches the next segment: the silence between two is longer than both paddings. */
  #close(end, known) {
    const segment = { start: Math.max(0, this.#start - this.#padding), end: Math.min(known, end + this.#padding) };
    const kept = end - this.#start > this.#minSpeech;
    this.#start = undefined;
    this.#silence = undefined;
    if (!kept) return { type: 'dropped', segment };
    this.segments.push(segment);
    return { type: 'end', segment };
  }
}

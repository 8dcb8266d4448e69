// Voice activity as a stream: Silero VAD (v5 or v6, 16 kHz) frame by frame, and the events of speech that its answers make.

/** Hz. */
export const SAMPLE_RATE = 16_000;
/** Samples of a frame, 32 ms. */
export const FRAME = 512;
/** Samples of the frame before that the model wants in front. */
const CONTEXT = 64;

// The rule of the model's own toolkit, at its defaults; samples.
const SPEECH = 0.5;
const NO_SPEECH = 0.35;
const SHORTEST_SPEECH = 4000;
const SHORTEST_SILENCE = 1600;
const PADDING = 480;

/**
 * Turns probabilities, one a frame, into events.
 *
 * `{ type: 'start', at }`: somebody speaks, from about the sample `at` on.
 * `{ type: 'speech', start, end }`: that speech is over; samples, `end` is the first one after it, both with 30 ms to spare.
 * `{ type: 'misfire', start, end }`: it is over, and was too short to be speech.
 */
export class SpeechEvents {
  /** @param {ReturnType<SpeechEvents['save']>} [saved] */
  constructor({ frame, start, quiet } = { frame: 0, start: -1, quiet: -1 }) {
    this.frame = frame;
    /** The sample at which the speech began, or -1. */
    this.start = start;
    /** The sample at which it may have ended, or -1. */
    this.quiet = quiet;
  }

  /** @param {number} probability of the next frame @returns {object | undefined} an event */
  push(probability) {
    const at = FRAME * this.frame++;
    if (probability >= SPEECH) {
      this.quiet = -1;
      if (this.start >= 0) return undefined;
      this.start = at;
      return { type: 'start', at: Math.max(0, at - PADDING) };
    }
    if (probability >= NO_SPEECH || this.start < 0) return undefined;
    if (this.quiet < 0) this.quiet = at;
    return at - this.quiet < SHORTEST_SILENCE ? undefined : this.#over(this.quiet, Number.POSITIVE_INFINITY);
  }

  /** The recording ends. @param {number} samples all of it @returns {object | undefined} an event, if somebody spoke */
  finish(samples) {
    return this.start < 0 ? undefined : this.#over(samples, samples);
  }

  save() {
    return { frame: this.frame, start: this.start, quiet: this.quiet };
  }

  #over(end, samples) {
    const start = this.start;
    this.start = -1;
    this.quiet = -1;
    const type = end - start > SHORTEST_SPEECH ? 'speech' : 'misfire';
    return { type, start: Math.max(0, start - PADDING), end: Math.min(samples, end + PADDING) };
  }
}

/** One voice: the model's state, the samples that it wants again, and the events. Any number share a session. */
export class Voice {
  #stream;
  #events;
  #input = new Float32Array(CONTEXT + FRAME);
  #feeds = {
    input: { data: this.#input, dims: [1, CONTEXT + FRAME] },
    sr: { data: BigInt64Array.of(BigInt(SAMPLE_RATE)), dims: [] },
  };
  #options = { out: { output: { data: new Float32Array(1), dims: [1, 1] } } };

  /**
   * @param {import('lstm-wasm/onnx').OnnxSession} session loadOnnx() of the model
   * @param {ReturnType<Voice['save']>} [saved] where to go on
   */
  constructor(session, saved) {
    this.#stream = session.stream({ state: 'stateN' });
    this.#events = new SpeechEvents(saved?.events);
    if (!saved) return;
    this.#stream.load(saved.state);
    this.#input.set(saved.context, FRAME);
  }

  /** Frames heard. */
  get frame() {
    return this.#events.frame;
  }

  /**
   * Hears a frame.
   * @param {Float32Array} samples FRAME of them, from -1 to 1
   * @returns {{ probability: number, event: object | undefined }}
   */
  push(samples) {
    this.#input.copyWithin(0, FRAME);
    this.#input.set(samples, CONTEXT);
    this.#stream.run(this.#feeds, this.#options);
    const probability = this.#options.out.output.data[0];
    return { probability, event: this.#events.push(probability) };
  }

  /** The event of a recording that ends while somebody speaks. @param {number} [samples] all of it */
  finish(samples = FRAME * this.frame) {
    return this.#events.finish(samples);
  }

  /** All that another process needs to go on with the same bits, 1.4 KB. */
  save() {
    return { state: this.#stream.save(), context: this.#input.slice(FRAME), events: this.#events.save() };
  }

  dispose() {
    this.#stream.dispose();
  }
}

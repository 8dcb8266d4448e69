/** Plays one channel in a worklet: an AudioModel of `lstm-wasm/audio` is one. */
export interface Effect {
  /** The sample rate in Hz that process() is to have; undefined: that of the context. */
  readonly sampleRate?: number | undefined;
  /** Samples at that rate by which the output is late. Default 0. */
  readonly latency?: number | undefined;
  /** The inputs beside the signal. Default 0. */
  readonly knobs?: number | undefined;
  /**
   * Plays a block of any length. It must not allocate.
   * @param input (n), samples
   * @param output (n), to write to
   * @param knobs the values of the knobs
   */
  process(input: Float32Array, output: Float32Array, knobs: Float32Array): void;
  /** Goes back to the state in which a session starts. */
  reset(): void;
  /** Frees its memory. */
  dispose(): void;
}

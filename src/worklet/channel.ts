import type { Effect } from './effect.ts';
import { reachOf } from './filter.ts';
import { Resampler } from './resampler.ts';

/** The most samples that Channel.run() takes: an engine's usual block. */
export const CHUNK = 128;

/** An effect at the rate of the context: between two resamplers where its own rate is another. */
export class Channel {
  /** Samples of the context by which the output is late. */
  readonly latency: number;
  readonly knobs: Float32Array;
  private readonly _effect: Effect;
  private readonly _down: Resampler | undefined;
  private readonly _up: Resampler | undefined;
  /** Samples of the context that are taken at once, so that the effect's are no more than there are views. */
  private readonly _chunk: number = CHUNK;
  private readonly _piece = new Float32Array(CHUNK);
  /** By length, the samples that the effect reads and writes: a view that is made while audio plays would be garbage. */
  private readonly _inputs: readonly Float32Array[];
  private readonly _outputs: readonly Float32Array[];

  /** @param contextRate in Hz */
  constructor(effect: Effect, contextRate: number) {
    this._effect = effect;
    this.knobs = new Float32Array(effect.knobs ?? 0);
    const own = effect.latency ?? 0;
    // a fraction of a hertz is no pitch that anyone hears
    const outer = Math.round(contextRate);
    const inner = Math.round(effect.sampleRate ?? outer);
    let most = CHUNK;
    this.latency = own;
    if (inner !== outer) {
      const ratio = inner / outer;
      this._chunk = Math.max(1, Math.floor(CHUNK / Math.max(1, ratio)));
      most = Math.ceil(this._chunk * ratio) + 1;
      this._down = new Resampler(outer, inner, this._chunk);
      // an output needs samples of the effect beyond its place, and the last of those samples of the context beyond its own
      const lag = Math.ceil(reachOf(outer, inner) + reachOf(inner, outer) / ratio);
      this._up = new Resampler(inner, outer, most, lag);
      this.latency = lag + Math.round(own / ratio);
    }
    this._inputs = views(most);
    this._outputs = views(most);
  }

  /**
   * Plays `count` samples, at most CHUNK; the same ones come out whatever the lengths of the pieces.
   * @throws what the effect throws; RangeError if it gives NaN or an infinity
   */
  run(input: Float32Array, output: Float32Array, count: number): void {
    if (!this._down) {
      this._play(input, count, output);
      return;
    }
    for (let at = 0; at < count; at += this._chunk) {
      const size = Math.min(this._chunk, count - at);
      for (let i = 0; i < size; i++) this._piece[i] = input[at + i]!;
      this._down.push(this._piece, size);
      const x = this._inputs[this._inputs.length - 1]!;
      const inner = this._down.pull(x, x.length);
      const y = this._outputs[this._outputs.length - 1]!;
      this._play(x, inner, y);
      this._up!.push(y, inner);
      this._up!.pull(this._piece, size);
      for (let i = 0; i < size; i++) output[at + i] = this._piece[i]!;
    }
  }

  /** Goes back to the state in which a session starts. */
  reset(): void {
    this._effect.reset();
    this._down?.reset();
    this._up?.reset();
  }

  dispose(): void {
    this._effect.dispose();
  }

  private _play(input: Float32Array, count: number, output: Float32Array): void {
    const x = this._inputs[count]!;
    const y = this._outputs[count]!;
    for (let i = 0; i < count; i++) x[i] = input[i]!;
    this._effect.process(x, y, this.knobs);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      output[i] = y[i]!;
      sum += 0 * y[i]!;
    }
    if (sum !== 0) throw new RangeError('the model gave a sample that is not finite');
  }
}

/** Views of one buffer, of 0 to `most` floats. */
function views(most: number): Float32Array[] {
  const whole = new Float32Array(most);
  return Array.from({ length: most + 1 }, (_, size) => whole.subarray(0, size));
}

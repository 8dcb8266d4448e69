import { CHUNK, Channel } from './channel.ts';
import type { Effect } from './effect.ts';

/** A source of the fader: a model, or the input itself. */
export interface Source {
  /** Samples by which the output is late. */
  readonly latency: number;
  /** Plays `count` samples of each channel, at most CHUNK. */
  run(inputs: readonly Float32Array[], outputs: readonly Float32Array[], count: number): void;
}

/** A model: an effect for each channel. */
export class Voice implements Source {
  readonly latency: number;
  /** The number of the model's knobs. */
  readonly knobs: number;
  private readonly _channels: readonly Channel[];

  constructor(effects: readonly Effect[], contextRate: number) {
    this._channels = effects.map((effect) => new Channel(effect, contextRate));
    this.latency = this._channels[0]!.latency;
    this.knobs = this._channels[0]!.knobs.length;
  }

  run(inputs: readonly Float32Array[], outputs: readonly Float32Array[], count: number): void {
    for (let c = 0; c < this._channels.length; c++) this._channels[c]!.run(inputs[c]!, outputs[c]!, count);
  }

  /** Turns the knobs; values beyond those that the model has are not looked at. */
  turn(values: Float32Array): void {
    for (let c = 0; c < this._channels.length; c++) {
      const { knobs } = this._channels[c]!;
      for (let k = 0; k < knobs.length; k++) knobs[k] = values[k]!;
    }
  }

  reset(): void {
    for (const channel of this._channels) channel.reset();
  }

  dispose(): void {
    for (const channel of this._channels) channel.dispose();
  }
}

/** The input itself, as late as the model would give it, so that a fade between the two has no echo. */
export class Dry implements Source {
  readonly latency: number;
  /** The last `latency` samples of each channel, and room for a chunk. */
  private readonly _lines: readonly Float32Array[];

  constructor(channels: number, latency: number) {
    this.latency = Math.round(latency);
    this._lines = Array.from({ length: channels }, () => new Float32Array(this.latency + CHUNK));
  }

  run(inputs: readonly Float32Array[], outputs: readonly Float32Array[], count: number): void {
    for (let c = 0; c < this._lines.length; c++) {
      const line = this._lines[c]!;
      for (let i = 0; i < count; i++) line[this.latency + i] = inputs[c]![i]!;
      for (let i = 0; i < count; i++) outputs[c]![i] = line[i]!;
      line.copyWithin(0, count, this.latency + count);
    }
  }
}

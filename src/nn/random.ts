import { type Parameter, runsOf } from '../memory/pack.ts';
import { wasm } from '../memory/wasm.ts';

/** Draws a module's random numbers by mulberry32 in assembly/random.ts: the same numbers from a seed on every engine. */
export class Random {
  private _state = 0;

  constructor(seed: number) {
    this.seed(seed);
  }

  /** Restarts from a seed. `seed`: an integer from 0 to 2^53 - 1; the bits above 32 count too. */
  seed(seed: number): void {
    this._state = (seed | 0) ^ Math.imul(seed / 2 ** 32, 0x9e3779b1);
  }

  /** Fills a parameter uniformly in ±1/sqrt(size), with multiples of 2^-23 of that: PyTorch's initialisation of most layers. */
  uniform(parameter: Parameter, size: number): void {
    const scale = size > 0 ? 2 / Math.sqrt(size) : 0;
    for (const { pointer, count, stride } of runsOf(parameter)) {
      this._state = wasm().random_f32(pointer, count, stride, this._state, 1, -0.5, scale);
    }
  }

  /** Draws `count` floats near N(0, 1): twelve uniforms minus 6, of variance 1. No logarithm, so the same bits everywhere. */
  normal(pointer: number, count: number): void {
    this._state = wasm().random_f32(pointer, count, 4, this._state, 12, -6, 1);
  }

  /** Applies inverted dropout: each of `count` floats becomes 0 with probability p, or else is multiplied by 1 / (1 - p). */
  dropout(pointer: number, count: number, p: number): void {
    this._state = wasm().dropout_f32(pointer, count, p, 1 / (1 - p), this._state);
  }
}

let unseeded = 0;

/** Counts modules that were given no seed, so that two modules differ and two runs do not. */
export function nextSeed(): number {
  return unseeded++;
}

/**
 * mulberry32 (Tommy Ettinger): one 32-bit word of state, integer operations only, so the same numbers on every engine.
 */
export class Random {
  #state = 0;

  constructor(seed: number) {
    this.seed(seed);
  }

  /** Restarts the sequence. `seed`: an integer from 0 to 2^53 - 1; the bits above 32 count too. */
  seed(seed: number): void {
    this.#state = (seed | 0) ^ Math.imul(seed / 2 ** 32, 0x9e3779b1);
  }

  /** A multiple of 2^-24 in [0, 1): exact in float32. */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 8) / 2 ** 24;
  }

  /** Nearly N(0, 1): twelve uniforms less 6, whose variance is 1. No logarithm, so the same bits everywhere. */
  normal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += this.uniform();
    return sum;
  }
}

let unseeded = 0;

/** The seed of a module that was given none: a count, so that two modules differ and two runs do not. */
export function nextSeed(): number {
  return unseeded++;
}

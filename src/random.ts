/**
 * xoshiro128** (Blackman and Vigna), seeded by four outputs of splitmix32: 32 bits a call, the same on every engine.
 * Integer operations and one exact multiplication only.
 */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  constructor(seed: number) {
    this.seed(seed);
  }

  /** Restarts the sequence. `seed`: an integer from 0 to 2^53 - 1; its low and high 32 bits both count. */
  seed(seed: number): void {
    let state = (seed | 0) ^ Math.imul(Math.floor(seed / 2 ** 32), 0x9e3779b1);
    const next = () => {
      state = (state + 0x9e3779b9) | 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next();
  }

  /** A multiple of 2^-24 in [0, 1), each equally likely: exact in float32. */
  uniform(): number {
    const scrambled = Math.imul(this.#b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return (result >>> 8) / 16777216;
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

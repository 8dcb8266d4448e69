import type { Load } from 'lstm-wasm/worklet';

/** The factor of a level in dB. */
export function factor(decibels: number): number {
  return 10 ** (decibels / 20);
}

/** The root of the mean square. */
export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length ? Math.sqrt(sum / samples.length) : 0;
}

/** The largest magnitude. */
export function peak(samples: Float32Array): number {
  let most = 0;
  for (const sample of samples) most = Math.max(most, Math.abs(sample));
  return most;
}

/**
 * The factor that makes `said` as loud as `heard`: 1 where either is silent, and 40 dB at most. It is negative if the amp turned the
 * sign of the sound, as many circuits do, so that a fade from one to the other has no hole.
 */
export function matching(heard: Float32Array, said: Float32Array): number {
  const [before, after] = [loudness(heard), loudness(said)];
  if (!(before > 0 && after > 0)) return 1;
  let product = 0;
  for (const [n, sample] of heard.entries()) product += sample * (said[n] ?? 0);
  return Math.min(factor(40), before / after) * (product < 0 ? -1 : 1);
}

/** Loads of several stretches as one. */
export class Meter {
  blocks = 0;
  late = 0;
  #busy = 0;

  add({ average, blocks, late }: Load): void {
    this.#busy += average * blocks;
    this.blocks += blocks;
    this.late += late;
  }

  /** The part of the time that a core is busy. */
  get load(): number {
    return this.blocks ? this.#busy / this.blocks : 0;
  }

  /**
   * Whether the load means something. The audio thread's clock has whole milliseconds: a block shows where the clock ticks within it, and where
   * the browser wakes that thread just after a tick hardly any block does.
   * @param block seconds that a block plays
   */
  isSure(block: number): boolean {
    return this.#busy * block * 1000 >= SURE;
  }
}

/** Ticks of the clock, of 1 ms each, from which a load is believed. */
const SURE = 5;

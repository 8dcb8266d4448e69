/**
 * mulberry32 as its author wrote it in C, with 32-bit integer operations of JavaScript; numbers for tests.
 * https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
 */
export function mulberry32(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return (z ^ (z >>> 14)) >>> 0;
  };
}

/** Multiples of 2^-24 in [0, 1). */
export function uniforms(seed: number): () => number {
  const next = mulberry32(seed);
  return () => (next() >>> 8) / 2 ** 24;
}

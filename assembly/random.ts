// mulberry32 (Tommy Ettinger): one 32-bit word of state and only integer operations, so the same numbers on every engine.
function next(state: u32): u32 {
  return state + 0x6d2b79f5;
}

// Gives a multiple of 2^-24 in [0, 1), which is exact in float32.
function uniform(state: u32): f64 {
  let t = (state ^ (state >> 15)) * (state | 1);
  t ^= t + (t ^ (t >> 7)) * (t | 61);
  return <f64>((t ^ (t >> 14)) >> 8) * (1 / 16777216.0);
}

/**
 * x[i] = (low + a sum of `terms` uniforms from [0, 1)) * scale, in float64 and then rounded; returns the new state.
 * x: n floats, `stride` bytes apart
 */
export function random_f32(x: usize, n: i32, stride: usize, state: u32, terms: i32, low: f64, scale: f64): u32 {
  for (; n > 0; --n) {
    let sum = low;
    for (let i = 0; i < terms; ++i) {
      state = next(state);
      sum += uniform(state);
    }
    store<f32>(x, <f32>(sum * scale));
    x += stride;
  }
  return state;
}

/** Applies inverted dropout in place: each of x [n] becomes 0 with probability p, or else is multiplied by scale. */
export function dropout_f32(x: usize, n: i32, p: f64, scale: f32, state: u32): u32 {
  for (; n > 0; --n) {
    state = next(state);
    store<f32>(x, uniform(state) < p ? 0 : load<f32>(x) * scale);
    x += 4;
  }
  return state;
}

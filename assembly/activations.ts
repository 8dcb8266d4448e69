// docs/kernels.md#gates
// The exponential behind every activation, in base 2: e^x = 2^y with y = x log2(e), n = round(y), r = y - n, so that
//   2^y = 2^n (1 + m(r)),   m(r) = 2^r - 1 = r (C1 + C2 r + ... + C6 r^5)   on [-1/2, 1/2].
// C1 .. C6 minimise the largest relative error of m (1.1e-8, Lawson's weighted least squares), so m keeps its relative
// accuracy near 0, and tanh with it.
// Constants are loaded from memory: one instruction each, where a splat of an immediate costs three (measured, V8 on x86-64). One
// table, since a segment of data for each would double its bytes in the module.

/** The constants below, in their order. */
// biome-ignore format: a line for each
const TABLE = memory.data<f32>([
  0.6931471824645996,
  0.24022649228572845,
  0.05550357326865196,
  0.009618237614631653,
  0.0013390735257416964,
  0.00015403512225020677,
  1,
  2,
  12583039,
  -127,
  128,
  10,
  -0.0,
  1.4426950408889634,
  -1.4426950408889634,
  2.8853900817779268,
  0.693359375,
  -2.1219444e-4,
  0.3466796875,
  -3.06131872e-4,
  -88.02969193111305,
  88.722839111673,
], 4);
const C1 = TABLE;
const C2 = TABLE + 4;
const C3 = TABLE + 8;
const C4 = TABLE + 12;
const C5 = TABLE + 16;
const C6 = TABLE + 20;
const ONE = TABLE + 24;
const TWO = TABLE + 28;
/** 1.5 * 2^23 + 127: adding it rounds to an integer and leaves n + 127, the exponent bits of 2^n, in the low bits. */
const ROUND = TABLE + 32;
/** 2^-127 gets exponent bits 0 and counts as 0 ... */
const MIN_EXPONENT = TABLE + 36;
/** ... and 2^128 counts as infinity. */
const MAX_EXPONENT = TABLE + 40;
/** Above it tanh is 1 in float32, with a margin. */
const MAX_TANH = TABLE + 44;
/** The sign bit alone */
const SIGN = TABLE + 48;
/** log2(e), -log2(e), 2 log2(e) */
const LOG2_E = TABLE + 52;
const MINUS_LOG2_E = TABLE + 56;
const TWO_LOG2_E = TABLE + 60;
/** ln(2) in two parts, the first of which has 10 bits, so that n times it is exact. */
const LN2_HIGH = TABLE + 64;
const LN2_LOW = TABLE + 68;
/** ln(2) / 2 in two parts likewise; the second part is multiplied by 2 log2(e). */
const HALF_LN2_HIGH = TABLE + 72;
const HALF_LN2_LOW = TABLE + 76;
/** -127 and 128 times ln(2) */
const MIN_EXP = TABLE + 80;
const MAX_EXP = TABLE + 84;

function constant(pointer: usize): v128 {
  return v128.load32_splat(pointer);
}

/**
 * The parts of sigmoid and tanh, as methods, since only these can carry @inline: calls in their place would cost the gates a
 * fifth of their time.
 */
export class Exp {
  // pmin and pmax: one instruction each, and a NaN in their first operand comes through.
  @inline
  static clamp(y: v128, low: v128, high: v128): v128 {
    return f32x4.pmin(f32x4.pmax(y, low), high);
  }

  @inline
  static mantissa(r: v128): v128 {
    const r2 = f32x4.mul(r, r);
    const a = f32x4.add(constant(C1), f32x4.mul(constant(C2), r));
    const b = f32x4.add(constant(C3), f32x4.mul(constant(C4), r));
    const c = f32x4.add(constant(C5), f32x4.mul(constant(C6), r));
    return f32x4.mul(r, f32x4.add(a, f32x4.mul(r2, f32x4.add(b, f32x4.mul(r2, c)))));
  }

  /** s = 1 + e^-x, so that sigmoid(x) = 1 / s. Infinite for x < -88.4, 1 for x > 88. */
  @inline
  static one_plus_exp_neg(x: v128): v128 {
    const y = Exp.clamp(f32x4.mul(x, constant(MINUS_LOG2_E)), constant(MIN_EXPONENT), constant(MAX_EXPONENT));
    const t = f32x4.add(y, constant(ROUND));
    const m = Exp.mantissa(f32x4.sub(y, f32x4.sub(t, constant(ROUND))));
    const scale = i32x4.shl(t, 23);
    return f32x4.add(constant(ONE), f32x4.mul(f32x4.add(constant(ONE), m), scale));
  }

  /**
   * m = e^2|x| - 1, so that |tanh(x)| = m / (m + 2); sign(x) restores the sign. With a negative exponent the rounding of m would
   * count double. 2|x| log2(e) is not rounded as a whole before n is subtracted: that would cost 2e-8.
   */
  @inline
  static exp2x_minus_one(x: v128): v128 {
    const a = f32x4.pmin(v128.andnot(x, constant(SIGN)), constant(MAX_TANH));
    const t = f32x4.add(f32x4.mul(a, constant(TWO_LOG2_E)), constant(ROUND));
    const n = f32x4.sub(t, constant(ROUND));
    const d = f32x4.sub(a, f32x4.mul(n, constant(HALF_LN2_HIGH)));
    const r = f32x4.sub(f32x4.mul(d, constant(TWO_LOG2_E)), f32x4.mul(n, constant(HALF_LN2_LOW)));
    const scale = i32x4.shl(t, 23);
    return f32x4.add(f32x4.mul(Exp.mantissa(r), scale), f32x4.sub(scale, constant(ONE)));
  }
}

/** `value` with the sign of x; value is not negative. */
export function with_sign(value: v128, x: v128): v128 {
  return v128.or(value, v128.and(x, constant(SIGN)));
}

export function plus_two(x: v128): v128 {
  return f32x4.add(x, constant(TWO));
}

/** sigmoid(x) = 1 / (1 + e^-x) */
export function sigmoid4(x: v128): v128 {
  return f32x4.div(constant(ONE), Exp.one_plus_exp_neg(x));
}

/** tanh(x) = sign(x) (e^2|x| - 1) / (e^2|x| + 1) */
export function tanh4(x: v128): v128 {
  const e = Exp.exp2x_minus_one(x);
  return f32x4.div(with_sign(e, x), plus_two(e));
}

/** e^x, 0 below -88 and infinite above 88.4. The remainder keeps full precision at large |x|, unlike the two above. */
export function exp4(x: v128): v128 {
  x = Exp.clamp(x, constant(MIN_EXP), constant(MAX_EXP));
  const t = f32x4.add(f32x4.mul(x, constant(LOG2_E)), constant(ROUND));
  const n = f32x4.sub(t, constant(ROUND));
  const d = f32x4.sub(f32x4.sub(x, f32x4.mul(n, constant(LN2_HIGH))), f32x4.mul(n, constant(LN2_LOW)));
  const m = Exp.mantissa(f32x4.mul(d, constant(LOG2_E)));
  return f32x4.mul(f32x4.add(constant(ONE), m), i32x4.shl(t, 23));
}

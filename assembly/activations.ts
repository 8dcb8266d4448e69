// The exponential behind every activation, in base 2: e^x = 2^y with y = x log2(e), n = round(y), r = y - n, so that
//   2^y = 2^n (1 + m(r)),   m(r) = 2^r - 1 = r (C1 + C2 r + ... + C6 r^5)   on [-1/2, 1/2].
// C1 .. C6 minimise the largest relative error of m (1.1e-8, Lawson's weighted least squares), so m keeps its relative
// accuracy near 0, and tanh with it.
// Constants are loaded from memory: one instruction each, where a splat costs three (measured, V8 on x86-64).

@inline const C = memory.data<f32>([
  0.6931471824645996, 0.6931471824645996, 0.6931471824645996, 0.6931471824645996,
  0.24022649228572845, 0.24022649228572845, 0.24022649228572845, 0.24022649228572845,
  0.05550357326865196, 0.05550357326865196, 0.05550357326865196, 0.05550357326865196,
  0.009618237614631653, 0.009618237614631653, 0.009618237614631653, 0.009618237614631653,
  0.0013390735257416964, 0.0013390735257416964, 0.0013390735257416964, 0.0013390735257416964,
  0.00015403512225020677, 0.00015403512225020677, 0.00015403512225020677, 0.00015403512225020677,
  // 1.5 * 2^23 + 127: adding it rounds to an integer and leaves n + 127, the exponent bits of 2^n, in the low bits
  12583039.0, 12583039.0, 12583039.0, 12583039.0,
  1.0, 1.0, 1.0, 1.0,
  2.0, 2.0, 2.0, 2.0,
  // -log2(e), and its bounds: 2^-127 has exponent bits 0 and counts as 0, 2^128 as infinity
  -1.4426950408889634, -1.4426950408889634, -1.4426950408889634, -1.4426950408889634,
  -127.0, -127.0, -127.0, -127.0,
  128.0, 128.0, 128.0, 128.0,
  // 2 log2(e), and its bound: tanh(x) rounds to 1 from 2^29 on
  2.8853900817779268, 2.8853900817779268, 2.8853900817779268, 2.8853900817779268,
  -29.0, -29.0, -29.0, -29.0,
  29.0, 29.0, 29.0, 29.0,
  // exp: log2(e), ln(2) in two parts of which the first has 10 bits (n times it is exact), and -127 and 128 times ln(2)
  1.4426950408889634, 1.4426950408889634, 1.4426950408889634, 1.4426950408889634,
  0.693359375, 0.693359375, 0.693359375, 0.693359375,
  -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4,
  -88.02969193111305, -88.02969193111305, -88.02969193111305, -88.02969193111305,
  88.722839111673, 88.722839111673, 88.722839111673, 88.722839111673,
], 16);

@inline function constant(i: i32): v128 { return v128.load(C + (i << 4)); }

@inline export function one(): v128 { return constant(7); }

// pmin and pmax: one instruction each, and a NaN in their first operand comes through.
@inline function clamp(y: v128, low: v128, high: v128): v128 { return f32x4.pmin(f32x4.pmax(y, low), high); }

@inline function mantissa(r: v128): v128 {
  const r2 = f32x4.mul(r, r);
  const a = f32x4.add(constant(0), f32x4.mul(constant(1), r));
  const b = f32x4.add(constant(2), f32x4.mul(constant(3), r));
  const c = f32x4.add(constant(4), f32x4.mul(constant(5), r));
  return f32x4.mul(r, f32x4.add(a, f32x4.mul(r2, f32x4.add(b, f32x4.mul(r2, c)))));
}

/** 1 + e^-x, so that sigmoid(x) = 1 / it. Infinite for x < -88.4, 1 for x > 88. */
@inline export function one_plus_exp_neg(x: v128): v128 {
  const y = clamp(f32x4.mul(x, constant(9)), constant(10), constant(11));
  const t = f32x4.add(y, constant(6));
  const m = mantissa(f32x4.sub(y, f32x4.sub(t, constant(6))));
  const scale = i32x4.shl(t, 23);
  return f32x4.add(one(), f32x4.mul(f32x4.add(one(), m), scale));
}

/** e^2x - 1 for |x| <= 10, beyond that a value of the same tanh, so that tanh(x) = it / (it + 2). */
@inline export function exp2x_minus_one(x: v128): v128 {
  const y = clamp(f32x4.mul(x, constant(12)), constant(13), constant(14));
  const t = f32x4.add(y, constant(6));
  const m = mantissa(f32x4.sub(y, f32x4.sub(t, constant(6))));
  const scale = i32x4.shl(t, 23);
  return f32x4.add(f32x4.mul(m, scale), f32x4.sub(scale, one()));
}

@inline export function plus_two(x: v128): v128 { return f32x4.add(x, constant(8)); }

/** sigmoid(x) = 1 / (1 + e^-x) */
@inline export function sigmoid4(x: v128): v128 { return f32x4.div(one(), one_plus_exp_neg(x)); }

/** tanh(x) = (e^2x - 1) / (e^2x + 1) */
@inline export function tanh4(x: v128): v128 {
  const e = exp2x_minus_one(x);
  return f32x4.div(e, plus_two(e));
}

/** e^x, 0 below -88 and infinite above 88.4. The remainder keeps full precision at large |x|, unlike the two above. */
@inline export function exp4(x: v128): v128 {
  x = clamp(x, constant(18), constant(19));
  const t = f32x4.add(f32x4.mul(x, constant(15)), constant(6));
  const n = f32x4.sub(t, constant(6));
  const d = f32x4.sub(f32x4.sub(x, f32x4.mul(n, constant(16))), f32x4.mul(n, constant(17)));
  const m = mantissa(f32x4.mul(d, constant(15)));
  return f32x4.mul(f32x4.add(one(), m), i32x4.shl(t, 23));
}

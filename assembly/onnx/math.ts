// e^x and ln(x) of float32 values in float64: rounded to float32 nearly always the nearest. Plain arithmetic, so the same bits on
// every engine. Constants are immediates, since this module must not put data into the memory that it shares.

const LOG2_E: f64 = 1.4426950408889634;
const SQRT_2: f64 = 1.4142135623730951;
// ln(2) in two parts; the first has 32 bits, so that its product with n is exact
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;
/** Below the first, e^x is less than half of float32's smallest number; above the second, it exceeds the largest. */
const MIN_EXP: f64 = -104;
const MAX_EXP: f64 = 89;

/** e^x = 2^n e^r with |r| <= ln(2) / 2, by the series of e^r to r^12. 0 or infinity beyond the range of float32. */
export function exp64(x: f64): f64 {
  if (x < MIN_EXP) return 0;
  if (x > MAX_EXP) return Infinity;
  const n = nearest(x * LOG2_E);
  const r = x - n * LN2_HIGH - n * LN2_LOW;
  let sum: f64 = 1.0 / 479001600;
  sum = sum * r + 1.0 / 39916800;
  sum = sum * r + 1.0 / 3628800;
  sum = sum * r + 1.0 / 362880;
  sum = sum * r + 1.0 / 40320;
  sum = sum * r + 1.0 / 5040;
  sum = sum * r + 1.0 / 720;
  sum = sum * r + 1.0 / 120;
  sum = sum * r + 1.0 / 24;
  sum = sum * r + 1.0 / 6;
  sum = sum * r + 0.5;
  sum = sum * r + 1;
  sum = sum * r + 1;
  return isNaN(x) ? x : sum * reinterpret<f64>((<i64>n + 1023) << 52);
}

/** e^x - 1; below 2^-20 by its series, since the difference would lose what makes it differ from x. */
export function expm1_64(x: f64): f64 {
  return abs(x) < 9.5367431640625e-7 ? x + x * x * (0.5 + x / 6) : exp64(x) - 1;
}

/** ln(x) of a positive normal x by x = 2^e m: 2 (s + s^3/3 + s^5/5 ...), s = (m - 1) / (m + 1), |s| < 0.172, to s^21. */
export function log64(x: f64): f64 {
  const bits = reinterpret<i64>(x);
  let e = <f64>((bits >> 52) - 1023);
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > SQRT_2) {
    m *= 0.5;
    e += 1;
  }
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let sum: f64 = 1.0 / 21;
  sum = sum * z + 1.0 / 19;
  sum = sum * z + 1.0 / 17;
  sum = sum * z + 1.0 / 15;
  sum = sum * z + 1.0 / 13;
  sum = sum * z + 1.0 / 11;
  sum = sum * z + 1.0 / 9;
  sum = sum * z + 1.0 / 7;
  sum = sum * z + 1.0 / 5;
  sum = sum * z + 1.0 / 3;
  sum = sum * z + 1;
  return e * LN2_HIGH + (e * LN2_LOW + 2 * s * sum);
}

/**
 * The error function by its series 2 / sqrt(pi) e^-x² (x + 2 x³ / 3 + 4 x⁵ / 15 + ...), all of one sign; 1 in float32 from 4 on.
 */
export function erf64(x: f64): f64 {
  if (abs(x) >= 4.5) return copysign<f64>(1, x);
  let term = x;
  let sum = x;
  for (let k = 1; k < 100; ++k) {
    term *= (2 * x * x) / <f64>(2 * k + 1);
    const more = sum + term;
    // terms rise and then fall: stops at the first that adds nothing
    if (more === sum) break;
    sum = more;
  }
  return 1.1283791670955126 * exp64(-x * x) * sum;
}

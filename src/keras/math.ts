// What activations need beyond sigmoid, tanh and softmax, of which the kernels have fast forms. Doubles, and only operations
// that IEEE 754 defines to the last bit, so that results are the same everywhere, as Math.exp's are not. The errors, some
// 1e-15, are nothing in float32.

/** ln(2) in two parts: the first has 33 bits, so that up to 2^11 times it is exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** 2^n at n + 160: doublings are exact, which ** need not be. */
const POWERS = new Float64Array(292).fill(1);
for (let n = 161; n < 292; n++) POWERS[n] = 2 * POWERS[n - 1]!;
for (let n = 159; n >= 0; n--) POWERS[n] = POWERS[n + 1]! / 2;

/** e^x; beyond what float32 holds 0 or infinity. */
export function exp(x: number): number {
  if (!(x < 90)) return x > 0 ? Infinity : x;
  if (x < -110) return 0;
  const n = Math.round(x / Math.LN2);
  const r = x - n * LN2_HIGH - n * LN2_LOW;
  let sum = 1;
  for (let k = 14; k > 0; k--) sum = 1 + (sum * r) / k;
  return sum * POWERS[n + 160]!;
}

/** e^x - 1 */
export function expm1(x: number): number {
  if (Math.abs(x) > 0.5) return exp(x) - 1;
  let sum = 1;
  for (let k = 15; k > 1; k--) sum = 1 + (sum * x) / k;
  return sum * x;
}

/** ln(1 + x) of x from 0 */
export function log1p(x: number): number {
  if (!(x < Infinity)) return x;
  let n = 0;
  let rest = x;
  // 1 + x = (1 + rest) 2^n; halved only where it is large enough for nothing to be lost
  while (rest > 1) {
    rest = (rest - 1) / 2;
    n++;
  }
  // 2 artanh(z)
  const z = rest / (2 + rest);
  const z2 = z * z;
  let sum = 0;
  for (let k = 35; k > 0; k -= 2) sum = 1 / k + z2 * sum;
  return 2 * z * sum + n * Math.LN2;
}

/** The error function, by its series; 1 in float32 from 4 on. */
export function erf(x: number): number {
  if (!(Math.abs(x) < 4.5)) return x > 0 ? 1 : x < 0 ? -1 : x;
  // 2 / sqrt(pi) e^-x² (x + 2 x³ / 3 + 4 x⁵ / 15 + ...): all terms have one sign
  let term = x;
  let sum = x;
  for (let k = 1; k < 100; k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return 1.1283791670955126 * exp(-x * x) * sum;
}

import { exp64, log64 } from './math';

/** x[i] = e^x[i] */
export function exp_f32(x: usize, n: i32): void {
  for (const end = x + ((<usize>n) << 2); x < end; x += 4) store<f32>(x, <f32>exp64(load<f32>(x)));
}

function log_one(x: f32): f32 {
  if (x > 0 && x < Infinity) return <f32>log64(x);
  return x === 0 ? -Infinity : x > 0 ? x : NaN;
}

/** x[i] = ln(x[i]): -infinity of either zero, NaN below */
export function log_f32(x: usize, n: i32): void {
  for (const end = x + ((<usize>n) << 2); x < end; x += 4) store<f32>(x, log_one(load<f32>(x)));
}

/** x^y with the special values of IEEE 754-2019, 9.2.1 */
export function pow_one(x: f32, y: f32): f32 {
  if (y === 0 || x === 1) return 1;
  if (isNaN(x) || isNaN(y)) return NaN;
  if (y === 1) return x;
  const size = abs(x);
  const whole = floor(y) === y;
  // from 2^24 on every float32 is even
  const odd = whole && abs(y) < 16777216 && (<i32>y & 1) !== 0;
  const sign: f32 = odd ? copysign<f32>(1, x) : 1;
  if (size === 0 || size === Infinity) return (size === 0) === y > 0 ? sign * 0 : sign * Infinity;
  if (abs(y) === Infinity) return size === 1 ? 1 : size > 1 === y > 0 ? Infinity : 0;
  if (x < 0 && !whole) return NaN;
  if (y === 2) return x * x;
  return sign * <f32>exp64(<f64>y * log64(size));
}

/** x[i] = x[i]^y[i] */
export function pow_f32(x: usize, y: usize, n: i32): void {
  for (const end = x + ((<usize>n) << 2); x < end; x += 4, y += 4) store<f32>(x, pow_one(load<f32>(x), load<f32>(y)));
}

/** In place over the middle axis of x [outer][n][inner]: x - max - ln(sum of e^(x - max)) */
export function log_softmax_f32(x: usize, outer: i32, n: i32, inner: i32): void {
  const stride = (<usize>inner) << 2;
  for (; outer > 0; --outer) {
    for (let column = x; column < x + stride; column += 4) {
      const end = column + <usize>n * stride;
      let top: f32 = -Infinity;
      for (let p = column; p < end; p += stride) top = max(top, load<f32>(p));
      let sum: f64 = 0;
      for (let p = column; p < end; p += stride) sum += exp64(<f64>load<f32>(p) - top);
      const total = <f64>top + (sum >= 1 ? log64(sum) : NaN);
      for (let p = column; p < end; p += stride) store<f32>(p, <f32>(<f64>load<f32>(p) - total));
    }
    x += <usize>n * stride;
  }
}

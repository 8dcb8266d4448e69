import { exp4, sigmoid4, tanh4 } from './activations';

// Takes four floats at a time, and the last ones singly.
function load_some(p: usize, n: i32): v128 {
  return n >= 4 ? v128.load(p) : v128.load32_zero(p);
}

function store_some(p: usize, v: v128, n: i32): void {
  if (n >= 4) v128.store(p, v);
  else v128.store_lane<f32>(p, v, 0);
}

function width(n: i32): i32 {
  return n >= 4 ? 4 : 1;
}

/** x[i] = sigmoid(x[i]) */
export function sigmoid_f32(x: usize, n: i32): void {
  for (; n > 0; x += width(n) << 2, n -= width(n)) store_some(x, sigmoid4(load_some(x, n)), n);
}

/** x[i] = tanh(x[i]) */
export function tanh_f32(x: usize, n: i32): void {
  for (; n > 0; x += width(n) << 2, n -= width(n)) store_some(x, tanh4(load_some(x, n)), n);
}

/** x[i] = max(x[i], 0); NaN stays NaN */
export function relu_f32(x: usize, n: i32): void {
  for (; n > 0; x += width(n) << 2, n -= width(n)) store_some(x, f32x4.pmax(load_some(x, n), f32x4.splat(0)), n);
}

// Computes softmax down four neighbouring columns of length n, or one; rows are `stride` bytes apart.
function softmax_columns(x: usize, n: i32, stride: usize, columns: i32): void {
  const end = x + <usize>n * stride;
  let top = f32x4.splat(-Infinity);
  // pmax skips a NaN, but the sum does not: then the whole column is NaN
  for (let p = x; p < end; p += stride) top = f32x4.pmax(top, load_some(p, columns));
  let sum = f32x4.splat(0);
  for (let p = x; p < end; p += stride) {
    const e = exp4(f32x4.sub(load_some(p, columns), top));
    sum = f32x4.add(sum, e);
    store_some(p, e, columns);
  }
  for (let p = x; p < end; p += stride) store_some(p, f32x4.div(load_some(p, columns), sum), columns);
}

/** In place over the middle axis of x [outer][n][inner]: e^(x - max) / sum of e^(x - max) */
export function softmax_f32(x: usize, outer: i32, n: i32, inner: i32): void {
  const stride = (<usize>inner) << 2;
  for (; outer > 0; --outer) {
    let column = x;
    for (let left = inner; left > 0; column += width(left) << 2, left -= width(left)) {
      softmax_columns(column, n, stride, left);
    }
    x += <usize>n * stride;
  }
}

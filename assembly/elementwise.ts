import { exp4, sigmoid4, tanh4 } from './activations';
import { load_lanes, store_lanes } from './lanes';

/** out[i] = sigmoid(x[i]); out may be x */
export function sigmoid_f32(x: usize, out: usize, n: i32): void {
  for (; n >= 4; n -= 4, x += 16, out += 16) v128.store(out, sigmoid4(v128.load(x)));
  if (n) store_lanes(out, sigmoid4(load_lanes(x, n)), n);
}

/** out[i] = tanh(x[i]); out may be x */
export function tanh_f32(x: usize, out: usize, n: i32): void {
  for (; n >= 4; n -= 4, x += 16, out += 16) v128.store(out, tanh4(v128.load(x)));
  if (n) store_lanes(out, tanh4(load_lanes(x, n)), n);
}

/** out[i] = max(x[i], 0), NaN stays NaN; out may be x */
export function relu_f32(x: usize, out: usize, n: i32): void {
  const zero = f32x4.splat(0);
  for (; n >= 4; n -= 4, x += 16, out += 16) v128.store(out, f32x4.pmax(v128.load(x), zero));
  if (n) store_lanes(out, f32x4.pmax(load_lanes(x, n), zero), n);
}

// softmax down one to four neighbouring columns of length n, `stride` bytes from one row to the next
function softmax_columns(x: usize, n: i32, stride: usize, lanes: i32): void {
  const end = x + <usize>n * stride;
  let top = f32x4.splat(-Infinity);
  for (let p = x; p < end; p += stride) {
    // max, not pmax: a NaN anywhere makes the whole column NaN
    top = f32x4.max(top, lanes == 4 ? v128.load(p) : load_lanes(p, lanes));
  }
  let sum = f32x4.splat(0);
  for (let p = x; p < end; p += stride) {
    const difference = f32x4.sub(lanes == 4 ? v128.load(p) : load_lanes(p, lanes), top);
    const e = exp4(difference);
    sum = f32x4.add(sum, e);
    if (lanes == 4) v128.store(p, e);
    else store_lanes(p, e, lanes);
  }
  for (let p = x; p < end; p += stride) {
    const e = f32x4.div(lanes == 4 ? v128.load(p) : load_lanes(p, lanes), sum);
    if (lanes == 4) v128.store(p, e);
    else store_lanes(p, e, lanes);
  }
}

/** In place, over the middle axis of x [outer][n][inner]: e^(x - max) / sum of e^(x - max) */
export function softmax_f32(x: usize, outer: i32, n: i32, inner: i32): void {
  const stride = <usize>inner << 2;
  for (; outer > 0; --outer) {
    let column = x;
    for (let left = inner; left > 0; left -= 4, column += 16) softmax_columns(column, n, stride, min(left, 4));
    x += <usize>n * stride;
  }
}

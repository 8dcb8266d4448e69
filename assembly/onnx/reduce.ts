import { exp64, log64 } from './math';
import { Some, Wide } from './wide';

// Reductions of the middle axis of x [outer][n][inner]. A sum is one chain of additions in float64: several sums go side by side,
// so that none waits for its last addition.

/** The numbers of the operators, the same as in src/cells/walks.ts. */
const MEAN: i32 = 1;
const MAX: i32 = 2;
const MIN: i32 = 3;
const PROD: i32 = 4;
const L1: i32 = 5;
const L2: i32 = 6;
const LOG_SUM: i32 = 8;
const LOG_SUM_EXP: i32 = 9;
// 7: the sum of squares

/** out[r] = sum of x[r][0 .. n-1] / divisor. Four rows at a time; where fewer are left, the last is summed again. */
function sum_rows(x: usize, out: usize, rows: i32, n: i32, divisor: f64): void {
  const stride = (<usize>n) << 2;
  const by = f64x2.splat(divisor);
  for (; rows > 0; rows -= 4) {
    const x1 = rows > 1 ? x + stride : x;
    const x2 = rows > 2 ? x1 + stride : x1;
    const x3 = rows > 3 ? x2 + stride : x2;
    let a = f64x2.splat(0);
    let b = a;
    for (let i: usize = 0; i < stride; i += 4) {
      a = f64x2.add(a, Wide.pair(x + i, x1 + i));
      b = f64x2.add(b, Wide.pair(x2 + i, x3 + i));
    }
    a = f32x4.demote_f64x2_zero(f64x2.div(a, by));
    b = f32x4.demote_f64x2_zero(f64x2.div(b, by));
    v128.store_lane<f32>(out, a, 0);
    if (rows > 1) v128.store_lane<f32>(out, a, 1, 4);
    if (rows > 2) v128.store_lane<f32>(out, b, 0, 8);
    if (rows > 3) v128.store_lane<f32>(out, b, 1, 12);
    x = x3 + stride;
    out += 16;
  }
}

/** out[c] = sum of x[0 .. n-1][c] / divisor for a number of columns. Four columns at a time, then one. */
function sum_columns(x: usize, out: usize, n: i32, columns: i32, divisor: f64): void {
  const stride = (<usize>columns) << 2;
  const size = <usize>n * stride;
  const by = f64x2.splat(divisor);
  for (; columns > 0; columns -= Some.count(columns)) {
    let a = f64x2.splat(0);
    let b = a;
    for (let p = x, end = x + size; p < end; p += stride) {
      const v = Some.load(p, columns);
      a = f64x2.add(a, Wide.low(v));
      b = f64x2.add(b, Wide.high(v));
    }
    Some.store_wide(out, f64x2.div(a, by), f64x2.div(b, by), columns);
    x += Some.count(columns) << 2;
    out += Some.count(columns) << 2;
  }
}

/** The largest of n floats: NaN if any is, and of zeros the first. */
function max_row(x: usize, n: i32): f32 {
  const end = x + ((<usize>n) << 2);
  let p = x;
  let tops = f32x4.splat(-Infinity);
  let nan = f32x4.splat(0);
  for (; p + 16 <= end; p += 16) {
    const v = v128.load(p);
    // pmax is tops < v ? v : tops
    tops = f32x4.pmax(tops, v);
    nan = v128.or(nan, f32x4.ne(v, v));
  }
  if (v128.any_true(nan)) return NaN;
  let top = max(max(f32x4.extract_lane(tops, 0), f32x4.extract_lane(tops, 1)), f32x4.extract_lane(tops, 2));
  top = max(top, f32x4.extract_lane(tops, 3));
  // f32.max has NaN where either operand has
  for (; p < end; p += 4) top = max(top, load<f32>(p));
  // the order of the lanes has lost which zero came first
  if (top === 0) for (p = x; ; p += 4) if (load<f32>(p) === 0) return load<f32>(p);
  return top;
}

function max_columns(x: usize, out: usize, n: i32, columns: i32): void {
  const stride = (<usize>columns) << 2;
  const size = <usize>n * stride;
  for (; columns > 0; columns -= Some.count(columns)) {
    let top = f32x4.splat(-Infinity);
    let nan = f32x4.splat(0);
    for (let p = x, end = x + size; p < end; p += stride) {
      const v = Some.load(p, columns);
      top = f32x4.pmax(top, v);
      nan = v128.or(nan, f32x4.ne(v, v));
    }
    // all bits set are a NaN
    Some.store(out, v128.or(top, nan), columns);
    x += Some.count(columns) << 2;
    out += Some.count(columns) << 2;
  }
}

/** ln(x) of numbers of every kind */
function log_of(x: f64): f64 {
  if (x > 0 && x < Infinity) return log64(x);
  return x === 0 ? -Infinity : x > 0 ? x : NaN;
}

/** One of the rarer folds, of x[0], x[stride] ... before `end`. */
function fold(op: i32, x: usize, end: usize, stride: usize): f32 {
  let top: f32 = op === MIN ? Infinity : -Infinity;
  if (op === MIN) for (; x < end; x += stride) top = min(top, load<f32>(x));
  else if (op === LOG_SUM_EXP) for (let p = x; p < end; p += stride) top = max(top, load<f32>(p));
  // what is infinite stays so, and NaN too
  if (op === MIN || (op === LOG_SUM_EXP && !(abs(top) < Infinity))) return top;
  let sum: f64 = op === PROD ? 1 : 0;
  for (; x < end; x += stride) {
    const v = <f64>load<f32>(x);
    if (op === PROD) sum *= v;
    else if (op === L1) sum += abs(v);
    else if (op === LOG_SUM) sum += v;
    else if (op === LOG_SUM_EXP) sum += exp64(v - top);
    else sum += v * v;
  }
  if (op === L2) sum = sqrt(sum);
  else if (op === LOG_SUM) sum = log_of(sum);
  else if (op === LOG_SUM_EXP) sum = <f64>top + log_of(sum);
  return <f32>sum;
}

/**
 * out[outer][inner] = sum, mean or largest of x [outer][n][inner] over n: sums in float64 in the order of n and rounded once; of
 * equal largest ones the first, of which NaN is one. With n = 0 sum and mean are 0, and the largest -Infinity. Of the rarer folds
 * the smallest is NaN if any is, and -0 below 0; with n = 0 it is Infinity, a product 1, a logarithm -Infinity. out is apart from x.
 */
export function reduce_f32(op: i32, x: usize, out: usize, outer: i32, n: i32, inner: i32): void {
  const divisor: f64 = op === MEAN ? max(n, 1) : 1;
  if (inner === 1 && op <= MEAN) {
    sum_rows(x, out, outer, n, divisor);
    return;
  }
  const row = (<usize>inner) << 2;
  for (; outer > 0; --outer) {
    if (op > MAX) {
      for (let column = x; column < x + row; column += 4) {
        store<f32>(out, fold(op, column, column + <usize>n * row, row));
        out += 4;
      }
      x += <usize>n * row;
      continue;
    }
    if (op !== MAX) sum_columns(x, out, n, inner, divisor);
    else if (inner === 1) store<f32>(out, max_row(x, n));
    else max_columns(x, out, n, inner);
    x += <usize>n * row;
    out += row;
  }
}

import { Some, Wide } from './wide';

// Normalisations, in float64 and rounded once.

/** out[i] = (x[i] - mean) factor scale[i] + bias[i]; without scale times 1, without bias + offset. */
function normalize(x: usize, mean: f64, factor: f64, scale: usize, bias: usize, offset: f32, out: usize, n: i32): void {
  const m = f64x2.splat(mean);
  const f = f64x2.splat(factor);
  let s = f32x4.splat(1);
  let b = f32x4.splat(offset);
  for (let i: usize = 0; n > 0; i += Some.count(n) << 2, n -= Some.count(n)) {
    const v = Some.load(x + i, n);
    if (scale) s = Some.load(scale + i, n);
    if (bias) b = Some.load(bias + i, n);
    const low = f64x2.mul(f64x2.mul(f64x2.sub(Wide.low(v), m), f), Wide.low(s));
    const high = f64x2.mul(f64x2.mul(f64x2.sub(Wide.high(v), m), f), Wide.high(s));
    Some.store_wide(out + i, f64x2.add(low, Wide.low(b)), f64x2.add(high, Wide.high(b)), n);
  }
}

@unmanaged
class LayerNorm {
  /** [rows][n] */
  x: usize;
  /** [n], with the stride of a row [rows][n] */
  scale: usize;
  /** Bytes from a row's scale to the next; 0: one for all */
  scaleStride: usize;
  /** As scale, or 0 */
  bias: usize;
  biasStride: usize;
  /** [rows][n]; may be x */
  out: usize;
  rows: i32;
  n: i32;
  /** [rows], or 0: the mean of each row */
  means: usize;
  /** [rows], or 0: 1 / sqrt(variance + epsilon) of each row; 0 of rows without elements, as their mean */
  inverses: usize;
}

/** Writes row r, if there is one, from its mean and its sum of squared differences. */
function finish(norm: LayerNorm, r: i32, mean: f64, squares: f64, epsilon: f64): void {
  if (r >= norm.rows) return;
  const n = norm.n;
  const inverse = n ? 1 / sqrt<f64>(squares / n + epsilon) : 0;
  const row = <usize>r;
  const at = (row * <usize>n) << 2;
  if (norm.means) store<f32>(norm.means + (row << 2), <f32>mean);
  if (norm.inverses) store<f32>(norm.inverses + (row << 2), <f32>inverse);
  const scale = norm.scale + row * norm.scaleStride;
  const bias = norm.bias ? norm.bias + row * norm.biasStride : 0;
  // without a bias 0 is added, which makes 0 of -0
  normalize(norm.x + at, mean, inverse, scale, bias, 0, norm.out + at, n);
}

/**
 * out[r] = (x[r] - mean) / sqrt(variance + epsilon) scale + bias. Four rows at a time, so that no sum waits for its last addition;
 * where fewer are left, the last is summed again.
 */
export function layer_norm_f32(norm: LayerNorm, epsilon: f64): void {
  const rows = norm.rows;
  const n = norm.n;
  const count = f64x2.splat(max(n, 1));
  const stride = (<usize>n) << 2;
  let x = norm.x;
  for (let r = 0; r < rows; r += 4) {
    const x1 = r + 1 < rows ? x + stride : x;
    const x2 = r + 2 < rows ? x1 + stride : x1;
    const x3 = r + 3 < rows ? x2 + stride : x2;
    let mean = f64x2.splat(0);
    let mean2 = mean;
    for (let i: usize = 0; i < stride; i += 4) {
      mean = f64x2.add(mean, Wide.pair(x + i, x1 + i));
      mean2 = f64x2.add(mean2, Wide.pair(x2 + i, x3 + i));
    }
    mean = f64x2.div(mean, count);
    mean2 = f64x2.div(mean2, count);
    let squares = f64x2.splat(0);
    let squares2 = squares;
    for (let i: usize = 0; i < stride; i += 4) {
      const d = f64x2.sub(Wide.pair(x + i, x1 + i), mean);
      const d2 = f64x2.sub(Wide.pair(x2 + i, x3 + i), mean2);
      squares = f64x2.add(squares, f64x2.mul(d, d));
      squares2 = f64x2.add(squares2, f64x2.mul(d2, d2));
    }
    finish(norm, r, f64x2.extract_lane(mean, 0), f64x2.extract_lane(squares, 0), epsilon);
    finish(norm, r + 1, f64x2.extract_lane(mean, 1), f64x2.extract_lane(squares, 1), epsilon);
    finish(norm, r + 2, f64x2.extract_lane(mean2, 0), f64x2.extract_lane(squares2, 0), epsilon);
    finish(norm, r + 3, f64x2.extract_lane(mean2, 1), f64x2.extract_lane(squares2, 1), epsilon);
    x = x3 + stride;
  }
}

/** factors[c] = scale[c] / sqrt(variances[c] + epsilon) in float64, for channel_affine_f32 */
export function channel_factors(scale: usize, variances: usize, epsilon: f64, factors: usize, channels: i32): void {
  for (; channels > 0; --channels) {
    store<f64>(factors, <f64>load<f32>(scale) / sqrt<f64>(<f64>load<f32>(variances) + epsilon));
    scale += 4;
    variances += 4;
    factors += 8;
  }
}

/** channel_affine_f32 of rows whose channels lie side by side. */
function affine_rows(
  x: usize,
  factors: usize,
  means: usize,
  offsets: usize,
  out: usize,
  rows: i32,
  channels: i32,
): void {
  for (; rows > 0; --rows) {
    let at: usize = 0;
    for (let n = channels; n > 0; n -= Some.count(n)) {
      const v = Some.load(x, n);
      const m = Some.load(means + at, n);
      const b = Some.load(offsets + at, n);
      const f = factors + (at << 1);
      const f0 = n >= 4 ? v128.load(f) : v128.load64_zero(f);
      const f1 = n >= 4 ? v128.load(f + 16) : f0;
      const low = f64x2.mul(f64x2.sub(Wide.low(v), Wide.low(m)), f0);
      const high = f64x2.mul(f64x2.sub(Wide.high(v), Wide.high(m)), f1);
      Some.store_wide(out, f64x2.add(low, Wide.low(b)), f64x2.add(high, Wide.high(b)), n);
      x += Some.count(n) << 2;
      out += Some.count(n) << 2;
      at += Some.count(n) << 2;
    }
  }
}

/**
 * out[o][c] = (x[o][c] - means[c]) factors[c] + offsets[c], in float64 and rounded once: batch normalisation.
 * x, out [outer][channels][inner]; out may be x; factors [channels] float64; means, offsets [channels]
 */
export function channel_affine_f32(
  x: usize,
  factors: usize,
  means: usize,
  offsets: usize,
  out: usize,
  outer: i32,
  channels: i32,
  inner: i32,
): void {
  if (inner === 1) {
    affine_rows(x, factors, means, offsets, out, outer, channels);
    return;
  }
  for (; outer > 0; --outer) {
    for (let c: usize = 0; c < <usize>channels; ++c) {
      const at = c << 2;
      const factor = load<f64>(factors + (c << 3));
      normalize(x, load<f32>(means + at), factor, 0, 0, load<f32>(offsets + at), out, inner);
      x += (<usize>inner) << 2;
      out += (<usize>inner) << 2;
    }
  }
}

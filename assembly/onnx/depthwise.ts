import { Wide } from './wide';

/** A convolution of each row with a kernel of its channel. All sizes are below 2^31. */
@unmanaged
class Depthwise {
  /** [batch][channels][length] */
  x: usize;
  /** [channels][kernel] */
  w: usize;
  /** [channels], or 0 */
  bias: usize;
  /** [batch][channels][positions], apart from the others */
  out: usize;
  batch: i32;
  channels: i32;
  length: i32;
  positions: i32;
  kernel: i32;
  stride: i32;
  dilation: i32;
  /** Zeros before x; those behind follow from the positions */
  before: i32;
}

/** Sums in float64 one position, whose first factor is x[i], or 0 outside of 0 .. length-1. */
function sum_of(x: usize, length: i64, w: usize, wEnd: usize, sum: f64, i: i64, dilation: i64): f32 {
  for (; w < wEnd; w += 4) {
    const value = i >= 0 && i < length ? load<f32>(x + ((<usize>i) << 2)) : 0;
    sum += <f64>load<f32>(w) * value;
    i += dilation;
  }
  return <f32>sum;
}

/**
 * out[b][c][p] = bias[c] + sum over k of w[c][k] x[b][c][p stride + k dilation - before], in float64 in the order of k and rounded
 * once. Zeros around x are multiplied too: a weight may be infinite.
 */
export function depthwise_f32(conv: Depthwise): void {
  const length = <i64>conv.length;
  const positions = <i64>conv.positions;
  const stride = <i64>conv.stride;
  const dilation = <i64>conv.dilation;
  const before = <i64>conv.before;
  const size = (<usize>conv.kernel) << 2;
  const reach = <i64>(conv.kernel - 1) * dilation;
  // where four positions lie side by side: windows that start at 0 .. length - reach - 1
  const first = stride === 1 ? min<i64>(before, positions) : positions;
  const last = min<i64>(positions, length - reach + before) - 4;
  const step = (<usize>dilation) << 2;
  let x = conv.x;
  let out = conv.out;
  for (let b = conv.batch; b > 0; --b) {
    let w = conv.w;
    for (let c: usize = 0; c < <usize>conv.channels; ++c) {
      const wEnd = w + size;
      const bias = conv.bias ? <f64>load<f32>(conv.bias + (c << 2)) : 0;
      let p: i64 = 0;
      while (p < positions) {
        if (p < first || p > last) {
          store<f32>(out, sum_of(x, length, w, wEnd, bias, p * stride - before, dilation));
          out += 4;
          ++p;
          continue;
        }
        let low = f64x2.splat(bias);
        let high = low;
        let at = x + ((<usize>(p - before)) << 2);
        for (let k = w; k < wEnd; k += 4) {
          const factor = Wide.splat(k);
          low = f64x2.add(low, f64x2.mul(factor, Wide.two(at)));
          high = f64x2.add(high, f64x2.mul(factor, Wide.two(at + 8)));
          at += step;
        }
        Wide.store_two(out, low);
        Wide.store_two(out + 8, high);
        out += 16;
        p += 4;
      }
      x += (<usize>length) << 2;
      w = wEnd;
    }
  }
}

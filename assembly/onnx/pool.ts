/** The largest numbers or the means of windows of each row. All sizes are below 2^31. */
@unmanaged
class Pool {
  /** [rows][length] */
  x: usize;
  /** [rows][positions], apart from x */
  out: usize;
  rows: i32;
  length: i32;
  positions: i32;
  kernel: i32;
  stride: i32;
  dilation: i32;
  /** Places before x that windows reach; those behind follow from the positions */
  before: i32;
  /** Of these, the places that a mean counts, as zeros: padded places before x[0], and behind x[length - 1] */
  countedBefore: i32;
  countedBehind: i32;
}

/**
 * Over k, out[r][p] of x[r][p stride + k dilation - before]: the largest, without places outside of x, of which NaN is one; or with
 * `mean` the sum in float64, in the order of k, divided by the number of counted places and rounded once.
 */
export function pool_f32(mean: bool, pool: Pool): void {
  const length = <i64>pool.length;
  const from = -(<i64>pool.countedBefore);
  const to = length + pool.countedBehind;
  let x = pool.x;
  let out = pool.out;
  for (let r = pool.rows; r > 0; --r) {
    let start = -(<i64>pool.before);
    for (let p = pool.positions; p > 0; --p) {
      let top: f32 = -Infinity;
      let sum: f64 = 0;
      let count: f64 = 0;
      let i = start;
      for (let k = pool.kernel; k > 0; --k) {
        if (i >= 0 && i < length) {
          const value = load<f32>(x + ((<usize>i) << 2));
          top = max(top, value);
          sum += value;
        }
        if (i >= from && i < to) ++count;
        i += pool.dilation;
      }
      store<f32>(out, mean ? <f32>(sum / count) : top);
      out += 4;
      start += pool.stride;
    }
    x += (<usize>pool.length) << 2;
  }
}

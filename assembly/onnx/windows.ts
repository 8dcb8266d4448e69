import { load_lanes, store_lanes } from '../lanes';
import { Wide } from './wide';

// Operators whose windows slide along the two axes of images. The channels of a point lie side by side, and four are computed at a
// time. All sizes are below 2^31.

@unmanaged
class Windows {
  /** [batch][height][width][channels] */
  x: usize;
  /** [kernelRows][kernelColumns][channels] */
  w: usize;
  /** [channels], or 0 */
  bias: usize;
  /** [batch][rows][columns][channels], apart from the others */
  out: usize;
  batch: i32;
  channels: i32;
  height: i32;
  width: i32;
  rows: i32;
  columns: i32;
  kernelRows: i32;
  kernelColumns: i32;
  strideRows: i32;
  strideColumns: i32;
  dilationRows: i32;
  dilationColumns: i32;
  /** Places around x that windows reach; those below and to the right follow from rows and columns */
  top: i32;
  left: i32;
  /** The places around x that a mean counts, as zeros */
  countedTop: i32;
  countedLeft: i32;
  countedBottom: i32;
  countedRight: i32;
}

const MAX: i32 = 0;
const MEAN: i32 = 1;
const PRODUCT: i32 = 2;

/** Counts the places i + k dilation, for k below kernel, that are from .. to - 1. */
function count_places(i: i64, kernel: i32, dilation: i64, from: i64, to: i64): f64 {
  let count: f64 = 0;
  for (; kernel > 0; --kernel) {
    if (i >= from && i < to) ++count;
    i += dilation;
  }
  return count;
}

/** The first k whose place i + k dilation is not before an axis, at most `kernel`. */
function first_tap(i: i64, kernel: i32, dilation: i32): i32 {
  return i < 0 ? <i32>min<i64>(kernel, (dilation - 1 - i) / dilation) : 0;
}

/** The first k whose place i + k dilation is behind an axis, at least that of first_tap. */
function end_tap(i: i64, kernel: i32, dilation: i32, length: i32): i32 {
  const end = i < length ? min<i64>(kernel, (<i64>length - 1 - i) / dilation + 1) : 0;
  return <i32>max<i64>(end, first_tap(i, kernel, dilation));
}

class Points {
  /** Up to four channels */
  @inline
  static load(p: usize, n: i32): v128 {
    return n >= 4 ? v128.load(p) : load_lanes(p, n);
  }

  @inline
  static store(p: usize, v: v128, n: i32): void {
    if (n >= 4) v128.store(p, v);
    else store_lanes(p, v, n);
  }

  /** Computes n channels of a point: four, or less than four. */
  @inline
  static some(
    op: i32,
    n: i32,
    image: usize,
    factors: usize,
    bias: usize,
    out: usize,
    rows: i32,
    columns: i32,
    imageRow: usize,
    imageColumn: usize,
    factorRow: usize,
    point: usize,
    divisor: v128,
  ): void {
    let sum = op === MAX ? f32x4.splat(-Infinity) : bias ? Points.load(bias, n) : f32x4.splat(0);
    let low = f64x2.splat(0);
    let high = low;
    for (let k = rows; k > 0; --k) {
      let at = image;
      let factor = factors;
      for (let j = columns; j > 0; --j) {
        const v = Points.load(at, n);
        if (op === MAX) sum = f32x4.max(sum, v);
        else if (op === MEAN) {
          low = f64x2.add(low, Wide.low(v));
          high = f64x2.add(high, Wide.high(v));
        } else {
          sum = f32x4.add(sum, f32x4.mul(v, Points.load(factor, n)));
          factor += point;
        }
        at += imageColumn;
      }
      image += imageRow;
      factors += factorRow;
    }
    if (op === MEAN) {
      low = f32x4.demote_f64x2_zero(f64x2.div(low, divisor));
      high = f32x4.demote_f64x2_zero(f64x2.div(high, divisor));
      sum = v128.shuffle<i64>(low, high, 0, 2);
    }
    Points.store(out, sum, n);
  }

  /**
   * Computes the channels of one point from the taps that are inside of an image: `rows` and `columns` of them, the first at `image` and
   * `factors`; one row further they are `imageRow` and `factorRow` bytes on, one column further `imageColumn` and a point.
   */
  @inline
  static one(
    op: i32,
    image: usize,
    factors: usize,
    bias: usize,
    out: usize,
    channels: i32,
    rows: i32,
    columns: i32,
    imageRow: usize,
    imageColumn: usize,
    factorRow: usize,
    count: f64,
  ): void {
    const point = (<usize>channels) << 2;
    const by = f64x2.splat(count);
    let n = channels;
    for (; n >= 4; n -= 4) {
      Points.some(op, 4, image, factors, bias, out, rows, columns, imageRow, imageColumn, factorRow, point, by);
      out += 16;
      image += 16;
      factors += 16;
      if (bias) bias += 16;
    }
    if (n > 0)
      last_channels(op, n, image, factors, bias, out, rows, columns, imageRow, imageColumn, factorRow, point, by);
  }

  /** `op` is a constant: the others are left out. */
  @inline
  static all(op: i32, windows: Windows): void {
    const point = (<usize>windows.channels) << 2;
    const size = <usize>windows.height * <usize>windows.width * point;
    const fromRow = -(<i64>windows.countedTop);
    const toRow = <i64>windows.height + windows.countedBottom;
    const fromColumn = -(<i64>windows.countedLeft);
    const toColumn = <i64>windows.width + windows.countedRight;
    const height = windows.height;
    const width = windows.width;
    const channels = windows.channels;
    const dilationRows = windows.dilationRows;
    const dilationColumns = windows.dilationColumns;
    const kernelRows = windows.kernelRows;
    const kernelColumns = windows.kernelColumns;
    const imageColumn = <usize>dilationColumns * point;
    const imageRow = <usize>dilationRows * <usize>width * point;
    const factorRow = <usize>kernelColumns * point;
    let image = windows.x;
    let out = windows.out;
    let count: f64 = 0;
    for (let b = windows.batch; b > 0; --b) {
      let y = -(<i64>windows.top);
      for (let r = windows.rows; r > 0; --r) {
        const firstRow = first_tap(y, kernelRows, dilationRows);
        const rows = end_tap(y, kernelRows, dilationRows, height) - firstRow;
        const line = image + <usize>(y + <i64>firstRow * dilationRows) * <usize>width * point;
        const counted = op === MEAN ? count_places(y, kernelRows, dilationRows, fromRow, toRow) : 0;
        let x = -(<i64>windows.left);
        for (let c = windows.columns; c > 0; --c) {
          const firstColumn = first_tap(x, kernelColumns, dilationColumns);
          const columns = end_tap(x, kernelColumns, dilationColumns, width) - firstColumn;
          if (op === MEAN) count = counted * count_places(x, kernelColumns, dilationColumns, fromColumn, toColumn);
          Points.one(
            op,
            line + <usize>(x + <i64>firstColumn * dilationColumns) * point,
            windows.w + <usize>firstRow * factorRow + <usize>firstColumn * point,
            windows.bias,
            out,
            channels,
            rows,
            columns,
            imageRow,
            imageColumn,
            factorRow,
            count,
          );
          out += point;
          x += windows.strideColumns;
        }
        y += windows.strideRows;
      }
      image += size;
    }
  }
}

/** Computes the last one to three channels of a point. */
function last_channels(
  op: i32,
  n: i32,
  image: usize,
  factors: usize,
  bias: usize,
  out: usize,
  rows: i32,
  columns: i32,
  imageRow: usize,
  imageColumn: usize,
  factorRow: usize,
  point: usize,
  divisor: v128,
): void {
  Points.some(op, n, image, factors, bias, out, rows, columns, imageRow, imageColumn, factorRow, point, divisor);
}

/**
 * Over the places of a window, without those outside of x: the largest number, of which NaN is one, -Infinity if there are none; or
 * with `mean` the sum in float64, in order, divided by the number of counted places and rounded once.
 */
export function pool_f32(mean: bool, windows: Windows): void {
  if (mean) Points.all(MEAN, windows);
  else Points.all(MAX, windows);
}

/** out[b][r][c] = bias + sum over k, j of w[k][j] x[b][r strideRows + k dilationRows - top][c strideColumns + j dilationColumns - left], in order. */
export function depthwise_windows_f32(windows: Windows): void {
  Points.all(PRODUCT, windows);
}

/** Windows that are added up where they overlap. All sizes are below 2^31. */
@unmanaged
class Overlay {
  /** [rows][columns][kernelRows][kernelColumns][n] */
  x: usize;
  /** [height][width][channels], from the first of n channels on */
  out: usize;
  channels: i32;
  n: i32;
  height: i32;
  width: i32;
  rows: i32;
  columns: i32;
  kernelRows: i32;
  kernelColumns: i32;
  strideRows: i32;
  strideColumns: i32;
  dilationRows: i32;
  dilationColumns: i32;
  /** The row and column of `out` that x begins at; negative outside of it, where nothing is written */
  top: i32;
  left: i32;
}

/** out[top + r strideRows + k dilationRows][left + c strideColumns + j dilationColumns] += x[r][c][k][j], in the order of x. */
export function overlay_f32(overlay: Overlay): void {
  const height = <i64>overlay.height;
  const width = <i64>overlay.width;
  const point = (<usize>overlay.channels) << 2;
  const run = (<usize>overlay.n) << 2;
  let x = overlay.x;
  let top = <i64>overlay.top;
  for (let r = overlay.rows; r > 0; --r) {
    let left = <i64>overlay.left;
    for (let c = overlay.columns; c > 0; --c) {
      let row = top;
      for (let k = overlay.kernelRows; k > 0; --k) {
        const isRow = row >= 0 && row < height;
        let column = left;
        for (let j = overlay.kernelColumns; j > 0; --j) {
          if (isRow && column >= 0 && column < width) {
            let to = overlay.out + <usize>(row * width + column) * point;
            let from = x;
            for (let n = overlay.n; n > 0; n -= 4) {
              Points.store(to, f32x4.add(Points.load(to, n), Points.load(from, n)), n);
              to += 16;
              from += 16;
            }
          }
          x += run;
          column += overlay.dilationColumns;
        }
        row += overlay.dilationRows;
      }
      left += overlay.strideColumns;
    }
    top += overlay.strideRows;
  }
}

import { lstm_gates_f32 } from './gates';
import { gemm_f32 } from './gemm';
import { FLOAT32, gemm_i8 } from './int8';
import { load_lanes, store_lanes } from './lanes';

/** Weights of one layer in one direction, all in panels; 8-bit ones as int8.ts has them. */
@unmanaged
class Direction {
  /** [ceil(H/4)][I][16], [ceil(H/4)][Ho][16], and with a projection [ceil(P/16)][H][16] */
  ih: usize;
  hh: usize;
  hr: usize;
  /** [ceil(H/4)][16], b_ih + b_hh; [ceil(P/16)][16] zeros, since a projection has no bias */
  bias: usize;
  hrBias: usize;
}

/** What lstm_run needs to know of a model; L * D of Direction follow it, layer by layer. */
@unmanaged
export class Model {
  inputSize: i32;
  hiddenSize: i32;
  /** P, or 0 */
  projSize: i32;
  /** D, 1 or 2 */
  directions: i32;
  /** How products are done: FLOAT32, PLAIN or RELAXED */
  form: i32;
}

/** gemm_f32 or gemm_i8; `scratch` is for the latter. */
function gemm(
  form: i32,
  w: usize,
  x: usize,
  xStride: usize,
  K: i32,
  init: usize,
  initStride: usize,
  z: usize,
  zStride: usize,
  rows: i32,
  panels: i32,
  scratch: usize,
): void {
  if (form === FLOAT32) gemm_f32(w, x, xStride, K, init, initStride, z, zStride, rows, panels);
  else gemm_i8(w, x, xStride, K, init, initStride, z, zStride, rows, panels, scratch, form);
}

/** dst[r][0 .. floats-1] = src[r][0 .. floats-1]; strides in bytes */
export function copy_rows(dst: usize, dstStride: usize, src: usize, srcStride: usize, rows: i32, floats: i32): void {
  const bytes = (<usize>floats) << 2;
  for (; rows > 0; --rows) {
    memory.copy(dst, src, bytes);
    dst += dstStride;
    src += srcStride;
  }
}

/**
 * States of n streams, each at a place of its own, to the rows that lstm_run takes, or `back`:
 * rows[g][r][0 .. floats-1] = own[r][g][0 .. floats-1], or the other way round.
 * table [n]: pointers, each `offset` bytes before own[r] [groups][floats]; rows [groups][n][floats]
 */
export function move_states(
  table: usize,
  offset: usize,
  rows: usize,
  groups: i32,
  n: i32,
  floats: i32,
  back: bool,
): void {
  const end = table + ((<usize>n) << 2);
  for (; groups > 0; --groups) {
    for (let p = table; p < end; p += 4) {
      const own = <usize>load<u32>(p) + offset;
      let from = back ? rows : own;
      let to = back ? own : rows;
      rows += (<usize>floats) << 2;
      let rest = floats;
      for (; rest >= 4; rest -= 4) {
        v128.store(to, v128.load(from));
        to += 16;
        from += 16;
      }
      if (rest) store_lanes(to, load_lanes(from, rest), rest);
    }
    offset += (<usize>floats) << 2;
  }
}

/**
 * out[r][0 .. outFeatures-1] = bias + W x[r], rows next to each other.
 * w [ceil(out/16)][in][16]; bias [ceil(out/16)][16]; z: scratch [rows][ceil(out/16)][16], and with 8-bit weights
 * quantized_bytes(in, rows) after it
 */
export function linear(
  form: i32,
  w: usize,
  bias: usize,
  x: usize,
  inFeatures: i32,
  out: usize,
  outFeatures: i32,
  rows: i32,
  z: usize,
): void {
  const panels = (outFeatures + 15) >> 4;
  const zStride = (<usize>panels) << 6;
  const scratch = z + <usize>rows * zStride;
  gemm(form, w, x, (<usize>inFeatures) << 2, inFeatures, bias, 0, z, zStride, rows, panels, scratch);
  copy_rows(out, (<usize>outFeatures) << 2, z, zStride, rows, outFeatures);
}

// rows of the s-th step that is done
function rows_of(batchSizes: usize, batch: i32, T: i32, reverse: bool, s: i32): i32 {
  return batchSizes ? load<i32>(batchSizes + ((<usize>(reverse ? T - 1 - s : s)) << 2)) : batch;
}

/**
 * z = b + W_ih x for a block of steps at once; then for each step z += W_hh h, gates, projection.
 * A block has as many steps as fit in blockRows rows, at least one.
 */
function lstm_layer(
  model: Model,
  weights: Direction,
  I: i32,
  reverse: bool,
  x: usize,
  y: usize,
  yStride: usize,
  h: usize,
  c: usize,
  T: i32,
  batch: i32,
  batchSizes: usize,
  rows: i32,
  z: usize,
  blockRows: i32,
): void {
  const form = model.form;
  const H = model.hiddenSize;
  const P = model.projSize;
  const panels = (H + 3) >> 2;
  const xStride = (<usize>I) << 2;
  const zStride = (<usize>panels) << 6;
  const cStride = (<usize>H) << 2;
  const hStride = P ? (<usize>P) << 2 : cStride;
  const scratchRows = <usize>max(blockRows, batch);
  // after the gate sums comes what gemm needs; or, later in a step, h in full and what linear needs
  const full = z + scratchRows * zStride;
  const projected = full + scratchRows * cStride;
  let done = 0;
  let row = reverse ? rows : 0;
  while (done < T) {
    const first = done;
    let block = 0;
    while (done < T) {
      const n = rows_of(batchSizes, batch, T, reverse, done);
      if (done > first && block + n > blockRows) break;
      block += n;
      ++done;
    }
    if (reverse) row -= block;
    gemm(form, weights.ih, x + <usize>row * xStride, xStride, I, weights.bias, 0, z, zStride, block, panels, full);
    let r = reverse ? block : 0;
    for (let s = first; s < done; ++s) {
      const n = rows_of(batchSizes, batch, T, reverse, s);
      if (reverse) r -= n;
      let zRow = z + <usize>r * zStride;
      const yRow = y + <usize>(row + r) * yStride;
      gemm(form, weights.hh, h, hStride, P ? P : H, zRow, zStride, zRow, zStride, n, panels, full);
      let cRow = c;
      let hRow = P ? full : h;
      for (let b = 0; b < n; ++b) {
        lstm_gates_f32(zRow, cRow, hRow, P ? hRow : yRow + <usize>b * yStride, H);
        zRow += zStride;
        cRow += cStride;
        hRow += cStride;
      }
      if (P) {
        linear(form, weights.hr, weights.hrBias, full, H, h, P, n, projected);
        copy_rows(yRow, yStride, h, hStride, n, P);
      }
      if (!reverse) r += n;
    }
    if (!reverse) row += block;
  }
}

/**
 * Layers `from` to `to` - 1 over T steps. Layer 0 reads x; the outputs of even layers go to `even`, of odd ones to `odd`,
 * where the next layer reads them. The rows of a step lie next to each other, steps one after the other.
 * x [rows][I]; even, odd [rows][D * Ho], odd unused with one layer.
 * h [L * D][B][Ho], c [L * D][B][H]: the state before the first step on entry, after the last on return.
 * batchSizes [T], not increasing and none above B, or 0 if each is B; rows: their sum.
 * z: scratch for R = max(blockRows, B) rows: [R][ceil(H/4)][16]; then, for 8-bit weights, quantized_bytes(K, R) with K the
 * largest of I, D * Ho and Ho; or, in the same place, with a projection [R][H], [R][ceil(P/16)][16] and for 8-bit weights
 * quantized_bytes(H, R).
 */
export function lstm_run(
  model: Model,
  from: i32,
  to: i32,
  x: usize,
  even: usize,
  odd: usize,
  h: usize,
  c: usize,
  T: i32,
  batch: i32,
  batchSizes: usize,
  rows: i32,
  z: usize,
  blockRows: i32,
): void {
  const D = model.directions;
  const Ho = model.projSize ? model.projSize : model.hiddenSize;
  const outStride = (<usize>(D * Ho)) << 2;
  for (let layer = from; layer < to; ++layer) {
    const input = layer === 0 ? x : layer & 1 ? even : odd;
    const output = layer & 1 ? odd : even;
    const I = layer === 0 ? model.inputSize : D * Ho;
    for (let direction = 0; direction < D; ++direction) {
      const k = <usize>(layer * D + direction);
      lstm_layer(
        model,
        changetype<Direction>(changetype<usize>(model) + offsetof<Model>() + k * offsetof<Direction>()),
        I,
        direction === 1,
        input,
        output + ((<usize>(direction * Ho)) << 2),
        outStride,
        h + ((k * <usize>batch * <usize>Ho) << 2),
        c + ((k * <usize>batch * <usize>model.hiddenSize) << 2),
        T,
        batch,
        batchSizes,
        rows,
        z,
        blockRows,
      );
    }
  }
}

import { lstm_gates_f32 } from './gates';
import { gemm_f32 } from './gemm';

/** One layer in one direction over a sequence: what lstm_run reads. Sizes in floats or rows, strides in bytes. */
@unmanaged
export class LayerCall {
  /** ih [ceil(H/4)][I][16], hh [ceil(H/4)][Ho][16], hr [ceil(P/16)][H][16], panels; bias [ceil(H/4)][16] = b_ih + b_hh */
  ih: usize;
  hh: usize;
  hr: usize;
  bias: usize;
  /** [ceil(P/16)][16] zeros: PyTorch's projection has no bias */
  hrBias: usize;
  /** I, H, and P or 0 */
  inputSize: i32;
  hiddenSize: i32;
  projSize: i32;
  reverse: i32;
  /** x [rows][I] and y [rows][Ho], the rows of a step next to each other; y may be h for a single row */
  x: usize;
  xStride: usize;
  y: usize;
  yStride: usize;
  /** h [B][Ho], c [B][H]: the state before the first step on entry, after the last on return */
  h: usize;
  c: usize;
  /** T; B; batchSizes [T], not increasing and none above B, or 0 if each is B; their sum */
  steps: i32;
  batch: i32;
  batchSizes: usize;
  rows: i32;
  /** z [max(blockRows, B)][ceil(H/4)][16], full [B][H] and projected [B][ceil(P/16)][16] if P > 0 */
  z: usize;
  blockRows: i32;
  full: usize;
  projected: usize;
}

/** dst[r][0 .. floats-1] = src[r][0 .. floats-1]; strides in bytes */
export function copy_rows(dst: usize, dstStride: usize, src: usize, srcStride: usize, rows: i32, floats: i32): void {
  const bytes = <usize>floats << 2;
  for (; rows > 0; --rows) {
    memory.copy(dst, src, bytes);
    dst += dstStride;
    src += srcStride;
  }
}

/** out[r][0 .. outFeatures-1] = bias + W x[r]; w [ceil(out/16)][in][16], bias [ceil(out/16)][16], z scratch [rows][ceil(out/16)][16] */
export function linear_f32(
  w: usize, bias: usize, x: usize, xStride: usize, inFeatures: i32,
  out: usize, outStride: usize, outFeatures: i32, rows: i32, z: usize,
): void {
  const panels = (outFeatures + 15) >> 4;
  const zStride = <usize>panels << 6;
  gemm_f32(w, x, xStride, inFeatures, bias, 0, z, zStride, rows, panels);
  copy_rows(out, outStride, z, zStride, rows, outFeatures);
}

// The step whose z rows are given: h and c of its rows go one step on, y gets h.
function recurrence(call: LayerCall, z: usize, zStride: usize, panels: i32, y: usize, rows: i32): void {
  const H = call.hiddenSize, P = call.projSize;
  const cStride = <usize>H << 2;
  const hStride = P ? <usize>P << 2 : cStride;
  gemm_f32(call.hh, call.h, hStride, P ? P : H, z, zStride, z, zStride, rows, panels);
  let c = call.c;
  if (P) {
    let full = call.full;
    for (let r = 0; r < rows; ++r) {
      lstm_gates_f32(z, c, full, full, H);
      z += zStride;
      c += cStride;
      full += cStride;
    }
    linear_f32(call.hr, call.hrBias, call.full, cStride, H, call.h, hStride, P, rows, call.projected);
    copy_rows(y, call.yStride, call.h, hStride, rows, P);
  } else {
    let h = call.h;
    for (let r = 0; r < rows; ++r) {
      lstm_gates_f32(z, c, h, y, H);
      z += zStride;
      c += cStride;
      h += cStride;
      y += call.yStride;
    }
  }
}

@inline function batch_at(call: LayerCall, t: i32): i32 {
  return call.batchSizes ? load<i32>(call.batchSizes + (<usize>t << 2)) : call.batch;
}

/**
 * z = b + W_ih x for a block of steps at once, then for each step: z += W_hh h, gates, projection.
 * A block has as many steps as fit in blockRows rows, at least one.
 */
function lstm_layer(call: LayerCall): void {
  const panels = (call.hiddenSize + 3) >> 2;
  const zStride = <usize>panels << 6;
  const T = call.steps;
  const reverse = call.reverse != 0;
  let done = 0;
  let row = reverse ? call.rows : 0;
  while (done < T) {
    let count = 0, rows = 0;
    do {
      rows += batch_at(call, reverse ? T - 1 - done - count : done + count);
      ++count;
    } while (done + count < T && rows + batch_at(call, reverse ? T - 1 - done - count : done + count) <= call.blockRows);
    if (reverse) row -= rows;
    gemm_f32(
      call.ih, call.x + <usize>row * call.xStride, call.xStride, call.inputSize,
      call.bias, 0, call.z, zStride, rows, panels,
    );
    let r = reverse ? rows : 0;
    for (let s = 0; s < count; ++s) {
      const n = batch_at(call, reverse ? T - 1 - done - s : done + s);
      if (reverse) r -= n;
      recurrence(call, call.z + <usize>r * zStride, zStride, panels, call.y + <usize>(row + r) * call.yStride, n);
      if (!reverse) r += n;
    }
    if (!reverse) row += rows;
    done += count;
  }
}

/** Runs `count` layer calls, one after the other. */
export function lstm_run(calls: usize, count: i32): void {
  for (; count > 0; --count) {
    lstm_layer(changetype<LayerCall>(calls));
    calls += offsetof<LayerCall>();
  }
}

// docs/kernels.md#8-bit-weights
import { Int8Block } from './int8-block';
import { load_lanes } from './lanes';
import { float_bytes, PANEL, PANEL_BYTES, row_bytes } from './panels';
import { I8, Product } from './product';
import { add_scaled } from './scaled';

// Products of 8-bit weights and 14-bit activations, exact in 32-bit integers. A matrix lies in memory as
//   panels  [panels][k/4][16][4] int8, K8 = K rounded up to 8 deep; in the plain form each even k has 128 added, as a uint8
//   scale   [panels][16] float32: a weight is its int8 times its row's scale
//   offset  [ceil(K8 / 2048)][panels][16] int32: 8192 times the sum of each row's weights in a block of depth
// A quantised row of activations has q from -8191 to 8191: in the plain form int16, of each four k first the even two; in the
// relaxed form bytes [k/8][high 8][low 8] with q + 8192 = 128 high + low.

/** The slot of the table for the second module's dot_i8. */
const RELAXED_SLOT: i32 = 1;

/** The greatest depth whose sum cannot overflow: 127 * 8192 * 2048 < 2^31. */
export const INT8_DEPTH: i32 = 2048;
/** 1.5 * 2^23 + 8192: adding it rounds to an integer q and leaves q + 8192 in the low 14 bits. */
const ROUND: f32 = 12591104;
const ROUND_BITS: i32 = 0x4b402000;
const MAX: f32 = 8191;
/** Below this maximum 8191 / max would overflow. */
const TINY: f32 = 1e-30;
const ABS: i32 = 0x7fffffff;
/** Masks the even k of each pair of weights. In memory, since the compiler rebuilds an immediate at each use in a loop. */
const LOW_BYTES = memory.data<u32>([0x00ff00ff]);
/** -128 for the even k of each four, as they lie in a quantised row */
const EVEN_BIAS: i64 = 0xff80ff80;
const INFINITY_BITS: i32 = 0x7f800000;
/** The scale of a row with NaN or infinity. Its q are all 0, and adding 0 times -0 changes nothing. */
const UNQUANTIZED: i32 = i32.MIN_VALUE;

/** Loads the next four floats; the last `n` of a row are followed by zeros. */
function load_left(p: usize, n: i32): v128 {
  if (n >= 4) return v128.load(p);
  return n > 0 ? load_lanes(p, n) : f32x4.splat(0);
}

/** Quantises x [K] to q [K8]; returns the scale: x is nearly scale * q. */
function quantize_row(x: usize, K: i32, q: usize, form: i32): f32 {
  let top = i32x4.splat(0);
  const abs = i32x4.splat(ABS);
  // the bits of absolute values compare as integers: NaN above infinity above all numbers
  for (let k = 0; k < K; k += 4) top = i32x4.max_s(top, v128.and(load_left(x + float_bytes(k), K - k), abs));
  top = i32x4.max_s(top, v128.shuffle<i32>(top, top, 2, 3, 0, 1));
  const bits = max(i32x4.extract_lane(top, 0), i32x4.extract_lane(top, 1));
  const finite = bits < INFINITY_BITS;
  const size = max<f32>(reinterpret<f32>(bits), TINY);
  const inverse = f32x4.splat(finite ? MAX / size : 0);
  const round = f32x4.splat(ROUND);
  const low7 = i16x8.splat(127);
  const zero = i32x4.splat(ROUND_BITS);
  const minusZero = i32x4.splat(-ROUND_BITS);
  for (; K > 0; K -= 8) {
    let a = load_left(x, K);
    let b = load_left(x + 16, K - 4);
    if (!finite) a = b = f32x4.splat(0);
    a = f32x4.add(f32x4.mul(a, inverse), round);
    b = f32x4.add(f32x4.mul(b, inverse), round);
    // one subtracts and one adds: V8 14.6 ends the process where it packs results of two calls into 256 bits
    const u = i16x8.narrow_i32x4_s(i32x4.sub(a, zero), i32x4.add(b, minusZero));
    if (form === I8) {
      v128.store(q, v128.shuffle<i16>(u, u, 0, 2, 1, 3, 4, 6, 5, 7));
    } else {
      const v = i16x8.add(u, i16x8.splat(8192));
      v128.store(q, i8x16.narrow_i16x8_s(i16x8.shr_u(v, 7), v128.and(v, low7)));
    }
    x += 32;
    q += 16;
  }
  return finite ? size / MAX : reinterpret<f32>(UNQUANTIZED);
}

/** -128 times the sum of q [K] over even k, which cancels the 128 that is added to weights. */
function bias_of(q: usize, K: i32): i32 {
  let sum = i32x4.splat(0);
  for (; K > 0; K -= 8) {
    sum = i32x4.add(sum, i32x4.dot_i16x8_s(v128.load(q), i64x2.splat(EVEN_BIAS)));
    q += 16;
  }
  return i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 2);
}

/**
 * Computes the plain form of an Int8Block; assembly/relaxed/ has the other. A mask and a shift widen weights from 8 to 16 bits in
 * fewer instructions than loads that extend signs, each of which computes its own address (measured, V8: 67 GF against 57).
 */
function dot_i8(block: Int8Block): void {
  const low = v128.load32_splat(LOW_BYTES);
  const depthBytes = (<usize>block.K) << 1;
  const qStride = block.qStride;
  const initStride = block.initStride;
  const zStride = block.zStride;
  const xScale = block.xScale;
  const bias = block.bias;
  const rows = <usize>block.rows;
  let w = block.w;
  let scale = block.scale;
  let init = block.init;
  let z = block.z;
  for (let panels = block.panels; panels > 0; --panels) {
    let row = block.q;
    let i = init;
    let o = z;
    for (let r: usize = 0; r < rows; ++r) {
      let p = w;
      let a = v128.load32_splat(bias + (r << 2));
      let b = a;
      let c = a;
      let d = a;
      const end = row + depthBytes;
      for (let x = row; x < end; x += 8) {
        const s = v128.load32_splat(x);
        const t = v128.load32_splat(x, 4);
        a = i32x4.add(a, dot(v128.load(p), low, s, t));
        b = i32x4.add(b, dot(v128.load(p, 16), low, s, t));
        c = i32x4.add(c, dot(v128.load(p, 32), low, s, t));
        d = i32x4.add(d, dot(v128.load(p, 48), low, s, t));
        p += 64;
      }
      const s = v128.load32_splat(xScale + (r << 2));
      add_scaled(o, i, a, scale, s);
      add_scaled(o + 16, i + 16, b, scale + 16, s);
      add_scaled(o + 32, i + 32, c, scale + 32, s);
      add_scaled(o + 48, i + 48, d, scale + 48, s);
      row += qStride;
      i += initStride;
      o += zStride;
    }
    w += block.panelStride;
    scale += PANEL_BYTES;
    init += PANEL_BYTES;
    z += PANEL_BYTES;
  }
}

/** Multiplies four weights of each of four columns with q, in pairs `even` and `odd`. */
function dot(w: v128, low: v128, even: v128, odd: v128): v128 {
  return i32x4.add(i32x4.dot_i16x8_s(v128.and(w, low), even), i32x4.dot_i16x8_s(i16x8.shr_s(w, 8), odd));
}

/** z[r][j] += sum over k of w[k][j] x[r][k] for one row, in float32 on dequantised weights, for NaN and infinity. */
function gemv_dequantized(product: Product, scale: usize, r: usize): void {
  const bias = product.form === I8 ? 128 : 0;
  const x = product.x + r * product.xStride;
  const K = <usize>product.K;
  let w = product.w;
  let z = product.z + r * product.zStride;
  for (let panels = product.panels; panels > 0; --panels) {
    for (let column: usize = 0; column < <usize>PANEL; ++column) {
      const s = load<f32>(scale + (column << 2));
      let sum = load<f32>(z + (column << 2));
      for (let k: usize = 0; k < K; ++k) {
        const at = w + ((k & ~3) << 4) + (column << 2) + (k & 3);
        const weight: i32 = k & 1 ? load<i8>(at) : <i8>(load<u8>(at) - bias);
        sum += <f32>weight * s * load<f32>(x + (k << 2));
      }
      store<f32>(z + (column << 2), sum);
    }
    w += panel_stride(product.K);
    scale += PANEL_BYTES;
    z += PANEL_BYTES;
  }
}

/** Rounds K up to 8, the depth of 8-bit panels. */
function int8_depth(K: i32): i32 {
  return (K + 7) & ~7;
}

/** Bytes from one 8-bit panel to the next. */
function panel_stride(K: i32): usize {
  return (<usize>int8_depth(K)) << 4;
}

/** The block of the running product; calls do not nest. */
const BLOCK = memory.data(offsetof<Int8Block>());

/**
 * Computes a product with 8-bit weights. First it quantises activations row by row, into `scratch` as [rows] scales, [rows]
 * biases and [rows] quantised rows; then it adds block of depth after block to z.
 */
export function gemm_i8(product: Product): void {
  const K8 = int8_depth(product.K);
  const form = product.form;
  const rows = <usize>product.rows;
  const x = product.x;
  const xScale = product.scratch;
  const bias = xScale + (rows << 2);
  const q = xScale + (rows << 3);
  const qStride = (<usize>K8) << 1;
  for (let r: usize = 0; r < rows; ++r) {
    store<f32>(xScale + (r << 2), quantize_row(x + r * product.xStride, product.K, q + r * qStride, form));
  }
  const scale = product.w + <usize>product.panels * panel_stride(product.K);
  const block = changetype<Int8Block>(BLOCK);
  block.panelStride = panel_stride(product.K);
  block.scale = scale;
  block.offset = scale;
  block.qStride = qStride;
  block.xScale = xScale;
  block.bias = bias;
  block.init = product.init;
  block.initStride = product.initStride;
  block.z = product.z;
  block.zStride = product.zStride;
  block.rows = product.rows;
  block.panels = product.panels;
  let k = 0;
  do {
    block.K = min(K8 - k, INT8_DEPTH);
    block.w = product.w + ((<usize>k) << 4);
    block.q = q + ((<usize>k) << 1);
    // the offsets of each block of depth follow the scales
    block.offset += row_bytes(product.panels);
    if (form === I8) {
      for (let r: usize = 0; r < rows; ++r) store<i32>(bias + (r << 2), bias_of(block.q + r * qStride, block.K));
      dot_i8(block);
    } else {
      call_indirect<void>(RELAXED_SLOT, block);
    }
    block.init = product.z;
    block.initStride = product.zStride;
    k += block.K;
  } while (k < K8);
  for (let r: usize = 0; r < rows; ++r) {
    if (load<i32>(xScale + (r << 2)) === UNQUANTIZED) gemv_dequantized(product, scale, r);
  }
}

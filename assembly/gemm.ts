// docs/kernels.md#the-tile
import { gemv_f32 } from './gemv';
import { float_bytes, PANEL_BYTES } from './panels';
import { FLOAT32_WIDE, Product } from './product';
import { tile_2x16 } from './tile-wide';

// A tile is 2 rows by 8 columns, half a panel. 4 accumulators, 4 weights, two x and temporaries fit V8's 15 registers in every
// order in which its compilers place the loads; 3 rows gain 5 % in Node 24 and spill in Node 20 (-40 %), 4 rows spill in both.
// Products are added in pairs, in gemv_f32's order.

export const TILE_ROWS: i32 = 2;
const TILE_BYTES: usize = PANEL_BYTES / 2;

/** Depth of a block, even. All rows go through a block of a panel (16 KB) while it is in the L1 cache; z keeps their sums. */
const DEPTH: i32 = 256;

/** z[r][0..7] = init[r][0..7] + sum over k of w[k][0..7] x[r][k] for two rows; w has 16 floats a k. */
function tile_2x8(
  w: usize,
  K: i32,
  x: usize,
  xStride: usize,
  init: usize,
  initStride: usize,
  z: usize,
  zStride: usize,
): void {
  let a0 = v128.load(init),
    b0 = v128.load(init, 16);
  let a1 = v128.load(init + initStride),
    b1 = v128.load(init + initStride, 16);
  let x1 = x + xStride;
  const pairEnd = x + float_bytes(K & ~1);
  while (x < pairEnd) {
    const ua = v128.load(w),
      ub = v128.load(w, 16);
    const va = v128.load(w, 64),
      vb = v128.load(w, 80);
    let s = v128.load32_splat(x);
    let t = v128.load32_splat(x, 4);
    a0 = f32x4.add(a0, f32x4.add(f32x4.mul(ua, s), f32x4.mul(va, t)));
    b0 = f32x4.add(b0, f32x4.add(f32x4.mul(ub, s), f32x4.mul(vb, t)));
    s = v128.load32_splat(x1);
    t = v128.load32_splat(x1, 4);
    a1 = f32x4.add(a1, f32x4.add(f32x4.mul(ua, s), f32x4.mul(va, t)));
    b1 = f32x4.add(b1, f32x4.add(f32x4.mul(ub, s), f32x4.mul(vb, t)));
    w += 128;
    x += 8;
    x1 += 8;
  }
  if (K & 1) {
    const ua = v128.load(w),
      ub = v128.load(w, 16);
    let s = v128.load32_splat(x);
    a0 = f32x4.add(a0, f32x4.mul(ua, s));
    b0 = f32x4.add(b0, f32x4.mul(ub, s));
    s = v128.load32_splat(x1);
    a1 = f32x4.add(a1, f32x4.mul(ua, s));
    b1 = f32x4.add(b1, f32x4.mul(ub, s));
  }
  v128.store(z, a0);
  v128.store(z, b0, 16);
  z += zStride;
  v128.store(z, a1);
  v128.store(z, b1, 16);
}

/**
 * Computes a product with float32 weights, of any number of rows. A row's sum has the same bits beside any other rows. All rows
 * of a block of depth go through one panel before the next.
 */
export function gemm_f32(product: Product): void {
  if (product.rows === 1) {
    gemv_f32(product.w, product.x, product.K, product.init, product.z, product.panels);
    return;
  }
  const x = product.x;
  const xStride = product.xStride;
  const K = product.K;
  const rows = product.rows;
  const zStride = product.zStride;
  const wide = product.form === FLOAT32_WIDE;
  const tileBytes = wide ? PANEL_BYTES : TILE_BYTES;
  let w = product.w;
  let init = product.init;
  let z = product.z;
  for (let panels = product.panels; panels > 0; --panels) {
    let from = init;
    let fromStride = product.initStride;
    let k = 0;
    do {
      const depth = min(K - k, DEPTH);
      const xBlock = x + float_bytes(k);
      for (let half: usize = 0; half < PANEL_BYTES; half += tileBytes) {
        let p = xBlock;
        let i = from + half;
        let o = z + half;
        for (let r = TILE_ROWS; r <= rows; r += TILE_ROWS) {
          if (wide) tile_2x16(w, depth, p, xStride, i, fromStride, o, zStride);
          else tile_2x8(w + half, depth, p, xStride, i, fromStride, o, zStride);
          p += <usize>TILE_ROWS * xStride;
          i += <usize>TILE_ROWS * fromStride;
          o += <usize>TILE_ROWS * zStride;
        }
      }
      if (rows % TILE_ROWS) {
        const r = <usize>(rows - 1);
        gemv_f32(w, xBlock + r * xStride, depth, from + r * fromStride, z + r * zStride, 1);
      }
      w += <usize>depth * PANEL_BYTES;
      k += depth;
      from = z;
      fromStride = zStride;
    } while (k < K);
    init += PANEL_BYTES;
    z += PANEL_BYTES;
  }
}

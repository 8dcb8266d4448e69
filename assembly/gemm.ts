import { gemv_f32 } from './gemv';

/**
 * Half a panel for four rows: z[r][0..7] = init[r][0..7] + sum over k of w[k][0..7] x[r][k].
 * w has a stride of 16 floats a k; rows may be the same row (then it is computed twice and written twice, alike).
 */
function gemm_4x8_f32(
  w: usize,
  K: i32,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  i0: usize,
  i1: usize,
  i2: usize,
  i3: usize,
  z0: usize,
  z1: usize,
  z2: usize,
  z3: usize,
): void {
  let a0 = v128.load(i0),
    b0 = v128.load(i0, 16);
  let a1 = v128.load(i1),
    b1 = v128.load(i1, 16);
  let a2 = v128.load(i2),
    b2 = v128.load(i2, 16);
  let a3 = v128.load(i3),
    b3 = v128.load(i3, 16);
  const pairEnd = x0 + ((<usize>(K & ~1)) << 2);
  while (x0 < pairEnd) {
    const ua = v128.load(w),
      ub = v128.load(w, 16);
    const va = v128.load(w, 64),
      vb = v128.load(w, 80);
    let s = v128.load32_splat(x0);
    let t = v128.load32_splat(x0, 4);
    a0 = f32x4.add(a0, f32x4.add(f32x4.mul(ua, s), f32x4.mul(va, t)));
    b0 = f32x4.add(b0, f32x4.add(f32x4.mul(ub, s), f32x4.mul(vb, t)));
    s = v128.load32_splat(x1);
    t = v128.load32_splat(x1, 4);
    a1 = f32x4.add(a1, f32x4.add(f32x4.mul(ua, s), f32x4.mul(va, t)));
    b1 = f32x4.add(b1, f32x4.add(f32x4.mul(ub, s), f32x4.mul(vb, t)));
    s = v128.load32_splat(x2);
    t = v128.load32_splat(x2, 4);
    a2 = f32x4.add(a2, f32x4.add(f32x4.mul(ua, s), f32x4.mul(va, t)));
    b2 = f32x4.add(b2, f32x4.add(f32x4.mul(ub, s), f32x4.mul(vb, t)));
    s = v128.load32_splat(x3);
    t = v128.load32_splat(x3, 4);
    a3 = f32x4.add(a3, f32x4.add(f32x4.mul(ua, s), f32x4.mul(va, t)));
    b3 = f32x4.add(b3, f32x4.add(f32x4.mul(ub, s), f32x4.mul(vb, t)));
    w += 128;
    x0 += 8;
    x1 += 8;
    x2 += 8;
    x3 += 8;
  }
  if (K & 1) {
    const ua = v128.load(w),
      ub = v128.load(w, 16);
    let s = v128.load32_splat(x0);
    a0 = f32x4.add(a0, f32x4.mul(ua, s));
    b0 = f32x4.add(b0, f32x4.mul(ub, s));
    s = v128.load32_splat(x1);
    a1 = f32x4.add(a1, f32x4.mul(ua, s));
    b1 = f32x4.add(b1, f32x4.mul(ub, s));
    s = v128.load32_splat(x2);
    a2 = f32x4.add(a2, f32x4.mul(ua, s));
    b2 = f32x4.add(b2, f32x4.mul(ub, s));
    s = v128.load32_splat(x3);
    a3 = f32x4.add(a3, f32x4.mul(ua, s));
    b3 = f32x4.add(b3, f32x4.mul(ub, s));
  }
  v128.store(z0, a0);
  v128.store(z0, b0, 16);
  v128.store(z1, a1);
  v128.store(z1, b1, 16);
  v128.store(z2, a2);
  v128.store(z2, b2, 16);
  v128.store(z3, a3);
  v128.store(z3, b3, 16);
}

/**
 * z[r][j] = init[r][j] + sum over k of w[k][j] x[r][k], any number of rows. The sum of a row has the same bits whatever
 * rows are computed beside it.
 * w [panels][K][16]; x [rows][>= K], init and z [rows][panels * 16], strides in bytes; an init stride of 0 is one row for
 * all. z may be init; x overlaps neither.
 */
export function gemm_f32(
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
): void {
  if (rows === 1) {
    gemv_f32(w, x, K, init, z, panels);
    return;
  }
  const panelBytes = (<usize>K) << 6;
  // a fifth, ninth ... row goes alone; two or three rows left over fill the tile with the last of them
  const tiled = (rows & 3) === 1 ? rows - 1 : rows;
  for (let p = 0; p < panels; ++p) {
    for (let r = 0; r < tiled; r += 4) {
      const r1 = <usize>(r + 1);
      const r2 = <usize>min(r + 2, rows - 1);
      const r3 = <usize>min(r + 3, rows - 1);
      const r0 = <usize>r;
      for (let half: usize = 0; half < 64; half += 32) {
        const i = init + half,
          o = z + half;
        gemm_4x8_f32(
          w + half,
          K,
          x + r0 * xStride,
          x + r1 * xStride,
          x + r2 * xStride,
          x + r3 * xStride,
          i + r0 * initStride,
          i + r1 * initStride,
          i + r2 * initStride,
          i + r3 * initStride,
          o + r0 * zStride,
          o + r1 * zStride,
          o + r2 * zStride,
          o + r3 * zStride,
        );
      }
    }
    if (tiled < rows) {
      const r = <usize>tiled;
      gemv_f32(w, x + r * xStride, K, init + r * initStride, z + r * zStride, 1);
    }
    w += panelBytes;
    init += 64;
    z += 64;
  }
}

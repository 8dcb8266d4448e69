// docs/kernels.md#256-bits
import { float_bytes } from './panels';

/**
 * tile_2x8 of gemm.ts for all 16 columns of a panel, in one walk: z[r][0..15] = init[r][0..15] + sum over k of w[k][0..15] x[r][k]
 * for two rows. Where V8 packs two neighbouring vectors into 256 bits, a with b and c with d, it fills as many registers as the
 * other does without packing. Where V8 does not, it spills.
 */
export function tile_2x16(
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
    b0 = v128.load(init, 16),
    c0 = v128.load(init, 32),
    d0 = v128.load(init, 48);
  init += initStride;
  let a1 = v128.load(init),
    b1 = v128.load(init, 16),
    c1 = v128.load(init, 32),
    d1 = v128.load(init, 48);
  let x1 = x + xStride;
  const pairEnd = x + float_bytes(K & ~1);
  while (x < pairEnd) {
    const ua = v128.load(w),
      ub = v128.load(w, 16),
      uc = v128.load(w, 32),
      ud = v128.load(w, 48);
    const va = v128.load(w, 64),
      vb = v128.load(w, 80),
      vc = v128.load(w, 96),
      vd = v128.load(w, 112);
    let s = v128.load32_splat(x);
    let t = v128.load32_splat(x, 4);
    a0 = f32x4.add(a0, f32x4.add(f32x4.mul(ua, s), f32x4.mul(va, t)));
    b0 = f32x4.add(b0, f32x4.add(f32x4.mul(ub, s), f32x4.mul(vb, t)));
    c0 = f32x4.add(c0, f32x4.add(f32x4.mul(uc, s), f32x4.mul(vc, t)));
    d0 = f32x4.add(d0, f32x4.add(f32x4.mul(ud, s), f32x4.mul(vd, t)));
    s = v128.load32_splat(x1);
    t = v128.load32_splat(x1, 4);
    a1 = f32x4.add(a1, f32x4.add(f32x4.mul(ua, s), f32x4.mul(va, t)));
    b1 = f32x4.add(b1, f32x4.add(f32x4.mul(ub, s), f32x4.mul(vb, t)));
    c1 = f32x4.add(c1, f32x4.add(f32x4.mul(uc, s), f32x4.mul(vc, t)));
    d1 = f32x4.add(d1, f32x4.add(f32x4.mul(ud, s), f32x4.mul(vd, t)));
    w += 128;
    x += 8;
    x1 += 8;
  }
  if (K & 1) {
    const ua = v128.load(w),
      ub = v128.load(w, 16),
      uc = v128.load(w, 32),
      ud = v128.load(w, 48);
    let s = v128.load32_splat(x);
    a0 = f32x4.add(a0, f32x4.mul(ua, s));
    b0 = f32x4.add(b0, f32x4.mul(ub, s));
    c0 = f32x4.add(c0, f32x4.mul(uc, s));
    d0 = f32x4.add(d0, f32x4.mul(ud, s));
    s = v128.load32_splat(x1);
    a1 = f32x4.add(a1, f32x4.mul(ua, s));
    b1 = f32x4.add(b1, f32x4.mul(ub, s));
    c1 = f32x4.add(c1, f32x4.mul(uc, s));
    d1 = f32x4.add(d1, f32x4.mul(ud, s));
  }
  v128.store(z, a0);
  v128.store(z, b0, 16);
  v128.store(z, c0, 32);
  v128.store(z, d0, 48);
  z += zStride;
  v128.store(z, a1);
  v128.store(z, b1, 16);
  v128.store(z, c1, 32);
  v128.store(z, d1, 48);
}

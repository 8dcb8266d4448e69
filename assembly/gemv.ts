// docs/kernels.md#the-order-of-summation
import { float_bytes, PANEL_BYTES } from './panels';

/**
 * z[j] = init[j] + sum over k of w[k][j] x[k], one row, `panels` panels of 16 columns.
 * w [panels][K][16]; x [K]; init, z [panels][16]; z may be init, and is written only once its panel is summed.
 * Two products are added before they join the sum, which halves the latency of a plain sum; gemm_f32 keeps the same order.
 */
export function gemv_f32(w: usize, x: usize, K: i32, init: usize, z: usize, panels: i32): void {
  const pairEnd = x + float_bytes(K & ~1);
  const odd = (K & 1) !== 0;
  for (; panels > 0; --panels) {
    let a = v128.load(init);
    let b = v128.load(init, 16);
    let c = v128.load(init, 32);
    let d = v128.load(init, 48);
    let p = x;
    while (p < pairEnd) {
      const s = v128.load32_splat(p);
      const t = v128.load32_splat(p, 4);
      a = f32x4.add(a, f32x4.add(f32x4.mul(v128.load(w), s), f32x4.mul(v128.load(w, 64), t)));
      b = f32x4.add(b, f32x4.add(f32x4.mul(v128.load(w, 16), s), f32x4.mul(v128.load(w, 80), t)));
      c = f32x4.add(c, f32x4.add(f32x4.mul(v128.load(w, 32), s), f32x4.mul(v128.load(w, 96), t)));
      d = f32x4.add(d, f32x4.add(f32x4.mul(v128.load(w, 48), s), f32x4.mul(v128.load(w, 112), t)));
      w += 128;
      p += 8;
    }
    if (odd) {
      const s = v128.load32_splat(p);
      a = f32x4.add(a, f32x4.mul(v128.load(w), s));
      b = f32x4.add(b, f32x4.mul(v128.load(w, 16), s));
      c = f32x4.add(c, f32x4.mul(v128.load(w, 32), s));
      d = f32x4.add(d, f32x4.mul(v128.load(w, 48), s));
      w += 64;
    }
    v128.store(z, a);
    v128.store(z, b, 16);
    v128.store(z, c, 32);
    v128.store(z, d, 48);
    init += PANEL_BYTES;
    z += PANEL_BYTES;
  }
}

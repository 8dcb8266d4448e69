// docs/kernels.md#8-bit-weights
/** z[0..3] = init[0..3] + sum[0..3] (scale[0..3] s): the last step of either form, which rounds. */
export function add_scaled(z: usize, init: usize, sum: v128, scale: usize, s: v128): void {
  v128.store(z, f32x4.add(v128.load(init), f32x4.mul(f32x4.convert_i32x4_s(sum), f32x4.mul(v128.load(scale), s))));
}

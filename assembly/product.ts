// docs/kernels.md#a-call
/**
 * The form of weights: float32, or 8 bits for dot_i16x8_s or for relaxed_dot_i8x16_i7x16_add_s of the second module; or float32 in
 * the same panels with the tile for engines that pack pairs of vectors.
 */
export const FLOAT32: i32 = 0;
export const I8: i32 = 1;
export const I8_RELAXED: i32 = 2;
export const FLOAT32_WIDE: i32 = 3;

/**
 * A product of panels with rows: z[r][j] = init[r][j] + sum over k of w[k][j] x[r][k]. The caller owns every buffer and this
 * struct; kernels keep none of them. Strides are in bytes. z may be init; x overlaps neither.
 */
@unmanaged
export class Product {
  /** [panels][K][16]; 8-bit panels as int8.ts has them */
  w: usize;
  /** [rows][at least K], read only */
  x: usize;
  xStride: usize;
  /** Summands of an output. 0 copies init. */
  K: i32;
  /** [rows][panels * 16]; with a stride of 0 one row for all rows, for a bias */
  init: usize;
  initStride: usize;
  /** [rows][panels * 16], written */
  z: usize;
  zStride: usize;
  rows: i32;
  panels: i32;
  form: i32;
  /** 8-bit weights only: quantized_bytes(K, rows), written */
  scratch: usize;
}

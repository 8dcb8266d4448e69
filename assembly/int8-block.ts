// docs/kernels.md#8-bit-weights
/**
 * A block of depth of a product with 8-bit weights, whose sum is exact in int32:
 *   z[r][j] = init[r][j] + xScale[r] scale[j] (sum over k of w[k][j] q[r][k]); add_scaled rounds.
 * Strides are in bytes. Both forms take this struct. This file has no memory.data, since the second module shares the first's
 * memory.
 */
@unmanaged
export class Int8Block {
  /** The first panel's weights at this depth, in the order that int8.ts describes; the next panel's lie panelStride further */
  w: usize;
  panelStride: usize;
  /** Depth, a multiple of 8, at most INT8_DEPTH */
  K: i32;
  /** [panels][16] float32 */
  scale: usize;
  /** Relaxed form: [panels][16] int32, 8192 times the sums of the weights' rows at this depth */
  offset: usize;
  /** [rows] of 2 K bytes, quantised activations; xScale [rows] float32 */
  q: usize;
  qStride: usize;
  xScale: usize;
  /** Plain form: [rows] int32, -128 times the sums of q at even k, which cancels the 128 that is added to weights */
  bias: usize;
  /** [rows][panels * 16]; z may be init */
  init: usize;
  initStride: usize;
  z: usize;
  zStride: usize;
  rows: i32;
  panels: i32;
}

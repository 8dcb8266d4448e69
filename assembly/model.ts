// docs/kernels.md#a-call
// The structs through which TypeScript describes a model and a call; src/memory/structs.ts writes them, word by word.

/** Weights of one layer in one direction, all in panels. They belong to the module and change only in loadStateDict(). */
@unmanaged
export class Direction {
  /** Size of the layer's inputs: I for the first layer, else D * Ho */
  inputSize: i32;
  /** [ceil(H / 4)][inputSize][16], [ceil(H / 4)][Ho][16], and with a projection [ceil(P / 16)][H][16] */
  ih: usize;
  hh: usize;
  hr: usize;
  /** [ceil(H / 4)][16], b_ih + b_hh; [ceil(P / 16)][16] zeros, since a projection has no bias */
  bias: usize;
  hrBias: usize;
}

/** A model, followed in memory by L * D of Direction, layer by layer. */
@unmanaged
export class Model {
  hiddenSize: i32;
  /** P, or 0 */
  projSize: i32;
  /** D, 1 or 2 */
  directions: i32;
  /** The form of all weights: FLOAT32, I8 or I8_RELAXED */
  form: i32;
}

/** A call: T steps of B rows. The rows of a step lie next to each other, steps one after the other. The caller owns all of it. */
@unmanaged
export class Run {
  /** [rows][I], the first layer's input, read only */
  x: usize;
  /** [rows][D * Ho] each: layer 0, 2 ... writes `even`, layer 1, 3 ... writes `odd`, and the next layer reads it. One layer needs no odd. */
  even: usize;
  odd: usize;
  /** [L * D][B][Ho] and [L * D][B][H]: the state before the first step on entry, after the last on return */
  h: usize;
  c: usize;
  T: i32;
  /** B, at least 1 */
  batch: i32;
  /** [T], the rows of each step, not increasing and none above B; or 0 if each step has B */
  batchSizes: usize;
  /** The sum of batchSizes, or T * B */
  rows: i32;
  /**
   * Scratch for R = max(blockRows, B) rows: [R][ceil(H / 4)][16] gate sums; then, for 8-bit weights, quantized_bytes(K, R) with
   * K the largest of I, D * Ho and Ho; or, in the same place, with a projection [R][H], [R][ceil(P / 16)][16] and for 8-bit
   * weights quantized_bytes(H, R).
   */
  z: usize;
  /** Rows whose input products are computed at once, so that their gate sums stay in the L2 cache */
  blockRows: i32;
}

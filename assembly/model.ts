// docs/kernels.md#a-call
import { float_bytes } from './panels';
import { Product } from './product';

// The structs in which TypeScript describes a model and a call. src/memory/structs.ts and lstm-weights.ts write their words.

/**
 * A model. Three Products for each layer and direction follow it in memory, layer by layer: the input product b + W_ih x, the
 * recurrent product, and the projection, which a model without one ignores. The module owns them; steps fill in the fields that
 * change.
 */
@unmanaged
export class Model {
  hiddenSize: i32;
  /** P, or 0 */
  projSize: i32;
  /** D, 1 or 2 */
  directions: i32;
  /** One of the cells of assembly/gru/; lstm_run ignores it */
  cell: i32;

  /** Computes a product; each module has its own way to that kernel. */
  multiply(_product: Product): void {
    unreachable();
  }

  /** Computes one step of n rows; each kind of cell has its own. */
  step(_direction: Direction, _z: usize, _h: usize, _c: usize, _y: usize, _n: i32, _scratch: usize): void {
    unreachable();
  }
}

/** Gives Ho, the size of h. */
export function output_size(model: Model): i32 {
  return model.projSize ? model.projSize : model.hiddenSize;
}

/** Counts the bytes from one row of outputs to the next: D * Ho floats. */
export function output_stride(model: Model): usize {
  return float_bytes(model.directions * output_size(model));
}

/** One layer in one direction: its three products. */
@unmanaged
export class Direction {
  @inline
  static of(model: Model, k: usize): Direction {
    return changetype<Direction>(changetype<usize>(model) + offsetof<Model>() + k * 3 * offsetof<Product>());
  }

  /** w [ceil(H / 4)][I][16], init [ceil(H / 4)][16]: b_ih + b_hh for all rows */
  @inline
  get input(): Product {
    return changetype<Product>(changetype<usize>(this));
  }

  /** w [ceil(H / 4)][Ho][16]; init is z */
  @inline
  get recurrent(): Product {
    return changetype<Product>(changetype<usize>(this) + offsetof<Product>());
  }

  /** w [ceil(P / 16)][H][16], init [ceil(P / 16)][16] zeros, since a projection has no bias; GRU has b_hh there, its projection no panels */
  @inline
  get projection(): Product {
    return changetype<Product>(changetype<usize>(this) + 2 * offsetof<Product>());
  }
}

/** A call: T steps of B rows. The rows of a step lie next to each other, steps one after the other. The caller owns all of it. */
@unmanaged
export class Run {
  /** [rows][I], the first layer's input, read only */
  x: usize;
  /**
   * [rows][D * Ho] each: layer 0, 2 ... writes `even`, layer 1, 3 ... writes `odd`; the next layer reads it. One layer needs no
   * `odd`.
   */
  even: usize;
  odd: usize;
  /** [L * D][B][Ho] and [L * D][B][H]: the state before the first step on entry, after the last on return */
  h: usize;
  c: usize;
  T: i32;
  /** B, at least 1 */
  batch: i32;
  /** [T], the rows of each step, not increasing, at most B; or 0 if each step has B rows */
  batchSizes: usize;
  /** The sum of batchSizes, or T * B */
  rows: i32;
  /**
   * Scratch for R = max(blockRows, B) rows: [R][ceil(H / 4)][16] gate sums; then, for 8-bit weights, quantized_bytes(K, R) with
   * K the largest of I, D * Ho and Ho; or, in the same place, with a projection [R][H], [R][ceil(P / 16)][16] and for 8-bit
   * weights quantized_bytes(H, R).
   */
  z: usize;
  /** Rows whose input products are computed together; few enough that their gate sums stay in the L2 cache */
  blockRows: i32;
}

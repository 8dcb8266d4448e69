import type { TensorLike } from '../base/tensor.ts';

/** A tensor on its way from layer to layer, with its mask. */
export interface MaskedTensor extends TensorLike {
  /** (B, T): 1 for a step that counts, 0 for one that layers with masks skip. */
  readonly mask?: Uint8Array | undefined;
}

/** What a layer does in a call: the numbers that it makes or moves, and its multiplications or comparisons. */
export interface Effort {
  readonly made: number;
  readonly multiplied: number;
}

/** A layer that is ready to run. */
export interface Layer {
  /**
   * Runs the layer on a batch.
   * @param masked whether the model passes the mask of the first input as an argument
   */
  run(inputs: readonly MaskedTensor[], masked: boolean): MaskedTensor[];
  /** Counts the work of run() for inputs of these shapes; left out, it makes as many numbers as its first input has. */
  effort?(inputs: readonly (readonly number[])[]): Effort;
  /** Sets the state that the layer keeps from call to call to zeros. */
  resetStates?(): void;
  /** Frees the layer's linear memory. */
  dispose?(): void;
}

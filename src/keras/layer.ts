import type { TensorLike } from '../base/tensor.ts';

/** A tensor on its way from layer to layer, with its mask. */
export interface MaskedTensor extends TensorLike {
  /** (B, T): 1 for a step that counts, 0 for one that layers with masks skip. */
  readonly mask?: Uint8Array | undefined;
}

/** A layer that is ready to run. */
export interface Layer {
  /**
   * Runs the layer on a batch.
   * @param masked whether the model passes the mask of the first input as an argument
   */
  run(inputs: readonly MaskedTensor[], masked: boolean): MaskedTensor[];
  /** Sets the state that the layer keeps from call to call to zeros. */
  resetStates?(): void;
  /** Frees the layer's linear memory. */
  dispose?(): void;
}

import type { TensorLike } from '../base/tensor.ts';

/** A tensor on its way from layer to layer. */
export interface Value extends TensorLike {
  /** For each sample and step 1, or 0 where layers that know masks pass the step over; (B, T) */
  readonly mask?: Uint8Array | undefined;
}

/** What a layer does with a batch. */
export interface Layer {
  /** @param masked whether the model gives the layer the mask of its first input as an argument */
  run(inputs: readonly Value[], masked: boolean): Value[];
  /** Begins anew, where a state is kept from call to call. */
  resetStates?(): void;
  dispose?(): void;
}

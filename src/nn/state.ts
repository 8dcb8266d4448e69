import { checkTensor, formatDims, sameDims, type TensorLike, wrongType, wrongValue } from '../base/tensor.ts';

/**
 * The state before the first step: both tensors, as in PyTorch. Letters: L layers, D directions, B batch, H hiddenSize, Ho
 * projSize or else H.
 */
export interface LSTMState {
  /** h: (L·D, B, Ho), unbatched (L·D, Ho); for a cell (B, H) or (H); for a stream (L, Ho). */
  readonly h0: TensorLike;
  /** c: (L·D, B, H), unbatched (L·D, H); for a cell (B, H) or (H); for a stream (L, H). */
  readonly c0: TensorLike;
}

/** Checks that `state` is an object, and gives it. @throws TypeError */
export function checkState(who: string, state: LSTMState | null | undefined): LSTMState {
  if (typeof state !== 'object' || state === null) throw wrongType(who, 'state', 'an object { h0, c0 }', state);
  return state;
}

/**
 * Checks that a tensor has exactly these dims, and gives its data.
 * @throws TypeError or RangeError that names the tensor
 */
export function checkShape(who: string, what: string, tensor: TensorLike, dims: readonly number[]): Float32Array {
  const data = checkTensor(who, what, tensor);
  if (!sameDims(tensor.dims, dims)) throw wrongValue(who, what, formatDims(dims), tensor.dims);
  return data;
}

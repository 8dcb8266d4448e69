import { checkTensor, formatDims, sameDims, type TensorLike, wrongType, wrongValue } from '../base/tensor.ts';

/** The state before the first step: both tensors or no state, as in PyTorch. Letters as LSTM has them. */
export interface LSTMState {
  /** (L·D, B, Ho), unbatched (L·D, Ho); of a cell (B, H) or (H); of a stream (L, Ho) */
  readonly h0: TensorLike;
  /** (L·D, B, H), unbatched (L·D, H); of a cell (B, H) or (H); of a stream (L, H) */
  readonly c0: TensorLike;
}

/** @throws TypeError unless `state` is an object */
export function checkState(who: string, state: LSTMState | null | undefined): LSTMState {
  if (typeof state !== 'object' || state === null) throw wrongType(who, 'state', 'an object { h0, c0 }', state);
  return state;
}

/**
 * The data of a tensor of exactly these dims.
 * @throws TypeError or RangeError that names the tensor
 */
export function checkShape(who: string, what: string, tensor: TensorLike, dims: readonly number[]): Float32Array {
  const data = checkTensor(who, what, tensor);
  if (!sameDims(tensor.dims, dims)) throw wrongValue(who, what, formatDims(dims), tensor.dims);
  return data;
}

import { checkTensor, formatDims, sameDims, type TensorLike, wrongType, wrongValue } from '../base/tensor.ts';

/** The state before the first step: both or neither, as in PyTorch. */
export interface LSTMState {
  readonly h0: TensorLike;
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

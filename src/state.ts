import { checkTensor, formatDims, type TensorLike, wrongDims, wrongType } from './tensor.ts';

/** The state before the first step: both or neither, as in PyTorch. */
export interface LSTMState {
  readonly h0: TensorLike;
  readonly c0: TensorLike;
}

/** h0 and c0 of a state, or undefined for zeros. */
export function checkState(who: string, state: LSTMState | null | undefined): LSTMState | undefined {
  if (state === undefined || state === null) return undefined;
  if (typeof state !== 'object') throw wrongType(who, 'state', 'an object { h0, c0 }', state);
  return state;
}

/**
 * The data of a tensor of exactly the dims [d0], [d0, d1] or [d0, d1, d2]. Sizes one by one and not as an array, which
 * would be garbage in every call.
 * @throws TypeError or RangeError that names the tensor
 */
export function checkShape(who: string, what: string, tensor: TensorLike, d0: number, d1 = -1, d2 = -1): Float32Array {
  const data = checkTensor(who, what, tensor);
  const { dims } = tensor;
  const rank = d1 < 0 ? 1 : d2 < 0 ? 2 : 3;
  if (dims.length !== rank || dims[0] !== d0 || (rank > 1 && dims[1] !== d1) || (rank > 2 && dims[2] !== d2)) {
    throw wrongDims(who, what, formatDims([d0, d1, d2].slice(0, rank)), dims);
  }
  return data;
}

import {
  endReading,
  formatDims,
  readTensor,
  sameDims,
  type TensorLike,
  wrongType,
  wrongValue,
} from '../base/tensor.ts';

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

/**
 * Reads h0 or c0 of a state, and checks that it has exactly these dims.
 * @throws TypeError or RangeError that names what is wrong
 */
export function readState(who: string, name: 'h0' | 'c0', state: unknown, dims: readonly number[]): Float32Array {
  const given: object = Object(state);
  if (!('h0' in given || 'c0' in given)) throw wrongType(who, 'state', stateLike(given), state);
  const tensor = (given as Partial<LSTMState>)[name];
  return checkShape(who, name, tensor, dims);
}

/** Says what a state is, with the next step for a result and for options in its place. */
function stateLike(given: object): string {
  const keys = Object.keys(given);
  const [h, c] = ['h', 'c'].map((letter) => keys.find((key) => key.startsWith(letter)));
  if (h && c) return `an object { h0: ${h}, c0: ${c} }`;
  return `an object { h0, c0 }${keys.includes('out') ? ' before the options' : ''}`;
}

/**
 * Checks that a tensor has exactly these dims, and gives its data.
 * @throws TypeError or RangeError that names the tensor
 */
export function checkShape(who: string, what: string, tensor: unknown, dims: readonly number[]): Float32Array {
  const reading = readTensor(who, what, tensor);
  if (!sameDims(reading.dims, dims)) throw wrongValue(who, what, formatDims(dims), reading.dims);
  const { data } = reading;
  endReading(reading);
  return data;
}

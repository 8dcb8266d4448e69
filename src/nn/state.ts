import {
  endReading,
  formatDims,
  readTensor,
  sameDims,
  type TensorLike,
  wrongType,
  wrongValue,
} from '../base/tensor.ts';
import type { CellKind } from '../memory/cell-kind.ts';

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
export function readState(
  who: string,
  { states }: CellKind,
  name: 'h0' | 'c0',
  state: unknown,
  dims: readonly number[],
): Float32Array {
  const given: object = Object(state);
  if (!('h0' in given || 'c0' in given) || ('c0' in given && !states[1])) {
    throw wrongType(who, 'state', stateLike(given, states), state);
  }
  const tensor = (given as Partial<LSTMState>)[name];
  return checkShape(who, name, tensor, dims);
}

/** Says what a state is, with the next step for a result and for options in its place. */
function stateLike(given: object, states: readonly string[]): string {
  const keys = Object.keys(given);
  const found = states.map((letter) => keys.find((key) => key.startsWith(letter)));
  const names = states.map(
    (letter, i) => `${letter}0${found.every((key) => key) && !('h0' in given) ? `: ${found[i]}` : ''}`,
  );
  return `an object { ${names.join(', ')} }${keys.includes('out') ? ' before the options' : ''}`;
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

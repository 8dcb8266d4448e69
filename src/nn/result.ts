import {
  checkOptions,
  formatDims,
  type Reading,
  readTensor,
  sameDims,
  type TensorLike,
  wrongValue,
  zeros,
} from '../base/tensor.ts';
import { endScratch } from '../memory/arena.ts';

// The tensors that layers and activations write to. Nothing here makes garbage, so that a head after a stream makes none.

/** Options of forward() of the layers, and of sigmoid(), tanh(), relu() and softmax(). */
export interface ForwardOptions {
  /**
   * A tensor of the result's dims, such as an earlier result, to write to and return; the call then makes no garbage. It may
   * overlap the input; each function says when that costs a copy. Default: a new tensor.
   */
  readonly out?: TensorLike | undefined;
}

const OPTIONS = ['out'];

/** Multiplies `dims[from]` to `dims[to - 1]`. */
export function countOf(dims: readonly number[], from: number, to: number): number {
  let count = 1;
  for (let i = from; i < to; i++) count *= dims[i]!;
  return count;
}

/**
 * Reads the tensor to write a result of `dims` to: `options.out`, checked, or a new one. Called when all else of the caller's has
 * been read.
 * @param input the floats that were read before, and that getters of `out` may have detached
 * @throws TypeError or RangeError that names the option
 */
export function resultFor(
  who: string,
  options: ForwardOptions | undefined,
  dims: readonly number[],
  input?: Reading,
): Reading {
  checkOptions(who, options, OPTIONS);
  const out = options?.out;
  const isNew = out === undefined;
  const result = readTensor(who, 'out', isNew ? zeros(who, dims) : out);
  result.isNew = isNew;
  if (!sameDims(result.dims, dims)) throw wrongValue(who, 'out', formatDims(dims), result.dims);
  if (input) checkAttached(who, input, '');
  checkAttached(who, result);
  return result;
}

/**
 * Checks `out` once scratch is allocated and before `out` is written, and an input after the last getter of the caller's.
 * @throws TypeError if it lies in linear memory and was detached when memory grew
 */
export function checkAttached(who: string, { data, count }: Reading, what = '"out" '): void {
  if (data.length !== count) {
    endScratch();
    throw new TypeError(`${who}: ${what}expected memory of its own, got a view of linear memory, which has grown`);
  }
}

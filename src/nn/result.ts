import {
  checkFloats,
  checkOptions,
  checkTensor,
  formatDims,
  type TensorLike,
  wrongLength,
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
/** For results whose dims are all kept from the input. */
export const NO_TAIL: readonly number[] = [];

/** Multiplies `dims[from]` to `dims[to - 1]`. */
export function countOf(dims: readonly number[], from: number, to: number): number {
  let count = 1;
  for (let i = from; i < to; i++) count *= dims[i]!;
  return count;
}

/**
 * Gives the tensor to write a result to: `options.out`, checked, or a new one. It has the first `kept` of `dims`, then `tail`.
 * @throws TypeError or RangeError that names the option
 */
export function resultFor(
  who: string,
  options: ForwardOptions | undefined,
  dims: readonly number[],
  kept: number,
  tail: readonly number[],
): TensorLike {
  checkOptions(who, options, OPTIONS);
  const out = options?.out;
  if (out !== undefined) {
    checkTensor(who, 'out', out);
    const rank = kept + tail.length;
    let i = 0;
    while (i < rank && out.dims[i] === (i < kept ? dims[i] : tail[i - kept])) i++;
    if (i === rank && out.dims.length === rank) return out;
  }
  const wanted = [...dims.slice(0, kept), ...tail];
  if (out === undefined) return zeros(who, wanted);
  throw wrongValue(who, 'out', formatDims(wanted), out.dims);
}

/**
 * Reads the data of a result once more, and for the last time: a getter may give another array than the one that was checked.
 * @throws TypeError or RangeError unless it is a Float32Array of `count` elements
 */
export function dataOf(who: string, result: TensorLike, count: number): Float32Array {
  const data = checkFloats(who, 'out', result.data, '.data');
  if (data.length !== count) throw wrongLength(who, 'out', count, 'the result', data.length);
  return data;
}

/** @throws TypeError unless `data` has `count` elements, as the dims that went with it say when they are read again */
export function checkCount(who: string, what: string, data: Float32Array, count: number): void {
  if (data.length !== count) throw new TypeError(`${who}: "${what}" expected the same dims each time they are read`);
}

/**
 * Checks `out` once scratch is allocated and before `out` is written.
 * @throws TypeError if `out` lies in linear memory and was detached when memory grew
 */
export function checkAttached(who: string, out: Float32Array, count: number): void {
  if (out.length !== count) {
    endScratch();
    throw new TypeError(`${who}: "out" expected memory of its own, got a view of linear memory, which has grown`);
  }
}

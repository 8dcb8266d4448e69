import { checkOptions, checkTensor, formatDims, type TensorLike, wrongValue, zeros } from '../base/tensor.ts';

// Where layers and activations read from and write to. None of it makes garbage, so that a head after a stream makes none.

export interface ForwardOptions {
  /**
   * A tensor of the result's dims, such as an earlier result, to write to and return: the call then makes no garbage. It may
   * overlap the input in any way; where that costs a copy, the function says so.
   */
  readonly out?: TensorLike | undefined;
}

const OPTIONS = ['out'];
/** Nothing after the dims that are kept. */
export const NO_TAIL: readonly number[] = [];

/** The product of `dims[from]` .. `dims[to - 1]`. */
export function countOf(dims: readonly number[], from: number, to: number): number {
  let count = 1;
  for (let i = from; i < to; i++) count *= dims[i]!;
  return count;
}

/**
 * The tensor to write a result to: `options.out`, checked, or a new one. Its dims are the first `kept` of `dims`, then `tail`.
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

/** @throws TypeError if `out` lay in linear memory and was detached when scratch made that grow; to be asked before it is written */
export function checkAttached(who: string, out: Float32Array, count: number): void {
  if (out.length !== count) {
    throw new TypeError(`${who}: "out" expected memory of its own, got a view of linear memory, which has grown`);
  }
}

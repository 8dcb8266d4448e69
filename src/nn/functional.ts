import { checkInteger, endReading, type Reading, readTensor, type TensorLike } from '../base/tensor.ts';
import { endScratch } from '../memory/arena.ts';
import { Layout } from '../memory/layout.ts';
import { copyInFrom, copyOut, placeOf } from '../memory/rows.ts';
import { wasm } from '../memory/wasm.ts';
import { checkAttached, countOf, type ForwardOptions, resultFor } from './result.ts';

// Each function works on a copy of its tensor in scratch, so `out` may be the tensor itself or overlap it.

const layout = new Layout();

/**
 * Computes torch.sigmoid: `1 / (1 + e^-x)` for each element.
 * @param tensor a tensor of any dims
 * @param options `out`: a tensor of the same dims to write to and return, which may be `tensor` itself; the call then makes no
 *   garbage
 * @returns a tensor of the same dims
 * @throws TypeError or RangeError that names the argument; nothing is changed then
 * @see https://pytorch.org/docs/stable/generated/torch.sigmoid.html
 * @example
 * ```js
 * import { sigmoid } from 'lstm-wasm';
 *
 * console.log(sigmoid({ data: Float32Array.of(-100, 0, 100), dims: [3] }).data); // Float32Array(3) [ 0, 0.5, 1 ]
 * ```
 */
export function sigmoid(tensor: TensorLike, options?: ForwardOptions | number): TensorLike {
  return apply('sigmoid', wasm().sigmoid_f32, tensor, options);
}

/**
 * Computes torch.tanh: `(e^x - e^-x) / (e^x + e^-x)` for each element.
 * @param tensor a tensor of any dims
 * @param options `out`: a tensor of the same dims to write to and return, which may be `tensor` itself; the call then makes no
 *   garbage
 * @returns a tensor of the same dims
 * @throws TypeError or RangeError that names the argument; nothing is changed then
 * @see https://pytorch.org/docs/stable/generated/torch.tanh.html
 * @example
 * ```js
 * import { tanh } from 'lstm-wasm';
 *
 * console.log(tanh({ data: Float32Array.of(-100, 0, 100), dims: [3] }).data); // Float32Array(3) [ -1, 0, 1 ]
 * ```
 */
export function tanh(tensor: TensorLike, options?: ForwardOptions | number): TensorLike {
  return apply('tanh', wasm().tanh_f32, tensor, options);
}

/**
 * Computes torch.relu: `max(x, 0)` for each element; NaN stays NaN.
 * @param tensor a tensor of any dims
 * @param options `out`: a tensor of the same dims to write to and return, which may be `tensor` itself; the call then makes no
 *   garbage
 * @returns a tensor of the same dims
 * @throws TypeError or RangeError that names the argument; nothing is changed then
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.relu.html
 * @example
 * ```js
 * import { relu } from 'lstm-wasm';
 *
 * const tensor = { data: Float32Array.of(-1, 0, 2), dims: [3] };
 * relu(tensor, { out: tensor }); // in place
 * console.log(tensor.data); // Float32Array(3) [ 0, 0, 2 ]
 * ```
 */
export function relu(tensor: TensorLike, options?: ForwardOptions | number): TensorLike {
  return apply('relu', wasm().relu_f32, tensor, options);
}

/**
 * Computes torch.softmax: `e^x / sum of e^x` along one dimension.
 * @param tensor a tensor of any dims
 * @param dim the dimension, from -rank to rank - 1; a negative number counts from the end
 * @param options `out`: a tensor of the same dims to write to and return, which may be `tensor` itself; the call then makes no
 *   garbage
 * @returns a tensor of the same dims
 * @throws TypeError or RangeError that names the argument; nothing is changed then
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
 * @example
 * ```js
 * import { softmax } from 'lstm-wasm';
 *
 * const logits = { data: Float32Array.of(1, 1, 3, 3), dims: [2, 2] };
 * console.log(softmax(logits, -1).data); // Float32Array(4) [ 0.5, 0.5, 0.5, 0.5 ]
 * ```
 */
export function softmax(tensor: TensorLike, dim: number, options?: ForwardOptions): TensorLike {
  const given = readTensor('softmax', 'tensor', tensor);
  const { dims, count } = given;
  const rank = Math.max(1, dims.length);
  checkInteger('softmax', 'dim', dim, -rank, rank - 1);
  const axis = dim < 0 ? dim + rank : dim;
  const n = dims[axis] ?? 1;
  const inner = countOf(dims, axis + 1, rank);
  const outer = countOf(dims, 0, Math.min(axis, dims.length));
  const result = resultFor('softmax', options, dims, given);
  const at = enter('softmax', given, result);
  if (count > 0) wasm().softmax_f32(at, outer, n, inner);
  return leave(at, given, result);
}

/** Applies a kernel to each element. */
function apply(
  who: string,
  kernel: (pointer: number, count: number) => void,
  tensor: TensorLike,
  options: ForwardOptions | number | undefined,
): TensorLike {
  const given = readTensor(who, 'tensor', tensor);
  // the index that Array.map passes is no option
  const result = resultFor(who, typeof options === 'number' ? undefined : options, given.dims, given);
  const at = enter(who, given, result);
  kernel(at, given.count);
  return leave(at, given, result);
}

/** Copies the data to scratch, before the result is written. @returns the pointer of the copy */
function enter(who: string, { data, count }: Reading, result: Reading): number {
  const place = placeOf(data);
  layout.clear().output(count);
  const at = layout.scratch();
  checkAttached(who, result);
  copyInFrom(at, data, place, 0, count);
  return at;
}

/** Copies scratch to the result, and gives its tensor. */
function leave(at: number, given: Reading, result: Reading): TensorLike {
  copyOut(at, result.count, result.data, 0);
  endScratch();
  endReading(given);
  return endReading(result);
}

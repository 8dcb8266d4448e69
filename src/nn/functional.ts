import { checkInteger, checkTensor, type TensorLike } from '../base/tensor.ts';
import { endScratch } from '../memory/arena.ts';
import { Layout } from '../memory/layout.ts';
import { copyInFrom, copyOut, placeOf } from '../memory/rows.ts';
import { wasm } from '../memory/wasm.ts';
import { checkAttached, countOf, type ForwardOptions, NO_TAIL, resultFor } from './result.ts';

// Each goes over a copy of its tensor in scratch. With `out` none makes garbage, and `out` may be the tensor itself or overlap it.

const layout = new Layout();

/**
 * torch.sigmoid, 1 / (1 + e^-x), element by element.
 * @param options `out`: a tensor of the same dims to write to and return, which may be `tensor` itself
 * @throws TypeError or RangeError that names the argument; nothing is changed then
 */
export function sigmoid(tensor: TensorLike, options?: ForwardOptions): TensorLike {
  return apply('sigmoid', wasm().sigmoid_f32, tensor, options);
}

/**
 * torch.tanh, element by element.
 * @param options `out`: a tensor of the same dims to write to and return, which may be `tensor` itself
 * @throws TypeError or RangeError that names the argument; nothing is changed then
 */
export function tanh(tensor: TensorLike, options?: ForwardOptions): TensorLike {
  return apply('tanh', wasm().tanh_f32, tensor, options);
}

/**
 * torch.relu, max(x, 0) element by element; NaN stays NaN.
 * @param options `out`: a tensor of the same dims to write to and return, which may be `tensor` itself
 * @throws TypeError or RangeError that names the argument; nothing is changed then
 */
export function relu(tensor: TensorLike, options?: ForwardOptions): TensorLike {
  return apply('relu', wasm().relu_f32, tensor, options);
}

/**
 * torch.softmax: e^x over its sum along `dim`, which may count from the end (-1: the last).
 * @param options `out`: a tensor of the same dims to write to and return, which may be `tensor` itself
 * @throws TypeError or RangeError that names the argument; nothing is changed then
 */
export function softmax(tensor: TensorLike, dim: number, options?: ForwardOptions): TensorLike {
  const data = checkTensor('softmax', 'tensor', tensor);
  const { dims } = tensor;
  const rank = Math.max(1, dims.length);
  const given = checkInteger('softmax', 'dim', dim, -rank, rank - 1);
  const axis = given < 0 ? given + rank : given;
  const result = resultFor('softmax', options, dims, dims.length, NO_TAIL);
  const n = dims[axis] ?? 1;
  const inner = countOf(dims, axis + 1, rank);
  const count = data.length;
  const at = enter('softmax', data, result);
  if (count > 0) wasm().softmax_f32(at, count / (n * inner), n, inner);
  return leave(at, result);
}

function apply(
  who: string,
  kernel: (pointer: number, count: number) => void,
  tensor: TensorLike,
  options: ForwardOptions | undefined,
): TensorLike {
  const data = checkTensor(who, 'tensor', tensor);
  const result = resultFor(who, options, tensor.dims, tensor.dims.length, NO_TAIL);
  const at = enter(who, data, result);
  kernel(at, result.data.length);
  return leave(at, result);
}

/** Copies `data` to scratch, whose pointer it gives, before anything of the result is written. */
function enter(who: string, data: Float32Array, result: TensorLike): number {
  const count = data.length;
  const place = placeOf(data);
  layout.clear().output(count);
  const at = layout.scratch();
  checkAttached(who, result.data, count);
  copyInFrom(at, data, place, 0, count);
  return at;
}

/** Copies scratch to the result. */
function leave(at: number, result: TensorLike): TensorLike {
  copyOut(at, result.data.length, result.data, 0);
  endScratch();
  return result;
}

import { checkInteger, checkTensor, product, type TensorLike } from '../base/tensor.ts';
import { endScratch, floats, scratch } from '../memory/arena.ts';
import { wasm } from '../memory/wasm.ts';

/** torch.sigmoid, 1 / (1 + e^-x), element by element. */
export function sigmoid(tensor: TensorLike): TensorLike {
  return apply('sigmoid', tensor, wasm().sigmoid_f32);
}

/** torch.tanh, element by element. */
export function tanh(tensor: TensorLike): TensorLike {
  return apply('tanh', tensor, wasm().tanh_f32);
}

/** torch.relu, max(x, 0) element by element; NaN stays NaN. */
export function relu(tensor: TensorLike): TensorLike {
  return apply('relu', tensor, wasm().relu_f32);
}

/**
 * torch.softmax: e^x over its sum along `dim`, which may count from the end (-1: the last).
 * @throws TypeError or RangeError that names the argument
 */
export function softmax(tensor: TensorLike, dim: number): TensorLike {
  return apply('softmax', tensor, (at, count) => {
    const { dims } = tensor;
    const rank = Math.max(1, dims.length);
    const axis = checkInteger('softmax', 'dim', dim, -rank, rank - 1);
    const n = dims.at(axis) ?? 1;
    const inner = axis === -1 ? 1 : product(dims.slice(axis + 1));
    if (count > 0) wasm().softmax_f32(at, count / (n * inner), n, inner);
  });
}

/** A copy of a tensor, changed in place by `run` while it lies in linear memory. */
function apply(who: string, tensor: TensorLike, run: (pointer: number, count: number) => void): TensorLike {
  const data = checkTensor(who, 'tensor', tensor).slice();
  const at = scratch(4 * data.length);
  floats().set(data, at / 4);
  run(at, data.length);
  data.set(floats().subarray(at / 4, at / 4 + data.length));
  endScratch();
  return { data, dims: [...tensor.dims] };
}

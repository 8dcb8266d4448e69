import { endScratch, floats, scratch } from './arena.ts';
import { checkInteger, checkTensor, type TensorLike, wrongDims } from './tensor.ts';
import { type Kernels, wasm } from './wasm.ts';

/** Floats that pass through linear memory at once. */
const CHUNK = 1 << 16;

/** torch.sigmoid, 1 / (1 + e^-x), element by element. */
export function sigmoid(tensor: TensorLike): TensorLike {
  return elementwise('sigmoid', 'sigmoid_f32', tensor);
}

/** torch.tanh, element by element. */
export function tanh(tensor: TensorLike): TensorLike {
  return elementwise('tanh', 'tanh_f32', tensor);
}

/** torch.relu, max(x, 0) element by element; NaN stays NaN. */
export function relu(tensor: TensorLike): TensorLike {
  return elementwise('relu', 'relu_f32', tensor);
}

function elementwise(who: string, kernel: 'sigmoid_f32' | 'tanh_f32' | 'relu_f32', tensor: TensorLike): TensorLike {
  const data = checkTensor(who, 'tensor', tensor).slice();
  const run: Kernels[typeof kernel] = wasm()[kernel];
  const at = scratch(4 * Math.min(CHUNK, data.length));
  const memory = floats();
  for (let from = 0; from < data.length; from += CHUNK) {
    const part = data.subarray(from, from + CHUNK);
    memory.set(part, at / 4);
    run(at, at, part.length);
    part.set(memory.subarray(at / 4, at / 4 + part.length));
  }
  return { data, dims: [...tensor.dims] };
}

/**
 * torch.softmax: e^x over its sum along `dim`, which may count from the end (-1: the last).
 * @throws TypeError or RangeError that names the argument
 */
export function softmax(tensor: TensorLike, dim: number): TensorLike {
  const data = checkTensor('softmax', 'tensor', tensor).slice();
  const { dims } = tensor;
  const rank = Math.max(1, dims.length);
  checkInteger('softmax', 'dim', dim, -rank, rank - 1);
  const axis = dim < 0 ? dim + rank : dim;
  const product = (sizes: readonly number[]) => sizes.reduce((count, size) => count * size, 1);
  const n = dims[axis] ?? 1;
  const inner = product(dims.slice(axis + 1));
  if (data.length > 2 ** 29) throw wrongDims('softmax', 'tensor', 'fewer than 2^29 elements', dims);
  if (data.length > 0) {
    const at = scratch(4 * data.length);
    floats().set(data, at / 4);
    wasm().softmax_f32(at, data.length / (n * inner), n, inner);
    data.set(floats().subarray(at / 4, at / 4 + data.length));
    endScratch();
  }
  return { data, dims: [...dims] };
}

import type { TensorLike } from '../../src/index.ts';

// Parts of tensors, by plain loops.

/** Entries `from` to `to` of one axis. */
export function slice({ data, dims }: TensorLike, axis: number, from: number, to: number): TensorLike {
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const size = dims[axis]!;
  const outer = data.length / (size * inner);
  const result = new Float32Array(outer * (to - from) * inner);
  for (let o = 0; o < outer; o++) {
    result.set(data.subarray((o * size + from) * inner, (o * size + to) * inner), o * (to - from) * inner);
  }
  return { data: result, dims: dims.with(axis, to - from) };
}

/** Entry `index` of one axis, which disappears. */
export function pick(tensor: TensorLike, axis: number, index: number): TensorLike {
  return { data: slice(tensor, axis, index, index + 1).data, dims: tensor.dims.toSpliced(axis, 1) };
}

/** The first two axes swapped. */
export function transpose({ data, dims: [rows, columns, ...rest] }: TensorLike): TensorLike {
  const width = rest.reduce((product, size) => product * size, 1);
  const result = new Float32Array(data.length);
  for (let r = 0; r < rows!; r++) {
    for (let c = 0; c < columns!; c++) {
      const from = (r * columns! + c) * width;
      result.set(data.subarray(from, from + width), (c * rows! + r) * width);
    }
  }
  return { data: result, dims: [columns!, rows!, ...rest] };
}

/** The rows of the first axis from last to first. */
export function reverse(tensor: TensorLike): TensorLike {
  const width = tensor.data.length / tensor.dims[0]!;
  const data = new Float32Array(tensor.data.length);
  for (let t = 0; t < tensor.dims[0]!; t++) {
    data.set(tensor.data.subarray(t * width, (t + 1) * width), data.length - (t + 1) * width);
  }
  return { data, dims: tensor.dims };
}

/** Two tensors side by side in their last axis. */
export function beside(a: TensorLike, b: TensorLike): TensorLike {
  const [m, n] = [a.dims.at(-1)!, b.dims.at(-1)!];
  const data = new Float32Array(a.data.length + b.data.length);
  for (let row = 0; row * (m + n) < data.length; row++) {
    data.set(a.data.subarray(row * m, (row + 1) * m), row * (m + n));
    data.set(b.data.subarray(row * n, (row + 1) * n), row * (m + n) + m);
  }
  return { data, dims: a.dims.with(-1, m + n) };
}

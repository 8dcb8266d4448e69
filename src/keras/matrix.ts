import type { TensorLike } from '../base/tensor.ts';
import { Linear } from '../nn/linear.ts';

/** Transposes a matrix (rows, columns) to (columns, rows). */
export function transpose(data: Float32Array, rows: number, columns: number): TensorLike {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = data[row * columns + column]!;
  }
  return { data: result, dims: [columns, rows] };
}

/** Makes the layer x K + b of a kernel K (inputs, outputs), as Keras has it. */
export function makeLinear(kernel: Float32Array, outputs: number, bias: Float32Array | undefined): Linear {
  const weight = transpose(kernel, kernel.length / outputs, outputs);
  return Linear.fromStateDict({ weight, ...(bias ? { bias: { data: bias, dims: [outputs] } } : {}) });
}

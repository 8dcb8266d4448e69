import type { TensorLike } from '../base/tensor.ts';
import { panelBytes } from '../memory/pack.ts';
import { Linear } from '../nn/linear.ts';
import type { Holding } from './holding.ts';

/** Transposes a matrix (rows, columns) to (columns, rows). */
export function transpose(data: Float32Array, rows: number, columns: number): TensorLike {
  return transposeColumns(data, columns, 0, columns, rows);
}

/** Transposes `count` columns of a matrix with rows of `width`, from column `first` on. */
function transposeColumns(data: Float32Array, width: number, first: number, count: number, rows: number): TensorLike {
  const result = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < count; column++) result[column * rows + row] = data[row * width + first + column]!;
  }
  return { data: result, dims: [count, rows] };
}

/** The products x K + b of a kernel, for each group of its columns. */
export interface Products {
  /** Columns of a group. */
  readonly columns: number;
  /** Computes `rows` rows of outputs of a group. */
  run(group: number, x: Float32Array, rows: number): Float32Array;
  dispose(): void;
}

/**
 * Makes the products of a kernel K (inputs, outputs), as Keras has it.
 * @param groups equal parts of the outputs, each of inputs of its own
 */
export function makeProducts(
  kernel: Float32Array,
  outputs: number,
  bias: Float32Array | undefined,
  holding: Holding,
  groups = 1,
): Products {
  const inputs = kernel.length / outputs;
  const columns = outputs / groups;
  const bytes = groups * (panelBytes(columns, inputs) + panelBytes(columns, 1));
  const read = kernel.byteLength + (bias?.byteLength ?? 0);
  if (!isWorthPacking(bytes, read) || !holding.packs(bytes, groups, read)) {
    return new PlainProducts(kernel, outputs, bias, columns);
  }
  const linears: Linear[] = [];
  try {
    for (let first = 0; first < outputs; first += columns) {
      const weight = transposeColumns(kernel, outputs, first, columns, inputs);
      const own = bias && { bias: { data: bias.subarray(first, first + columns), dims: [columns] } };
      linears.push(Linear.fromStateDict({ weight, ...own }));
    }
  } catch (error) {
    for (const one of linears) one.dispose();
    throw error;
  }
  return {
    columns,
    run: (group, x, rows) => linears[group]!.forward({ data: x, dims: [rows, inputs] }).data,
    dispose: () => {
      for (const one of linears) one.dispose();
    },
  };
}

/** Tells whether packing at most doubles what was read; narrow matrices, which take whole panels of 16 columns, become padding. */
function isWorthPacking(bytes: number, read: number): boolean {
  return bytes <= 2 * read || bytes <= 1 << 14;
}

/** Products of a kernel as it was read, for those that become mostly padding in panels. */
class PlainProducts implements Products {
  readonly columns: number;
  private readonly _kernel: Float32Array;
  private readonly _width: number;
  private readonly _bias: Float32Array | undefined;

  constructor(kernel: Float32Array, width: number, bias: Float32Array | undefined, columns: number) {
    this.columns = columns;
    this._kernel = kernel;
    this._width = width;
    this._bias = bias;
  }

  /** Adds products in pairs, as gemm_f32 does (docs/kernels.md, "Order of summation"), so that results have its bits. */
  run(group: number, x: Float32Array, rows: number): Float32Array {
    const { columns, _kernel: kernel, _width: width } = this;
    const inputs = kernel.length / width;
    const first = group * columns;
    const output = new Float32Array(rows * columns);
    const pairs = inputs - (inputs % 2);
    for (let row = 0; row < rows; row++) {
      const at = row * inputs;
      for (let column = 0; column < columns; column++) {
        let sum = this._bias?.[first + column] ?? 0;
        let w = first + column;
        for (let k = at; k < at + pairs; k += 2, w += 2 * width) {
          const one = Math.fround(kernel[w]! * x[k]!);
          sum = Math.fround(sum + Math.fround(one + Math.fround(kernel[w + width]! * x[k + 1]!)));
        }
        if (pairs < inputs) sum = Math.fround(sum + Math.fround(kernel[w]! * x[at + pairs]!));
        output[row * columns + column] = sum;
      }
    }
    return output;
  }

  dispose(): void {}
}

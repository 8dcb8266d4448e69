import { integers } from './arena.ts';
import type { ParameterSpec } from './parameters.ts';
import { product } from './tensor.ts';
import { wasm } from './wasm.ts';

// Weights lie in panels of PANEL columns: [panel][k][column], one panel row of 64 bytes for each k. The same panels serve
// one row and many. Packing moves bits, never floats, so that even a NaN's payload comes back from stateDict().

/**
 * Which row of a PyTorch matrix stands in column `column` of panel `panel`, or -1 for padding. The gates' matrices
 * interleave four hidden units and the gates i, f, g, o, so that a product leaves each gate of a unit block in a vector of
 * its own: no shuffles before the activations.
 */
export type ColumnMap = (panel: number, column: number) => number;

/** A parameter and where it lies: a matrix in panels if it has `columns`, else its elements one after the other. */
export interface Parameter extends ParameterSpec {
  readonly pointer: number;
  readonly columns?: ColumnMap;
}

export function gateColumns(hiddenSize: number): ColumnMap {
  return (panel, column) => {
    const unit = panel * 4 + (column & 3);
    return unit < hiddenSize ? (column >> 2) * hiddenSize + unit : -1;
  };
}

export function plainColumns(rows: number): ColumnMap {
  return (panel, column) => {
    const row = panel * wasm().PANEL.value + column;
    return row < rows ? row : -1;
  };
}

/** Panels for a matrix of `rows` rows. Gates of H units: 4 H rows, which four units a panel fill as well. */
export function panelCount(rows: number): number {
  return Math.ceil(rows / wasm().PANEL.value);
}

/** Bytes of the panels of a matrix [rows][K]. */
export function panelBytes(rows: number, K: number): number {
  return panelCount(rows) * K * wasm().PANEL.value * 4;
}

/** Copies `values` into a parameter's place; padding columns become zero. */
export function writeParameter({ pointer, dims, columns }: Parameter, values: Float32Array): void {
  if (!columns) {
    writeFloats(pointer, values);
    return;
  }
  const from = new Int32Array(values.buffer, values.byteOffset, values.length);
  const to = integers();
  walk(pointer, dims, columns, (row, at, stride, K) => {
    for (let k = 0; k < K; k++) to[at + k * stride] = row < 0 ? 0 : from[row * K + k]!;
  });
}

/** A copy of a parameter, bit for bit what was written. */
export function readParameter({ pointer, dims, columns }: Parameter): Float32Array {
  const count = product(dims);
  if (!columns) return readFloats(pointer, count);
  const to = new Int32Array(count);
  const from = integers();
  walk(pointer, dims, columns, (row, at, stride, K) => {
    if (row >= 0) for (let k = 0; k < K; k++) to[row * K + k] = from[at + k * stride]!;
  });
  return new Float32Array(to.buffer);
}

/** Visits each column of the panels of a matrix: its row, the index of its first word, words from one k to the next, K. */
function walk(
  pointer: number,
  dims: readonly number[],
  columns: ColumnMap,
  visit: (row: number, at: number, stride: number, K: number) => void,
): void {
  const width = wasm().PANEL.value;
  const K = dims[1] ?? 1;
  for (let panel = 0; panel < panelCount(dims[0]!); panel++) {
    for (let column = 0; column < width; column++) {
      visit(columns(panel, column), pointer / 4 + panel * K * width + column, width, K);
    }
  }
}

/** Copies `values` to `pointer` bit for bit. */
export function writeFloats(pointer: number, values: Float32Array): void {
  integers().set(new Int32Array(values.buffer, values.byteOffset, values.length), pointer / 4);
}

/** A copy of `count` floats at `pointer`, bit for bit. */
export function readFloats(pointer: number, count: number): Float32Array {
  return new Float32Array(integers().slice(pointer / 4, pointer / 4 + count).buffer);
}

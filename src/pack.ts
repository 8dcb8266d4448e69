import { integers } from './arena.ts';
import { wasm } from './wasm.ts';

// Weights lie in panels of PANEL columns: [panel][k][column], one panel row of 64 bytes for each k. The same panels serve
// one row and many. Packing moves bits, never floats, so that even a NaN's payload comes back from stateDict().

/**
 * Which row of a PyTorch matrix stands in column `column` of panel `panel`, or -1 for padding. The gates' matrices
 * interleave four hidden units and the gates i, f, g, o, so that a product leaves each gate of a unit block in a vector of
 * its own: no shuffles before the activations.
 */
export type ColumnMap = (panel: number, column: number) => number;

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

/** Panels for the four gates of `hiddenSize` units, four units each. */
export function gatePanels(hiddenSize: number): number {
  return Math.ceil((4 * Math.ceil(hiddenSize / 4) * 4) / wasm().PANEL.value);
}

export function plainPanels(rows: number): number {
  return Math.ceil(rows / wasm().PANEL.value);
}

/** Bytes of `panels` panels of a matrix with `K` columns in PyTorch's sense (inputs). */
export function panelBytes(panels: number, K: number): number {
  return panels * K * wasm().PANEL.value * 4;
}

/** `matrix` [rows][K], row-major, into panels at `pointer`; padding columns become zero. */
export function pack(pointer: number, matrix: Float32Array, K: number, panels: number, map: ColumnMap): void {
  const from = new Int32Array(matrix.buffer, matrix.byteOffset, matrix.length);
  const to = integers();
  walk(pointer, K, panels, map, (row, at, stride) => {
    if (row < 0) for (let k = 0; k < K; k++) to[at + k * stride] = 0;
    else for (let k = 0; k < K; k++) to[at + k * stride] = from[row * K + k]!;
  });
}

/** The matrix [rows][K] that was packed at `pointer`, bit for bit. */
export function unpack(pointer: number, rows: number, K: number, panels: number, map: ColumnMap): Float32Array {
  const matrix = new Float32Array(rows * K);
  const to = new Int32Array(matrix.buffer);
  const from = integers();
  walk(pointer, K, panels, map, (row, at, stride) => {
    if (row >= 0) for (let k = 0; k < K; k++) to[row * K + k] = from[at + k * stride]!;
  });
  return matrix;
}

function walk(
  pointer: number,
  K: number,
  panels: number,
  map: ColumnMap,
  visit: (row: number, at: number, stride: number) => void,
): void {
  const columns = wasm().PANEL.value;
  for (let panel = 0; panel < panels; panel++) {
    for (let column = 0; column < columns; column++) {
      visit(map(panel, column), pointer / 4 + panel * K * columns + column, columns);
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

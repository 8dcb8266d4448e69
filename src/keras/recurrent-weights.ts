import { CELLS, type CellName } from '../cells/cells.ts';
import { Value } from '../graph/value.ts';
import { fromCudnn } from './cudnn.ts';
import type { LayerWeights, Part } from './plan.ts';
import type { RecurrentConfig } from './recurrent-config.ts';

// The weights of recurrent layers in the layout of ONNX's.

/** Where ONNX's gates, i, o, f, c or z, r, h, are among Keras's, i, f, c, o or z, r, h. */
const ORDERS = { LSTM: [0, 3, 1, 2], GRU: [0, 1, 2], RNN: [0] } as const;

/** W [D, G H, I], R [D, G H, H] and B [D, 2 G H] of ONNX's LSTM, GRU and RNN; G is the number of gates. */
export interface OnnxWeights {
  readonly w: Value<Float32Array>;
  readonly r: Value<Float32Array>;
  readonly b: Value<Float32Array> | undefined;
}

/** Reads a kernel (I, G H), a recurrent kernel (H, G H) and perhaps a bias (G H), of a GRU with resetAfter (2, G H). */
export function readCellWeights(
  { cell, units, useBias, resetAfter, isCudnn }: RecurrentConfig,
  size: number,
  weights: LayerWeights,
  part: Part,
): readonly Value<Float32Array>[] {
  const rows = CELLS[cell].gates * units;
  const two = isCudnn ? [2 * rows] : [2, rows];
  const specs = [
    { name: 'kernel', dims: [size, rows] },
    { name: 'recurrent_kernel', dims: [units, rows] },
    { name: 'bias', dims: resetAfter ? two : [rows], ...(cell === 'LSTM' && { otherDims: [2 * rows] }) },
  ];
  return weights.read(part, specs.slice(0, useBias ? 3 : 2));
}

/** Converts the weights of each direction. */
export function toOnnx(
  { cell, units: H, isCudnn }: RecurrentConfig,
  directions: readonly (readonly Value<Float32Array>[])[],
): OnnxWeights {
  const D = directions.length;
  const rows = CELLS[cell].gates * H;
  const all = directions.map((values) => {
    const data = values.map((value) => value.data);
    const isOther = cell === 'LSTM' ? data[2]?.length === 2 * rows : isCudnn;
    return isOther ? fromCudnn(cell, data, H) : data;
  });
  const I = all[0]![0]!.length / rows;
  const w = new Float32Array(D * rows * I);
  const r = new Float32Array(D * rows * H);
  const b = all.some(([, , bias]) => bias) ? new Float32Array(D * 2 * rows) : undefined;
  for (const [d, [kernel, recurrent, bias]] of all.entries()) {
    transposeGates(cell, kernel!, I, H, w.subarray(d * rows * I));
    transposeGates(cell, recurrent!, H, H, r.subarray(d * rows * H));
    for (let at = 0; bias && at < bias.length; at += rows) {
      transposeGates(cell, bias.subarray(at, at + rows), 1, H, b!.subarray(d * 2 * rows + at));
    }
  }
  return {
    w: Value.of('float32', [D, rows, I], w),
    r: Value.of('float32', [D, rows, H], r),
    b: b && Value.of('float32', [D, 2 * rows], b),
  };
}

/** Writes a matrix (rows, G H) as [G H][rows], with its gates in ONNX's order. */
function transposeGates(cell: CellName, matrix: Float32Array, rows: number, H: number, to: Float32Array): void {
  const order = ORDERS[cell];
  for (const [gate, from] of order.entries()) {
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < H; j++) to[(gate * H + j) * rows + row] = matrix[row * order.length * H + from * H + j]!;
    }
  }
}

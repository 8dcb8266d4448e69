import { Value } from '../graph/value.ts';
import { fromCudnn, isCudnn } from './cudnn.ts';
import type { LstmConfig } from './lstm-config.ts';
import type { LayerWeights, Part } from './plan.ts';

// The weights of an LSTM in the layout of ONNX's.

/** Where ONNX's gates i, o, f, c are among Keras's i, f, c, o. */
const GATES = [0, 3, 1, 2];

/** W [D, 4H, I], R [D, 4H, H] and B [D, 8H] of ONNX's LSTM. */
export interface OnnxWeights {
  readonly w: Value<Float32Array>;
  readonly r: Value<Float32Array>;
  readonly b: Value<Float32Array> | undefined;
}

/** Reads a kernel (I, 4H), a recurrent kernel (H, 4H) and perhaps a bias (4H). */
export function readCellWeights(
  { units, useBias }: LstmConfig,
  size: number,
  weights: LayerWeights,
  part: Part,
): readonly Value<Float32Array>[] {
  const gates = 4 * units;
  const specs = [
    { name: 'kernel', dims: [size, gates] },
    { name: 'recurrent_kernel', dims: [units, gates] },
    { name: 'bias', dims: [gates], otherDims: [2 * gates] },
  ];
  return weights.read(part, specs.slice(0, useBias ? 3 : 2));
}

/** Converts the weights of each direction. */
export function toOnnx(directions: readonly (readonly Value<Float32Array>[])[], units: number): OnnxWeights {
  const D = directions.length;
  const H = units;
  const all = directions.map((values) => {
    const data = values.map((value) => value.data);
    return isCudnn(data, units) ? fromCudnn(data, units) : data;
  });
  const I = all[0]![0]!.length / (4 * H);
  const w = new Float32Array(D * 4 * H * I);
  const r = new Float32Array(D * 4 * H * H);
  const b = all.some(([, , bias]) => bias) ? new Float32Array(D * 8 * H) : undefined;
  for (const [d, [kernel, recurrent, bias]] of all.entries()) {
    transposeGates(kernel!, I, H, w.subarray(d * 4 * H * I));
    transposeGates(recurrent!, H, H, r.subarray(d * 4 * H * H));
    if (bias) transposeGates(bias, 1, H, b!.subarray(d * 8 * H));
  }
  return {
    w: Value.of('float32', [D, 4 * H, I], w),
    r: Value.of('float32', [D, 4 * H, H], r),
    b: b && Value.of('float32', [D, 8 * H], b),
  };
}

/** Writes a matrix (rows, 4H) as [4H][rows], with its gates in ONNX's order. */
function transposeGates(matrix: Float32Array, rows: number, H: number, to: Float32Array): void {
  for (const [gate, from] of GATES.entries()) {
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < H; j++) to[(gate * H + j) * rows + row] = matrix[row * 4 * H + from * H + j]!;
    }
  }
}

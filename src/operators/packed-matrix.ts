import type { Value } from '../graph/value.ts';
import { FLOAT32, PANEL } from '../memory/abi.ts';
import { floats } from '../memory/arena.ts';
import { quantizeMatrix } from '../memory/int8.ts';
import { type Form, type Int8Matrix, panelBytes, panelCount, writeInt8 } from '../memory/pack.ts';
import { Resource } from '../nn/module.ts';

// Matrices of values, and the panels that products read.

/** A matrix [K][N] in a value. */
export interface Matrix {
  readonly value: Value<Float32Array>;
  readonly start: number;
  readonly K: number;
  readonly N: number;
  /** How far apart neighbours in k and neighbouring columns are, in elements. */
  readonly kStep: number;
  readonly nStep: number;
}

/** Copies a block of a matrix into panels: columns from `column` on, and `depth` rows from `k` on. */
export function packPanels(
  { value: { data }, N, kStep, nStep }: Matrix,
  start: number,
  pointer: number,
  column: number,
  panels: number,
  k: number,
  depth: number,
): void {
  const memory = floats();
  let at = pointer / 4;
  for (let panel = 0; panel < panels; panel++, column += PANEL) {
    const columns = Math.min(PANEL, N - column);
    for (let i = 0, row = start + k * kStep + column * nStep; i < depth; i++, row += kStep, at += PANEL) {
      for (let j = 0; j < columns; j++) memory[at + j] = data[row + j * nStep]!;
      for (let j = columns; j < PANEL; j++) memory[at + j] = 0;
    }
  }
}

/** A constant matrix in linear memory. */
export class PackedMatrix extends Resource {
  readonly K: number;
  readonly N: number;
  readonly form: Form;
  readonly pointer: number;

  /**
   * @param matrix with 8-bit weights, all finite
   * @param given its columns as 8-bit weights, if they are such already; `matrix` only tells the sizes then
   */
  constructor(matrix: Matrix, form: Form, given?: Int8Matrix) {
    super('onnx');
    const { K, N } = matrix;
    this.K = K;
    this.N = N;
    this.form = form;
    this.pointer = this.allocate(packedBytes(matrix, form));
    if (form === FLOAT32) packPanels(matrix, matrix.start, this.pointer, 0, panelCount(N), 0, K);
    else {
      // an output of the product is a row of nn.Linear's weight, with one scale
      const weights = given ?? quantizeMatrix(this.who, 'weight', columnsOf(matrix), N);
      writeInt8({ name: 'weight', dims: [N, K], pointer: this.pointer, panels: { form } }, weights);
    }
  }
}

/** The columns of a matrix, one after the other. */
function columnsOf({ value: { data }, start, K, N, kStep, nStep }: Matrix): Float32Array {
  if (kStep === 1 && nStep === K) return data.subarray(start, start + N * K);
  const columns = new Float32Array(N * K);
  for (let n = 0, at = 0; n < N; n++) {
    for (let k = 0, from = start + n * nStep; k < K; k++, from += kStep) columns[at++] = data[from]!;
  }
  return columns;
}

/** Bytes of a matrix in panels. */
export function packedBytes({ K, N }: Matrix, form: Form): number {
  return panelBytes(N, K, form);
}

/** Whether packing as float32 at most doubles the size of a matrix; narrow ones become mostly padding, empty ones have nothing to pack. */
export function isWorthPacking({ K, N }: Matrix): boolean {
  if (K === 0 || N === 0) return false;
  return panelBytes(N, K) <= 8 * K * N || panelBytes(N, K) <= 1 << 14;
}

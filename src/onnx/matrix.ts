import { PANEL } from '../memory/abi.ts';
import { align, floats, scratch } from '../memory/arena.ts';
import { PANEL_BYTES, panelBytes, panelCount } from '../memory/pack.ts';
import { PRODUCT_BYTES, Product } from '../memory/structs.ts';
import { wasm } from '../memory/wasm.ts';
import { Resource } from '../nn/module.ts';
import type { ValueData } from './value.ts';

// Products of float matrices in wasm. A constant matrix is packed once; any other is packed into scratch, block by block.

/** The depth of a block in scratch; a multiple of the depth in which the kernel sums, so that blocks do not change the bits. */
const BLOCK_DEPTH = 4096;
const BLOCK_PANELS = 4;
/** Bytes of the rows that go through the kernel at once. */
const BLOCK_BYTES = 1 << 17;

/** A matrix [K][N] somewhere in an array. */
export interface Matrix {
  readonly data: Float32Array;
  readonly start: number;
  readonly K: number;
  readonly N: number;
  /** How far apart neighbours in k and neighbouring columns are, in elements. */
  readonly kStep: number;
  readonly nStep: number;
}

/** Copies a block of a matrix into panels: columns from `column` on, and `depth` rows from `k` on. */
function packPanels(
  { data, start, N, kStep, nStep }: Matrix,
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
  readonly pointer: number;

  constructor(matrix: Matrix) {
    super('onnx');
    const { K, N } = matrix;
    this.K = K;
    this.N = N;
    this.pointer = this.allocate(panelBytes(N, K));
    packPanels(matrix, this.pointer, 0, panelCount(N), 0, K);
  }
}

/** Bytes of a matrix in panels. */
export function packedBytes({ K, N }: Matrix): number {
  return panelBytes(N, K);
}

/** Whether packing at most doubles the size of a matrix; narrow ones become mostly padding, empty ones have nothing to pack. */
export function isWorthPacking({ K, N }: Matrix): boolean {
  if (K === 0 || N === 0) return false;
  return panelBytes(N, K) <= 8 * K * N || panelBytes(N, K) <= 1 << 14;
}

/**
 * out[r] = bias + x[r] matrix for `rows` rows: x [rows][K] from `xStart` on, out [rows][N] from `outStart` on.
 * @param bias [N]; zeros if left out
 */
export function multiplyFloats(
  x: Float32Array,
  xStart: number,
  rows: number,
  matrix: Matrix | PackedMatrix,
  bias: Float32Array | undefined,
  out: Float32Array,
  outStart: number,
): void {
  const { K, N } = matrix;
  const packed = matrix instanceof PackedMatrix;
  const blockPanels = packed ? panelCount(N) : Math.min(BLOCK_PANELS, panelCount(N));
  const blockDepth = packed ? K : Math.min(BLOCK_DEPTH, K);
  const zStride = PANEL_BYTES * blockPanels;
  const blockRows = Math.min(rows, Math.max(4, Math.floor(BLOCK_BYTES / (4 * blockDepth + zStride))));
  const wBytes = packed ? 0 : align(blockPanels * PANEL_BYTES * blockDepth);
  const w = scratch(wBytes + zStride * (blockRows + 1) + 4 * blockRows * blockDepth + PRODUCT_BYTES);
  const init = w + wBytes;
  const z = init + zStride;
  const input = z + zStride * blockRows;
  const call = input + 4 * blockRows * blockDepth;
  const memory = floats();
  const product = new Product();
  product.w = packed ? matrix.pointer : w;
  product.x = input;
  product.z = z;
  product.zStride = zStride;
  for (let row = 0; row < rows; row += blockRows) {
    const count = Math.min(blockRows, rows - row);
    for (let column = 0; column < N; column += blockPanels * PANEL) {
      const columns = Math.min(blockPanels * PANEL, N - column);
      const panels = panelCount(columns);
      memory.fill(0, init / 4, init / 4 + blockPanels * PANEL);
      if (bias) memory.set(bias.subarray(column, column + columns), init / 4);
      product.init = init;
      product.initStride = 0;
      product.rows = count;
      product.panels = panels;
      // once even if K is 0, for the bias
      for (let k = 0; k === 0 || k < K; k += blockDepth) {
        const depth = Math.min(blockDepth, K - k);
        if (!packed) packPanels(matrix, w, column, panels, k, depth);
        for (let r = 0; r < count; r++) {
          const at = xStart + (row + r) * K + k;
          memory.set(x.subarray(at, at + depth), input / 4 + r * depth);
        }
        product.xStride = 4 * depth;
        product.K = depth;
        wasm().multiply(product.write(call));
        product.init = z;
        product.initStride = zStride;
        if (depth === 0) break;
      }
      for (let r = 0; r < count; r++) {
        const at = (z + r * zStride) / 4;
        out.set(memory.subarray(at, at + columns), outStart + (row + r) * N + column);
      }
    }
  }
}

/** out[r][n] = sum over k of x[r][k] y[k][n], for integers of 64 or 32 bits; the sum wraps. */
export function multiplyIntegers(
  x: ValueData,
  xStart: number,
  rows: number,
  K: number,
  N: number,
  y: ValueData,
  yStart: number,
  out: ValueData,
  at: number,
): void {
  const wide = out instanceof BigInt64Array;
  for (let r = 0; r < rows; r++) {
    for (let n = 0; n < N; n++) {
      let sum = 0n;
      for (let k = 0; k < K; k++) sum += BigInt(x[xStart + r * K + k]!) * BigInt(y[yStart + k * N + n]!);
      if (wide) out[at++] = sum;
      else out[at++] = Number(BigInt.asIntN(32, sum));
    }
  }
}

import type { Step } from '../graph/block.ts';
import type { Builder } from '../graph/builder.ts';
import type { ValueData } from '../graph/types.ts';
import type { Value } from '../graph/value.ts';
import { FLOAT32, PANEL } from '../memory/abi.ts';
import { floats, integers } from '../memory/arena.ts';
import { wholeTiles } from '../memory/layout.ts';
import { PANEL_BYTES, panelCount, quantizedBytes } from '../memory/pack.ts';
import { skip } from '../memory/rows.ts';
import { PRODUCT_BYTES, PRODUCT_ROWS, PRODUCT_X, PRODUCT_Z, Product } from '../memory/structs.ts';
import { wasm } from '../memory/wasm.ts';
import { type Matrix, PackedMatrix, packPanels } from './packed-matrix.ts';

// Products of matrices in wasm. A constant matrix is packed once; any other is packed in each run, block by block.

/** The depth of a block that is packed in a run; a multiple of the depth in which the kernel sums, so that blocks do not change bits. */
const BLOCK_DEPTH = 4096;
const BLOCK_PANELS = 4;
/** Bytes of the sums of the rows that go through the kernel at once, where they are not the result themselves. */
const BLOCK_BYTES = 1 << 17;

/** Rows to multiply: x[r] begins `start` + r * `stride` floats into `value`. */
export interface Rows {
  readonly value: Value<Float32Array>;
  readonly stride: number;
  readonly count: number;
}

/** Where the operands of one of several products of the same sizes begin, in elements. */
export interface Place {
  readonly x: number;
  readonly matrix: number;
  readonly out: number;
}

/**
 * Adds the step out[r] = bias + x[r] matrix; out [rows][N] from its place on.
 * @param bias [N] from `biasStart` on; zeros if left out
 */
export function multiply(
  plan: Builder,
  x: Rows,
  matrix: Matrix | PackedMatrix,
  bias: Value<Float32Array> | undefined,
  biasStart: number,
  out: Value<Float32Array>,
  places: readonly Place[],
): void {
  if (x.count === 0 || matrix.N === 0 || places.length === 0) return;
  if (matrix instanceof PackedMatrix) multiplyPacked(plan, x, matrix, bias, biasStart, out, places);
  else multiplyUnpacked(plan, x, matrix, bias, biasStart, out, places);
}

function multiplyPacked(
  plan: Builder,
  x: Rows,
  { K, N, form, pointer }: PackedMatrix,
  bias: Value<Float32Array> | undefined,
  biasStart: number,
  out: Value<Float32Array>,
  places: readonly Place[],
): void {
  const panels = panelCount(N);
  const zStride = panels * PANEL_BYTES;
  // whole panels are written to the result; columns that fill the last panel are left out by way of a buffer
  const isDirect = N % PANEL === 0;
  const rowBytes = quantizedBytes(K, form);
  const block = Math.max(4, wholeTiles(BLOCK_BYTES, zStride + rowBytes));
  const most = isDirect && form === FLOAT32 ? x.count : Math.min(x.count, block);
  const isOneCall = isDirect && most === x.count && places.length === 1;
  const z = plan.scratch(isDirect ? 0 : most * panels * PANEL);
  const quantized = plan.scratch((most * rowBytes) / 4);
  const init = plan.keep(zStride);
  const call = plan.keep(PRODUCT_BYTES);
  plan.kernel([x.value, bias], [out, z, quantized, init, call], (atX, atBias, atOut, ...own): Step => {
    const [atZ, atQuantized, atInit, atCall] = own as [number, number, number, number];
    const product = new Product();
    product.w = pointer;
    product.x = skip(atX, places[0]!.x);
    product.xStride = 4 * x.stride;
    product.K = K;
    product.init = atInit;
    product.z = isDirect ? skip(atOut, places[0]!.out) : atZ;
    product.zStride = zStride;
    product.panels = panels;
    product.rows = most;
    product.form = form;
    product.scratch = atQuantized;
    product.write(atCall);
    floats().fill(0, atInit / 4, atInit / 4 + panels * PANEL);
    const fill = fillBias(bias, atBias, biasStart, N, atInit);
    const kernels = wasm();
    if (isOneCall) {
      return () => {
        fill?.();
        kernels.multiply(atCall);
      };
    }
    return () => {
      fill?.();
      for (const place of places) {
        for (let row = 0; row < x.count; row += most) {
          const to = skip(atOut, place.out + row * N);
          const words = integers();
          words[atCall / 4 + PRODUCT_X] = skip(atX, place.x + row * x.stride);
          words[atCall / 4 + PRODUCT_ROWS] = Math.min(most, x.count - row);
          if (isDirect) {
            words[atCall / 4 + PRODUCT_Z] = to;
            kernels.multiply(atCall);
          } else kernels.linear(atCall, to, N);
        }
      }
    };
  });
}

/** Copies the bias at once if it is known; else gives the step that does. */
function fillBias(
  bias: Value<Float32Array> | undefined,
  pointer: number,
  start: number,
  count: number,
  init: number,
): Step | undefined {
  if (!bias) return undefined;
  const from = skip(pointer, start) / 4;
  const fill = () => void floats().copyWithin(init / 4, from, from + count);
  if (!bias.known) return fill;
  fill();
  return undefined;
}

function multiplyUnpacked(
  plan: Builder,
  x: Rows,
  matrix: Matrix,
  bias: Value<Float32Array> | undefined,
  biasStart: number,
  out: Value<Float32Array>,
  places: readonly Place[],
): void {
  const { value, K, N } = matrix;
  const blockPanels = Math.min(BLOCK_PANELS, panelCount(N));
  const blockDepth = Math.min(BLOCK_DEPTH, K);
  const zStride = PANEL_BYTES * blockPanels;
  const most = Math.min(x.count, Math.max(4, Math.floor(BLOCK_BYTES / zStride)));
  const w = plan.scratch(blockPanels * PANEL * blockDepth);
  const z = plan.scratch(blockPanels * PANEL * most);
  const init = plan.scratch(blockPanels * PANEL);
  const call = plan.scratch(PRODUCT_BYTES / 4);
  // the matrix is read where it lies, which may be outside linear memory
  plan.kernel(
    [x.value, bias, value.known ? undefined : value],
    [out, w, z, init, call],
    (atX, atBias, _, atOut, ...own) => {
      const [atW, atZ, atInit, atCall] = own as [number, number, number, number];
      const product = new Product();
      product.w = atW;
      product.xStride = 4 * x.stride;
      product.z = atZ;
      product.zStride = zStride;
      const kernels = wasm();
      return () => {
        const memory = floats();
        for (const place of places) {
          for (let row = 0; row < x.count; row += most) {
            product.rows = Math.min(most, x.count - row);
            for (let column = 0; column < N; column += blockPanels * PANEL) {
              const columns = Math.min(blockPanels * PANEL, N - column);
              product.panels = panelCount(columns);
              memory.fill(0, atInit / 4, atInit / 4 + blockPanels * PANEL);
              if (bias) {
                const from = skip(atBias, biasStart + column) / 4;
                memory.copyWithin(atInit / 4, from, from + columns);
              }
              product.init = atInit;
              product.initStride = 0;
              // once even if K is 0, for the bias
              for (let k = 0; k === 0 || k < K; k += blockDepth) {
                product.K = Math.min(blockDepth, K - k);
                packPanels(matrix, matrix.start + place.matrix, atW, column, product.panels, k, product.K);
                product.x = skip(atX, place.x + row * x.stride + k);
                kernels.multiply(product.write(atCall));
                product.init = atZ;
                product.initStride = zStride;
                if (product.K === 0) break;
              }
              const to = skip(atOut, place.out + row * N + column);
              kernels.copy_rows(to, 4 * N, atZ, zStride, product.rows, columns);
            }
          }
        }
      };
    },
  );
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
  for (let r = 0; r < rows; r++) {
    for (let n = 0; n < N; n++, at++) {
      if (out instanceof BigInt64Array) {
        let sum = 0n;
        for (let k = 0; k < K; k++) sum += (x[xStart + r * K + k] as bigint) * (y[yStart + k * N + n] as bigint);
        out[at] = sum;
      } else {
        let sum = 0;
        for (let k = 0; k < K; k++) sum += Math.imul(x[xStart + r * K + k] as number, y[yStart + k * N + n] as number);
        out[at] = sum;
      }
    }
  }
}

import { beforeEach, describe, test } from 'vitest';
import { I8, I8_RELAXED } from '../../src/memory/abi.ts';
import { allocate, release } from '../../src/memory/arena.ts';
import { int8Form } from '../../src/memory/int8.ts';
import { type Form, type Int8Matrix, panelBytes, quantizedBytes, writeInt8 } from '../../src/memory/pack.ts';
import { initialize } from '../../src/memory/wasm.ts';
import { buffer, run } from '../support/canaries.ts';
import { kernels, PANEL, product } from '../support/kernels.ts';
import { hasRelaxedSimd, need } from '../support/need.ts';
import { numbers, random, same, sweep, upTo } from '../support/sweep.ts';

const relaxed = hasRelaxedSimd();
// also where the engine emulates it
initialize(undefined, { relaxed: true });
int8Form();

describe('gemm_i8', () => {
  /** What gemm_i8 computes, in float64 where it is exact and rounded where the kernels round. */
  const oracle = (
    { data, scale }: Int8Matrix,
    x: readonly number[],
    K: number,
    init: (r: number, column: number) => number,
    rows: number,
    columns: number,
  ): number[] => {
    const result: number[] = [];
    for (let r = 0; r < rows; r++) {
      const row = x.slice(r * K, (r + 1) * K).map(Math.fround);
      const top = Math.max(...row.map(Math.abs), Math.fround(1e-30));
      const inverse = Math.fround(8191 / top);
      // adding 1.5 * 2^23 rounds to the nearest integer, ties to even
      const q = row.map((value) => Math.fround(Math.fround(value * inverse) + 12582912) - 12582912);
      for (let column = 0; column < columns; column++) {
        let z = init(r, column);
        const unit = Math.fround(scale[column]! * Math.fround(top / 8191));
        for (let k = 0; k === 0 || k < K; k += 2048) {
          let sum = 0;
          for (let i = k; i < Math.min(K, k + 2048); i++) sum += data[column * K + i]! * q[i]!;
          z = Math.fround(z + Math.fround(Math.fround(sum) * unit));
        }
        result.push(z);
      }
    }
    return result;
  };

  /** A matrix as words, in panels of `form`. */
  const packed = (matrix: Int8Matrix, columns: number, K: number, form: Form): number[] => {
    const block = allocate(panelBytes(columns, K, form));
    const words = new Int32Array(kernels.memory.buffer, block, panelBytes(columns, K, form) / 4).fill(0);
    writeInt8({ name: '', dims: [columns, K], pointer: block, panels: { form } }, matrix);
    const copy = [...words];
    release(block);
    return copy;
  };

  const matrixOf = (columns: number, K: number, weight: (i: number) => number): Int8Matrix => ({
    data: Int8Array.from({ length: columns * K }, (_, i) => weight(i)),
    scale: Float32Array.from({ length: columns }, () => random() / 100),
  });

  const multiply = (
    matrix: Int8Matrix,
    x: readonly number[],
    shape: { rows: number; K: number; columns: number; padding: number; form: Form; init: readonly number[] },
  ) => {
    const { rows, K, columns, padding, form, init } = shape;
    const count = Math.ceil(columns / PANEL);
    const words = packed(matrix, columns, K, form);
    const initial = Array.from({ length: count * PANEL }, (_, i) => init[i] ?? 0);
    const z = run(
      {
        w: { ...buffer('in', 1, words.length), words: () => words },
        x: buffer('in', rows, K, x, padding),
        init: buffer('in', 1, count * PANEL, initial),
        z: buffer('out', rows, count * PANEL, undefined, padding),
        scratch: buffer('scratch', 1, (rows * quantizedBytes(K, form)) / 4),
      },
      (at) =>
        kernels.multiply(
          product({
            w: at.w,
            x: at.x,
            xStride: 4 * (K + padding),
            K,
            init: at.init,
            z: at.z,
            zStride: 4 * (count * PANEL + padding),
            rows,
            panels: count,
            scratch: at.scratch,
            form,
          }),
        ),
    ).z;
    return Array.from({ length: rows * columns }, (_, i) => {
      return z[Math.floor(i / columns) * count * PANEL + (i % columns)]!;
    });
  };

  const forms = [
    ['dot_i16x8_s', I8, true],
    ['relaxed_dot', I8_RELAXED, relaxed],
  ] as const;

  describe.each(forms)('%s', (_, form, available) => {
    beforeEach((context) => need(context, 'relaxed SIMD', available));

    test('every number of rows, depth and outputs', () => {
      const shapes = {
        rows: upTo(4),
        K: upTo(2 * PANEL + 1, 0),
        columns: [1, PANEL - 1, PANEL + 1],
        padding: [0, 3],
      };
      sweep(shapes, ({ rows, K, columns, padding }) => {
        const matrix = matrixOf(columns, K, () => Math.floor(random() * 255) - 127);
        const x = numbers(rows * K, 3);
        const init = numbers(columns).map(Math.fround);
        const z = multiply(matrix, x, { rows, K, columns, padding, form, init });
        same(
          z,
          oracle(matrix, x, K, (_, column) => init[column]!, rows, columns),
          'z',
        );
      });
    });

    test('the largest sums are exact at every depth', () => {
      sweep({ K: [2047, 2048, 2049, 4096, 5000], sign: [1, -1] }, ({ K, sign }) => {
        const matrix = matrixOf(3, K, (i) => (i < K ? 127 : i < 2 * K ? -127 : 127 - (i % 255)));
        const x = new Array<number>(K).fill(sign);
        const z = multiply(matrix, x, { rows: 1, K, columns: 3, padding: 0, form, init: [] });
        same(
          z,
          oracle(matrix, x, K, () => 0, 1, 3),
          'z',
        );
      });
    });

    test('from the smallest activations to the largest', () => {
      sweep({ size: [0, 1e-45, 1e-38, 1e-30, 1e-20, 1, 1e20, 3.4e38] }, ({ size }) => {
        const matrix = matrixOf(2, 9, (i) => (i % 2 ? 127 : -5));
        const x = numbers(9, size);
        const z = multiply(matrix, x, { rows: 1, K: 9, columns: 2, padding: 0, form, init: [] });
        same(
          z,
          oracle(matrix, x, 9, () => 0, 1, 2),
          'z',
        );
      });
    });

    test('a row with NaN or infinity is that of dequantised weights, its neighbours are as ever', () => {
      sweep({ special: [NaN, Infinity, -Infinity], K: [3, 8, 17] }, ({ special, K }) => {
        const columns = PANEL + 2;
        const matrix = matrixOf(columns, K, (i) => (i % 4 ? 127 - (i % 255) : 0));
        const x = numbers(3 * K);
        x[K + 1] = special;
        const z = multiply(matrix, x, { rows: 3, K, columns, padding: 0, form, init: [] });
        const expected = oracle(matrix, x, K, () => 0, 3, columns);
        for (let column = 0; column < columns; column++) {
          let sum = 0;
          for (let k = 0; k < K; k++) {
            const weight = Math.fround(matrix.data[column * K + k]! * matrix.scale[column]!);
            sum = Math.fround(sum + Math.fround(weight * Math.fround(x[K + k]!)));
          }
          expected[columns + column] = sum;
        }
        same(z, expected, 'z');
      });
    });
  });
});

import { describe, test } from 'vitest';
import { FLOAT32, FLOAT32_WIDE } from '../../src/memory/abi.ts';
import { buffer, run } from '../support/canaries.ts';
import { kernels, PANEL, product, TILE_ROWS } from '../support/kernels.ts';
import { checkProduct, noise, panels } from '../support/panels.ts';
import { numbers, same, sweep, upTo } from '../support/sweep.ts';

describe('gemm_f32', () => {
  interface Shape {
    rows: number;
    K: number;
    count: number;
    padding: number;
    init: 'one row' | 'rows' | 'z';
    form: typeof FLOAT32 | typeof FLOAT32_WIDE;
  }

  const check = ({ rows, K, count, padding, init, form }: Shape) => {
    const width = count * PANEL;
    const w = panels(count, K, noise);
    const x = numbers(rows * K);
    const initRows = init === 'one row' ? 1 : rows;
    const initial = numbers(initRows * width);
    const buffers = {
      w: buffer('in', count * K, PANEL, w),
      x: buffer('in', rows, K, x, padding),
      init: buffer('in', initRows, width, initial, 2 * padding),
      z: buffer('out', rows, width, init === 'z' ? initial : undefined, 3 * padding),
    };
    const xStride = 4 * buffers.x.stride;
    const zStride = 4 * buffers.z.stride;
    const { z } = run(buffers, (at) => {
      const { w, x, z } = at;
      const from = {
        z: { init: z, initStride: zStride },
        rows: { init: at.init, initStride: 4 * buffers.init.stride },
        'one row': { init: at.init, initStride: 0 },
      }[init];
      kernels.multiply(product({ w, x, xStride, K, ...from, z, zStride, rows, panels: count, form }));
    });
    checkProduct(z, w, x, K, (r, column) => initial[(r % initRows) * width + column]!, rows, width);
  };

  const init = ['one row', 'rows', 'z'] as const;
  const form = [FLOAT32, FLOAT32_WIDE] as const;
  const rows = upTo(2 * TILE_ROWS + 1);

  test('every number of rows and depth, rows next to each other', () => {
    sweep({ rows, K: upTo(2 * PANEL + 1, 0), count: [1, 2], padding: [0], init, form }, check);
  });

  test('rows apart and at any float', () => {
    sweep({ rows, K: [1, 2, 3, PANEL - 1, PANEL], count: [1, 3], padding: [1, 5], init, form }, check);
  });

  test('deeper than a block', () => {
    sweep({ rows: [2, 3], K: [255, 256, 257, 511, 513], count: [1, 2], padding: [0], init, form }, check);
  });

  test('many rows and panels', () =>
    sweep({ rows: [21, 32], K: [100, 101], count: [9], padding: [0, 3], init, form }, check));

  test('a row has the bits of gemv_f32 alone, whatever is beside it', () => {
    sweep({ rows, K: upTo(7), count: [1, 2], form }, ({ rows, K, count, form }) => {
      const width = count * PANEL;
      const w = panels(count, K, noise);
      const init = numbers(width);
      // neighbours that spoil whatever they touch
      const x = upTo(rows).flatMap((r) => (r % 3 ? numbers(K) : new Array<number>(K).fill(r % 2 ? NaN : 1e38)));
      const call = (x: readonly number[], rows: number) =>
        run(
          {
            w: buffer('in', count * K, PANEL, w),
            x: buffer('in', rows, K, x),
            init: buffer('in', 1, width, init),
            z: buffer('out', rows, width),
          },
          (at) => {
            if (rows === 1) kernels.gemv_f32(at.w, at.x, K, at.init, at.z, count);
            else {
              const strides = { xStride: 4 * K, zStride: 4 * width };
              kernels.multiply(
                product({ w: at.w, x: at.x, K, init: at.init, z: at.z, rows, panels: count, form, ...strides }),
              );
            }
          },
        ).z;
      const z = call(x, rows);
      for (let r = 0; r < rows; r++) {
        same(z.subarray(r * width, (r + 1) * width), call(x.slice(r * K, (r + 1) * K), 1), `row ${r}`);
      }
    });
  });

  test('both tiles give the same bits, of infinities, subnormal numbers and zeros too', () => {
    const values = [0, -0, 1e-45, -1e-40, 3e38, -3e38, Infinity, -Infinity, 1, -1];
    let at = 0;
    // the sign and payload of a NaN are left open
    const value = () => (at++ % 3 ? noise() : values[(at * 7) % values.length]!);
    sweep({ rows, K: [...upTo(5), 255, 256, 257, 512, 513], count: [1, 2] }, ({ rows, K, count }) => {
      const width = count * PANEL;
      const buffers = {
        w: buffer('in', count * K, PANEL, panels(count, K, value)),
        x: buffer('in', rows, K, Array.from({ length: rows * K }, value)),
        z: buffer('out', rows, width, Array.from({ length: rows * width }, value)),
      };
      const strides = { xStride: 4 * K, initStride: 4 * width, zStride: 4 * width };
      const [narrow, wide] = form.map((form) =>
        run(buffers, (at) =>
          kernels.multiply(product({ ...at, init: at.z, K, rows, panels: count, form, ...strides })),
        ).z.map((sum) => (Number.isNaN(sum) ? NaN : sum)),
      );
      same(wide!, narrow!, 'z');
    });
  });
});

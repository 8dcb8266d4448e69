import { describe, test } from 'vitest';
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
  }

  const check = ({ rows, K, count, padding, init }: Shape) => {
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
      kernels.multiply(product({ w, x, xStride, K, ...from, z, zStride, rows, panels: count }));
    });
    checkProduct(z, w, x, K, (r, column) => initial[(r % initRows) * width + column]!, rows, width);
  };

  const init = ['one row', 'rows', 'z'] as const;
  const rows = upTo(2 * TILE_ROWS + 1);

  test('every number of rows and depth, rows next to each other', () => {
    sweep({ rows, K: upTo(2 * PANEL + 1, 0), count: [1, 2], padding: [0], init }, check);
  });

  test('rows apart and at any float', () => {
    sweep({ rows, K: [1, 2, 3, PANEL - 1, PANEL], count: [1, 3], padding: [1, 5], init }, check);
  });

  test('deeper than a block', () => {
    sweep({ rows: [2, 3], K: [255, 256, 257, 511, 513], count: [1, 2], padding: [0], init }, check);
  });

  test('many rows and panels', () =>
    sweep({ rows: [21, 32], K: [100, 101], count: [9], padding: [0, 3], init }, check));

  test('a row has the bits of gemv_f32 alone, whatever is beside it', () => {
    sweep({ rows, K: upTo(7), count: [1, 2] }, ({ rows, K, count }) => {
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
                product({ w: at.w, x: at.x, K, init: at.init, z: at.z, rows, panels: count, ...strides }),
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
});

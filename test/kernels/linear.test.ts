import { test } from 'vitest';
import { buffer, run } from '../support/canaries.ts';
import { kernels, PANEL, product, TILE_ROWS } from '../support/kernels.ts';
import { checkProduct, noise, panels } from '../support/panels.ts';
import { numbers, sweep, upTo } from '../support/sweep.ts';

test('linear: every number of rows and outputs; padding columns do not count', () => {
  const shapes = { rows: upTo(2 * TILE_ROWS + 1), outputs: upTo(2 * PANEL + 1), K: [1, 2, PANEL + 1] };
  sweep(shapes, ({ rows, outputs, K }) => {
    const count = Math.ceil(outputs / PANEL);
    const unlessPadding = (column: number) => (column < outputs ? noise() : undefined);
    const w = panels(count, K, unlessPadding);
    const bias = panels(count, 1, unlessPadding);
    const x = numbers(rows * K);
    const { out } = run(
      {
        w: buffer('in', count * K, PANEL, w),
        bias: buffer('in', count, PANEL, bias),
        x: buffer('in', rows, K, x),
        out: buffer('out', rows, outputs),
        z: buffer('scratch', rows, count * PANEL),
      },
      ({ w, bias, x, z, out }) => {
        const strides = { xStride: 4 * K, zStride: 4 * count * PANEL };
        kernels.linear(product({ w, x, K, init: bias, z, rows, panels: count, ...strides }), out, outputs);
      },
    );
    checkProduct(out, w, x, K, (_, column) => bias[column]!, rows, outputs);
  });
});

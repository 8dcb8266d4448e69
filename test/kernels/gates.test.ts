import { describe, test } from 'vitest';
import { buffer, run } from '../support/canaries.ts';
import { gateRow, kernels, LANES, PANEL } from '../support/kernels.ts';
import { panels } from '../support/panels.ts';
import { near, numbers, same, sweep, upTo } from '../support/sweep.ts';

describe('lstm_gates_f32', () => {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

  /** z [4][H]: gates i, f, g, o */
  const gates = (H: number, z: readonly number[], c: readonly number[], hIsY: boolean) => {
    const count = Math.ceil(H / LANES);
    const cells = panels(count, 1, (column) => {
      const row = gateRow(column, H);
      return row === undefined ? undefined : z[row];
    });
    const result = run(
      {
        z: buffer('in', count, PANEL, cells),
        c: buffer('out', 1, H, c),
        h: buffer('out', 1, hIsY ? 0 : H),
        y: buffer('out', 1, H),
      },
      (at) => kernels.lstm_gates_f32(at.z, at.c, hIsY ? at.y : at.h, at.y, H),
    );
    if (!hIsY) same(result.h, result.y, 'h');
    return result;
  };

  test('every number of units: the float64 formula, and the bits of a unit alone', () => {
    sweep({ H: upTo(2 * PANEL + 1), hIsY: [false, true] }, ({ H, hIsY }) => {
      const z = numbers(4 * H, 4);
      const c0 = numbers(H, 2);
      const { c, y } = gates(H, z, c0, hIsY);
      const [i, f, g, o] = [0, 1, 2, 3].map((gate) => z.slice(gate * H, (gate + 1) * H)) as [
        number[],
        number[],
        number[],
        number[],
      ];
      const expected = c0.map((old, u) => sigmoid(f[u]!) * old + sigmoid(i[u]!) * Math.tanh(g[u]!));
      // wrong units and gates; activations.test.ts has the accuracy
      near(c, expected, () => 1e-6, 'c');
      near(
        y,
        expected.map((cell, u) => sigmoid(o[u]!) * Math.tanh(cell)),
        () => 1e-6,
        'y',
      );
      for (let u = 0; u < H; u++) {
        const alone = gates(1, [i[u]!, f[u]!, g[u]!, o[u]!], [c0[u]!], hIsY);
        same([c[u]!, y[u]!], [alone.c[0]!, alone.y[0]!], `unit ${u}`);
      }
    });
  });
});

import type { Cell } from './canaries.ts';
import { PANEL } from './kernels.ts';
import { near, numbers, same } from './sweep.ts';

/** A matrix in panels: [panel][k][PANEL], `cell` giving what stands in column `column` of row k. */
export function panels(count: number, K: number, cell: (column: number, k: number) => Cell): Cell[] {
  const cells: Cell[] = [];
  for (let p = 0; p < count; p++) {
    for (let k = 0; k < K; k++) for (let c = 0; c < PANEL; c++) cells.push(cell(p * PANEL + c, k));
  }
  return cells;
}

export const noise = () => numbers(1)[0]!;

/**
 * Checks out[r][column] = init + sum of w x: bit for bit against float32 in the documented order (products join the sum
 * in pairs, an odd last one alone), and against float64 within K roundings of the terms' sizes.
 */
export function checkProduct(
  out: Float32Array,
  w: readonly Cell[],
  x: readonly number[],
  K: number,
  init: (r: number, column: number) => number,
  rows: number,
  columns: number,
): void {
  const single: number[] = [];
  const double: number[] = [];
  const size: number[] = [];
  for (let r = 0; r < rows; r++) {
    for (let column = 0; column < columns; column++) {
      const wAt = Math.floor(column / PANEL) * K * PANEL + (column % PANEL);
      const product = (k: number) => w[wAt + k * PANEL]! * x[r * K + k]!;
      let s = init(r, column);
      let d = s;
      let bound = Math.abs(s);
      for (let k = 0; k < K; k += 2) {
        const pair = k + 1 < K ? Math.fround(product(k)) + Math.fround(product(k + 1)) : product(k);
        s = Math.fround(s + Math.fround(pair));
      }
      for (let k = 0; k < K; k++) {
        d += product(k);
        bound += Math.abs(product(k));
      }
      single.push(s);
      double.push(d);
      size.push(bound);
    }
  }
  same(out, single, 'out');
  near(out, double, (i) => K * 2 ** -23 * size[i]!, 'out');
}

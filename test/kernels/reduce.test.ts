import { describe, test } from 'vitest';
import { REDUCE } from '../../src/cells/walks.ts';
import { buffer, run } from '../support/canaries.ts';
import { numbers, random, same, sweep, upTo } from '../support/sweep.ts';
import { kernels, SPECIAL } from '../support/walks.ts';

type Op = keyof typeof REDUCE;

const formulas: Readonly<Record<Op, (values: readonly number[]) => number>> = {
  sum: (values) => values.reduce((a, b) => a + b, 0),
  mean: (values) => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length),
  max: (values) => values.reduce((top, x) => (x > top || Number.isNaN(x) ? x : top), -Infinity),
};

function check(op: Op, x: readonly number[], outer: number, n: number, inner: number): void {
  const expected = upTo(outer - 1, 0).flatMap((o) =>
    upTo(inner - 1, 0).map((i) => Math.fround(formulas[op](upTo(n - 1, 0).map((k) => x[(o * n + k) * inner + i]!)))),
  );
  const buffers = { x: buffer('in', 1, x.length, x), out: buffer('out', 1, outer * inner) };
  same(run(buffers, ({ x, out }) => kernels.reduce_f32(REDUCE[op], x, out, outer, n, inner)).out, expected, op);
}

const ops = Object.keys(REDUCE) as Op[];

describe('reduce_f32', () => {
  test('every shape: the bits of one sum in float64, of values whose order counts', () => {
    const shapes = { op: ops, outer: upTo(6, 0), n: [...upTo(9, 0), 130], inner: upTo(9, 0) };
    sweep(shapes, ({ op, outer, n, inner }) => {
      // values that differ in size by up to 2^60: another order rounds differently
      const x = numbers(outer * n * inner).map((x) => Math.fround(x * 2 ** Math.floor(60 * random())));
      check(op, x, outer, n, inner);
    });
  });

  test('special values in each place', () => {
    sweep({ op: ops, n: [1, 2, 4, 5, 9], inner: [1, 2, 5], plain: [-3, -0, 0, 2] }, ({ op, n, inner, plain }) => {
      for (const value of SPECIAL.map(Math.fround)) {
        for (let k = 0; k < n * inner; k++) {
          const x = Array.from({ length: n * inner }, (_, i) => (i === k ? value : plain));
          check(op, x, 1, n, inner);
        }
      }
    });
  });

  test('of zeros the first, wherever they stand; NaN beside infinities', () => {
    sweep({ n: [2, 3, 8, 11], inner: [1, 3] }, ({ n, inner }) => {
      for (let i = 0; i < 40; i++) {
        const some = [0, -0, -0, -1, -Infinity];
        check(
          'max',
          numbers(n * inner).map(() => some[Math.floor(random() * some.length)]!),
          1,
          n,
          inner,
        );
        const many = [NaN, Infinity, -Infinity, 1, -0, 0];
        for (const op of ops)
          check(
            op,
            numbers(n * inner).map(() => many[Math.floor(random() * (i % 2 ? 6 : 30))] ?? 1),
            1,
            n,
            inner,
          );
      }
    });
  });
});

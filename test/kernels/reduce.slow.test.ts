import { describe, test } from 'vitest';
import { REDUCE } from '../../src/cells/walks.ts';
import { buffer, run } from '../support/canaries.ts';
import { near, numbers, random, same, sweep, upTo } from '../support/sweep.ts';
import { kernels, SPECIAL } from '../support/walks.ts';

type Op = keyof typeof REDUCE;

const formulas: Readonly<Record<Op, (values: readonly number[]) => number>> = {
  sum: (values) => values.reduce((a, b) => a + b, 0),
  mean: (values) => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length),
  max: (values) => values.reduce((top, x) => (x > top || Number.isNaN(x) ? x : top), -Infinity),
  min: (values) => Math.min(...values),
  prod: (values) => values.reduce((a, b) => a * b, 1),
  l1: (values) => values.reduce((a, b) => a + Math.abs(b), 0),
  l2: (values) => Math.sqrt(values.reduce((a, b) => a + b * b, 0)),
  sumSquare: (values) => values.reduce((a, b) => a + b * b, 0),
  // log_f32 has its tests; the logarithm of the rounded sum is within a unit of that of the sum
  logSum: (values) => Math.log(values.reduce((a, b) => a + b, 0)),
  logSumExp: (values) => {
    const top = Math.max(...values);
    if (!Number.isFinite(top)) return top;
    return top + Math.log(values.reduce((a, b) => a + Math.exp(b - top), 0));
  },
};
/** Operators whose last bit depends on the logarithm. */
const LOGARITHMS: readonly Op[] = ['logSum', 'logSumExp'];

/** The last bit may differ; where a logarithm cancels a number, a bit of that. */
function nearly(actual: ArrayLike<number>, expected: readonly number[], op: Op): void {
  const [got, right] = [Array.from(actual), expected].map((list) => list.filter(Number.isFinite)) as [
    number[],
    number[],
  ];
  near(got, right, (i) => 2 ** -23 * Math.max(2 ** -20, Math.abs(right[i]!)), op);
  const special = (list: ArrayLike<number>) => Array.from(list, (x) => (Number.isFinite(x) ? 0 : x));
  same(special(actual), special(expected), op);
}

function check(op: Op, x: readonly number[], outer: number, n: number, inner: number): void {
  const expected = upTo(outer - 1, 0).flatMap((o) =>
    upTo(inner - 1, 0).map((i) => Math.fround(formulas[op](upTo(n - 1, 0).map((k) => x[(o * n + k) * inner + i]!)))),
  );
  const buffers = { x: buffer('in', 1, x.length, x), out: buffer('out', 1, outer * inner) };
  const { out } = run(buffers, ({ x, out }) => kernels.reduce_f32(REDUCE[op], x, out, outer, n, inner));
  if (LOGARITHMS.includes(op)) nearly(out, expected, op);
  else same(out, expected, op);
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

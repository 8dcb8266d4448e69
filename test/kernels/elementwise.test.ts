import { describe, test } from 'vitest';
import { buffer, run } from '../support/canaries.ts';
import { kernels, LANES, PANEL } from '../support/kernels.ts';
import { near, numbers, same, sweep, upTo } from '../support/sweep.ts';

describe.each([
  ['sigmoid_f32', (x: number) => 1 / (1 + Math.exp(-x)), 1e-6],
  ['tanh_f32', Math.tanh, 1e-6],
  ['relu_f32', (x: number) => Math.max(x, 0), 0],
] as const)('%s', (kernel, formula, bound) => {
  test('every length; an element has the bits it has alone', () => {
    sweep({ n: upTo(2 * PANEL + 1, 0) }, ({ n }) => {
      const values = numbers(n, 8).map((x, i) => (i % 7 === 5 ? NaN : x));
      const call = (values: readonly number[]) =>
        run({ x: buffer('out', 1, values.length, values) }, (at) => kernels[kernel](at.x, values.length)).x;
      const out = call(values);
      values.forEach((x, i) => {
        if (Number.isNaN(x)) same([out[i]!], [NaN], `x[${i}]`);
        else near([out[i]!], [formula(x)], () => bound, `x[${i}]`);
        same([out[i]!], call([x]), `x[${i}] alone`);
      });
    });
  });
});

describe('softmax_f32', () => {
  const softmax = (x: readonly number[], outer: number, n: number, inner: number) =>
    run({ x: buffer('out', outer * n, inner, x) }, (at) => kernels.softmax_f32(at.x, outer, n, inner)).x;

  const column = <T>(x: ArrayLike<T>, n: number, inner: number, o: number, i: number) =>
    upTo(n - 1, 0).map((k) => x[(o * n + k) * inner + i]!);

  test('every shape: the float64 formula, and the bits of a column alone', () => {
    const shapes = { outer: [0, 1, 3], n: [...upTo(2 * LANES + 1), 2 * PANEL + 1], inner: upTo(2 * LANES + 1) };
    sweep(shapes, ({ outer, n, inner }) => {
      const x = numbers(outer * n * inner, 10).map(Math.fround);
      const out = softmax(x, outer, n, inner);
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const from = column(x, n, inner, o, i);
          const to = column(out, n, inner, o, i);
          const powers = from.map((value) => Math.exp(value - Math.max(...from)));
          const sum = powers.reduce((a, b) => a + b);
          const expected = powers.map((power) => power / sum);
          // n sums, and a difference of up to 20 whose rounding the exponential multiplies
          near(to, expected, (k) => (n + 20 + 8) * 2 ** -24 * expected[k]!, `column ${o}, ${i}`);
          same(to, softmax(from, 1, n, 1), `column ${o}, ${i} alone`);
        }
      }
    });
  });

  const third = Math.fround(1 / 3);
  const columns: readonly (readonly [name: string, from: readonly number[], to: readonly number[]])[] = [
    ['equal values', [0, -0, 0], [third, third, third]],
    ['only -Infinity', [-Infinity, -Infinity, -Infinity], [NaN, NaN, NaN]],
    ['-Infinity beside numbers', [-Infinity, 5, 5], [0, 0.5, 0.5]],
    ['Infinity', [Infinity, 0, 1], [NaN, NaN, NaN]],
    ['NaN', [0, NaN, 1], [NaN, NaN, NaN]],
    ['NaN beside Infinity', [Infinity, NaN, -Infinity], [NaN, NaN, NaN]],
    ['large values', [1e38, -1e38, 1e38], [0.5, 0, 0.5]],
    ['the largest values', [-3.4e38, 3.4e38, 0], [0, 1, 0]],
    ['values whose exponential overflows', [1000, 1000, 0], [0.5, 0.5, 0]],
    ['values whose exponential vanishes', [-1000, -1000, -2000], [0.5, 0.5, 0]],
  ];

  test.each(columns)('%s, in each lane, leave the other columns alone', (_, from, to) => {
    sweep({ inner: upTo(2 * LANES + 1), i: upTo(2 * LANES, 0) }, ({ inner, i }) => {
      const ordinary = [Math.LN2, 0, 0];
      const x = [0, 1, 2].flatMap((k) => upTo(inner - 1, 0).map((c) => (c === i ? from : ordinary)[k]!));
      const out = softmax(x, 1, 3, inner);
      for (let c = 0; c < inner; c++) {
        if (c === i) same(column(out, 3, inner, 0, c), to, 'the column');
        else near(column(out, 3, inner, 0, c), [0.5, 0.25, 0.25], () => 1e-7, `column ${c}`);
      }
    });
  });
});

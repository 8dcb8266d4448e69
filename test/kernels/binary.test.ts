import { describe, test } from 'vitest';
import { BINARY, Pairs } from '../../src/cells/walks.ts';
import { buffer, run } from '../support/canaries.ts';
import { numbers, same, sweep, upTo } from '../support/sweep.ts';
import { kernels, paired, placesOf, SPECIAL, stepsOf, struct } from '../support/walks.ts';

type Op = keyof typeof BINARY;

function power(x: number, y: number): number {
  const buffers = { x: buffer('out', 1, 1, [x]), y: buffer('in', 1, 1, [y]) };
  return run(buffers, (at) => kernels.pow_f32(at.x, at.y, 1)).x[0]!;
}

const formulas: Readonly<Record<Op, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  min: Math.min,
  max: Math.max,
  prelu: (x, y) => (x < 0 ? x * y : x),
  // bit for bit that of the kernel alone, which has its tests against the formula
  pow: power,
};
const ops = Object.keys(BINARY) as Op[];

function binary(
  op: Op,
  dims: readonly number[],
  x: readonly number[],
  xSteps: readonly number[],
  y: readonly number[],
  ySteps: readonly number[],
): Float32Array {
  const count = dims.reduce((a, b) => a * b, 1);
  const buffers = { x: buffer('in', 1, x.length, x), y: buffer('in', 1, y.length, y), out: buffer('out', 1, count) };
  return run(buffers, ({ x, y, out }) => {
    const pairs = Object.assign(new Pairs(dims, xSteps, ySteps), { x, y, out });
    kernels.binary_f32(BINARY[op], pairs.write(struct));
  }).out;
}

function check(op: Op, dims: readonly number[], xSteps: readonly number[], ySteps: readonly number[]): void {
  const i = placesOf(dims, xSteps);
  const j = placesOf(dims, ySteps);
  const [x, y] = [i, j].map((places) => numbers(Math.max(0, ...places.map((place) => place + 1)), 3).map(Math.fround));
  const expected = i.map((place, k) => Math.fround(formulas[op](x![place]!, y![j[k]!]!)));
  same(binary(op, dims, x!, xSteps, y!, ySteps), expected, op);
}

describe('binary_f32', () => {
  test('every length of a row: both inputs, or one of them stretched', () => {
    sweep({ op: ops.filter((op) => op !== 'pow'), n: upTo(13, 0), steps: paired([0, 1, 2]) }, ({ op, n, steps }) =>
      check(op, [n], [steps[0]], [steps[1]]),
    );
    sweep({ n: upTo(5, 0), steps: paired([0, 1, 2]) }, ({ n, steps }) => check('pow', [n], [steps[0]], [steps[1]]));
  });

  test('every way to stretch axes, and views', () => {
    const shapes = [[], [3, 5], [5, 0], [0, 5], [1, 4], [2, 3, 4], [3, 1, 5], [2, 3, 2, 9]];
    const kinds = ['plain', 'stretched', 'wide'] as const;
    sweep({ op: ['sub', 'max'] as const, dims: shapes, first: kinds, inner: kinds, y: kinds }, (shape) => {
      const { op, dims } = shape;
      const steps = stepsOf(dims);
      const of = (kind: (typeof kinds)[number], step: number) =>
        kind === 'plain' ? step : kind === 'wide' ? step * 2 : 0;
      const xSteps = steps.map((step, axis) =>
        of(axis === dims.length - 1 ? shape.inner : axis ? 'plain' : shape.first, step),
      );
      const ySteps = steps.map((step, axis) => of(axis % 2 ? 'plain' : shape.y, step));
      check(op, dims, xSteps, ySteps);
      check(op, dims, ySteps, xSteps);
      // the second input transposed
      check(op, dims, xSteps, stepsOf(dims.toReversed()).toReversed());
    });
  });

  test('special values, in each lane and alone', () => {
    const values = paired(SPECIAL.map(Math.fround));
    const x = values.map((pair) => pair[0]);
    const y = values.map((pair) => pair[1]);
    sweep({ op: ops }, ({ op }) => {
      const of = (x: number, y: number) => Math.fround(formulas[op](x, y));
      const expected = values.map((pair) => of(...pair));
      same(binary(op, [x.length], x, [1], y, [1]), expected, op);
      // three elements: no vector
      same(binary(op, [3], x.slice(-7, -4), [1], y.slice(-7, -4), [1]), expected.slice(-7, -4), op);
      const some = SPECIAL.map(Math.fround);
      for (const value of some) {
        same(
          binary(op, [some.length], some, [1], [value], [0]),
          some.map((x) => of(x, value)),
          `${op} ${value}`,
        );
        same(
          binary(op, [some.length], [value], [0], some, [1]),
          some.map((x) => of(value, x)),
          `${value} ${op}`,
        );
      }
    });
  });

  test('in place of either input', () => {
    sweep({ op: ops, n: [1, 3, 4, 5, 18], place: ['x', 'y'] as const, other: [0, 1] }, ({ op, n, place, other }) => {
      const own = numbers(n).map(Math.fround);
      const others = numbers(other ? n : 1).map(Math.fround);
      const at = (i: number) => others[i * other]!;
      const buffers = { own: buffer('out', 1, n, own), others: buffer('in', 1, others.length, others) };
      const out = run(buffers, (at) => {
        const pairs = place === 'x' ? new Pairs([n], [1], [other]) : new Pairs([n], [other], [1]);
        const [x, y] = place === 'x' ? [at.own, at.others] : [at.others, at.own];
        kernels.binary_f32(BINARY[op], Object.assign(pairs, { x, y, out: at.own }).write(struct));
      }).own;
      const expected = own.map((value, i) => (place === 'x' ? formulas[op](value, at(i)) : formulas[op](at(i), value)));
      same(out, expected.map(Math.fround), op);
    });
  });
});

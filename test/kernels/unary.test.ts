import { describe, expect, test } from 'vitest';
import { UNARY } from '../../src/cells/walks.ts';
import { buffer, run } from '../support/canaries.ts';
import { kernels as main } from '../support/kernels.ts';
import { numbers, same, sweep, upTo } from '../support/sweep.ts';
import { kernels, paired, SPECIAL } from '../support/walks.ts';

type Op = keyof typeof UNARY;

const ALPHA = Math.fround(0.01);
const formulas: Readonly<Partial<Record<Op, (x: number) => number>>> = {
  neg: (x) => -x,
  abs: Math.abs,
  relu: (x) => Math.max(0, x),
  sqrt: Math.sqrt,
  floor: Math.floor,
  ceil: Math.ceil,
  leakyRelu: (x) => (x < 0 ? x * ALPHA : x),
  square: (x) => x * x,
  reciprocal: (x) => 1 / x,
};
/** The kernels in place whose bits the other operators have. */
const inPlace: Readonly<Partial<Record<Op, (x: number, n: number) => void>>> = {
  exp: kernels.exp_f32,
  log: kernels.log_f32,
  sigmoid: main.sigmoid_f32,
  tanh: main.tanh_f32,
};

function expected(op: Op, x: readonly number[]): ArrayLike<number> {
  const formula = formulas[op];
  if (formula) return x.map((x) => Math.fround(formula(x)));
  return run({ x: buffer('out', 1, x.length, x) }, (at) => inPlace[op]!(at.x, x.length)).x;
}

/** Into another buffer, and in place. */
function both(values: readonly number[], call: (x: number, out: number, n: number) => void): Float32Array {
  const n = values.length;
  const x = buffer('in', 1, n, values);
  const { out } = run({ x, out: buffer('out', 1, n) }, (at) => call(at.x, at.out, n));
  same(run({ x: { ...x, role: 'out' } }, (at) => call(at.x, at.x, n)).x, out, 'in place');
  return out;
}

const ops = Object.keys(UNARY) as Op[];
const special = SPECIAL.map(Math.fround).concat([7.5, -7.5, 1e7, -0.25, 2 ** 23 + 1, -(2 ** 31), 2 ** -149]);

describe('unary_f32', () => {
  test('an operator has a formula, or is a kernel of its own', () => {
    expect([...Object.keys(formulas), ...Object.keys(inPlace)].toSorted()).toEqual(ops.toSorted());
  });

  test.each(ops)('%s: every length, special values in each lane', (op) => {
    sweep({ n: [...upTo(13, 0), 61], first: upTo(4, 0) }, ({ n, first }) => {
      const x = upTo(n).map((i) => special[(i + first) % special.length]!);
      same(
        both(x, (at, out) => kernels.unary_f32(UNARY[op], at, out, n, ALPHA)),
        expected(op, x),
        op,
      );
      const plain = numbers(n, 20).map(Math.fround);
      same(
        both(plain, (at, out) => kernels.unary_f32(UNARY[op], at, out, n, ALPHA)),
        expected(op, plain),
        op,
      );
    });
  });
});

describe('clip_f32', () => {
  test('compares with the lower bound first; NaN passes, and bounds of NaN bound nothing', () => {
    const bounds = paired([-Infinity, -1, -0, 0, 1, Infinity, NaN]);
    sweep({ bounds, n: [0, 1, 2, 3, 4, 7, special.length] }, ({ bounds: [low, high], n }) => {
      const x = special.slice(special.length - n);
      const expected = x.map((value) => {
        let x = value;
        if (x < low) x = low;
        if (x > high) x = high;
        return x;
      });
      same(
        both(x, (at, out) => kernels.clip_f32(at, out, n, low, high)),
        expected,
        'clip',
      );
    });
  });
});

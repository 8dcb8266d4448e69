import { describe, expect, test } from 'vitest';
import { UNARY } from '../../src/cells/walks.ts';
import { buffer, run } from '../support/canaries.ts';
import { erf } from '../support/erf.ts';
import { kernels as main } from '../support/kernels.ts';
import { numbers, random, same, sweep, upTo } from '../support/sweep.ts';
import { kernels, paired, SPECIAL } from '../support/walks.ts';

type Op = keyof typeof UNARY;

const ALPHA = Math.fround(0.01);

/** To the nearest integer, of two to the even one. */
function nearest(x: number): number {
  const whole = Math.round(x);
  return Math.abs(x % 1) === 0.5 && whole % 2 ? whole - 1 : whole;
}

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
  round: nearest,
  sign: Math.sign,
};
/** Operators that are within a unit in the last place of what float64 gives. */
const near: Readonly<Partial<Record<Op, (x: number) => number>>> = { erf, sin: Math.sin, cos: Math.cos };
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
    const own = [formulas, near, inPlace].flatMap((list) => Object.keys(list));
    expect(own.toSorted()).toEqual(ops.toSorted());
  });

  test.each(ops.filter((op) => !(op in near)))('%s: every length, special values in each lane', (op) => {
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

/** A float of any size, also of those that are many turns of a circle. */
function anyFloat(): number {
  const bits = new Uint32Array([Math.floor(random() * 2 ** 32)]);
  const [x] = new Float32Array(bits.buffer);
  return Number.isNaN(x) ? 0 : x!;
}

describe.each(Object.entries(near))('%s', (name, formula) => {
  const op = UNARY[name as Op];

  test('within a unit in the last place, floats of every size', () => {
    const x = [...special, ...numbers(4000, 40).map(Math.fround), ...Array.from({ length: 4000 }, anyFloat)];
    // neighbours of multiples of pi / 2, where sine or cosine is tiny
    for (let k = -2000; k < 2000; k += 7) x.push(Math.fround((k * Math.PI) / 2));
    for (const k of [2 ** 20, 2 ** 31, 2 ** 50, 2 ** 90, 2 ** 120]) x.push(Math.fround((k * Math.PI) / 2));
    const y = both(x, (at, out) => kernels.unary_f32(op, at, out, x.length, 0));
    for (const [i, value] of x.entries()) {
      const right = formula(value);
      const unit = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(right), 2 ** -126))) - 23);
      if (Object.is(y[i], Math.fround(right)) || Math.abs(y[i]! - right) <= unit) continue;
      expect(y[i], `${name}(${value})`).toBe(Math.fround(right));
    }
    expect(y).toHaveLength(x.length);
  });

  test('every length; zeros keep their sign where they have one', () => {
    sweep({ n: upTo(9, 0) }, ({ n }) => {
      const x = numbers(n, 9).map(Math.fround);
      const one = x.map((value) => both([value], (at, out) => kernels.unary_f32(op, at, out, 1, 0))[0]!);
      same(
        both(x, (at, out) => kernels.unary_f32(op, at, out, n, 0)),
        one,
        name,
      );
    });
    const zeros = both([0, -0], (at, out) => kernels.unary_f32(op, at, out, 2, 0));
    same(zeros, [formula(0), formula(-0)], name);
    expect(zeros).toHaveLength(2);
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

import { onnxKernels } from '../cells/kernels.ts';
import { castTo } from './cast.ts';
import { inMemory } from './chunks.ts';
import { stretchedSteps, walk } from './layout.ts';
import type { Operator, OperatorNode } from './node.ts';
import { pairs, rows, sameType, stretch } from './pairs.ts';
import { isFloat, type RunValue, type Work } from './value.ts';

// Sums, products and quotients of float32 numbers are computed in JavaScript's float64 and rounded to float32 when stored. Both
// roundings together give the bits of float32 arithmetic: float64 has more than twice its digits.

/**
 * Computes a row: out[at + k] from x[i + k di] and y[j + k dj]. Each operator has its own loop, so that engines specialise it.
 */
type Row = (
  x: Float32Array,
  i: number,
  di: number,
  y: Float32Array,
  j: number,
  dj: number,
  out: Float32Array,
  at: number,
  end: number,
) => void;

const add: Row = (x, i, di, y, j, dj, out, at, end) => {
  for (; at < end; at++, i += di, j += dj) out[at] = x[i]! + y[j]!;
};
const sub: Row = (x, i, di, y, j, dj, out, at, end) => {
  for (; at < end; at++, i += di, j += dj) out[at] = x[i]! - y[j]!;
};
const mul: Row = (x, i, di, y, j, dj, out, at, end) => {
  for (; at < end; at++, i += di, j += dj) out[at] = x[i]! * y[j]!;
};
const div: Row = (x, i, di, y, j, dj, out, at, end) => {
  for (; at < end; at++, i += di, j += dj) out[at] = x[i]! / y[j]!;
};
const min: Row = (x, i, di, y, j, dj, out, at, end) => {
  for (; at < end; at++, i += di, j += dj) out[at] = Math.min(x[i]!, y[j]!);
};
const max: Row = (x, i, di, y, j, dj, out, at, end) => {
  for (; at < end; at++, i += di, j += dj) out[at] = Math.max(x[i]!, y[j]!);
};

/** Elements counted as work for one that is computed with bigints. */
const SLOW = 8;
/** Elements counted as work for a power of integers. */
const POWER = 512;

type Integers = (x: bigint, y: bigint) => bigint;

function floatRows(
  node: OperatorNode,
  a: RunValue<Float32Array>,
  b: RunValue<Float32Array>,
  row: Row,
  work: Work,
): RunValue {
  const dims = stretch(node, a.dims, b.dims);
  const out = work.make('float32', dims, node.path);
  const x = a.data;
  const y = b.data;
  const count = out.data.length;
  // the usual cases, one row each
  if (x.length === count && y.length === count) row(x, 0, 1, y, 0, 1, out.data, 0, count);
  else if (x.length === count && y.length === 1) row(x, 0, 1, y, 0, 0, out.data, 0, count);
  else if (count) {
    rows(a.dims, b.dims, dims, (at, end, i, di, j, dj) => row(x, i, di, y, j, dj, out.data, at, end));
  }
  return out;
}

function arithmeticOf(
  node: OperatorNode,
  row: Row,
  integers: Integers,
): (a: RunValue, b: RunValue, work: Work) => RunValue {
  return (a, b, work) => {
    sameType(node, a, b, ['float32', 'int64', 'int32']);
    if (isFloat(a) && isFloat(b)) return floatRows(node, a, b, row, work);
    if (a.type === 'int64') return pairs(node, a, b, 'int64', work, integers);
    work.count(SLOW * Math.max(a.data.length, b.data.length), node.path);
    const narrow = (x: number, y: number) => Number(BigInt.asIntN(32, integers(BigInt(x), BigInt(y))));
    return pairs(node, a, b, 'int32', work, narrow);
  };
}

/** An operator of two inputs in float32, int64 or int32; integers wrap. */
function arithmetic(row: Row, integers: (node: OperatorNode) => Integers): Operator {
  return {
    inputs: [2, 2],
    prepare(node) {
      const apply = arithmeticOf(node, row, integers(node));
      return ([a, b], work) => [apply(a!, b!, work)];
    },
  };
}

/** Divides integers towards zero, as ONNX Runtime does. */
function divide(node: OperatorNode): Integers {
  return (x, y) => (y === 0n ? node.wrong('out-of-range', 'divisor of integers', 'not 0', 0) : x / y);
}

/** Picks the first or the second bigint, which Math.min and Math.max do not take. */
const pick = (first: boolean, x: bigint, y: bigint): bigint => (first ? x : y);

/** Min and Max take any number of inputs. */
function extreme(row: Row, integers: Integers): Operator {
  return {
    inputs: [1, Number.POSITIVE_INFINITY],
    prepare(node) {
      const apply = arithmeticOf(node, row, integers);
      return ([first, ...rest], work) => [rest.reduce((a, b) => apply(a!, b!, work), first)!];
    },
  };
}

/** base^exponent cut to an integer, as in ONNX Runtime. 0 to a negative power is infinite: `smallest`, as Cast converts it. */
function power(base: bigint, exponent: bigint, smallest: bigint): bigint {
  if (exponent < 0n) {
    if (base === 0n) return smallest;
    if (base !== 1n && base !== -1n) return 0n;
    return exponent & 1n ? base : 1n;
  }
  let result = 1n;
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = BigInt.asIntN(64, result * base);
    base = BigInt.asIntN(64, base * base);
  }
  return result;
}

const pow: Operator = {
  inputs: [2, 2],
  prepare(node) {
    return ([a, b], work) => {
      const base = a!;
      const exponent = b!;
      if (base.type === 'bool' || exponent.type === 'bool') node.wrongType('inputs', 'numbers', 'bool');
      if (isFloat(base) || (isFloat(exponent) && !exponent.data.every(Number.isInteger))) {
        const dims = stretch(node, base.dims, exponent.dims);
        const [x, y] = [base, exponent].map((value) =>
          stretched(node, castTo('float32', value, work, node.path), dims, work),
        );
        const out = work.make('float32', dims, node.path);
        inMemory([x!, y!], out.data, ([p, q], count) => onnxKernels().pow_f32(p!, q!, count));
        return [castTo(base.type, out, work, node.path)];
      }
      work.count(POWER * Math.max(base.data.length, exponent.data.length), node.path);
      const bits = base.type === 'int64' ? 64 : 32;
      const apply = (x: number | bigint, y: number | bigint) => {
        const result = power(BigInt(x), BigInt(y), -1n << BigInt(bits - 1));
        return typeof x === 'bigint' ? result : Number(BigInt.asIntN(bits, result));
      };
      return [pairs(node, base, exponent, base.type, work, apply)];
    };
  },
};

function stretched(node: OperatorNode, value: RunValue, dims: readonly number[], work: Work): Float32Array {
  const { data } = node.float32('input', value);
  const out = work.make('float32', dims, node.path);
  if (data.length === out.data.length) return data;
  const steps = stretchedSteps(value.dims, dims);
  let at = 0;
  walk(dims, [steps], (i) => {
    out.data[at++] = data[i]!;
  });
  return out.data;
}

export const ARITHMETIC: readonly (readonly [string, Operator])[] = [
  ['Add', arithmetic(add, () => (x, y) => x + y)],
  ['Sub', arithmetic(sub, () => (x, y) => x - y)],
  ['Mul', arithmetic(mul, () => (x, y) => x * y)],
  ['Div', arithmetic(div, divide)],
  ['Min', extreme(min, (x, y) => pick(x < y, x, y))],
  ['Max', extreme(max, (x, y) => pick(x > y, x, y))],
  ['Pow', pow],
];

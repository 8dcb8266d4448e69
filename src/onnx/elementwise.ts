import { formatDims } from '../tensor.ts';
import { wasm } from '../wasm.ts';
import { inMemory, onnxKernels } from './kernels.ts';
import { broadcastDims, stretchedSteps, walk } from './layout.ts';
import type { Kernel, Node, Operator } from './node.ts';
import { isFloat, type Value, type ValueType, type Work } from './value.ts';

// Operators that work element by element. Float sums, products and quotients are exact in JavaScript's float64 or rounded
// twice without harm, and storing rounds them to float32: the bits of float32 arithmetic.

/** A row of a result: out[at + k] from x[i + k di] and y[j + k dj]. A loop for each operator, so that engines specialise it. */
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

/** What an element counts that is computed with bigints. */
const SLOW = 8;
/** ... and what a power of integers counts. */
const POWER = 512;

type Integers = (x: bigint, y: bigint) => bigint;

function stretch(node: Node, a: readonly number[], b: readonly number[]): readonly number[] {
  const dims = broadcastDims(a, b);
  if (dims) return dims;
  const found = `${formatDims(a)} and ${formatDims(b)}`;
  return node.refuse(
    'wrong-shape',
    `inputs expected dims that stretch to each other, got ${found}`,
    'such dims',
    found,
  );
}

/** Rows along the last axis of `dims`: where each begins, in the result and in both inputs. */
function rows(
  a: readonly number[],
  b: readonly number[],
  dims: readonly number[],
  visit: (at: number, end: number, i: number, di: number, j: number, dj: number) => void,
): void {
  const x = stretchedSteps(a, dims);
  const y = stretchedSteps(b, dims);
  const length = dims.at(-1) ?? 1;
  let at = 0;
  walk(dims.slice(0, -1), [x, y], (i, j) => {
    visit(at, at + length, i, x.at(-1) ?? 0, j, y.at(-1) ?? 0);
    at += length;
  });
}

function floatRows(node: Node, a: Value<Float32Array>, b: Value<Float32Array>, row: Row, work: Work): Value {
  const dims = stretch(node, a.dims, b.dims);
  const out = work.make('float32', dims, node.path);
  const x = a.data;
  const y = b.data;
  const count = out.data.length;
  // most often one of these, and then a single row
  if (x.length === count && y.length === count) row(x, 0, 1, y, 0, 1, out.data, 0, count);
  else if (x.length === count && y.length === 1) row(x, 0, 1, y, 0, 0, out.data, 0, count);
  else if (count) {
    rows(a.dims, b.dims, dims, (at, end, i, di, j, dj) => row(x, i, di, y, j, dj, out.data, at, end));
  }
  return out;
}

/** Any two values, element by element, of the same type. */
function pairs(
  node: Node,
  a: Value,
  b: Value,
  type: ValueType,
  work: Work,
  apply: (x: never, y: never) => number | bigint | boolean,
): Value {
  const dims = stretch(node, a.dims, b.dims);
  const out = work.make(type, dims, node.path);
  const data = out.data as unknown as (number | bigint | boolean)[];
  if (out.data.length === 0) return out;
  rows(a.dims, b.dims, dims, (at, end, i, di, j, dj) => {
    for (; at < end; at++, i += di, j += dj) data[at] = apply(a.data[i] as never, b.data[j] as never);
  });
  return out;
}

function sameType(node: Node, a: Value, b: Value, types: readonly ValueType[]): void {
  if (!types.includes(a.type)) node.wrongType('input 0', types.join(', '), a.type);
  if (a.type !== b.type) node.wrongType('input 1', a.type, b.type);
}

function arithmeticOf(node: Node, row: Row, integers: Integers): (a: Value, b: Value, work: Work) => Value {
  return (a, b, work) => {
    sameType(node, a, b, ['float32', 'int64', 'int32']);
    if (isFloat(a) && isFloat(b)) return floatRows(node, a, b, row, work);
    if (a.type === 'int64') return pairs(node, a, b, 'int64', work, integers);
    work.count(SLOW * Math.max(a.data.length, b.data.length), node.path);
    const narrow = (x: number, y: number) => Number(BigInt.asIntN(32, integers(BigInt(x), BigInt(y))));
    return pairs(node, a, b, 'int32', work, narrow);
  };
}

/** Float32 and integers of 64 and 32 bits, which wrap. */
function arithmetic(row: Row, integers: (node: Node) => Integers): Operator {
  return {
    inputs: [2, 2],
    prepare(node) {
      const apply = arithmeticOf(node, row, integers(node));
      return ([a, b], work) => [apply(a!, b!, work)];
    },
  };
}

/** Towards zero, as ONNX Runtime divides. */
function divide(node: Node): Integers {
  return (x, y) =>
    y === 0n ? node.refuse('out-of-range', 'integers expected no division by 0, got one', 'not 0', 0) : x / y;
}

/** Math.min and Math.max know no bigints. */
const pick = (first: boolean, x: bigint, y: bigint): bigint => (first ? x : y);

/** Min and Max, of any number of inputs. */
function extreme(row: Row, integers: Integers): Operator {
  return {
    inputs: [1, Number.POSITIVE_INFINITY],
    prepare(node) {
      const apply = arithmeticOf(node, row, integers);
      return ([first, ...rest], work) => [rest.reduce((a, b) => apply(a!, b!, work), first)!];
    },
  };
}

function power(base: bigint, exponent: bigint, node: Node): bigint {
  if (exponent < 0n) {
    return node.refuse(
      'out-of-range',
      `integers expected exponents of at least 0, got ${exponent}`,
      'at least 0',
      exponent,
    );
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
      if (isFloat(base) || isFloat(exponent)) {
        const dims = stretch(node, base.dims, exponent.dims);
        const [x, y] = [base, exponent].map((value) =>
          stretched(node, castTo('float32', value, work, node.path), dims, work),
        );
        const out = work.make('float32', dims, node.path);
        inMemory([x!, y!], out.data, ([p, q], count) => onnxKernels().pow_f32(p!, q!, count));
        return [castTo(base.type, out, work, node.path)];
      }
      work.count(POWER * Math.max(base.data.length, exponent.data.length), node.path);
      const apply = (x: number | bigint, y: number | bigint) => {
        const result = power(BigInt(x), BigInt(y), node);
        return typeof x === 'bigint' ? result : Number(BigInt.asIntN(32, result));
      };
      return [pairs(node, base, exponent, base.type, work, apply)];
    };
  },
};

function stretched(node: Node, value: Value, dims: readonly number[], work: Work): Float32Array {
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

const COMPARED: readonly ValueType[] = ['float32', 'int64', 'int32'];
const EQUATED: readonly ValueType[] = [...COMPARED, 'bool'];

function comparison(apply: (x: number, y: number) => boolean, types: readonly ValueType[], since = 7): Operator {
  return {
    inputs: [2, 2],
    since,
    prepare:
      (node) =>
      ([a, b], work) => {
        sameType(node, a!, b!, types);
        return [pairs(node, a!, b!, 'bool', work, apply)];
      },
  };
}

/** A float operator of one input, out[i] from x[i], in plain arithmetic. */
function unary(run: (x: Float32Array, out: Float32Array) => void, integers?: (x: bigint) => bigint): Operator {
  return {
    inputs: [1, 1],
    prepare:
      (node) =>
      ([a], work) => {
        const value = a!;
        const out = work.make(value.type, value.dims, node.path);
        if (isFloat(value)) run(value.data, out.data as Float32Array);
        else if (!integers || value.type === 'bool')
          node.wrongType('input', integers ? 'numbers' : 'float32', value.type);
        else {
          const narrow = value.type === 'int32';
          const data = out.data as unknown as (number | bigint)[];
          for (const [i, x] of Array.from<number | bigint>(value.data as ArrayLike<number | bigint>).entries()) {
            const result = integers(BigInt(x));
            data[i] = narrow ? Number(BigInt.asIntN(32, result)) : result;
          }
        }
        return [out];
      },
  };
}

/** A float operator of one input, in wasm. */
function kernel(run: (pointer: number, count: number) => void): Operator {
  return unary((x, out) => inMemory([x], out, ([pointer], count) => run(pointer!, count)));
}

const clip: Operator = {
  inputs: [1, 3],
  prepare(node) {
    // bounds are attributes before operator set 11
    const fixed = node.opset < 11;
    const low = node.float('min', Number.NEGATIVE_INFINITY);
    const high = node.float('max', Number.POSITIVE_INFINITY);
    return ([a, from, to], work) => {
      const value = a!;
      if (value.type === 'bool') node.wrongType('input', 'numbers', value.type);
      const bound = (what: string, given: Value | undefined, fallback: number) => {
        if (fixed || !given) return fallback;
        if (given.type !== value.type) node.wrongType(what, value.type, given.type);
        return node.scalar(what, given, value.type);
      };
      const least = bound('min', from, low);
      const most = bound('max', to, high);
      const out = work.make(value.type, value.dims, node.path);
      // comparisons mix numbers and bigints; NaN passes
      const target = out.data as unknown as (number | bigint)[];
      for (let i = 0; i < value.data.length; i++) {
        let x: number | bigint = value.data[i]!;
        if (x < least) x = least;
        if (x > most) x = most;
        target[i] = x;
      }
      return [out];
    };
  },
};

const leakyRelu: Operator = {
  inputs: [1, 1],
  prepare(node) {
    const alpha = node.float('alpha', Math.fround(0.01));
    const { prepare } = unary((x, out) => {
      for (let i = 0; i < x.length; i++) out[i] = x[i]! < 0 ? x[i]! * alpha : x[i]!;
    });
    return prepare(node);
  },
};

function logic(apply: (x: number, y: number) => number): Operator {
  return {
    inputs: [2, 2],
    prepare:
      (node) =>
      ([a, b], work) => {
        sameType(node, a!, b!, ['bool']);
        return [pairs(node, a!, b!, 'bool', work, apply)];
      },
  };
}

const not: Operator = {
  inputs: [1, 1],
  prepare:
    (node) =>
    ([a], work) => {
      if (a!.type !== 'bool') node.wrongType('input', 'bool', a!.type);
      const out = work.make('bool', a!.dims, node.path);
      for (let i = 0; i < out.data.length; i++) out.data[i] = a!.data[i] ? 0 : 1;
      return [out];
    },
};

const where: Operator = {
  inputs: [3, 3],
  since: 9,
  prepare:
    (node) =>
    ([condition, x, y], work) => {
      if (condition!.type !== 'bool') node.wrongType('condition', 'bool', condition!.type);
      sameType(node, x!, y!, EQUATED);
      const dims = stretch(node, stretch(node, x!.dims, y!.dims), condition!.dims);
      const out = work.make(x!.type, dims, node.path);
      const data = out.data as Float32Array;
      let at = 0;
      if (data.length) {
        const steps = [condition!, x!, y!].map((value) => stretchedSteps(value.dims, dims));
        walk(dims, steps, (c, i, j) => {
          data[at++] = (condition!.data[c] ? x!.data[i]! : y!.data[j]!) as number;
        });
      }
      return [out];
    },
};

/** TensorProto.DataType, of those that are computed with. */
const CAST_TYPES: ReadonlyMap<number, ValueType> = new Map([
  [1, 'float32'],
  [6, 'int32'],
  [7, 'int64'],
  [9, 'bool'],
  [11, 'float32'],
]);

const INT64_MIN = -(1n << 63n);

/** Towards zero; what an integer cannot hold becomes the smallest, as on x86. */
function toInteger(x: number): bigint {
  return x >= -(2 ** 63) && x < 2 ** 63 ? BigInt(Math.trunc(x)) : INT64_MIN;
}

function castElement(type: ValueType, x: number | bigint): number | bigint {
  if (type === 'float32') return typeof x === 'bigint' ? roundToFloat32(x) : x;
  if (type === 'bool') return Number(x !== 0 && x !== 0n);
  const integer = typeof x === 'bigint' ? x : toInteger(x);
  if (type === 'int64') return integer;
  const fits = typeof x === 'bigint' || (x > -(2 ** 31) - 1 && x < 2 ** 31);
  return fits ? Number(BigInt.asIntN(32, integer)) : -(2 ** 31);
}

/** Once, to nearest even: through float64 some integers would be rounded twice. */
function roundToFloat32(x: bigint): number {
  const size = x < 0n ? -x : x;
  if (size < 1n << 53n) return Number(x);
  // the low 11 bits only matter as one that says whether they are all zero
  const sticky = ((size >> 11n) | (size & 0x7ffn ? 1n : 0n)) << 11n;
  return Number(x < 0n ? -sticky : sticky);
}

function castTo(type: ValueType, value: Value, work: Work, path: string): Value {
  if (value.type === type) return value;
  const out = work.make(type, value.dims, path);
  const data = out.data as unknown as (number | bigint)[];
  for (let i = 0; i < value.data.length; i++) data[i] = castElement(type, value.data[i]!);
  return out;
}

const cast: Operator = {
  inputs: [1, 1],
  limits: 'to other types than float32, float64 (which stays float32), int64, int32, bool',
  prepare(node): Kernel {
    const to = node.int('to', 0);
    const type = CAST_TYPES.get(to);
    if (!type) {
      const expected = 'a data type of float32, int64, int32 or bool';
      return node.refuse('unsupported', `attribute to expected ${expected}, got ${to}`, expected, to);
    }
    return ([a], work) => [castTo(type, a!, work, node.path)];
  },
};

export const ELEMENTWISE: readonly (readonly [string, Operator])[] = [
  ['Add', arithmetic(add, () => (x, y) => x + y)],
  ['Sub', arithmetic(sub, () => (x, y) => x - y)],
  ['Mul', arithmetic(mul, () => (x, y) => x * y)],
  ['Div', arithmetic(div, divide)],
  ['Min', extreme(min, (x, y) => pick(x < y, x, y))],
  ['Max', extreme(max, (x, y) => pick(x > y, x, y))],
  ['Pow', pow],
  ['Equal', comparison((x, y) => x === y, EQUATED)],
  ['Greater', comparison((x, y) => x > y, COMPARED)],
  ['Less', comparison((x, y) => x < y, COMPARED)],
  ['GreaterOrEqual', comparison((x, y) => x >= y, COMPARED, 12)],
  ['LessOrEqual', comparison((x, y) => x <= y, COMPARED, 12)],
  ['And', logic((x, y) => x & y)],
  ['Or', logic((x, y) => x | y)],
  ['Not', not],
  ['Where', where],
  ['Cast', cast],
  ['Clip', clip],
  ['LeakyRelu', leakyRelu],
  [
    'Neg',
    unary(
      (x, out) => {
        for (let i = 0; i < x.length; i++) out[i] = -x[i]!;
      },
      (x) => -x,
    ),
  ],
  [
    'Abs',
    unary(
      (x, out) => {
        for (let i = 0; i < x.length; i++) out[i] = Math.abs(x[i]!);
      },
      (x) => (x < 0n ? -x : x),
    ),
  ],
  [
    'Relu',
    unary(
      (x, out) => {
        for (let i = 0; i < x.length; i++) out[i] = Math.max(0, x[i]!);
      },
      (x) => (x < 0n ? 0n : x),
    ),
  ],
  [
    'Sqrt',
    unary((x, out) => {
      for (let i = 0; i < x.length; i++) out[i] = Math.sqrt(x[i]!);
    }),
  ],
  [
    'Floor',
    unary((x, out) => {
      for (let i = 0; i < x.length; i++) out[i] = Math.floor(x[i]!);
    }),
  ],
  [
    'Ceil',
    unary((x, out) => {
      for (let i = 0; i < x.length; i++) out[i] = Math.ceil(x[i]!);
    }),
  ],
  ['Exp', kernel((pointer, count) => onnxKernels().exp_f32(pointer, count))],
  ['Log', kernel((pointer, count) => onnxKernels().log_f32(pointer, count))],
  ['Sigmoid', kernel((pointer, count) => wasm().sigmoid_f32(pointer, count))],
  ['Tanh', kernel((pointer, count) => wasm().tanh_f32(pointer, count))],
];

import { onnxKernels } from '../cells/kernels.ts';
import { BINARY, Pairs } from '../cells/walks.ts';
import type { Builder } from '../graph/builder.ts';
import { stretchedSteps } from '../graph/layout.ts';
import { orderOf, stepsOf, type Value } from '../graph/value.ts';
import { castTo } from './cast.ts';
import { floatUnary } from './elementwise.ts';
import type { Operator, OperatorNode } from './node.ts';
import { pairs, sameType, stretch } from './pairs.ts';
import { isFloat } from './value.ts';

/** Elements counted as work for one that is computed with bigints. */
const SLOW = 8;
/** Elements counted as work for a power of integers. */
const POWER = 512;

type Integers = (x: bigint, y: bigint) => bigint;

/** Applies an operator of binary_f32. */
function floatPairs(
  node: OperatorNode,
  first: Value<Float32Array>,
  second: Value<Float32Array>,
  op: keyof typeof BINARY,
  plan: Builder,
): Value<Float32Array> {
  const dims = stretch(node, first.dims, second.dims);
  // axis 1 of a value of fewer dims is another axis of the result
  const ofSameRank = (value: Value<Float32Array>) => (value.dims.length === dims.length ? value : plan.plain(value));
  const a = ofSameRank(first);
  const b = ofSameRank(second);
  const out = plan.make('float32', dims, node.path);
  if (out.count === 0) return out;
  const isTurned = a.turned || b.turned;
  const order = orderOf(dims.length, isTurned);
  const steps = (value: Value) => stretchedSteps(value.dims, dims, stepsOf(value));
  const reorder = (list: readonly number[]) => order.map((axis) => list[axis]!);
  const walk = new Pairs(reorder(dims), reorder(steps(a)), reorder(steps(b)));
  plan.kernel([a, b], [out, plan.keep(walk.bytes)], (x, y, to, struct) => {
    Object.assign(walk, { x, y, out: to }).write(struct);
    const { binary_f32 } = onnxKernels();
    return () => binary_f32(BINARY[op], struct);
  });
  return isTurned ? plan.turned(out) : out;
}

function arithmeticOf(
  node: OperatorNode,
  op: keyof typeof BINARY,
  integers: Integers,
): (a: Value, b: Value, plan: Builder) => Value {
  return (a, b, plan) => {
    sameType(node, a, b, ['float32', 'int64', 'int32']);
    if (isFloat(a) && isFloat(b)) return floatPairs(node, a, b, op, plan);
    if (a.type === 'int64') return pairs(node, a, b, 'int64', plan, integers);
    plan.count(SLOW * Math.max(a.count, b.count), node.path);
    const narrow = (x: number, y: number) => Number(BigInt.asIntN(32, integers(BigInt(x), BigInt(y))));
    return pairs(node, a, b, 'int32', plan, narrow);
  };
}

/** An operator of two inputs in float32, int64 or int32; integers wrap. */
function arithmetic(op: keyof typeof BINARY, integers: (node: OperatorNode) => Integers): Operator {
  return {
    inputs: [2, 2],
    takesTurned: true,
    prepare(node) {
      const apply = arithmeticOf(node, op, integers(node));
      return ([a, b], plan) => [apply(a!, b!, plan)];
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
function extreme(op: keyof typeof BINARY, integers: Integers): Operator {
  return {
    inputs: [1, Number.POSITIVE_INFINITY],
    prepare(node) {
      const apply = arithmeticOf(node, op, integers);
      return ([first, ...rest], plan) => [rest.reduce((a, b) => apply(a!, b!, plan), first)!];
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
  takesTurned: true,
  prepare(node) {
    return ([a, b], plan) => {
      const base = a!;
      const exponent = b!;
      for (const input of [base, exponent]) node.numbers('inputs', input);
      if (isFloat(base) || (isFloat(exponent) && !plan.need(exponent).data.every(Number.isInteger))) {
        const x = castTo('float32', base, plan, node.path) as Value<Float32Array>;
        const y = castTo('float32', exponent, plan, node.path) as Value<Float32Array>;
        const out = isSquare(exponent) ? square(node, x, exponent, plan) : floatPairs(node, x, y, 'pow', plan);
        return [castTo(base.type, out, plan, node.path)];
      }
      const exponents = plan.plain(exponent);
      plan.count(POWER * Math.max(base.count, exponent.count), node.path);
      const bits = base.type === 'int64' ? 64 : 32;
      const apply = (x: number | bigint, y: number | bigint) => {
        const result = power(BigInt(x), BigInt(y), -1n << BigInt(bits - 1));
        return typeof x === 'bigint' ? result : Number(BigInt.asIntN(bits, result));
      };
      return [pairs(node, base, exponents, base.type, plan, apply)];
    };
  },
};

/** Whether an exponent is known to be 2: x * x is the nearest float, which the power as such may miss by a bit. */
function isSquare(exponent: Value): boolean {
  return exponent.known && exponent.count === 1 && Number(exponent.data[0]) === 2;
}

function square(node: OperatorNode, x: Value<Float32Array>, exponent: Value, plan: Builder): Value<Float32Array> {
  const y = floatUnary(node, 'square', x, plan);
  // an exponent of more dims gives its result more dims
  const dims = stretch(node, x.dims, exponent.dims);
  return dims.length === x.dims.length ? y : plan.plain(y).withDims(dims);
}

/** Sum and Mean, of any number of inputs. */
function total(isMean: boolean): Operator {
  return {
    inputs: [1, Number.POSITIVE_INFINITY],
    prepare: (node) => (inputs, plan) => {
      const [first, ...rest] = inputs.map((value, i) => node.float32(`input ${i}`, value!));
      const sum = rest.reduce((a, b) => floatPairs(node, a, b, 'add', plan), first!);
      if (!isMean || rest.length === 0) return [sum];
      const count = plan.constant('float32', [], Float32Array.of(inputs.length));
      return [floatPairs(node, sum, count, 'div', plan)];
    },
  };
}

/** The remainder that has the sign of the divisor; exact but for one rounding. */
function modulo(x: number, y: number): number {
  const rest = x % y;
  if (rest === 0) return y < 0 ? -0 : 0;
  return rest < 0 === y < 0 ? rest : rest + y;
}

const mod: Operator = {
  inputs: [2, 2],
  since: 10,
  prepare(node) {
    const truncates = node.flag('fmod');
    const integers = (x: bigint, y: bigint): bigint => {
      if (y === 0n) node.wrong('out-of-range', 'divisor of integers', 'not 0', 0);
      const rest = x % y;
      return truncates || rest === 0n || rest < 0n === y < 0n ? rest : rest + y;
    };
    return ([a, b], plan) => {
      if (!isFloat(a!)) return [arithmeticOf(node, 'add', integers)(a!, b!, plan)];
      sameType(node, a, b!, ['float32']);
      // floats have it from operator set 28 on
      if (!truncates && node.opset < 28) node.wrongAttribute('fmod', '1 for floats', 0);
      return [pairs(node, a, b!, 'float32', plan, truncates ? (x: number, y: number) => x % y : modulo)];
    };
  },
};

export const add = arithmetic('add', () => (x, y) => x + y);
export const subtract = arithmetic('sub', () => (x, y) => x - y);
export const product = arithmetic('mul', () => (x, y) => x * y);
export const divided = arithmetic('div', divide);
export const minimum = extreme('min', (x, y) => pick(x < y, x, y));
export const maximum = extreme('max', (x, y) => pick(x > y, x, y));
export const pRelu = arithmetic('prelu', () => (x, y) => (x < 0n ? x * y : x));
export const sum = total(false);
export const mean = total(true);

export const ARITHMETIC: readonly (readonly [string, Operator])[] = [
  ['Add', add],
  ['Sub', subtract],
  ['Mul', product],
  ['Div', divided],
  ['Min', minimum],
  ['Max', maximum],
  ['Pow', pow],
  ['PRelu', pRelu],
  ['Sum', sum],
  ['Mean', mean],
  ['Mod', mod],
];

import { onnxKernels } from '../cells/kernels.ts';
import { UNARY } from '../cells/walks.ts';
import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import { cast } from './cast.ts';
import type { Operator, OperatorNode } from './node.ts';
import { isFloat, NUMBERS } from './value.ts';

// Operators that compute each element from the one at its place in the input.

/** An operator of one input: an operator of unary_f32; with `integers` for int64 and int32 too. */
function unary(op: keyof typeof UNARY, integers?: (x: bigint) => bigint, since = 7): Operator {
  return {
    inputs: [1, 1],
    since,
    takesTurned: true,
    prepare:
      (node) =>
      ([a], plan) => {
        const value = a!;
        if (isFloat(value)) return [floatUnary(node, op, value, plan)];
        if (!integers || !NUMBERS.includes(value.type)) {
          return node.wrongType('input', integers ? 'numbers' : 'float32', value.type);
        }
        const out = plan.make(value.type, value.dims, node.path);
        plan.step([value, out], () => () => mapIntegers(value, out, integers));
        return [out];
      },
  };
}

/** Applies a function to integers of 64 or 32 bits; results wrap. */
function mapIntegers(value: Value, out: Value, apply: (x: bigint) => bigint): void {
  const narrow = value.type === 'int32';
  const from = value.data as ArrayLike<number | bigint>;
  const to = out.data as unknown as (number | bigint)[];
  for (let i = 0; i < from.length; i++) {
    const result = apply(BigInt(from[i]!));
    to[i] = narrow ? Number(BigInt.asIntN(32, result)) : result;
  }
}

/** Adds the step of an operator of unary_f32. */
export function floatUnary(
  node: OperatorNode,
  op: keyof typeof UNARY,
  x: Value<Float32Array>,
  plan: Builder,
  alpha = 0,
): Value<Float32Array> {
  const out = plan.makeLike('float32', x, node.path);
  const { count } = x;
  plan.kernel([x], [out], (from, to) => {
    const { unary_f32 } = onnxKernels();
    return () => unary_f32(UNARY[op], from, to, count, alpha);
  });
  return out;
}

const MAX_FLOAT = (2 - 2 ** -23) * 2 ** 127;

const clip: Operator = {
  inputs: [1, 3],
  takesTurned: true,
  prepare(node) {
    // bounds are attributes before operator set 11
    const fixed = node.opset < 11;
    const low = node.float('min', -MAX_FLOAT);
    const high = node.float('max', MAX_FLOAT);
    return ([a, from, to], plan) => {
      const value = a!;
      node.numbers('input', value);
      for (const [what, given] of [['min', from] as const, ['max', to] as const]) {
        if (given && !fixed) node.checkScalar(what, given, value.type);
      }
      const out = plan.makeLike(value.type, value, node.path);
      // without a bound every finite number passes
      const least = () => (fixed || !from ? low : from.data[0]!);
      const most = () => (fixed || !to ? high : to.data[0]!);
      if (isFloat(value) && (fixed || ((from?.known ?? true) && (to?.known ?? true)))) {
        clipFloats(plan, value, out, Number(least()), Number(most()));
        return [out];
      }
      plan.step([value, from, to, out], () => () => {
        const lower = least();
        const upper = most();
        const { data } = value;
        const target = out.data as unknown as (number | bigint)[];
        // comparisons mix numbers and bigints; NaN passes
        for (let i = 0; i < data.length; i++) {
          let x: number | bigint = data[i]!;
          if (x < lower) x = lower;
          if (x > upper) x = upper;
          target[i] = x;
        }
      });
      return [out];
    };
  },
};

function clipFloats(plan: Builder, x: Value, out: Value, low: number, high: number): void {
  const { count } = x;
  plan.kernel([x], [out], (from, to) => {
    const { clip_f32 } = onnxKernels();
    return () => clip_f32(from, to, count, low, high);
  });
}

const leakyRelu: Operator = {
  inputs: [1, 1],
  takesTurned: true,
  prepare(node) {
    const alpha = node.float('alpha', Math.fround(0.01));
    return ([a], plan) => [floatUnary(node, 'leakyRelu', node.float32('input', a!), plan, alpha)];
  },
};

/** An operator that tells of each float whether something holds. */
function question(since: number, prepare: (node: OperatorNode) => (x: number) => boolean): Operator {
  return {
    inputs: [1, 1],
    since,
    takesTurned: true,
    prepare(node) {
      const holds = prepare(node);
      return ([a], plan) => {
        const x = node.float32('input', a!);
        const out = plan.makeLike('bool', x, node.path);
        plan.step([x, out], () => () => {
          const from = x.data;
          const to = out.data;
          for (let i = 0; i < to.length; i++) to[i] = holds(from[i]!) ? 1 : 0;
        });
        return [out];
      };
    },
  };
}

const isInf = question(10, (node) => {
  const negative = node.int('detect_negative', 1) !== 0;
  const positive = node.int('detect_positive', 1) !== 0;
  return (x) => (x === Number.POSITIVE_INFINITY && positive) || (x === Number.NEGATIVE_INFINITY && negative);
});

export const ELEMENTWISE: readonly (readonly [string, Operator])[] = [
  ['Cast', cast],
  ['Clip', clip],
  ['LeakyRelu', leakyRelu],
  ['Neg', unary('neg', (x) => -x)],
  ['Abs', unary('abs', (x) => (x < 0n ? -x : x))],
  ['Relu', unary('relu', (x) => (x < 0n ? 0n : x))],
  ['Sqrt', unary('sqrt')],
  ['Floor', unary('floor')],
  ['Ceil', unary('ceil')],
  ['Exp', unary('exp')],
  ['Log', unary('log')],
  ['Sigmoid', unary('sigmoid')],
  ['Tanh', unary('tanh')],
  ['Reciprocal', unary('reciprocal')],
  ['Round', unary('round', undefined, 11)],
  ['Sign', unary('sign', (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n), 9)],
  ['Erf', unary('erf', undefined, 9)],
  ['Sin', unary('sin')],
  ['Cos', unary('cos')],
  ['IsNaN', question(9, () => Number.isNaN)],
  ['IsInf', isInf],
];

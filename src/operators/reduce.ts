import { product } from '../base/tensor.ts';
import { onnxKernels } from '../cells/kernels.ts';
import { REDUCE } from '../cells/walks.ts';
import type { Builder } from '../graph/builder.ts';
import type { ValueData } from '../graph/types.ts';
import type { Value } from '../graph/value.ts';
import { copyFloats } from '../memory/rows.ts';
import { wasm } from '../memory/wasm.ts';
import { argMax, argMin } from './arg-max.ts';
import { castTo } from './cast.ts';
import type { Lower, Operator } from './node.ts';
import { batchNormalization, layerNormalization } from './normalize.ts';
import { isFloat, NUMBERS } from './value.ts';

/** Elements counted as work for one that is folded as a bigint. */
const BIGINT = 8;

// Operators that reduce or normalise along axes. Float sums are kept in float64 and rounded once.

type Fold = (data: ValueData, from: number, count: number) => number | bigint;

/** Folds integers exactly; results wrap. */
function integers(start: bigint, next: (total: bigint, x: bigint) => bigint, end = (total: bigint) => total): Fold {
  return (data, from, count) => {
    let total = start;
    for (let i = from; i < from + count; i++) total = next(total, BigInt(data[i]!));
    const result = end(total);
    return data instanceof BigInt64Array ? result : Number(BigInt.asIntN(32, result));
  };
}

function sum(data: ValueData, from: number, count: number): number | bigint {
  if (data instanceof BigInt64Array) {
    let total = 0n;
    for (let i = from; i < from + count; i++) total += data[i]!;
    return total;
  }
  let total = 0;
  for (let i = from; i < from + count; i++) total += data[i]!;
  return total;
}

function mean(data: ValueData, from: number, count: number): number | bigint {
  const total = sum(data, from, count);
  return typeof total === 'bigint' ? total / BigInt(count) : total / count;
}

function largest(data: ValueData, from: number, count: number): number | bigint {
  let top = data[from]!;
  for (let i = from + 1; i < from + count; i++) if (data[i]! > top) top = data[i]!;
  return top;
}

function smallest(data: ValueData, from: number, count: number): number | bigint {
  let low = data[from]!;
  for (let i = from + 1; i < from + count; i++) if (data[i]! < low) low = data[i]!;
  return low;
}

/** The square root of an exact sum, cut to an integer. */
function root(x: bigint): bigint {
  let y = BigInt(Math.floor(Math.sqrt(Number(x))));
  while (y * y > x) y--;
  while ((y + 1n) * (y + 1n) <= x) y++;
  return y;
}

type Filler = Readonly<Record<string, number | bigint>>;

const FLOATS = ['float32'];
const BOOLS = NUMBERS.concat('bool');
const same = (x: number): Filler => ({ float32: x, int64: Number.isFinite(x) ? BigInt(x) : 0n, int32: x, bool: x });
const ZERO = same(0);
const ONE = same(1);
const NO_LOGARITHM = same(Number.NEGATIVE_INFINITY);
const SMALLEST: Filler = { float32: Number.NEGATIVE_INFINITY, int64: -(1n << 63n), int32: -(2 ** 31), bool: 0 };
const LARGEST: Filler = { float32: Number.POSITIVE_INFINITY, int64: (1n << 63n) - 1n, int32: 2 ** 31 - 1, bool: 1 };

/**
 * An operator that folds each group of elements along some axes into one.
 * @param fold for integers and bools
 * @param op the operator of reduce_f32, for floats
 * @param asInput the operator set from which axes are an input
 * @param ofNone the result where a group has no elements; ONNX leaves a mean's open, so it is ONNX Runtime's
 * @param ofOne whether a group of one element is changed, so that an empty list of axes does not give the input
 */
function reduction(
  fold: Fold,
  op: keyof typeof REDUCE,
  asInput: number,
  ofNone: Filler,
  types: readonly string[],
  ofOne = false,
): Operator {
  return {
    inputs: [1, 2],
    prepare(node): Lower {
      const keep = node.int('keepdims', 1) !== 0;
      const fixed = node.opset < asInput ? node.ints('axes') : undefined;
      const noop = node.flag('noop_with_empty_axes');
      return ([a, given], plan) => {
        const value = a!;
        if (!types.includes(value.type)) node.wrongType('input', types.join(', '), value.type);
        const list = fixed ?? (given && node.opset >= asInput ? node.integers('axes', given, plan) : []);
        const isNone = list.length === 0 && noop;
        if (isNone && !ofOne) return [value];
        // a scalar is reduced like a vector of one element, as in PyTorch and ONNX Runtime
        const all = isNone ? [] : [...value.dims.keys()];
        const axes = list.length ? node.axes(list, Math.max(1, value.dims.length), true) : all;
        const rest = [...value.dims.keys()].filter((axis) => !axes.includes(axis));
        const count = product(axes.map((axis) => value.dims[axis] ?? 1));
        const dims = keep
          ? value.dims.map((size, i) => (axes.includes(i) ? 1 : size))
          : rest.map((axis) => value.dims[axis]!);
        const out = plan.make(value.type, dims, node.path);
        if (count === 0) {
          plan.step([out], () => () => void (out.data as Float32Array).fill(ofNone[value.type] as number));
          return [out];
        }
        plan.count(value.count, node.path);
        if (isFloat(value)) {
          reduceFloats(plan, op, value, axes, out as Value<Float32Array>);
          return [out];
        }
        plan.count(BIGINT * value.count, node.path);
        const ordered = value.dims.length ? plan.permute(value, [...rest, ...axes]) : value;
        plan.step([ordered, out], () => () => {
          const target = out.data as Float32Array;
          const { data } = ordered;
          for (let i = 0; i < target.length; i++) target[i] = fold(data, i * count, count) as number;
        });
        return [out];
      };
    },
  };
}

/** Reduces along axes next to each other where they lie; others are brought next to each other first. */
function reduceFloats(
  plan: Builder,
  op: keyof typeof REDUCE,
  value: Value<Float32Array>,
  axes: readonly number[],
  out: Value<Float32Array>,
): void {
  if (out.count === 0) return;
  const rank = value.dims.length;
  const areNeighbours = axes.every((axis, i) => i === 0 || axis === axes[i - 1]! + 1);
  const rest = [...value.dims.keys()].filter((axis) => !axes.includes(axis));
  const x = rank === 0 || areNeighbours ? value : plan.permute(value, [...rest, ...axes]);
  const first = areNeighbours ? (axes[0] ?? rest.length) : rest.length;
  const end = first + axes.length;
  const [outer, n, inner] = [x.dims.slice(0, first), x.dims.slice(first, end), x.dims.slice(end)].map(product) as [
    number,
    number,
    number,
  ];
  plan.kernel([x], [out], (from, to) => {
    const { reduce_f32 } = onnxKernels();
    return () => reduce_f32(REDUCE[op], from, to, outer, n, inner);
  });
}

/** Softmax and LogSoftmax. Before operator set 13 all axes from `axis` on count as one. */
function softmax(run: (pointer: number, outer: number, n: number, inner: number) => void): Operator {
  return {
    inputs: [1, 1],
    prepare(node) {
      const given = node.int('axis', node.opset < 13 ? 1 : -1);
      return ([a], plan) => {
        const x = node.float32('input', a!);
        const { dims } = x;
        const rank = dims.length;
        const coerced = node.opset < 13;
        // a scalar counts as a vector of one element
        const axis = coerced && given === rank ? rank : node.axis(given, Math.max(rank, 1));
        const outer = product(dims.slice(0, axis));
        const n = product(coerced ? dims.slice(axis) : dims.slice(axis, axis + 1));
        const inner = coerced ? 1 : product(dims.slice(axis + 1));
        const out = plan.make('float32', dims, node.path);
        const { count } = out;
        if (count === 0) return [out];
        plan.kernel([x], [out], (from, to) => () => {
          copyFloats(to, from, count);
          run(to, outer, n, inner);
        });
        return [out];
      };
    },
  };
}

export const reduceMean = reduction(mean, 'mean', 18, ZERO, NUMBERS);
export const reduceSum = reduction(sum, 'sum', 13, ZERO, NUMBERS);
export const reduceProd = reduction(
  integers(1n, (total, x) => BigInt.asIntN(64, total * x)),
  'prod',
  18,
  ONE,
  NUMBERS,
);
export const reduceL2 = reduction(
  integers(0n, (total, x) => total + x * x, root),
  'l2',
  18,
  ZERO,
  NUMBERS,
  true,
);
export const softmaxOperator = softmax((pointer, outer, n, inner) => wasm().softmax_f32(pointer, outer, n, inner));
/** A logarithm of sums; that of integers is cut to an integer. */
function logarithm(op: 'logSum' | 'logSumExp'): Operator {
  const floats = reduction(sum, op, 18, NO_LOGARITHM, FLOATS, true);
  return {
    ...floats,
    prepare(node) {
      const lower = floats.prepare(node);
      return ([a, axes], plan) => {
        node.numbers('input', a!);
        const x = castTo('float32', a!, plan, node.path);
        return lower([x, axes], plan).map((y) => castTo(a!.type, y, plan, node.path));
      };
    },
  };
}

export const REDUCTIONS: readonly (readonly [string, Operator])[] = [
  ['ReduceMean', reduceMean],
  ['ReduceSum', reduceSum],
  ['ReduceMax', reduction(largest, 'max', 18, SMALLEST, BOOLS)],
  ['ReduceMin', reduction(smallest, 'min', 18, LARGEST, BOOLS)],
  ['ReduceProd', reduceProd],
  [
    'ReduceL1',
    reduction(
      integers(0n, (total, x) => total + (x < 0n ? -x : x)),
      'l1',
      18,
      ZERO,
      NUMBERS,
      true,
    ),
  ],
  ['ReduceL2', reduceL2],
  [
    'ReduceSumSquare',
    reduction(
      integers(0n, (total, x) => total + x * x),
      'sumSquare',
      18,
      ZERO,
      NUMBERS,
      true,
    ),
  ],
  ['ReduceLogSum', logarithm('logSum')],
  ['ReduceLogSumExp', logarithm('logSumExp')],
  ['ArgMax', argMax],
  ['ArgMin', argMin],
  ['Softmax', softmaxOperator],
  ['LogSoftmax', softmax((pointer, outer, n, inner) => onnxKernels().log_softmax_f32(pointer, outer, n, inner))],
  ['BatchNormalization', batchNormalization],
  ['LayerNormalization', layerNormalization],
];

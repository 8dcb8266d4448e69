import { formatDims, product } from '../base/tensor.ts';
import { onnxKernels } from '../cells/kernels.ts';
import { floats, scratch } from '../memory/arena.ts';
import { wasm } from '../memory/wasm.ts';
import { broadcastDims, permute, stretchedSteps, strides, walk } from './layout.ts';
import type { Kernel, Operator, OperatorNode } from './node.ts';
import type { RunValue, ValueData, ValueType, Work } from './value.ts';

// Operators that reduce or normalise along axes. Float sums are kept in float64 and rounded once.

type Fold = (data: ValueData, from: number, count: number) => number | bigint;

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

/** The largest element; NaN if any is NaN. */
function largest(data: ValueData, from: number, count: number): number | bigint {
  let top = data[from]!;
  for (let i = from + 1; i < from + count; i++) if (data[i]! > top || Number.isNaN(data[i])) top = data[i]!;
  return top;
}

const NUMBERS = ['float32', 'int64', 'int32'];
const SMALLEST: Readonly<Record<ValueType, number | bigint>> = {
  float32: Number.NEGATIVE_INFINITY,
  int64: -(1n << 63n),
  int32: -(2 ** 31),
  bool: 0,
};
const ZERO: Readonly<Record<ValueType, number | bigint>> = { float32: 0, int64: 0n, int32: 0, bool: 0 };

/**
 * An operator that folds each group of elements along some axes into one.
 * @param asInput the operator set from which axes are an input
 * @param ofNone the result where a group has no elements; ONNX leaves a mean's open, so it is ONNX Runtime's
 */
function reduction(
  fold: Fold,
  asInput: number,
  ofNone: Readonly<Record<ValueType, number | bigint>>,
  types: string[],
): Operator {
  return {
    inputs: [1, 2],
    prepare(node): Kernel {
      const keep = node.int('keepdims', 1) !== 0;
      const fixed = node.opset < asInput ? node.ints('axes') : undefined;
      const noop = node.flag('noop_with_empty_axes');
      return ([a, given], work) => {
        const value = a!;
        if (!types.includes(value.type)) node.wrongType('input', types.join(', '), value.type);
        const list = fixed ?? (given && node.opset >= asInput ? node.integers('axes', given) : []);
        if (list.length === 0 && noop) return [value];
        // a scalar is reduced like a vector of one element, as in PyTorch and ONNX Runtime
        const axes = list.length ? node.axes(list, Math.max(1, value.dims.length), true) : [...value.dims.keys()];
        const rest = [...value.dims.keys()].filter((axis) => !axes.includes(axis));
        const count = product(axes.map((axis) => value.dims[axis] ?? 1));
        const dims = keep
          ? value.dims.map((size, i) => (axes.includes(i) ? 1 : size))
          : rest.map((axis) => value.dims[axis]!);
        const out = work.make(value.type, dims, node.path);
        const target = out.data as Float32Array;
        if (count === 0) {
          target.fill(ofNone[value.type] as number);
          return [out];
        }
        work.count(value.data.length, node.path);
        const { data } = value.dims.length ? permute(value, [...rest, ...axes]) : value;
        for (let i = 0; i < target.length; i++) target[i] = fold(data, i * count, count) as number;
        return [out];
      };
    },
  };
}

const argMax: Operator = {
  inputs: [1, 1],
  prepare(node) {
    const given = node.int('axis', 0);
    const keep = node.int('keepdims', 1) !== 0;
    const last = node.flag('select_last_index');
    return ([a], work) => {
      const { dims, data, type } = a!;
      if (type === 'bool') node.wrongType('input', 'numbers', type);
      if (dims.length === 0) {
        node.axis(given, 1);
        return [work.make('int64', [], node.path)];
      }
      const axis = node.axis(given, dims.length);
      const length = dims[axis]!;
      const step = strides(dims)[axis]!;
      const kept = dims.with(axis, 1);
      const out = work.make('int64', keep ? kept : dims.filter((_, i) => i !== axis), node.path);
      if (length === 0 && out.data.length) node.wrongShape('input', 'elements to compare', dims);
      work.count(data.length, node.path);
      let at = 0;
      walk(kept, [strides(dims).with(axis, 0)], (from) => {
        let best = 0;
        for (let i = 1; i < length; i++) {
          const x = data[from + i * step]!;
          const top = data[from + best * step]!;
          if (x > top || (last && x === top)) best = i;
        }
        out.data[at++] = BigInt(best);
      });
      return [out];
    };
  },
};

/** Softmax and LogSoftmax. Before operator set 13 all axes from `axis` on count as one. */
function softmax(run: (pointer: number, outer: number, n: number, inner: number) => void): Operator {
  return {
    inputs: [1, 1],
    prepare(node) {
      const given = node.int('axis', node.opset < 13 ? 1 : -1);
      return ([a], work) => {
        const { data, dims } = node.float32('input', a!);
        const rank = dims.length;
        const coerced = node.opset < 13;
        // a scalar counts as a vector of one element
        const axis = coerced && given === rank ? rank : node.axis(given, Math.max(rank, 1));
        const outer = product(dims.slice(0, axis));
        const n = product(coerced ? dims.slice(axis) : dims.slice(axis, axis + 1));
        const inner = coerced ? 1 : product(dims.slice(axis + 1));
        const out = work.make('float32', dims, node.path);
        softmaxBlocks(data, out.data, outer, n * inner, (pointer, some) => run(pointer, some, n, inner));
        return [out];
      };
    },
  };
}

/** Floats that pass through linear memory at once; a larger block passes alone. */
const CHUNK = 1 << 16;

function softmaxBlocks(
  data: Float32Array,
  out: Float32Array,
  outer: number,
  size: number,
  run: (pointer: number, count: number) => void,
): void {
  if (size === 0) return;
  const some = Math.max(1, Math.floor(CHUNK / size));
  for (let block = 0; block < outer; block += some) {
    const count = Math.min(some, outer - block);
    const from = block * size;
    const to = from + count * size;
    const pointer = scratch(4 * count * size);
    floats().set(data.subarray(from, to), pointer / 4);
    run(pointer, count);
    out.set(floats().subarray(pointer / 4, pointer / 4 + count * size), from);
  }
}

/** y = x * factor + offset for each channel, in float64. */
const batchNormalization: Operator = {
  inputs: [5, 5],
  outputs: [1, 5],
  limits: 'training_mode, spatial = 0',
  prepare(node) {
    const epsilon = node.float('epsilon', Math.fround(1e-5));
    if (node.flag('training_mode') || (node.opset < 9 && node.int('spatial', 1) !== 1)) {
      node.wrong('unsupported', 'attributes', 'inference', 'another mode');
    }
    if (node.outputs.slice(1).some(Boolean)) {
      node.wrong('unsupported', 'outputs', 1, node.outputs.length);
    }
    return ([x, ...parameters], work) => {
      const input = node.float32('X', x!);
      const { dims, data } = input;
      const channels = dims.length > 1 ? dims[1]! : 1;
      const [scale, bias, means, variances] = ['scale', 'B', 'mean', 'var'].map((what, i) => {
        const value = node.float32(what, parameters[i]!);
        if (value.dims.length !== 1 || value.dims[0] !== channels) node.wrongShape(what, `[${channels}]`, value.dims);
        return value.data;
      }) as [Float32Array, Float32Array, Float32Array, Float32Array];
      const out = work.make('float32', dims, node.path);
      const inner = product(dims.slice(2));
      for (let at = 0, c = 0; at < data.length; c = c + 1 === channels ? 0 : c + 1) {
        const factor = scale[c]! / Math.sqrt(variances[c]! + epsilon);
        const mean = means[c]!;
        const offset = bias[c]!;
        for (const end = at + inner; at < end; at++) out.data[at] = (data[at]! - mean) * factor + offset;
      }
      return [out];
    };
  },
};

const layerNormalization: Operator = {
  inputs: [2, 3],
  outputs: [1, 3],
  since: 17,
  prepare(node) {
    const given = node.int('axis', -1);
    const epsilon = node.float('epsilon', Math.fround(1e-5));
    return ([x, scale, bias], work) => {
      const { data, dims } = node.float32('X', x!);
      const axis = node.axis(given, dims.length);
      const size = product(dims.slice(axis));
      const factor = parameter(node, 'Scale', scale!, dims, axis, work);
      const offset = bias && parameter(node, 'B', bias, dims, axis, work);
      const out = work.make('float32', dims, node.path);
      const statistics = dims.map((length, i) => (i < axis ? length : 1));
      const means = work.make('float32', statistics, node.path);
      const inverses = work.make('float32', statistics, node.path);
      for (let from = 0, row = 0; from < data.length; from += size, row++) {
        const mean = Number(sum(data, from, size)) / size;
        let squares = 0;
        for (let i = from; i < from + size; i++) squares += (data[i]! - mean) * (data[i]! - mean);
        const inverse = 1 / Math.sqrt(squares / size + epsilon);
        means.data[row] = mean;
        inverses.data[row] = inverse;
        const atFactor = factor.length === size ? 0 : from;
        const atOffset = offset?.length === size ? 0 : from;
        for (let i = 0; i < size; i++) {
          out.data[from + i] =
            (data[from + i]! - mean) * inverse * factor[atFactor + i]! + (offset?.[atOffset + i] ?? 0);
        }
      }
      return [out, means, inverses];
    };
  },
};

/** Stretches a parameter to the normalised axes, or to all of `dims` if it differs along the others. */
function parameter(
  node: OperatorNode,
  what: string,
  value: RunValue,
  dims: readonly number[],
  axis: number,
  work: Work,
): Float32Array {
  const { data } = node.float32(what, value);
  const outer = Math.max(0, value.dims.length - dims.length + axis);
  const isInner = value.dims.length <= dims.length && product(value.dims.slice(0, outer)) === 1;
  const own = isInner ? value.dims.slice(outer) : value.dims;
  const to = isInner ? dims.slice(axis) : dims;
  if (broadcastDims(own, to)?.join() !== to.join()) {
    node.wrongShape(what, `dims that stretch to ${formatDims(dims)}`, value.dims);
  }
  // an input without elements has nothing to scale, however large its other sizes
  if (data.length === product(to) || product(dims) === 0) return data;
  const out = work.make('float32', to, node.path);
  let at = 0;
  walk(to, [stretchedSteps(own, to)], (i) => {
    out.data[at++] = data[i]!;
  });
  return out.data;
}

export const REDUCTIONS: readonly (readonly [string, Operator])[] = [
  ['ReduceMean', reduction(mean, 18, ZERO, NUMBERS)],
  ['ReduceSum', reduction(sum, 13, ZERO, NUMBERS)],
  ['ReduceMax', reduction(largest, 18, SMALLEST, NUMBERS.concat('bool'))],
  ['ArgMax', argMax],
  ['Softmax', softmax((pointer, outer, n, inner) => wasm().softmax_f32(pointer, outer, n, inner))],
  ['LogSoftmax', softmax((pointer, outer, n, inner) => onnxKernels().log_softmax_f32(pointer, outer, n, inner))],
  ['BatchNormalization', batchNormalization],
  ['LayerNormalization', layerNormalization],
];

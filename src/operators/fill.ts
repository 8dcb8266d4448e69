import { formatDims } from '../base/tensor.ts';
import { broadcastDims, stretchedSteps, strides } from '../graph/layout.ts';
import { Value } from '../graph/value.ts';
import { checkSizes } from './inputs.ts';
import type { Lower, Operator, OperatorNode } from './node.ts';
import { copyPart } from './slices.ts';

// Operators that make a tensor from constants, or repeat one.

const constant: Operator = {
  inputs: [0, 0],
  limits: 'strings, sparse tensors',
  prepare(node): Lower {
    const value = constantValue(node);
    return () => [value];
  },
};

function constantValue(node: OperatorNode): Value {
  const tensor = node.tensor('value');
  if (tensor) return tensor;
  const floats = node.has('value_float') ? [node.float('value_float', 0)] : node.floats('value_floats');
  const ints = node.bigints('value_int', false) ?? node.bigints('value_ints', true);
  const scalar = node.has('value_float') || node.has('value_int');
  if (floats) return Value.of('float32', scalar ? [] : [floats.length], Float32Array.from(floats));
  if (ints) return Value.of('int64', scalar ? [] : [ints.length], ints);
  return node.wrong('unsupported', 'attributes', 'value, value_float(s) or value_int(s)', undefined);
}

const constantOfShape: Operator = {
  inputs: [1, 1],
  since: 9,
  prepare(node) {
    const value = node.tensor('value');
    if (value && value.count !== 1) node.wrongShape('attribute value', 'one element', value.dims);
    return ([shape], plan) => {
      const dims = checkSizes(node, 'shape', node.integers('shape', shape!, plan));
      const out = plan.make(value?.type ?? 'float32', dims, node.path);
      plan.step([out], () => () => void (out.data as Float32Array).fill((value?.data[0] ?? 0) as number));
      return [out];
    };
  },
};

const expand: Operator = {
  inputs: [2, 2],
  since: 8,
  prepare:
    (node) =>
    ([a, shape], plan) => {
      const asked = checkSizes(node, 'shape', node.integers('shape', shape!, plan));
      const dims = broadcastDims(a!.dims, asked);
      if (!dims) return node.wrongShape('shape', `dims that ${formatDims(a!.dims)} stretches to`, asked);
      return [copyPart(node, a!, 0, dims, stretchedSteps(a!.dims, dims), plan)];
    },
};

const tile: Operator = {
  inputs: [2, 2],
  prepare:
    (node) =>
    ([a, repeats], plan) => {
      const { dims } = a!;
      const times = checkSizes(node, 'repeats', node.integers('repeats', repeats!, plan));
      if (times.length !== dims.length) node.wrongShape('repeats', `${dims.length} numbers`, times);
      const tiled = dims.map((length, i) => length * times[i]!);
      const out = plan.make(a!.type, tiled, node.path);
      const steps = strides(dims);
      // each axis twice: its repeats, which read the same elements, and its elements
      const view = dims.flatMap((length, i) => [times[i]!, length]);
      const twice = steps.flatMap((step) => [0, step]);
      plan.copy(a!, 0, twice, out, view);
      return [out];
    },
};

const range: Operator = {
  inputs: [3, 3],
  since: 11,
  prepare:
    (node) =>
    ([first, limit, step], plan) => {
      const { type } = first!;
      node.numbers('start', { type });
      const [from, to, by] = [first!, limit!, step!].map((value, i) =>
        node.scalar(['start', 'limit', 'delta'][i]!, value, plan, type),
      ) as [number, number, number];
      if (Number(by) === 0) node.wrong('out-of-range', 'delta', 'not 0', 0);
      const count = Math.max(0, Math.ceil((Number(to) - Number(from)) / Number(by)));
      if (!Number.isFinite(count)) node.wrong('out-of-range', 'number of elements', 'finite numbers', count);
      const out = plan.make(type, [count], node.path);
      plan.step([out], () => () => {
        const data = out.data as Float32Array;
        // the data may hold bigints as well as numbers
        for (let i = 0; i < count; i++) {
          data[i] =
            typeof from === 'bigint' ? ((from + BigInt(i) * (by as unknown as bigint)) as never) : from + i * by;
        }
      });
      return [out];
    },
};

export const FILLS: readonly (readonly [string, Operator])[] = [
  ['Constant', constant],
  ['ConstantOfShape', constantOfShape],
  ['Expand', expand],
  ['Tile', tile],
  ['Range', range],
];

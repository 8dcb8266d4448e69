import { formatDims, product, sameDims } from '../base/tensor.ts';
import type { Builder } from '../graph/builder.ts';
import { copyRun } from '../graph/copy.ts';
import { strides, walk } from '../graph/layout.ts';
import type { ValueData, ValueType } from '../graph/types.ts';
import type { Value } from '../graph/value.ts';
import type { Operator, OperatorNode } from './node.ts';

// Operators that read or write elements at places that another input tells. A negative index counts from the end.

type Combine = (old: never, update: never) => number | bigint;

/** How an element and its update give the new element, by the attribute reduction. NaN is the larger and the smaller number. */
function combiner(node: OperatorNode): (type: ValueType) => Combine | undefined {
  const names = ['none', ...(node.opset < 16 ? [] : ['add', 'mul']), ...(node.opset < 18 ? [] : ['max', 'min'])];
  const name = node.string('reduction', 'none');
  if (!names.includes(name)) node.wrongAttribute('reduction', names.join(', '), name);
  if (name === 'add')
    return (type) => (type === 'bool' ? (x: number, y: number) => x | y : (x: number, y: number) => x + y);
  if (name === 'mul') return (type) => (type === 'int32' ? Math.imul : (x: number, y: number) => x * y);
  if (name === 'max') return () => (x: number, y: number) => (y > x || Number.isNaN(y) ? y : x);
  if (name === 'min') return () => (x: number, y: number) => (y < x || Number.isNaN(y) ? y : x);
  return () => undefined;
}

function checkIndices(node: OperatorNode, { type }: Value): void {
  if (type !== 'int64' && type !== 'int32') node.wrongType('indices', 'int64', type);
}

/** Checks that indices have the dims of data, or less of them along other axes than `axis`. @returns the axis from 0 on */
function checkElements(node: OperatorNode, data: Value, indices: Value, given: number): number {
  checkIndices(node, indices);
  const axis = node.axis(given, data.dims.length);
  if (indices.dims.length !== data.dims.length || indices.dims.some((size, i) => i !== axis && size > data.dims[i]!)) {
    node.wrongShape('indices', `at most ${formatDims(data.dims)} but for axis ${axis}`, indices.dims);
  }
  return axis;
}

const gatherElements: Operator = {
  inputs: [2, 2],
  since: 11,
  prepare(node) {
    const given = node.int('axis', 0);
    return ([a, b], plan) => {
      const value = a!;
      const indices = b!;
      const axis = checkElements(node, value, indices, given);
      const length = value.dims[axis]!;
      const steps = strides(value.dims);
      const step = steps[axis]!;
      const out = plan.make(value.type, indices.dims, node.path);
      plan.step([value, indices, out], () => () => {
        const from = value.data;
        const list = indices.data;
        const to = out.data;
        let at = 0;
        walk(indices.dims, [steps.with(axis, 0)], (start) => {
          to[at] = from[start + step * node.axis(Number(list[at]), length, 'indices')]!;
          at++;
        });
      });
      return [out];
    };
  },
};

/** Copies the data into the result, where updates are then written. */
function copied(node: OperatorNode, data: Value, plan: Builder): Value {
  const out = plan.make(data.type, data.dims, node.path);
  plan.copy(data, 0, strides(data.dims), out);
  return out;
}

function scatterElements(since: number): Operator {
  return {
    inputs: [3, 3],
    since,
    prepare(node) {
      const given = node.int('axis', 0);
      const combine = combiner(node);
      return ([a, b, c], plan) => {
        const data = a!;
        const indices = b!;
        const updates = c!;
        const axis = checkElements(node, data, indices, given);
        if (updates.type !== data.type) node.wrongType('updates', data.type, updates.type);
        if (!sameDims(updates.dims, indices.dims)) node.wrongShape('updates', formatDims(indices.dims), updates.dims);
        plan.count(indices.count, node.path);
        const apply = combine(data.type);
        const length = data.dims[axis]!;
        const steps = strides(data.dims);
        const step = steps[axis]!;
        const out = copied(node, data, plan);
        plan.step([indices, updates, out], () => () => {
          const list = indices.data;
          const from = updates.data;
          const to = out.data;
          let i = 0;
          walk(indices.dims, [steps.with(axis, 0)], (start) => {
            const at = start + step * node.axis(Number(list[i]), length, 'indices');
            const update = from[i++]!;
            to[at] = apply ? apply(to[at] as never, update as never) : update;
          });
        });
        return [out];
      };
    },
  };
}

/** Adds up where the block of a tuple of indices begins: list[at], list[at + 1] ... along axes of these sizes. */
function blockAt(
  node: OperatorNode,
  list: ValueData,
  at: number,
  sizes: readonly number[],
  steps: readonly number[],
): number {
  let start = 0;
  for (let i = 0; i < sizes.length; i++) start += node.axis(Number(list[at + i]), sizes[i]!, 'indices') * steps[i]!;
  return start;
}

/** Checks the length of tuples of indices into axes of data. @returns the length */
function checkTuples(node: OperatorNode, indices: Value, most: number): number {
  checkIndices(node, indices);
  const length = indices.dims.at(-1) ?? 0;
  if (length < 1 || length > most) node.wrongShape('indices', `1 to ${most} along the last axis`, indices.dims);
  return length;
}

const gatherND: Operator = {
  inputs: [2, 2],
  since: 11,
  prepare(node) {
    const batchAxes = node.opset < 12 ? 0 : node.int('batch_dims', 0);
    return ([a, b], plan) => {
      const value = a!;
      const indices = b!;
      const most = Math.min(value.dims.length, indices.dims.length) - 1;
      if (!(batchAxes >= 0 && batchAxes <= most)) node.wrongAttribute('batch_dims', `0 to ${most}`, batchAxes);
      const outer = value.dims.slice(0, batchAxes);
      if (!sameDims(indices.dims.slice(0, batchAxes), outer)) {
        node.wrongShape('indices', `${formatDims(outer)} along the first ${batchAxes} axes`, indices.dims);
      }
      const length = checkTuples(node, indices, value.dims.length - batchAxes);
      const end = batchAxes + length;
      const block = product(value.dims.slice(end));
      const batchStep = product(value.dims.slice(batchAxes));
      const perBatch = product(indices.dims.slice(batchAxes));
      const sizes = value.dims.slice(batchAxes, end);
      const steps = strides(value.dims).slice(batchAxes, end);
      const out = plan.make(value.type, [...indices.dims.slice(0, -1), ...value.dims.slice(end)], node.path);
      plan.count(indices.count, node.path);
      plan.step([value, indices, out], () => () => {
        const list = indices.data;
        const from = value.data;
        const to = out.data;
        for (let i = 0, at = 0; i < list.length; i += length, at += block) {
          const start = Math.floor(i / perBatch) * batchStep + blockAt(node, list, i, sizes, steps);
          copyRun(from, start, block, to, at);
        }
      });
      return [out];
    };
  },
};

const scatterND: Operator = {
  inputs: [3, 3],
  since: 11,
  prepare(node) {
    const combine = combiner(node);
    return ([a, b, c], plan) => {
      const data = a!;
      const indices = b!;
      const updates = c!;
      const length = checkTuples(node, indices, data.dims.length);
      const inner = data.dims.slice(length);
      const expected = [...indices.dims.slice(0, -1), ...inner];
      if (updates.type !== data.type) node.wrongType('updates', data.type, updates.type);
      if (!sameDims(updates.dims, expected)) node.wrongShape('updates', formatDims(expected), updates.dims);
      plan.count(indices.count + updates.count, node.path);
      const apply = combine(data.type);
      const block = product(inner);
      const sizes = data.dims.slice(0, length);
      const steps = strides(data.dims);
      const out = copied(node, data, plan);
      plan.step([indices, updates, out], () => () => {
        const list = indices.data;
        const from = updates.data;
        const to = out.data;
        for (let i = 0, source = 0; i < list.length; i += length, source += block) {
          const at = blockAt(node, list, i, sizes, steps);
          if (!apply) copyRun(from, source, block, to, at);
          else for (let k = 0; k < block; k++) to[at + k] = apply(to[at + k] as never, from[source + k] as never);
        }
      });
      return [out];
    };
  },
};

export const SCATTERS: readonly (readonly [string, Operator])[] = [
  ['GatherElements', gatherElements],
  ['GatherND', gatherND],
  // the name that ScatterElements had before operator set 11
  ['Scatter', scatterElements(9)],
  ['ScatterElements', scatterElements(11)],
  ['ScatterND', scatterND],
];

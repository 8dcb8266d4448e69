import { formatDims, product, sameDims } from '../base/tensor.ts';
import type { Builder } from '../graph/builder.ts';
import { copyRun } from '../graph/copy.ts';
import { strides, walk } from '../graph/layout.ts';
import type { ValueType } from '../graph/types.ts';
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

function checkUpdates(node: OperatorNode, data: Value, { type, dims }: Value, expected: readonly number[]): void {
  if (type !== data.type) node.wrongType('updates', data.type, type);
  if (!sameDims(dims, expected)) node.wrongShape('updates', formatDims(expected), dims);
}

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
        checkUpdates(node, data, updates, indices.dims);
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

/** Blocks of data that tuples of indices along the last axis name: each a place in axes `from` to `from` + the tuple's length. */
function blocksOf(node: OperatorNode, data: Value, indices: Value, from: number) {
  checkIndices(node, indices);
  const length = indices.dims.at(-1) ?? 0;
  const most = data.dims.length - from;
  if (length < 1 || length > most) node.wrongShape('indices', `1 to ${most} along the last axis`, indices.dims);
  const end = from + length;
  const sizes = data.dims.slice(from, end);
  const steps = strides(data.dims).slice(from, end);
  const inner = data.dims.slice(end);
  return {
    /** The dims of all blocks. */
    dims: [...indices.dims.slice(0, -1), ...inner],
    /** Calls `visit` for each block in turn with its number, and its place in data whose first `from` axes have one element. */
    visit(visit: (k: number, at: number) => void) {
      const list = indices.data;
      for (let i = 0; i < list.length; i += length) {
        let at = 0;
        for (let k = 0; k < length; k++) at += node.axis(Number(list[i + k]), sizes[k]!, 'indices') * steps[k]!;
        visit(i / length, at);
      }
    },
    size: product(inner),
  };
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
      const { dims, visit, size } = blocksOf(node, value, indices, batchAxes);
      const batchStep = product(value.dims.slice(batchAxes));
      const perBatch = product(indices.dims.slice(batchAxes, -1));
      const out = plan.make(value.type, dims, node.path);
      plan.count(indices.count, node.path);
      plan.step([value, indices, out], () => () => {
        const from = value.data;
        const to = out.data;
        visit((k, at) => copyRun(from, Math.floor(k / perBatch) * batchStep + at, size, to, k * size));
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
      const { dims, visit, size } = blocksOf(node, data, indices, 0);
      checkUpdates(node, data, updates, dims);
      plan.count(indices.count + updates.count, node.path);
      const apply = combine(data.type);
      const out = copied(node, data, plan);
      plan.step([indices, updates, out], () => () => {
        const from = updates.data;
        const to = out.data;
        visit((k, at) => {
          if (!apply) copyRun(from, k * size, size, to, at);
          else for (let i = 0; i < size; i++) to[at + i] = apply(to[at + i] as never, from[k * size + i] as never);
        });
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

import { formatDims, product } from '../base/tensor.ts';
import { integersOf } from './inputs.ts';
import { copyRun, copyView, strides } from './layout.ts';
import type { Operator, OperatorNode } from './node.ts';
import { type RunValue, toNumbers, type Work } from './value.ts';

// Operators that take tensors apart or join them.

/** Copies a view of a value: element [i, j, ...] of `dims` from start + i steps[0] + j steps[1] + ... */
export function copyPart(
  node: OperatorNode,
  value: RunValue,
  start: number,
  dims: readonly number[],
  steps: readonly number[],
  work: Work,
): RunValue {
  const out = work.make(value.type, dims, node.path);
  copyView(value.data, start, dims, steps, out.data);
  return out;
}

const slice: Operator = {
  inputs: [1, 5],
  prepare(node) {
    const [starts, ends, axes, steps] = ['starts', 'ends', 'axes', 'steps'].map((name, i) =>
      integersOf(node, name, i + 1, 10),
    );
    return (inputs, work) => {
      const value = inputs[0]!;
      const rank = value.dims.length;
      const from = starts!(inputs) ?? node.missing('starts');
      const to = ends!(inputs) ?? node.missing('ends');
      const along = axes!(inputs) ?? [...from.keys()];
      const by = steps!(inputs) ?? from.map(() => 1);
      if (to.length !== from.length || along.length !== from.length || by.length !== from.length) {
        const found = `${from.length}, ${to.length}, ${along.length} and ${by.length}`;
        node.wrong('wrong-shape', 'starts, ends, axes and steps', 'one length', found);
      }
      node.axes(along, rank);
      const dims = [...value.dims];
      const moves = strides(value.dims);
      let start = 0;
      for (const [i, given] of along.entries()) {
        const axis = node.axis(given, rank);
        const length = value.dims[axis]!;
        const step = by[i]!;
        if (step === 0) node.wrong('out-of-range', 'steps', 'not 0', 0);
        const clamp = (x: number, low: number, high: number) => Math.min(high, Math.max(low, x < 0 ? x + length : x));
        const first = step > 0 ? clamp(from[i]!, 0, length) : clamp(from[i]!, 0, length - 1);
        const last = step > 0 ? clamp(to[i]!, 0, length) : clamp(to[i]!, -1, length - 1);
        const count = Math.max(0, Math.ceil((last - first) / step));
        dims[axis] = count;
        if (count) start += first * moves[axis]!;
        moves[axis] = moves[axis]! * (count > 1 ? step : 1);
      }
      return [copyPart(node, value, start, dims, moves, work)];
    };
  },
};

const concat: Operator = {
  inputs: [1, Number.POSITIVE_INFINITY],
  prepare(node) {
    if (!node.has('axis')) node.missing('axis');
    const given = node.int('axis', 0);
    return (inputs, work) => {
      const values = inputs as readonly RunValue[];
      const first = values[0]!;
      const axis = node.axis(given, first.dims.length);
      const dims = [...first.dims];
      dims[axis] = 0;
      for (const [i, value] of values.entries()) {
        if (value.type !== first.type) node.wrongType(`input ${i}`, first.type, value.type);
        if (value.dims.length !== dims.length || value.dims.some((length, j) => j !== axis && length !== dims[j])) {
          node.wrongShape(`input ${i}`, `${formatDims(first.dims)} but for axis ${axis}`, value.dims);
        }
        dims[axis] += value.dims[axis]!;
      }
      const out = work.make(first.type, dims, node.path);
      const inner = product(dims.slice(axis + 1));
      const row = dims[axis]! * inner;
      let at = 0;
      for (const { data, dims: own } of values) {
        const length = own[axis]! * inner;
        for (let from = 0, to = at; from < data.length; from += length, to += row) {
          copyRun(data, from, length, out.data, to);
        }
        at += length;
      }
      return [out];
    };
  },
};

const split: Operator = {
  inputs: [1, 2],
  outputs: [1, Number.POSITIVE_INFINITY],
  prepare(node) {
    const given = node.int('axis', 0);
    const read = integersOf(node, 'split', 1, 13);
    const parts = node.outputs.length;
    const asked = node.int('num_outputs', parts);
    if (asked !== parts) node.wrongAttribute('num_outputs', parts, asked);
    return (inputs, work) => {
      const value = inputs[0]!;
      const axis = node.axis(given, value.dims.length);
      const length = value.dims[axis]!;
      const each = Math.ceil(length / parts);
      const equal = Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(each, length - i * each)));
      const lengths = read(inputs) ?? equal;
      // before operator set 18 the last part may not be shorter
      const uneven = lengths === equal && node.opset < 18 && length % parts !== 0;
      const sum = lengths.reduce((total, part) => total + part, 0);
      if (uneven || lengths.length !== parts || sum !== length || lengths.some((part) => part < 0)) {
        node.wrongShape('split', `${parts} parts of ${length}`, lengths);
      }
      const steps = strides(value.dims);
      let start = 0;
      return lengths.map((part) => {
        const dims = value.dims.with(axis, part);
        start += part;
        return copyPart(node, value, (start - part) * steps[axis]!, dims, steps, work);
      });
    };
  },
};

const gather: Operator = {
  inputs: [2, 2],
  prepare(node) {
    const given = node.int('axis', 0);
    return ([a, indices], work) => {
      const value = a!;
      const axis = node.axis(given, value.dims.length);
      if (indices!.type !== 'int64' && indices!.type !== 'int32') node.wrongType('indices', 'int64', indices!.type);
      const length = value.dims[axis]!;
      const picked = toNumbers(indices!).map((index) => node.axis(index, length, 'indices'));
      const inner = product(value.dims.slice(axis + 1));
      const dims = [...value.dims.slice(0, axis), ...indices!.dims, ...value.dims.slice(axis + 1)];
      const out = work.make(value.type, dims, node.path);
      for (let i = 0, at = 0; at < out.data.length; i++) {
        for (const index of picked) {
          copyRun(value.data, (i * length + index) * inner, inner, out.data, at);
          at += inner;
        }
      }
      return [out];
    };
  },
};

export const SLICES: readonly (readonly [string, Operator])[] = [
  ['Slice', slice],
  ['Concat', concat],
  ['Split', split],
  ['Gather', gather],
];

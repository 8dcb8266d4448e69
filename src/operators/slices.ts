import { formatDims, product } from '../base/tensor.ts';
import type { Step } from '../graph/block.ts';
import type { Builder } from '../graph/builder.ts';
import { copyRun } from '../graph/copy.ts';
import { strides } from '../graph/layout.ts';
import { bytesOf, type ValueData } from '../graph/types.ts';
import { orderOf, stepsOf, type Value } from '../graph/value.ts';
import { integers } from '../memory/arena.ts';
import { integersOf } from './inputs.ts';
import type { Operator, OperatorNode } from './node.ts';
import { toNumbers } from './value.ts';

// Operators that take tensors apart or join them.

/** Tells whether elements that lie `steps` apart follow each other. */
function liesTogether(dims: readonly number[], steps: readonly number[]): boolean {
  const own = strides(dims);
  return dims.every((size, i) => size === 1 || steps[i] === own[i]);
}

/** Takes a part of a value, copied unless its elements lie together: element [i, j, ...] of `dims` from start + i steps[0] + j steps[1] + ... */
export function copyPart(
  node: OperatorNode,
  value: Value,
  start: number,
  dims: readonly number[],
  steps: readonly number[],
  plan: Builder,
): Value {
  const order = orderOf(dims.length, value.turned);
  const own = order.map((axis) => dims[axis]!);
  const moves = order.map((axis) => steps[axis]!);
  if (liesTogether(own, moves)) return value.part(start, dims);
  const out = plan.make(value.type, dims, node.path);
  plan.copy(value, start, moves, out, own);
  return value.turned ? plan.turned(out as Value<Float32Array>) : out;
}

export const slice: Operator = {
  inputs: [1, 5],
  takesTurned: true,
  prepare(node) {
    const [starts, ends, axes, steps] = ['starts', 'ends', 'axes', 'steps'].map((name, i) =>
      integersOf(node, name, i + 1, 10),
    );
    return (inputs, plan) => {
      const value = inputs[0]!;
      const rank = value.dims.length;
      const from = starts!(inputs, plan) ?? node.missing('starts');
      const to = ends!(inputs, plan) ?? node.missing('ends');
      const along = axes!(inputs, plan) ?? [...from.keys()];
      const by = steps!(inputs, plan) ?? from.map(() => 1);
      if (to.length !== from.length || along.length !== from.length || by.length !== from.length) {
        const found = `${from.length}, ${to.length}, ${along.length} and ${by.length}`;
        node.wrong('wrong-shape', 'starts, ends, axes and steps', 'one length', found);
      }
      node.axes(along, rank);
      const dims = [...value.dims];
      const moves = stepsOf(value);
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
      return [copyPart(node, value, start, dims, moves, plan)];
    };
  },
};

export const concat: Operator = {
  inputs: [1, Number.POSITIVE_INFINITY],
  prepare(node) {
    if (!node.has('axis')) node.missing('axis');
    const given = node.int('axis', 0);
    return (inputs, plan) => {
      const values = inputs as readonly Value[];
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
      const filled = values.filter(({ count }) => count);
      if (filled.length === 1) return [filled[0]!];
      const out = plan.make(first.type, dims, node.path);
      const steps = strides(dims);
      let at = 0;
      for (const value of filled) {
        plan.copy(value, 0, strides(value.dims), out, value.dims, at * steps[axis]!, steps);
        at += value.dims[axis]!;
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
    return (inputs, plan) => {
      const value = inputs[0]!;
      const axis = node.axis(given, value.dims.length);
      const length = value.dims[axis]!;
      const each = Math.ceil(length / parts);
      const equal = Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(each, length - i * each)));
      const lengths = read(inputs, plan) ?? equal;
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
        return copyPart(node, value, (start - part) * steps[axis]!, dims, steps, plan);
      });
    };
  },
};

export const gather: Operator = {
  inputs: [2, 2],
  prepare(node) {
    const given = node.int('axis', 0);
    return ([a, indices], plan) => {
      const value = a!;
      const axis = node.axis(given, value.dims.length);
      if (indices!.type !== 'int64' && indices!.type !== 'int32') node.wrongType('indices', 'int64', indices!.type);
      const length = value.dims[axis]!;
      const inner = product(value.dims.slice(axis + 1));
      const dims = [...value.dims.slice(0, axis), ...indices!.dims, ...value.dims.slice(axis + 1)];
      if (indices!.known && indices!.count === 1) {
        const index = node.axis(toNumbers(indices!)[0]!, length, 'indices');
        const steps = strides(value.dims);
        const kept = [...value.dims.slice(0, axis), 1, ...value.dims.slice(axis + 1)];
        return [copyPart(node, value, index * steps[axis]!, kept, steps, plan).withDims(dims)];
      }
      const out = plan.make(value.type, dims, node.path);
      plan.step([value, indices, out], () =>
        gatherStep(value, indices!, out, length, inner, (index) => node.axis(index, length, 'indices')),
      );
      return [out];
    };
  },
};

/**
 * Gives the step that copies a run of `inner` elements for each index, word by word: that keeps the bits of a NaN and makes no
 * bigints, which would be garbage.
 * @param pick checks an index, and counts it from the start
 */
function gatherStep(
  value: Value,
  indices: Value,
  out: Value,
  length: number,
  inner: number,
  pick: (index: number) => number,
): Step {
  const picked = new Array<number>(indices.count);
  const read = indexReader(indices, picked, pick);
  // beside an empty axis any other may be huge
  const outer = out.count && out.count / (picked.length * inner);
  if (out.known || bytesOf(value.type, 1) < 4) {
    return () => {
      read();
      for (let i = 0, at = 0; i < outer; i++) {
        for (let k = 0; k < picked.length; k++, at += inner) {
          copyRun(value.data, (i * length + picked[k]!) * inner, inner, out.data, at);
        }
      }
    };
  }
  const words = (value.type === 'int64' ? 2 : 1) * inner;
  const table = value.known ? wordsOf(value.data) : undefined;
  return () => {
    read();
    const memory = integers();
    const start = table ? 0 : value.storage.pointer / 4;
    let at = out.storage.pointer / 4;
    for (let i = 0; i < outer; i++) {
      for (let k = 0; k < picked.length; k++, at += words) {
        const from = start + (i * length + picked[k]!) * words;
        if (!table) memory.copyWithin(at, from, from + words);
        else for (let w = 0; w < words; w++) memory[at + w] = table[from + w]!;
      }
    }
  };
}

function wordsOf({ buffer, byteOffset, byteLength }: ValueData): Int32Array {
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}

/** Gives a function that reads indices into `picked`; at once if they are known. */
function indexReader(indices: Value, picked: number[], pick: (index: number) => number): () => void {
  if (indices.known) {
    for (const [i, index] of toNumbers(indices).entries()) picked[i] = pick(index);
    return () => {};
  }
  const size = indices.type === 'int64' ? 2 : 1;
  return () => {
    const memory = integers();
    const at = indices.storage.pointer / 4;
    for (let i = 0; i < picked.length; i++) {
      const low = memory[at + size * i]!;
      // the upper half of an int64 that an int32 can hold repeats its sign
      const isFar = size === 2 && memory[at + size * i + 1] !== low >> 31;
      picked[i] = pick(isFar ? Number(indices.data[i]) : low);
    }
  };
}

export const SLICES: readonly (readonly [string, Operator])[] = [
  ['Slice', slice],
  ['Concat', concat],
  ['Split', split],
  ['Gather', gather],
];

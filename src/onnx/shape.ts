import { formatDims, product } from '../tensor.ts';
import { broadcastDims, copyRun, copyView, permute, stretchedSteps, strides } from './layout.ts';
import type { Kernel, Node, Operator } from './node.ts';
import { intVector, toNumbers, toValue, type Value, type Work } from './value.ts';

// Operators that move elements and compute nothing.

/** The same elements with other dims. */
function view(value: Value, dims: readonly number[]): Value {
  return { ...value, dims };
}

/** A list of integers that is an attribute before operator set `asInput`, and then input `index`; undefined if left out. */
function integersOf(
  node: Node,
  name: string,
  index: number,
  asInput: number,
): (inputs: readonly (Value | undefined)[]) => number[] | undefined {
  if (node.opset < asInput) {
    const list = node.ints(name);
    return () => list;
  }
  return (inputs) => inputs[index] && node.integers(name, inputs[index]);
}

const identity: Operator = {
  inputs: [1, 1],
  prepare:
    () =>
    ([a]) => [a!],
};

const dropout: Operator = {
  inputs: [1, 3],
  outputs: [1, 2],
  limits: 'training_mode',
  prepare:
    (node) =>
    ([a, , training], work) => {
      if (training && node.scalar('training_mode', training, 'bool')) {
        node.refuse('unsupported', 'training_mode expected false, got true', false, true);
      }
      if (node.outputs.length < 2) return [a!];
      const mask = work.make('bool', a!.dims, node.path);
      mask.data.fill(1);
      return [a!, mask];
    },
};

const constant: Operator = {
  inputs: [0, 0],
  limits: 'strings, sparse tensors',
  prepare(node): Kernel {
    const value = constantValue(node);
    return () => [value];
  },
};

function constantValue(node: Node): Value {
  const tensor = node.tensor('value');
  if (tensor) return toValue(tensor, node.path);
  const floats = node.has('value_float') ? [node.float('value_float', 0)] : node.floats('value_floats');
  const ints = node.has('value_int') ? [node.int('value_int', 0)] : node.ints('value_ints');
  const scalar = node.has('value_float') || node.has('value_int');
  if (floats) return { type: 'float32', dims: scalar ? [] : [floats.length], data: Float32Array.from(floats) };
  if (ints) return scalar ? view(intVector(ints), []) : intVector(ints);
  return node.refuse(
    'unsupported',
    'expected a value of numbers, got none',
    'value, value_float(s) or value_int(s)',
    undefined,
  );
}

const constantOfShape: Operator = {
  inputs: [1, 1],
  since: 9,
  prepare(node) {
    const tensor = node.tensor('value');
    const value = tensor ? toValue(tensor, node.path) : undefined;
    if (value && value.data.length !== 1) node.wrongShape('attribute value', 'one element', value.dims);
    return ([shape], work) => {
      const out = work.make(
        value?.type ?? 'float32',
        checkSizes(node, 'shape', node.integers('shape', shape!)),
        node.path,
      );
      if (value) (out.data as Float32Array).fill(value.data[0] as number);
      return [out];
    };
  },
};

function checkSizes(node: Node, what: string, sizes: readonly number[]): readonly number[] {
  const wrong = sizes.find((size) => !(size >= 0 && size < 2 ** 31));
  if (wrong === undefined) return sizes;
  return node.refuse('out-of-range', `${what} expected sizes from 0 to 2^31 - 1, got ${wrong}`, '0 .. 2^31 - 1', wrong);
}

const shape: Operator = {
  inputs: [1, 1],
  prepare(node) {
    const start = node.int('start', 0);
    const end = node.int('end', Number.MAX_SAFE_INTEGER);
    return ([a]) => {
      const rank = a!.dims.length;
      const clamp = (axis: number) => Math.min(rank, Math.max(0, axis < 0 ? axis + rank : axis));
      return [intVector(a!.dims.slice(clamp(start), clamp(end)))];
    };
  },
};

const size: Operator = {
  inputs: [1, 1],
  prepare:
    () =>
    ([a]) => [view(intVector([a!.data.length]), [])],
};

const transpose: Operator = {
  inputs: [1, 1],
  prepare(node) {
    const given = node.ints('perm');
    return ([a], work) => {
      const rank = a!.dims.length;
      const order = given ?? [...a!.dims.keys()].reverse();
      if (order.length !== rank || [...order].sort((x, y) => x - y).some((axis, i) => axis !== i)) {
        node.refuse(
          'wrong-attribute',
          `perm expected the axes of ${formatDims(a!.dims)}, got ${formatDims(order)}`,
          rank,
          order,
        );
      }
      work.count(a!.data.length, node.path);
      return [permute(a!, order)];
    };
  },
};

const reshape: Operator = {
  inputs: [2, 2],
  prepare(node) {
    const allowZero = node.flag('allowzero');
    return ([a, shape]) => {
      const asked = node.integers('shape', shape!);
      const copied = asked.map((size, i) => (size === 0 && !allowZero ? (a!.dims[i] ?? Number.NaN) : size));
      const known = product(copied.filter((size) => size !== -1));
      const dims = copied.map((size) => (size === -1 ? a!.data.length / known : size));
      const unknown = copied.filter((size) => size === -1).length;
      const whole = dims.every((size) => Number.isSafeInteger(size) && size >= 0);
      if (unknown > 1 || !whole || product(dims) !== a!.data.length) {
        node.wrongShape('shape', `${a!.data.length} elements, as ${formatDims(a!.dims)} has`, asked);
      }
      return [view(a!, checkRank(node, dims))];
    };
  },
};

function checkRank(node: Node, dims: readonly number[]): readonly number[] {
  if (dims.length > 8) node.refuse('unsupported', `expected at most 8 dims, got ${dims.length}`, 8, dims.length);
  return dims;
}

const flatten: Operator = {
  inputs: [1, 1],
  prepare(node) {
    const given = node.int('axis', 1);
    return ([a]) => {
      const { dims } = a!;
      const axis = given === dims.length ? given : node.axis(given, dims.length);
      return [view(a!, [product(dims.slice(0, axis)), product(dims.slice(axis))])];
    };
  },
};

const squeeze: Operator = {
  inputs: [1, 2],
  prepare(node) {
    const read = integersOf(node, 'axes', 1, 13);
    return (inputs) => {
      const { dims } = inputs[0]!;
      const given = read(inputs);
      const axes = given ? node.axes(given, dims.length) : dims.flatMap((size, i) => (size === 1 ? [i] : []));
      if (axes.some((axis) => dims[axis] !== 1)) node.wrongShape('input', `1 along axes ${axes.join(', ')}`, dims);
      return [
        view(
          inputs[0]!,
          dims.filter((_, i) => !axes.includes(i)),
        ),
      ];
    };
  },
};

const unsqueeze: Operator = {
  inputs: [1, 2],
  prepare(node) {
    const read = integersOf(node, 'axes', 1, 13);
    return (inputs) => {
      const { dims } = inputs[0]!;
      const given = read(inputs) ?? node.refuse('missing', 'expected axes, got none', 'axes', undefined);
      const axes = node.axes(given, dims.length + given.length);
      const out = [...dims];
      for (const axis of axes) out.splice(axis, 0, 1);
      return [view(inputs[0]!, checkRank(node, out))];
    };
  },
};

function copied(
  node: Node,
  value: Value,
  start: number,
  dims: readonly number[],
  steps: readonly number[],
  work: Work,
): Value {
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
      const from = starts!(inputs) ?? node.refuse('missing', 'expected starts, got none', 'starts', undefined);
      const to = ends!(inputs) ?? node.refuse('missing', 'expected ends, got none', 'ends', undefined);
      const along = axes!(inputs) ?? [...from.keys()];
      const by = steps!(inputs) ?? from.map(() => 1);
      if (to.length !== from.length || along.length !== from.length || by.length !== from.length) {
        const found = `${from.length}, ${to.length}, ${along.length} and ${by.length}`;
        node.refuse(
          'wrong-shape',
          `starts, ends, axes and steps expected one length, got ${found}`,
          'one length',
          found,
        );
      }
      node.axes(along, rank);
      const dims = [...value.dims];
      const moves = strides(value.dims);
      let start = 0;
      for (const [i, given] of along.entries()) {
        const axis = node.axis(given, rank);
        const length = value.dims[axis]!;
        const step = by[i]!;
        if (step === 0) node.refuse('out-of-range', 'steps expected no 0, got one', 'not 0', 0);
        const clamp = (x: number, low: number, high: number) => Math.min(high, Math.max(low, x < 0 ? x + length : x));
        const first = step > 0 ? clamp(from[i]!, 0, length) : clamp(from[i]!, 0, length - 1);
        const last = step > 0 ? clamp(to[i]!, 0, length) : clamp(to[i]!, -1, length - 1);
        const count = Math.max(0, Math.ceil((last - first) / step));
        dims[axis] = count;
        if (count) start += first * moves[axis]!;
        moves[axis] = moves[axis]! * (count > 1 ? step : 1);
      }
      return [copied(node, value, start, dims, moves, work)];
    };
  },
};

const concat: Operator = {
  inputs: [1, Number.POSITIVE_INFINITY],
  prepare(node) {
    if (!node.has('axis')) node.refuse('missing', 'expected an attribute axis, got none', 'axis', undefined);
    const given = node.int('axis', 0);
    return (inputs, work) => {
      const values = inputs.map(
        (value, i) => value ?? node.refuse('missing', `expected input ${i}, got none`, 'an input', i),
      );
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
    if (node.has('num_outputs') && node.int('num_outputs', 0) !== parts) {
      node.refuse(
        'wrong-attribute',
        `num_outputs expected ${parts}, got ${node.int('num_outputs', 0)}`,
        parts,
        node.int('num_outputs', 0),
      );
    }
    return (inputs, work) => {
      const value = inputs[0]!;
      const axis = node.axis(given, value.dims.length);
      const length = value.dims[axis]!;
      const each = Math.ceil(length / parts);
      const equal = Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(each, length - i * each)));
      const lengths = read(inputs) ?? equal;
      // before operator set 18 equal parts are just that
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
        return copied(node, value, (start - part) * steps[axis]!, dims, steps, work);
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

const expand: Operator = {
  inputs: [2, 2],
  since: 8,
  prepare:
    (node) =>
    ([a, shape], work) => {
      const asked = checkSizes(node, 'shape', node.integers('shape', shape!));
      const dims = broadcastDims(a!.dims, asked);
      if (!dims) return node.wrongShape('shape', `dims that ${formatDims(a!.dims)} stretches to`, asked);
      return [copied(node, a!, 0, dims, stretchedSteps(a!.dims, dims), work)];
    },
};

const tile: Operator = {
  inputs: [2, 2],
  prepare:
    (node) =>
    ([a, repeats], work) => {
      const { dims } = a!;
      const times = checkSizes(node, 'repeats', node.integers('repeats', repeats!));
      if (times.length !== dims.length) node.wrongShape('repeats', `${dims.length} numbers`, times);
      const out = work.make(
        a!.type,
        dims.map((length, i) => length * times[i]!),
        node.path,
      );
      const steps = strides(dims);
      // every axis twice: the repeats, which move nothing, and the elements
      const view = dims.flatMap((length, i) => [times[i]!, length]);
      copyView(
        a!.data,
        0,
        view,
        steps.flatMap((step) => [0, step]),
        out.data,
      );
      return [out];
    },
};

const range: Operator = {
  inputs: [3, 3],
  since: 11,
  prepare:
    (node) =>
    ([first, limit, step], work) => {
      const { type } = first!;
      if (type === 'bool') node.wrongType('start', 'numbers', type);
      const [from, to, by] = [first!, limit!, step!].map((value, i) =>
        node.scalar(['start', 'limit', 'delta'][i]!, value, type),
      ) as [number, number, number];
      if (Number(by) === 0) node.refuse('out-of-range', 'delta expected not 0, got 0', 'not 0', 0);
      const count = Math.max(0, Math.ceil((Number(to) - Number(from)) / Number(by)));
      if (!Number.isFinite(count))
        node.refuse('out-of-range', 'expected finite numbers, got others', 'finite numbers', count);
      const out = work.make(type, [count], node.path);
      const data = out.data as Float32Array;
      // bigints as well as numbers
      for (let i = 0; i < count; i++)
        data[i] = typeof from === 'bigint' ? ((from + BigInt(i) * (by as unknown as bigint)) as never) : from + i * by;
      return [out];
    },
};

const PAD_MODES = ['constant', 'reflect', 'edge', 'wrap'];

const pad: Operator = {
  inputs: [1, 4],
  prepare(node) {
    const mode = node.string('mode', 'constant');
    if (!PAD_MODES.includes(mode)) {
      node.refuse(
        'wrong-attribute',
        `attribute mode expected one of ${PAD_MODES.join(', ')}, got ${mode}`,
        PAD_MODES,
        mode,
      );
    }
    const read = integersOf(node, 'pads', 1, 11);
    const constant = node.opset < 11 ? node.float('value', 0) : undefined;
    return (inputs, work) => {
      const value = inputs[0]!;
      const { dims } = value;
      const rank = dims.length;
      const given = read(inputs) ?? node.refuse('missing', 'expected pads, got none', 'pads', undefined);
      const asked = inputs[3] ? node.integers('axes', inputs[3]) : [...dims.keys()];
      node.axes(asked, rank);
      if (given.length !== 2 * asked.length) node.wrongShape('pads', `${2 * asked.length} numbers`, given);
      const fill = inputs[2] ? node.scalar('constant_value', inputs[2], value.type) : constant;
      let padded = value;
      for (const [i, axis] of asked.entries()) {
        padded = padAxis(node, padded, node.axis(axis, rank), given[i]!, given[i + asked.length]!, mode, fill, work);
      }
      return [padded];
    };
  },
};

/** One axis after the other, which in every mode gives the same as all at once. */
function padAxis(
  node: Node,
  value: Value,
  axis: number,
  before: number,
  after: number,
  mode: string,
  fill: number | bigint | undefined,
  work: Work,
): Value {
  if (before === 0 && after === 0) return value;
  const length = value.dims[axis]!;
  const total = length + before + after;
  const most = mode === 'reflect' ? length - 1 : mode === 'constant' ? Number.POSITIVE_INFINITY : length ? Infinity : 0;
  if (!(total >= 0) || before > most || after > most) {
    const found = `${before} and ${after}`;
    node.refuse(
      'out-of-range',
      `pads of axis ${axis} of ${formatDims(value.dims)} expected less, got ${found}`,
      most,
      found,
    );
  }
  const dims = value.dims.with(axis, total);
  const out = work.make(value.type, dims, node.path);
  const data = out.data as Float32Array;
  const inner = product(dims.slice(axis + 1));
  const outer = product(dims.slice(0, axis));
  if (fill !== undefined) data.fill(fill as number);
  for (let o = 0; o < outer && data.length; o++) {
    for (let i = 0; i < total; i++) {
      const from = sourceOf(i - before, length, mode);
      if (from < 0 || from >= length) continue;
      copyRun(value.data, (o * length + from) * inner, inner, data, (o * total + i) * inner);
    }
  }
  return out;
}

/** Where position `i` of a padded axis comes from. */
function sourceOf(i: number, length: number, mode: string): number {
  if (mode === 'edge') return Math.min(length - 1, Math.max(0, i));
  if (mode === 'wrap') return ((i % length) + length) % length;
  if (mode === 'reflect') return i < 0 ? -i : i >= length ? 2 * (length - 1) - i : i;
  return i;
}

export const SHAPES: readonly (readonly [string, Operator])[] = [
  ['Identity', identity],
  ['Dropout', dropout],
  ['Constant', constant],
  ['ConstantOfShape', constantOfShape],
  ['Shape', shape],
  ['Size', size],
  ['Transpose', transpose],
  ['Reshape', reshape],
  ['Flatten', flatten],
  ['Squeeze', squeeze],
  ['Unsqueeze', unsqueeze],
  ['Slice', slice],
  ['Concat', concat],
  ['Split', split],
  ['Gather', gather],
  ['Expand', expand],
  ['Tile', tile],
  ['Range', range],
  ['Pad', pad],
];

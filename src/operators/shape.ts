import { formatDims, product } from '../base/tensor.ts';
import { lying, orderOf, type Value } from '../graph/value.ts';
import { integersOf } from './inputs.ts';
import type { Operator } from './node.ts';
import { intVector, MAX_RANK } from './value.ts';

// Operators that change dims but no elements, and those that read dims.

const identity: Operator = {
  inputs: [1, 1],
  takesTurned: true,
  prepare:
    () =>
    ([a]) => [a!],
};

const dropout: Operator = {
  inputs: [1, 3],
  outputs: [1, 2],
  takesTurned: true,
  limits: 'training_mode with a ratio above 0',
  prepare:
    (node) =>
    ([a, ratio, training], plan) => {
      const isTraining = training && node.scalar('training_mode', training, plan, 'bool');
      if (isTraining && !(ratio && node.scalar('ratio', ratio, plan, 'float32') === 0)) {
        node.wrong('unsupported', 'training_mode', false, true);
      }
      if (node.outputs.length < 2) return [a!];
      // before operator set 12 inference has no mask; ONNX Runtime gives zeros
      const mask = plan.make(node.opset < 10 ? a!.type : 'bool', a!.dims, node.path);
      const is = node.opset >= 12 ? 1 : 0;
      plan.step([mask], () => () => {
        if (mask.type === 'int64') (mask.data as BigInt64Array).fill(0n);
        else (mask.data as Uint8Array).fill(is);
      });
      return [a!, mask];
    },
};

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
    ([a]) => [intVector([a!.count]).withDims([])],
};

export const transpose: Operator = {
  inputs: [1, 1],
  takesTurned: true,
  prepare(node) {
    const given = node.ints('perm');
    return ([a], plan) => {
      const rank = a!.dims.length;
      const order = given ?? [...a!.dims.keys()].reverse();
      if (order.length !== rank || [...order].sort((x, y) => x - y).some((axis, i) => axis !== i)) {
        const reason = `attribute perm expected the axes of ${formatDims(a!.dims)}, got ${formatDims(order)}`;
        node.wrongBecause('wrong-attribute', reason, rank, order);
      }
      plan.count(a!.count, node.path);
      const places = orderOf(rank, a!.turned);
      return [
        plan.permute(
          lying(a!),
          order.map((axis) => places.indexOf(axis)),
        ),
      ];
    };
  },
};

const reshape: Operator = {
  inputs: [2, 2],
  prepare(node) {
    const allowZero = node.flag('allowzero');
    return ([a, shape], plan) => {
      const asked = node.integers('shape', shape!, plan);
      const copied = asked.map((size, i) => (size === 0 && !allowZero ? (a!.dims[i] ?? Number.NaN) : size));
      const known = product(copied.filter((size) => size !== -1));
      const dims = copied.map((size) => (size === -1 ? a!.count / known : size));
      const unknown = copied.filter((size) => size === -1).length;
      const whole = dims.every((size) => Number.isSafeInteger(size) && size >= 0);
      if (unknown > 1 || !whole || product(dims) !== a!.count) {
        node.wrongShape('shape', `${a!.count} elements, as ${formatDims(a!.dims)} has`, asked);
      }
      return [a!.withDims(node.checkResult(dims))];
    };
  },
};

const flatten: Operator = {
  inputs: [1, 1],
  prepare(node) {
    const given = node.int('axis', 1);
    return ([a]) => {
      const { dims } = a!;
      const axis = given === dims.length ? given : node.axis(given, dims.length);
      const two = [product(dims.slice(0, axis)), product(dims.slice(axis))];
      return [a!.withDims(node.checkResult(two))];
    };
  },
};

const squeeze: Operator = {
  inputs: [1, 2],
  takesTurned: true,
  prepare(node) {
    const read = integersOf(node, 'axes', 1, 13);
    return (inputs, plan) => {
      const { dims } = inputs[0]!;
      const given = read(inputs, plan);
      // an empty list counts as left out, as in ONNX Runtime
      const axes = given?.length
        ? node.axes(given, dims.length, true)
        : dims.flatMap((size, i) => (size === 1 ? [i] : []));
      if (axes.some((axis) => dims[axis] !== 1)) node.wrongShape('input', `1 along axes ${axes.join(', ')}`, dims);
      // a turned value of three dims is left where one of two spatial axes goes
      const staysTurned = dims.length === 4 && axes.length === 1 && axes[0]! >= 2;
      const value = staysTurned ? inputs[0]! : plan.plain(inputs[0]!);
      const squeezed = value.withDims(dims.filter((_, i) => !axes.includes(i)));
      return [value.turned ? plan.turned(squeezed as Value<Float32Array>) : squeezed];
    };
  },
};

const unsqueeze: Operator = {
  inputs: [1, 2],
  prepare(node) {
    const read = integersOf(node, 'axes', 1, 13);
    return (inputs, plan) => {
      const { dims } = inputs[0]!;
      const given = read(inputs, plan) ?? node.missing('axes');
      const rank = dims.length + given.length;
      if (rank > MAX_RANK) node.wrongRank(rank);
      const axes = node.axes(given, rank);
      const out = [...dims];
      for (const axis of axes) out.splice(axis, 0, 1);
      return [inputs[0]!.withDims(node.checkResult(out))];
    };
  },
};

const spaceToDepth: Operator = {
  inputs: [1, 1],
  prepare(node) {
    const size = node.has('blocksize') ? node.int('blocksize', 0) : node.missing('attribute blocksize');
    const mode = node.string('mode', 'DCR');
    if (mode !== 'DCR' && mode !== 'CRD') node.wrongAttribute('mode', 'DCR or CRD', mode);
    return ([a], plan) => {
      const { dims, count } = a!;
      const [N, C, H, W] = dims as [number, number, number, number];
      if (dims.length !== 4 || !(size > 0) || H % size || W % size) {
        return node.wrongShape('input', '[N, C, H, W], H and W multiples of blocksize', dims);
      }
      plan.count(count, node.path);
      const parts = a!.withDims([N, C, H / size, size, W / size, size]);
      const moved = plan.permute(parts, mode === 'DCR' ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4]);
      return [moved.withDims(node.checkResult([N, C * size * size, H / size, W / size]))];
    };
  },
};

export const SHAPES: readonly (readonly [string, Operator])[] = [
  ['Identity', identity],
  ['Dropout', dropout],
  ['Shape', shape],
  ['Size', size],
  ['Transpose', transpose],
  ['Reshape', reshape],
  ['Flatten', flatten],
  ['Squeeze', squeeze],
  ['Unsqueeze', unsqueeze],
  ['SpaceToDepth', spaceToDepth],
];

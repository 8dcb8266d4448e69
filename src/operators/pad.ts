import { formatDims } from '../base/tensor.ts';
import type { Builder } from '../graph/builder.ts';
import { strides } from '../graph/layout.ts';
import type { Value } from '../graph/value.ts';
import { STEP } from './costs.ts';
import { integersOf } from './inputs.ts';
import type { Operator, OperatorNode } from './node.ts';

const PAD_MODES = ['constant', 'reflect', 'edge', 'wrap'];

export const pad: Operator = {
  inputs: [1, 4],
  prepare(node) {
    const mode = node.string('mode', 'constant');
    if (!PAD_MODES.includes(mode)) {
      node.wrongAttribute('mode', PAD_MODES, mode);
    }
    const read = integersOf(node, 'pads', 1, 11);
    const constant = node.opset < 11 ? node.float('value', 0) : undefined;
    return (inputs, plan) => {
      const value = inputs[0]!;
      const { dims } = value;
      const rank = dims.length;
      const given = read(inputs, plan) ?? node.missing('pads');
      const asked = inputs[3] ? node.integers('axes', inputs[3], plan) : [...dims.keys()];
      node.axes(asked, rank);
      if (given.length !== 2 * asked.length) node.wrongShape('pads', `${2 * asked.length} numbers`, given);
      if (inputs[2]) node.checkScalar('constant_value', inputs[2], value.type);
      const fill = inputs[2] ?? constant;
      let padded = value;
      for (const [i, axis] of asked.entries()) {
        padded = padAxis(node, padded, node.axis(axis, rank), given[i]!, given[i + asked.length]!, mode, fill, plan);
      }
      return [padded];
    };
  },
};

/**
 * Pads one axis; one after the other, axes give the same in every mode as all at once. Negative pads cut first: elements that
 * are cut off are not reflected or repeated.
 */
function padAxis(
  node: OperatorNode,
  value: Value,
  axis: number,
  before: number,
  after: number,
  mode: string,
  fill: Value | number | undefined,
  plan: Builder,
): Value {
  if (before === 0 && after === 0) return value;
  const size = value.dims[axis]!;
  const cut = Math.max(0, -before);
  const length = size - cut - Math.max(0, -after);
  const total = size + before + after;
  const most = mode === 'constant' || (length > 0 && mode !== 'reflect') ? Number.POSITIVE_INFINITY : length - 1;
  if (!(total >= 0) || Math.max(before, after) > Math.max(0, most)) {
    const found = `${before} and ${after}`;
    const reason = `pads of axis ${axis} of ${formatDims(value.dims)} expected less, got ${found}`;
    node.wrongBecause('out-of-range', reason, most, found);
  }
  const dims = value.dims.with(axis, total);
  const out = plan.make(value.type, dims, node.path);
  if (out.count === 0) return out;
  const scalar = typeof fill === 'object' ? fill : undefined;
  // for every mode but constant, copies fill all
  if (mode === 'constant') {
    plan.step([out, scalar], () => () => {
      const number = scalar ? scalar.data[0]! : ((fill ?? 0) as number);
      const { data } = out;
      if (data instanceof BigInt64Array) data.fill(BigInt(number));
      else data.fill(Number(number));
    });
  }
  const steps = strides(value.dims);
  const toSteps = strides(dims);
  const copy = (at: number, from: number, count: number, direction: number, times = 1): void => {
    const moves = steps.with(axis, direction * steps[axis]!);
    const start = (cut + from) * steps[axis]!;
    plan.count(STEP, node.path);
    // the axis twice: its repeats, which read the same elements, and its elements
    const view = dims.with(axis, count).toSpliced(axis, 0, times);
    const to = toSteps.toSpliced(axis, 0, count * toSteps[axis]!);
    plan.copy(value, start, moves.toSpliced(axis, 0, 0), out, view, at * toSteps[axis]!, to);
  };
  const first = Math.max(0, before);
  for (let i = 0; i < total; ) {
    const from = sourceOf(i - first, length, mode);
    if (from < 0 || from >= length) {
      // only constants lie outside: before the elements, or after them
      i = i < first ? first : total;
      continue;
    }
    const [count, direction, times] = runOf(i - first, total - first, length, mode);
    copy(i, from, count, direction, times);
    i += count * times;
  }
  return out;
}

/** How many elements from position `i` on lie one after the other in one direction, and how often the same follow. */
function runOf(
  i: number,
  end: number,
  length: number,
  mode: string,
): readonly [number, direction: number, times: number] {
  const until = (limit: number): number => Math.max(1, Math.min(end, limit) - i);
  if (mode === 'wrap') {
    const from = sourceOf(i, length, mode);
    return from === 0 && end - i >= length
      ? [length, 1, Math.floor((end - i) / length)]
      : [until(i + length - from), 1, 1];
  }
  if (mode === 'edge' && i < 0) return [until(0), 0, 1];
  if (mode === 'edge' && i >= length) return [until(end), 0, 1];
  if (mode === 'reflect' && i < 0) return [until(0), -1, 1];
  if (mode === 'reflect' && i >= length) return [until(end), -1, 1];
  return [until(length), 1, 1];
}

/**
 * The index whose element goes to position `i`, counted from the first kept element; outside 0 .. length - 1 for the constant.
 */
function sourceOf(i: number, length: number, mode: string): number {
  if (mode === 'edge') return Math.min(length - 1, Math.max(0, i));
  if (mode === 'wrap') return ((i % length) + length) % length;
  if (mode === 'reflect') return i < 0 ? -i : i >= length ? 2 * (length - 1) - i : i;
  return i;
}

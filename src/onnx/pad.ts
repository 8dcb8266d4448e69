import { formatDims, product } from '../base/tensor.ts';
import { integersOf } from './inputs.ts';
import { copyRun } from './layout.ts';
import type { Operator, OperatorNode } from './node.ts';
import type { RunValue, Work } from './value.ts';

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
    return (inputs, work) => {
      const value = inputs[0]!;
      const { dims } = value;
      const rank = dims.length;
      const given = read(inputs) ?? node.missing('pads');
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

/**
 * Pads one axis; one after the other, axes give the same in every mode as all at once. Negative pads cut first: elements that
 * are cut off are not reflected or repeated.
 */
function padAxis(
  node: OperatorNode,
  value: RunValue,
  axis: number,
  before: number,
  after: number,
  mode: string,
  fill: number | bigint | undefined,
  work: Work,
): RunValue {
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
  const out = work.make(value.type, dims, node.path);
  const data = out.data as Float32Array;
  const inner = product(dims.slice(axis + 1));
  const outer = product(dims.slice(0, axis));
  if (fill !== undefined) data.fill(fill as number);
  for (let o = 0; o < outer && data.length; o++) {
    for (let i = 0; i < total; i++) {
      const from = sourceOf(i - Math.max(0, before), length, mode);
      if (from < 0 || from >= length) continue;
      copyRun(value.data, (o * size + cut + from) * inner, inner, data, (o * total + i) * inner);
    }
  }
  return out;
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

import { formatDims, product, sameDims } from '../base/tensor.ts';
import type { Builder } from '../graph/builder.ts';
import type { ValueType } from '../graph/types.ts';
import type { Value } from '../graph/value.ts';
import { typeOf } from './cast.ts';
import type { Operator, OperatorNode } from './node.ts';

// Between floats and 8-bit integers: x is nearly scale * (q - zero).

const BYTES: readonly ValueType[] = ['uint8', 'int8'];
/** Added and subtracted, it rounds a number to the nearest integer, to the even one of two. */
const ROUND = 1.5 * 2 ** 52;

/** Checks 8-bit integers, and that their zero points are of the same type. */
export function checkBytes(node: OperatorNode, what: string, { type }: Value, zero?: Value): void {
  if (!BYTES.includes(type)) node.wrongType(what, BYTES.join(' or '), type);
  if (zero && zero.type !== type) node.wrongType(`zero point of ${what}`, type, zero.type);
}

/** Tells which of the scales or zero points `units` belongs to the i-th element: there is one, one for each index of an axis, or one for each block. */
export function unitsOf(
  node: OperatorNode,
  what: string,
  dims: readonly number[],
  units: Value | undefined,
  axis: number,
  block = 0,
): (i: number) => number {
  if (!units || (units.count === 1 && units.dims.length < 2)) return () => 0;
  const along = node.axis(axis, dims.length);
  const length = dims[along]!;
  const inner = product(dims.slice(along + 1));
  const blocks = Math.ceil(length / block);
  const expected = block > 0 ? dims.with(along, blocks) : [length];
  if (!sameDims(units.dims, expected)) node.wrongShape(what, `[] or ${formatDims(expected)}`, units.dims);
  if (!(block > 0)) return (i) => Math.floor(i / inner) % length;
  return (i) => {
    const row = Math.floor(i / inner);
    return (Math.floor(row / length) * blocks + Math.floor((row % length) / block)) * inner + (i % inner);
  };
}

/** Checks the scales and zero points of a node. */
function readUnits(
  node: OperatorNode,
  { dims }: Value,
  scale: Value,
  zero: Value | undefined,
): readonly [scale: Value<Float32Array>, at: (i: number) => number] {
  if (zero && !sameDims(zero.dims, scale.dims) && zero.count * scale.count !== 1) {
    node.wrongShape('zero point', formatDims(scale.dims), zero.dims);
  }
  const units = node.float32('scale', scale);
  return [units, unitsOf(node, 'scale', dims, units, node.int('axis', 1), node.int('block_size', 0))];
}

const dequantizeLinear: Operator = {
  inputs: [2, 3],
  since: 10,
  limits: 'other than 8-bit integers and int32',
  prepare:
    (node) =>
    ([a, scale, zero], plan) => {
      const x = a!;
      if (x.type !== 'int32') checkBytes(node, 'x', x, zero);
      const [units, at] = readUnits(node, x, scale!, zero);
      const out = plan.make('float32', x.dims, node.path);
      plan.step([x, units, zero, out], () => () => {
        const [from, by, zeros, to] = [x.data, units.data, zero?.data, out.data];
        for (let i = 0; i < to.length; i++) {
          const unit = at(i);
          to[i] = Math.fround(Number(from[i]) - Number(zeros?.[unit] ?? 0)) * by[unit]!;
        }
      });
      return [out];
    },
};

/** The 8-bit integer of a number; of NaN the lowest. */
function toByte(x: number, scale: number, zero: number, low: number): number {
  const q = Math.fround(x / scale);
  return (q > low - zero ? Math.min(q, low + 255 - zero) : low - zero) + ROUND - ROUND + zero;
}

const quantizeLinear: Operator = {
  inputs: [2, 3],
  since: 10,
  limits: 'to other than 8-bit integers',
  prepare(node) {
    const asked = node.int('output_dtype', 0) ? typeOf(node, 'output_dtype') : 'uint8';
    return ([a, scale, zero], plan) => {
      const x = node.float32('x', a!);
      const out = plan.make(zero?.type ?? asked, x.dims, node.path);
      checkBytes(node, 'y', out);
      const [units, at] = readUnits(node, x, scale!, zero);
      const low = out.type === 'int8' ? -128 : 0;
      plan.step([x, units, zero, out], () => () => {
        const [from, by, zeros, to] = [x.data, units.data, zero?.data, out.data];
        for (let i = 0; i < to.length; i++) {
          const unit = at(i);
          to[i] = toByte(from[i]!, by[unit]!, Number(zeros?.[unit] ?? 0), low);
        }
      });
      return [out];
    };
  },
};

/** Quantises a tensor to uint8 by the range of its numbers. @returns the integers, the scale and the zero point */
export function quantizeByRange(
  node: OperatorNode,
  x: Value<Float32Array>,
  plan: Builder,
): readonly [Value, Value<Float32Array>, Value] {
  const out = plan.make('uint8', x.dims, node.path);
  const scale = plan.make('float32', [], node.path);
  const zero = plan.make('uint8', [], node.path);
  plan.step([x, out, scale, zero], () => () => {
    const [from, to] = [x.data, out.data];
    let low = 0;
    let high = 0;
    for (let i = 0; i < from.length; i++) {
      low = Math.min(low, from[i]!);
      high = Math.max(high, from[i]!);
    }
    const unit = high === low ? 1 : Math.fround(Math.fround(high - low) / 255);
    const none = toByte(-low, unit, 0, 0);
    scale.data[0] = unit;
    zero.data[0] = none;
    for (let i = 0; i < from.length; i++) to[i] = toByte(from[i]!, unit, none, 0);
  });
  return [out, scale, zero];
}

const dynamicQuantizeLinear: Operator = {
  inputs: [1, 1],
  outputs: [3, 3],
  since: 11,
  prepare:
    (node) =>
    ([x], plan) =>
      quantizeByRange(node, node.float32('x', x!), plan),
};

export const QUANTIZED: readonly (readonly [string, Operator])[] = [
  ['DequantizeLinear', dequantizeLinear],
  ['QuantizeLinear', quantizeLinear],
  ['DynamicQuantizeLinear', dynamicQuantizeLinear],
  ['com.microsoft.DequantizeLinear', dequantizeLinear],
  ['com.microsoft.QuantizeLinear', quantizeLinear],
];

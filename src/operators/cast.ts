import type { Builder } from '../graph/builder.ts';
import type { ValueType } from '../graph/types.ts';
import type { Value } from '../graph/value.ts';
import type { Lower, Operator, OperatorNode } from './node.ts';
import { isFloat } from './value.ts';

const FLOAT16 = 10;
const BFLOAT16 = 16;

/** The types that are computed with, by TensorProto.DataType. */
const CAST_TYPES: ReadonlyMap<number, ValueType> = new Map([
  [1, 'float32'],
  [2, 'uint8'],
  [3, 'int8'],
  [6, 'int32'],
  [7, 'int64'],
  [9, 'bool'],
  [FLOAT16, 'float32'],
  [11, 'float32'],
  [BFLOAT16, 'float32'],
]);

/** Shorter float formats: significant bits, the smallest number above 0, and the limit from which numbers round to infinity. */
const SHORTER: ReadonlyMap<number, readonly [digits: number, smallest: number, end: number]> = new Map([
  [FLOAT16, [11, 2 ** -24, 65520]],
  [BFLOAT16, [8, 2 ** -133, (2 - 2 ** -8) * 2 ** 127]],
]);

/** Rounds to the nearest number of a shorter format, to the even one of two. */
function shorten(x: number, [digits, smallest, end]: readonly [number, number, number]): number {
  const size = Math.abs(x);
  if (!(size < end)) return Number.isNaN(x) ? x : x * Number.POSITIVE_INFINITY;
  let step = smallest;
  const least = 1 << (digits - 1);
  // in leaps first: most numbers are far above the smallest
  while (size >= step * 65536 * least) step *= 65536;
  while (size >= step * 2 * least) step *= 2;
  // added and subtracted, a number whose last bit is worth a step rounds x to whole steps
  const round = step * 1.5 * 2 ** 52;
  return x + round - round || 0 * x;
}

const INT64_MIN = -(1n << 63n);

/** Rounds towards zero. NaN and numbers that an int64 cannot hold become the smallest int64, as on x86. */
function toInteger(x: number): bigint {
  return x >= -(2 ** 63) && x < 2 ** 63 ? BigInt(Math.trunc(x)) : INT64_MIN;
}

function castElement(type: ValueType, x: number | bigint): number | bigint {
  if (type === 'float32') return typeof x === 'bigint' ? roundToFloat32(x) : x;
  if (type === 'bool') return Number(x !== 0 && x !== 0n);
  const integer = typeof x === 'bigint' ? x : toInteger(x);
  if (type === 'int64') return integer;
  const fits = typeof x === 'bigint' || (x > -(2 ** 31) - 1 && x < 2 ** 31);
  return fits ? Number(BigInt.asIntN(32, integer)) : -(2 ** 31);
}

/** Rounds a bigint to float32 once, to nearest even; through float64 some would be rounded twice. */
function roundToFloat32(x: bigint): number {
  const size = x < 0n ? -x : x;
  if (size < 1n << 53n) return Number(x);
  // of the low 11 bits it only matters whether any is set
  const sticky = ((size >> 11n) | (size & 0x7ffn ? 1n : 0n)) << 11n;
  return Number(x < 0n ? -sticky : sticky);
}

/** The type that an attribute asks for by its TensorProto.DataType. */
export function typeOf(node: OperatorNode, attribute: string): ValueType {
  const asked = node.int(attribute, 0);
  const expected = 'a data type of floats, int64, int32, int8, uint8 or bool';
  return CAST_TYPES.get(asked) ?? node.wrong('unsupported', `attribute ${attribute}`, expected, asked);
}

export function castTo(type: ValueType, value: Value, plan: Builder, path: string): Value {
  if (value.type === type) return value;
  const out = plan.makeLike(type, value, path);
  plan.step([value, out], () => () => {
    const from = value.data;
    const to = out.data as unknown as (number | bigint)[];
    for (let i = 0; i < from.length; i++) to[i] = castElement(type, from[i]!);
  });
  return out;
}

export const cast: Operator = {
  inputs: [1, 1],
  takesTurned: true,
  limits:
    'to other types than float32, float64, float16, bfloat16 (which stay float32, the last two rounded), int64, int32, int8, uint8, bool',
  prepare(node): Lower {
    const type = typeOf(node, 'to');
    const shorter = SHORTER.get(node.int('to', 0));
    return ([a], plan) => {
      const value = castTo(type, a!, plan, node.path);
      if (!shorter || !isFloat(value)) return [value];
      const out = plan.makeLike('float32', value, node.path);
      plan.step([value, out], () => () => {
        const from = value.data;
        const to = out.data;
        for (let i = 0; i < to.length; i++) to[i] = shorten(from[i]!, shorter);
      });
      return [out];
    };
  },
};

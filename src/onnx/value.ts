import { product } from '../base/tensor.ts';
import type { Limits } from '../graph/builder.ts';
import type { ValueData, ValueType } from '../graph/types.ts';
import { Value } from '../graph/value.ts';
import { refuse, refuseBecause } from './refuse.ts';
import type { OnnxTensor } from './tensor.ts';

/** The most dims of a value; more than any operator here needs. */
export const MAX_RANK = 8;

/** The type in which a file's type is computed; undefined if it is not computed with. */
export function computedType(type: string): ValueType | undefined {
  if (['float32', 'float16', 'bfloat16', 'float64'].includes(type)) return 'float32';
  return type === 'int64' || type === 'int32' || type === 'bool' ? type : undefined;
}

/** The tensor of a file as a value; its data are read. */
export function toValue(tensor: OnnxTensor, path: string): Value {
  const type = computedType(tensor.type);
  if (!type) {
    const reason = `tensors of type ${tensor.type} are not computed with`;
    refuseBecause('unsupported', path, reason, 'float32', tensor.type);
  }
  if (tensor.dims.length > MAX_RANK) refuseRank(path, tensor.dims.length);
  return Value.of(type, tensor.dims, tensor.read() as ValueData);
}

/** The largest size of a value. */
export const MAX_SIZE = 2 ** 31 - 1;

/** Checks the dims of a result one by one: beside a 0 any other size gives a product of 0. */
export function checkResult(dims: readonly number[], path: string): readonly number[] {
  if (dims.length > MAX_RANK) refuseRank(path, dims.length);
  const wrong = dims.find((size) => !(size <= MAX_SIZE));
  if (wrong === undefined) return dims;
  return refuse('too-large', path, 'size of a result', `at most ${MAX_SIZE}`, wrong);
}

/** Refuses a value of too many dims. */
export function refuseRank(path: string, rank: number): never {
  return refuseBecause('unsupported', path, `expected at most ${MAX_RANK} dims, got ${rank}`, MAX_RANK, rank);
}

export function isFloat(value: Value): value is Value<Float32Array> {
  return value.type === 'float32';
}

/** Elements counted as work for one of bigints, which are slow. */
const BIGINT = 8;

/** Thrown if a constant would be too large to keep; its node runs each time instead. */
export class TooMuch extends Error {}

/**
 * Counts the work of a plan. One that asks for more than its inputs and weights account for is refused, since anyone can write a
 * huge size into a file.
 */
export class Work implements Limits {
  private _elements: number;
  private _multiplications: number;
  private _steps: number;
  private readonly _fail: (path: string) => never;

  constructor(
    elements: number,
    multiplications: number,
    fail: (path: string) => never,
    steps = Number.POSITIVE_INFINITY,
  ) {
    this._steps = steps;
    this._elements = elements;
    this._multiplications = multiplications;
    this._fail = fail;
  }

  count(elements: number, path: string): void {
    if (!(elements <= this._elements)) this._fail(path);
    this._elements -= elements;
  }

  spend(multiplications: number, path: string): void {
    if (!(multiplications <= this._multiplications)) this._fail(path);
    this._multiplications -= multiplications;
  }

  make(type: ValueType, dims: readonly number[], path: string): void {
    if (dims.length > MAX_RANK) refuseRank(path, dims.length);
    const count = product(dims);
    this.count(type === 'int64' ? BIGINT * count : count, path);
    checkResult(dims, path);
  }

  step(path: string): void {
    if (this._steps-- <= 0) this._fail(path);
  }

  copy(): Work {
    return new Work(this._elements, this._multiplications, this._fail, this._steps);
  }
}

/** Converts integers that are sizes, axes or indices. Beyond 2^53 they are rounded, which does not matter to these. */
export function toNumbers(value: Value): number[] {
  return Array.from(value.data as ArrayLike<number | bigint>, Number);
}

/** An int64 vector. */
export function intVector(values: readonly number[]): Value<BigInt64Array> {
  return Value.of('int64', [values.length], BigInt64Array.from(values, BigInt));
}

import { describe, formatDims, product } from '../base/tensor.ts';
import { refuse, refuseBecause } from './refuse.ts';
import type { OnnxTensor } from './tensor.ts';

/** The types that are computed with; a file's float16, bfloat16 and float64 become float32. */
export type ValueType = 'float32' | 'int64' | 'int32' | 'bool';
/** The elements of a tensor, row-major: float32, int64, int32, or bool as 0 and 1. */
export type ValueData = Float32Array | BigInt64Array | Int32Array | Uint8Array;

/** A tensor while a model runs. It is not changed after its operator returns it, so values may share data. */
export interface RunValue<Data extends ValueData = ValueData> {
  readonly type: ValueType;
  readonly dims: readonly number[];
  readonly data: Data;
}

/** The most dims of a value; more than any operator here needs. */
export const MAX_RANK = 8;

/** The type in which a file's type is computed; undefined if it is not computed with. */
export function computedType(type: string): ValueType | undefined {
  if (['float32', 'float16', 'bfloat16', 'float64'].includes(type)) return 'float32';
  return type === 'int64' || type === 'int32' || type === 'bool' ? type : undefined;
}

/** The tensor of a file as a value; its data are read. */
export function toValue(tensor: OnnxTensor, path: string): RunValue {
  const type = computedType(tensor.type);
  if (!type) {
    const reason = `tensors of type ${tensor.type} are not computed with`;
    refuseBecause('unsupported', path, reason, 'float32', tensor.type);
  }
  if (tensor.dims.length > MAX_RANK) refuseRank(path, tensor.dims.length);
  return { type, dims: tensor.dims, data: tensor.read() as ValueData };
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

export function isFloat(value: RunValue): value is RunValue<Float32Array> {
  return value.type === 'float32';
}

/** Elements counted as work for one of bigints, which are slow. */
const BIGINT = 8;

/** Thrown if a constant would be too large to keep; its node runs each time instead. */
export class TooMuch extends Error {}

/**
 * Makes the results of nodes, and counts their work. A run that asks for more than its inputs and weights account for is
 * refused, since anyone can write a huge size into a file.
 */
export class Work {
  private _elements: number;
  private _multiplications: number;
  private readonly _fail: (path: string) => never;

  constructor(elements: number, multiplications: number, fail: (path: string) => never) {
    this._elements = elements;
    this._multiplications = multiplications;
    this._fail = fail;
  }

  /** Counts elements that are made or moved. */
  count(elements: number, path: string): void {
    if (!(elements <= this._elements)) this._fail(path);
    this._elements -= elements;
  }

  /** Counts multiplications. */
  spend(multiplications: number, path: string): void {
    if (!(multiplications <= this._multiplications)) this._fail(path);
    this._multiplications -= multiplications;
  }

  /** Makes a result of zeros. */
  make<Type extends ValueType>(type: Type, dims: readonly number[], path: string): RunValue<DataOf<Type>> {
    if (dims.length > MAX_RANK) refuseRank(path, dims.length);
    const count = product(dims);
    this.count(type === 'int64' ? BIGINT * count : count, path);
    checkResult(dims, path);
    try {
      return { type, dims, data: newData(type, count) };
    } catch {
      const expected = formatDims(dims);
      return refuseBecause('no-memory', path, `no memory for a result of dims ${expected}`, expected, describe(count));
    }
  }
}

export type DataOf<Type extends ValueType> = Type extends 'float32'
  ? Float32Array
  : Type extends 'int64'
    ? BigInt64Array
    : Type extends 'int32'
      ? Int32Array
      : Uint8Array;

export function newData<Type extends ValueType>(type: Type, count: number): DataOf<Type> {
  const make = { float32: Float32Array, int64: BigInt64Array, int32: Int32Array, bool: Uint8Array }[type];
  return new make(count) as DataOf<Type>;
}

/** Converts integers that are sizes, axes or indices. Beyond 2^53 they are rounded, which does not matter to these. */
export function toNumbers(value: RunValue): number[] {
  return Array.from(value.data as ArrayLike<number | bigint>, Number);
}

/** An int64 vector. */
export function intVector(values: readonly number[]): RunValue<BigInt64Array> {
  return { type: 'int64', dims: [values.length], data: BigInt64Array.from(values, BigInt) };
}

import { product } from '../base/tensor.ts';
import type { Limits } from '../graph/builder.ts';
import type { ValueType } from '../graph/types.ts';
import { Value } from '../graph/value.ts';

/** How a reader refuses a model: both messages begin with its name and with `path`, a place in the file. */
export interface Refusal {
  /** Throws `path: what expected X, got Y`. */
  refuse(code: string, path: string, what: string, expected: unknown, found: unknown): never;
  /** Throws `path: reason`, where `expected` and `found` alone do not tell what is wrong. */
  because(code: string, path: string, reason: string, expected: unknown, found: unknown): never;
}

/** The most dims of a value; more than any operator here needs. */
export const MAX_RANK = 8;

/** The largest size of a value. */
export const MAX_SIZE = 2 ** 31 - 1;

/** Checks the dims of a result one by one: beside a 0 any other size gives a product of 0. */
export function checkResult(refusal: Refusal, dims: readonly number[], path: string): readonly number[] {
  if (dims.length > MAX_RANK) refuseRank(refusal, path, dims.length);
  const wrong = dims.find((size) => !(size <= MAX_SIZE));
  if (wrong === undefined) return dims;
  return refusal.refuse('too-large', path, 'size of a result', `at most ${MAX_SIZE}`, wrong);
}

/** Refuses a value of too many dims. */
export function refuseRank(refusal: Refusal, path: string, rank: number): never {
  return refusal.because('unsupported', path, `expected at most ${MAX_RANK} dims, got ${rank}`, MAX_RANK, rank);
}

/** The types of numbers that operators compute with; 8-bit integers are only moved, and taken by operators of quantized models. */
export const NUMBERS: readonly ValueType[] = ['float32', 'int64', 'int32'];

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
  private readonly _refusal: Refusal;

  /** @param fail refuses a plan for too much work at `path` */
  constructor(
    refusal: Refusal,
    elements: number,
    multiplications: number,
    fail: (path: string) => never,
    steps = Number.POSITIVE_INFINITY,
  ) {
    this._refusal = refusal;
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
    if (dims.length > MAX_RANK) refuseRank(this._refusal, path, dims.length);
    const count = product(dims);
    this.count(type === 'int64' ? BIGINT * count : count, path);
    checkResult(this._refusal, dims, path);
  }

  step(path: string): void {
    if (this._steps-- <= 0) this._fail(path);
  }

  copy(): Work {
    return new Work(this._refusal, this._elements, this._multiplications, this._fail, this._steps);
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

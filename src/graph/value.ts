import { product } from '../base/tensor.ts';
import { viewAt } from '../memory/arena.ts';
import { strides } from './layout.ts';
import { bytesOf, newData, type ValueData, type ValueType, viewOf } from './types.ts';

/**
 * Numbers of the feeds from whose elements a value is computed, all of them few integers: known values of these feeds make the value
 * known. undefined if it depends on other data.
 */
export type Sources = ReadonlySet<number> | undefined;

/** Sources of what depends on no feed's elements. */
export const NO_SOURCES: Sources = new Set<number>();

/** Steps of a plan are counted from 0; this is before them. */
export const BEFORE = -1;

/** Where the elements of values lie: in an array if they are known while planning, else in linear memory, once the plan has its block. */
export class Storage {
  readonly type: ValueType;
  readonly count: number;
  readonly known: boolean;
  readonly sources: Sources;
  /** The storage whose bytes these are a part of, or this. */
  readonly root: Storage;
  /** The step that writes it first, and the last step that reads or writes it; of roots only. */
  first = BEFORE;
  last = BEFORE;
  private readonly _offset: number;
  private _pointer = -1;
  private _data: ValueData;

  private constructor(
    type: ValueType,
    count: number,
    data: ValueData | undefined,
    sources: Sources,
    whole: Storage | undefined,
    offset: number,
  ) {
    this.type = type;
    this.count = count;
    this.known = data !== undefined;
    this.sources = sources;
    this.root = whole ?? this;
    this._offset = offset;
    this._data = data ?? newData(type, 0);
  }

  /** Elements that are known. */
  static of(type: ValueType, data: ValueData): Storage {
    return new Storage(type, data.length, data, NO_SOURCES, undefined, 0);
  }

  /** Elements that a run computes, or that it is fed. */
  static planned(type: ValueType, count: number, sources: Sources): Storage {
    return new Storage(type, count, undefined, sources, undefined, 0);
  }

  /** `count` elements from `start` on, of this storage. */
  part(start: number, count: number): Storage {
    if (count === this.count) return this;
    if (this.known) return Storage.of(this.type, this._data.subarray(start, start + count));
    const offset = this._offset + bytesOf(this.type, start);
    return new Storage(this.type, count, undefined, this.sources, this.root, offset);
  }

  get bytes(): number {
    return bytesOf(this.type, this.count);
  }

  /** The address, once the plan has its block. */
  get pointer(): number {
    return this.root._pointer + this._offset;
  }

  /** Gives a root its place. */
  place(pointer: number): void {
    this._pointer = pointer;
  }

  /** The elements. What is not known has them during a run; ask for them again after anything that may make memory grow. */
  get data(): ValueData {
    // memory that has grown has detached the view
    if (this._data.length !== this.count) this._data = this._view();
    return this._data;
  }

  /** Apart from `data`, where the closure would make garbage in each call. */
  private _view(): ValueData {
    return viewAt(this.pointer, (buffer, pointer) => viewOf(this.type, buffer, pointer, this.count));
  }
}

/** A tensor of a graph that is being planned. It is not changed after its operator has written it, so values may share storage. */
export class Value<Data extends ValueData = ValueData> {
  readonly dims: readonly number[];
  readonly storage: Storage;
  /** Whether elements of [N, C, L] lie as [N, L, C], those of [N, C, H, W] as [N, H, W, C]: for operators that take them so. */
  readonly turned: boolean;

  constructor(dims: readonly number[], storage: Storage, turned = false) {
    this.dims = dims;
    this.storage = storage;
    this.turned = turned;
  }

  /** A value whose elements are known. */
  static of<D extends ValueData>(type: ValueType, dims: readonly number[], data: D): Value<D> {
    return new Value<D>(dims, Storage.of(type, data));
  }

  get type(): ValueType {
    return this.storage.type;
  }

  get known(): boolean {
    return this.storage.known;
  }

  get count(): number {
    return this.storage.count;
  }

  /** The elements, row-major, if they are known; in a step of a plan also those that are not. */
  get data(): Data {
    return this.storage.data as Data;
  }

  /** The same elements with other dims. */
  withDims(dims: readonly number[]): Value<Data> {
    return new Value<Data>(dims, this.storage);
  }

  /** The elements of a whole from `start` on, with dims of their own. */
  part(start: number, dims: readonly number[]): Value<Data> {
    return new Value<Data>(dims, this.storage.part(start, product(dims)), this.turned);
  }
}

/** The order of axes in which the elements of a value of `rank` dims lie. */
export function orderOf(rank: number, turned: boolean): number[] {
  const order = Array.from({ length: rank }, (_, axis) => axis);
  if (turned) order.push(...order.splice(1, 1));
  return order;
}

/** A turned value as its elements lie: [N, L, C] or [N, H, W, C]. */
export function lying<Data extends ValueData>({ dims, turned, storage }: Value<Data>): Value<Data> {
  return new Value<Data>(
    orderOf(dims.length, turned).map((axis) => dims[axis]!),
    storage,
  );
}

/** For each axis of a value, how far apart its neighbouring elements are. */
export function stepsOf(value: Value): number[] {
  const steps = strides(lying(value).dims);
  if (value.turned) steps.splice(1, 0, steps.pop()!);
  return steps;
}

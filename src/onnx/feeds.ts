import { describe, formatDims, isView, shorten, tag, wrongType, wrongValue } from '../base/tensor.ts';
import { float16ToFloat32 } from '../files/float-formats.ts';
import { classOf, newData, type ValueData, type ValueType } from '../graph/types.ts';
import { isInside } from '../memory/arena.ts';
import { MAX_RANK, MAX_SIZE } from '../operators/value.ts';

/** An input of a run; an onnxruntime `Tensor` fits. */
export interface OnnxFeed {
  /**
   * The elements, row-major: Float32Array, BigInt64Array (int64), Int32Array, Int8Array, or Uint8Array (uint8, or bool as 0 and 1). For an input that is
   * float16 in the file also a Float16Array, or its bits as a Uint16Array. Not changed.
   */
  readonly data: ValueData | Uint16Array;
  /** The shape, which has to fit the input's dims; [] for a scalar. */
  readonly dims: readonly number[];
  /** 'float32', 'int64', 'int32', 'int8', 'uint8' or 'bool', or 'float16' for such data; checked if it is given. */
  readonly type?: string | undefined;
}

/** An input or output of a model. */
export interface OnnxPort {
  /** The name in the file, by which it is fed or returned. */
  readonly name: string;
  /** The type of its feed or result; where the file says float16, bfloat16 or float64 it is float32. */
  readonly type: ValueType;
  /** A number is a size, a string the name of a symbolic size ('' without a name); undefined if the file does not say. */
  readonly dims: readonly (number | string)[] | undefined;
}

/** The inputs of a run by name, in an object or a Map. */
export type OnnxFeeds = Readonly<Record<string, OnnxFeed>> | ReadonlyMap<string, OnnxFeed>;

/** A feed that has been read: each property of the caller's once. Kept and refilled, so that a run makes no garbage. */
export interface ReadFeed {
  readonly type: ValueType;
  readonly dims: number[];
  count: number;
  data: ValueData;
  /** Where a state of a stream lies, which is not the caller's to feed; else 0. */
  pointer: number;
}

const NOTHING = new Float32Array(0);

/** Makes room for the feeds of a model. */
export function feedsOf(inputs: readonly OnnxPort[]): ReadFeed[] {
  return inputs.map(({ type }) => ({ type, dims: [], count: 0, data: NOTHING, pointer: 0 }));
}

/** Lets go of the caller's arrays. */
export function dropFeeds(into: readonly ReadFeed[]): void {
  for (let i = 0; i < into.length; i++) {
    into[i]!.data = NOTHING;
    into[i]!.pointer = 0;
  }
}

/**
 * Reads the feeds of a run. Makes no garbage if they are in an object and of this realm, outside linear memory.
 * @param halves names of the inputs that are float16 in the file
 * @param known names of the inputs, and of feeds that are passed over
 */
export function readFeeds(
  inputs: readonly OnnxPort[],
  halves: ReadonlySet<string>,
  known: ReadonlySet<unknown>,
  feeds: unknown,
  into: readonly ReadFeed[],
): void {
  if (feeds === null || typeof feeds !== 'object') {
    throw wrongType('run', 'feeds', 'an object or Map of tensors', feeds);
  }
  const map = isMap(feeds) ? (feeds as ReadonlyMap<unknown, unknown>) : undefined;
  if (map) for (const name of map.keys()) checkName(inputs, known, name);
  else for (const name in feeds) if (Object.hasOwn(feeds, name)) checkName(inputs, known, name);
  for (let i = 0; i < inputs.length; i++) {
    const { name } = inputs[i]!;
    const isState = into[i]!.pointer !== 0;
    if (isState && (map ? map.has(name) : Object.hasOwn(feeds, name))) {
      throw new TypeError(`run: feed ${describe(name)} is a state of the stream; setState() sets it`);
    }
    if (isState) continue;
    if (!(map ? map.has(name) : Object.hasOwn(feeds, name))) {
      throw new TypeError(`run: missing feed ${describe(name)}`);
    }
    const feed: unknown = map ? map.get(name) : (feeds as Record<string, unknown>)[name];
    readFeed(inputs[i]!, feed, halves.has(name), into[i]!);
  }
}

/** Tells whether an object is a Map of any realm. A tag is a string, which a run with a plain object must not make. */
export function isMap(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return false;
  return value instanceof Map || tag(value) === 'Map';
}

function checkName(inputs: readonly OnnxPort[], known: ReadonlySet<unknown>, name: unknown): void {
  if (known.has(name)) return;
  const expected = inputs.map((input) => describe(input.name)).join(', ') || 'none';
  throw new TypeError(shorten(`run: unknown feed ${describe(name)}, expected ${expected}`));
}

function readFeed({ name, type, dims: expected }: OnnxPort, feed: unknown, isHalf: boolean, into: ReadFeed): void {
  if (feed === null || typeof feed !== 'object') {
    throw wrongType('run', nameOf(name), 'a tensor { data, dims }', feed);
  }
  const { data: given, dims, type: said } = feed as OnnxFeed;
  if (given === undefined) throw wrongType('run', nameOf(name), 'a tensor { data, dims }', feed);
  if (said !== undefined && said !== type && !(isHalf && said === 'float16')) {
    throw wrongType('run', `${nameOf(name)}.type`, type, said);
  }
  const data = checkData(nameOf, name, type, isHalf ? widen(given, said) : given);
  const count = readDims(nameOf, name, dims, into.dims);
  if (expected && !fits(into.dims, expected)) {
    throw wrongValue('run', `${nameOf(name)}.dims`, formatDims(expected.map((size) => size || '?')), into.dims);
  }
  if (data.length !== count) {
    const text = `${count} elements for dims ${formatDims(into.dims)}`;
    throw wrongValue('run', `${nameOf(name)}.data`, text, data.length);
  }
  // copied if it is of another realm, since kernels look at the class, or in linear memory, which may grow during the run
  const isOurs = data instanceof classOf(type) && !isInside(data);
  into.count = count;
  into.data = isOurs ? data : copyOf(type, data);
}

/**
 * Checks feeds again after all getters of the caller's have run: one may have transferred another's data.
 * @throws RangeError that names the feed
 */
export function checkLengths(inputs: readonly OnnxPort[], feeds: readonly ReadFeed[]): void {
  for (let i = 0; i < feeds.length; i++) {
    const { data, count, pointer } = feeds[i]!;
    if (pointer || data.length === count) continue;
    throw wrongValue('run', `${nameOf(inputs[i]!.name)}.data`, `${count} elements until the run`, data.length);
  }
}

function nameOf(name: string): string {
  return `feed ${describe(name).slice(1, -1)}`;
}

function copyOf(type: ValueType, data: ValueData): ValueData {
  const copy = newData(type, data.length);
  (copy as Float32Array).set(data as Float32Array);
  return copy;
}

function fits(dims: readonly number[], expected: readonly (number | string)[]): boolean {
  if (dims.length !== expected.length) return false;
  for (let i = 0; i < dims.length; i++) if (expected[i] !== dims[i] && typeof expected[i] !== 'string') return false;
  return true;
}

/** Checks the elements of a tensor of the caller's. Names are made only to throw. */
export function checkData(who: (name: string) => string, name: string, type: ValueType, data: unknown): ValueData {
  const array = classOf(type);
  if (!isView<ValueData>(data, array as never)) {
    throw wrongType('run', `${who(name)}.data`, `a ${array.name} (${type})`, data);
  }
  if (!(data.buffer instanceof ArrayBuffer) && tag(data.buffer) !== 'ArrayBuffer') {
    throw wrongType('run', `${who(name)}.data`, 'a view of an ArrayBuffer', data.buffer);
  }
  return data;
}

/** Reads the dims of a tensor of the caller's, each size once. @returns how many elements they ask for */
export function readDims(who: (name: string) => string, name: string, dims: unknown, into: number[]): number {
  if (!Array.isArray(dims)) throw wrongDims(who(name), dims);
  const rank = dims.length;
  if (rank > MAX_RANK) {
    throw wrongValue('run', `${who(name)}.dims`, `at most ${MAX_RANK} sizes of at most ${MAX_SIZE}`, dims);
  }
  into.length = rank;
  let count = 1;
  for (let i = 0; i < rank; i++) {
    const size: unknown = dims[i];
    if (!Number.isSafeInteger(size) || (size as number) < 0) throw wrongDims(who(name), dims);
    if ((size as number) > MAX_SIZE) {
      throw wrongValue('run', `${who(name)}.dims`, `at most ${MAX_RANK} sizes of at most ${MAX_SIZE}`, dims);
    }
    into[i] = size as number;
    count *= size as number;
  }
  return count;
}

function wrongDims(who: string, dims: unknown): TypeError {
  return wrongType('run', `${who}.dims`, 'an array of integers of at least 0', dims);
}

/** Makes float32 of float16. Bits are told by their type: a Uint16Array. */
function widen(data: unknown, said: string | undefined): unknown {
  if (said !== 'float32' && isView(data, Uint16Array)) return float16ToFloat32(data);
  // Float16Array is newer than the languages that this compiles to
  if (ArrayBuffer.isView(data) && tag(data) === 'Float16Array') {
    return Float32Array.from(data as unknown as ArrayLike<number>);
  }
  return data;
}

import { describe, formatDims, isView, product, shorten, tag, wrongType, wrongValue } from '../base/tensor.ts';
import { float16ToFloat32 } from '../files/float-formats.ts';
import { wasm } from '../memory/wasm.ts';
import { MAX_RANK, MAX_SIZE, newData, type RunValue, type ValueData, type ValueType } from './value.ts';

/** An input of a run; an onnxruntime `Tensor` fits. */
export interface OnnxFeed {
  /**
   * The elements, row-major: Float32Array, BigInt64Array (int64), Int32Array, or Uint8Array (bool, 0 or 1). For an input that is
   * float16 in the file also a Float16Array, or its bits as a Uint16Array. Not changed.
   */
  readonly data: ValueData | Uint16Array;
  /** The shape, which has to fit the input's dims; [] for a scalar. */
  readonly dims: readonly number[];
  /** 'float32', 'int64', 'int32' or 'bool', or 'float16' for such data; checked if it is given. */
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

const ARRAYS: Readonly<Record<ValueType, string>> = {
  float32: 'Float32Array',
  int64: 'BigInt64Array',
  int32: 'Int32Array',
  bool: 'Uint8Array',
};

/**
 * Reads the feeds of a run.
 * @param halves names of the inputs that are float16 in the file
 */
export function readFeeds(inputs: readonly OnnxPort[], halves: ReadonlySet<string>, feeds: unknown): RunValue[] {
  if (feeds === null || typeof feeds !== 'object') {
    throw wrongType('run', 'feeds', 'an object or Map of tensors', feeds);
  }
  const all = tag(feeds) === 'Map' ? (feeds as Map<unknown, unknown>) : new Map(Object.entries(feeds));
  const names = new Set<unknown>(inputs.map(({ name }) => name));
  for (const name of all.keys()) {
    if (!names.has(name)) {
      const known = [...names].map(describe).join(', ') || 'none';
      throw new TypeError(shorten(`run: unknown feed ${describe(name)}, expected ${known}`));
    }
  }
  return inputs.map((input) => {
    if (!all.has(input.name)) throw new TypeError(`run: missing feed ${describe(input.name)}`);
    return readFeed(input, all.get(input.name), halves.has(input.name));
  });
}

function readFeed({ name, type, dims: expected }: OnnxPort, feed: unknown, isHalf: boolean): RunValue {
  const what = `feed ${describe(name).slice(1, -1)}`;
  if (feed === null || typeof feed !== 'object') throw wrongType('run', what, 'a tensor { data, dims }', feed);
  const { data: given, dims, type: said } = feed as OnnxFeed;
  if (said !== undefined && said !== type && !(isHalf && said === 'float16'))
    throw wrongType('run', `${what}.type`, type, said);
  const data = (isHalf ? widen(given, said) : given) as ValueData;
  if (!ArrayBuffer.isView(data) || tag(data) !== ARRAYS[type]) {
    throw wrongType('run', `${what}.data`, `a ${ARRAYS[type]} (${type})`, data);
  }
  if (tag(data.buffer) !== 'ArrayBuffer') {
    throw wrongType('run', `${what}.data`, 'a view of an ArrayBuffer', data.buffer);
  }
  if (!Array.isArray(dims) || !dims.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw wrongType('run', `${what}.dims`, 'an array of integers of at least 0', dims);
  }
  if (dims.length > MAX_RANK || dims.some((size) => size > MAX_SIZE)) {
    throw wrongValue('run', `${what}.dims`, `at most ${MAX_RANK} sizes of at most ${MAX_SIZE}`, dims);
  }
  const fits =
    !expected ||
    (expected.length === dims.length && expected.every((size, i) => size === dims[i] || typeof size === 'string'));
  if (!fits) throw wrongValue('run', `${what}.dims`, formatDims(expected.map((size) => size || '?')), dims);
  if (data.length !== product(dims)) {
    throw wrongValue('run', `${what}.data`, `${product(dims)} elements for dims ${formatDims(dims)}`, data.length);
  }
  // copied if it is of another realm, since kernels look at the class, or in linear memory, which may grow during the run
  const isOurs = data.constructor === newData(type, 0).constructor && data.buffer !== wasm().memory.buffer;
  const mine = isOurs ? data : newData(type, data.length);
  if (mine !== data) (mine as Float32Array).set(data as Float32Array);
  return { type, dims: [...dims], data: mine };
}

/** Makes float32 of float16. Bits are told by their type: a Uint16Array. */
function widen(data: unknown, said: string | undefined): ValueData {
  if (said !== 'float32' && isView(data, Uint16Array)) return float16ToFloat32(data);
  // Float16Array is newer than the languages that this compiles to
  if (ArrayBuffer.isView(data) && tag(data) === 'Float16Array') {
    return Float32Array.from(data as unknown as ArrayLike<number>);
  }
  return data as ValueData;
}

import { describe, formatDims, readDims, tag, wrongType } from '../base/tensor.ts';

const ARRAYS = {
  float32: Float32Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  float16: Uint16Array,
};
const TYPES = Object.keys(ARRAYS);
const TYPE_OF_ARRAY: ReadonlyMap<string, Tensor.Type> = new Map([
  ['Float32Array', 'float32'],
  ['BigInt64Array', 'int64'],
  ['Int32Array', 'int32'],
  ['Int8Array', 'int8'],
  ['Uint8Array', 'uint8'],
  ['Float16Array', 'float16'],
]);
/** For each type, the `typeof` that elements of a plain array may have. */
const ELEMENTS: Readonly<Record<Tensor.Type, readonly string[]>> = {
  float32: ['number'],
  int64: ['bigint', 'number'],
  int32: ['number'],
  int8: ['number'],
  uint8: ['number'],
  bool: ['boolean', 'number'],
  // which would be numbers to round, and which bits?
  float16: [],
};

export declare namespace Tensor {
  /** The types that models are computed with. */
  type Type = keyof DataTypeMap;
  /** The array of each type. */
  interface DataTypeMap {
    /** Numbers of 32 bits. */
    float32: Float32Array;
    /** Bigints from -2^63 to 2^63 - 1. */
    int64: BigInt64Array;
    /** Integers from -2^31 to 2^31 - 1. */
    int32: Int32Array;
    /** Integers from -128 to 127. */
    int8: Int8Array;
    /** Integers from 0 to 255. */
    uint8: Uint8Array;
    /** 0 or 1. */
    bool: Uint8Array;
    /** The bits of numbers of 16 bits; a Float16Array too. For inputs that are float16 in the file. */
    float16: Uint16Array;
  }
  /** The element of each type. */
  interface ElementTypeMap {
    /** An element of a Float32Array. */
    float32: number;
    /** An element of a BigInt64Array. */
    int64: bigint;
    /** An element of an Int32Array. */
    int32: number;
    /** An element of an Int8Array. */
    int8: number;
    /** An element of a Uint8Array. */
    uint8: number;
    /** Kept as 0 or 1. */
    bool: boolean;
    /** Bits of a number of 16 bits. */
    float16: number;
  }
  /** The data of a tensor. */
  type DataType = DataTypeMap[Type];
  /** An element of a tensor. */
  type ElementType = ElementTypeMap[Type];
  /** The place of a tensor's data: here always 'cpu', or 'none' after dispose(). */
  type DataLocation = 'none' | 'cpu' | 'cpu-pinned' | 'texture' | 'gpu-buffer' | 'ml-tensor';
}

/** A tensor whose type the compiler knows; see `Tensor`. */
export interface TypedTensor<T extends Tensor.Type> {
  /** 'float32', 'int64', 'int32', 'int8', 'uint8', 'bool' or 'float16'. */
  readonly type: T;
  /** The shape; [] for a scalar. */
  readonly dims: readonly number[];
  /** The number of elements. */
  readonly size: number;
  /** The elements, row-major. @throws Error after dispose() */
  readonly data: Tensor.DataTypeMap[T];
  /** 'cpu', or 'none' after dispose(). */
  readonly location: Tensor.DataLocation;
  /** Resolves to `data`; nothing has to be fetched or released. @throws (the promise) Error after dispose() */
  getData(releaseData?: boolean): Promise<Tensor.DataTypeMap[T]>;
  /**
   * Makes a tensor of other dims on the same data.
   * @throws RangeError if they ask for another number of elements; Error after dispose()
   */
  reshape(dims: readonly number[]): TypedTensor<T>;
  /** Drops the data. */
  dispose(): void;
}

/**
 * Numbers with a type and a shape, with the API of onnxruntime-common:
 * https://onnxruntime.ai/docs/api/js/interfaces/Tensor-1.html
 */
export interface Tensor extends TypedTensor<Tensor.Type> {}

/** A value of a model: here always a tensor. */
export type OnnxValue = Tensor;

/**
 * Constructs tensors: the type of the value `Tensor`. `dims` are [data.length] if left out. Typed arrays are kept, not copied;
 * plain arrays are converted.
 * @throws TypeError for another type, or data that is not of the type; RangeError if dims ask for another number of elements
 */
export interface TensorConstructor {
  new (type: 'bool', data: Uint8Array | readonly boolean[], dims?: readonly number[]): TypedTensor<'bool'>;
  new (
    type: 'int64',
    data: BigInt64Array | readonly bigint[] | readonly number[],
    dims?: readonly number[],
  ): TypedTensor<'int64'>;
  new <T extends 'float32' | 'int32' | 'int8' | 'uint8'>(
    type: T,
    data: Tensor.DataTypeMap[T] | readonly number[],
    dims?: readonly number[],
  ): TypedTensor<T>;
  new (type: 'float16', data: Uint16Array, dims?: readonly number[]): TypedTensor<'float16'>;
  new (data: Float32Array, dims?: readonly number[]): TypedTensor<'float32'>;
  new (data: BigInt64Array, dims?: readonly number[]): TypedTensor<'int64'>;
  new (data: Int32Array, dims?: readonly number[]): TypedTensor<'int32'>;
  new (data: Int8Array, dims?: readonly number[]): TypedTensor<'int8'>;
  new (data: Uint8Array, dims?: readonly number[]): TypedTensor<'uint8'>;
  new (data: readonly boolean[], dims?: readonly number[]): TypedTensor<'bool'>;
  new (
    type: Tensor.Type,
    data: Tensor.DataType | readonly number[] | readonly bigint[] | readonly boolean[],
    dims?: readonly number[],
  ): Tensor;
  /** Does the same as `new` with a typed array: memory of the CPU is all alike here. */
  fromPinnedBuffer<T extends Tensor.Type>(
    type: T,
    buffer: Tensor.DataTypeMap[T],
    dims?: readonly number[],
  ): TypedTensor<T>;
}

/**
 * Numbers with a type and a shape; a typed array is kept, not copied.
 * @example
 * ```js
 * import { Tensor } from 'lstm-wasm/ort';
 *
 * const tensor = new Tensor('float32', new Float32Array(6), [2, 3]);
 * console.log(tensor.size, tensor.reshape([6]).dims); // 6 [ 6 ]
 * console.log(new Tensor([true, false]).type); // bool
 * console.log(new Tensor('int64', [1, 2]).data); // BigInt64Array(2) [ 1n, 2n ]
 * ```
 */
export const Tensor = class Tensor implements TypedTensor<Tensor.Type> {
  readonly type: Tensor.Type;
  readonly dims: readonly number[];
  readonly size: number;
  // under the names of onnxruntime-common: a structured clone keeps them, and programs read them there
  readonly dataLocation: Tensor.DataLocation = 'cpu';
  readonly cpuData: Tensor.DataType | undefined;

  constructor(typeOrData: unknown, dataOrDims?: unknown, maybeDims?: unknown) {
    const isTyped = typeof typeOrData === 'string';
    const given = isTyped ? dataOrDims : typeOrData;
    const dims = isTyped ? maybeDims : dataOrDims;
    this.type = isTyped ? checkType(typeOrData) : inferType(typeOrData);
    const data = toData(this.type, given);
    this.cpuData = data;
    this.size = data.length;
    const own: number[] = [];
    const count = readDims('Tensor', this.type, dims === undefined ? [this.size] : dims, own);
    this.dims = own;
    if (count !== this.size) {
      const text = `"data" expected ${count} elements for dims ${formatDims(this.dims)}, got ${this.size}`;
      throw new RangeError(`Tensor: ${text}`);
    }
  }

  static fromPinnedBuffer(type: unknown, buffer: unknown, dims?: unknown): Tensor {
    return new Tensor(type, buffer, dims);
  }

  get data(): Tensor.DataType {
    if (!this.cpuData) throw new Error('Tensor: used after dispose()');
    return this.cpuData;
  }

  get location(): Tensor.DataLocation {
    return this.dataLocation;
  }

  async getData(): Promise<Tensor.DataType> {
    return this.data;
  }

  reshape(dims: readonly number[]): Tensor {
    return new Tensor(this.type, this.data, dims);
  }

  dispose(): void {
    Object.assign(this, { cpuData: undefined, dataLocation: 'none' });
  }

  // absent from the types, so that compilers refuse them too

  static fromImage(): never {
    throw notHere('fromImage');
  }

  static fromTexture(): never {
    throw notHere('fromTexture');
  }

  static fromGpuBuffer(): never {
    throw notHere('fromGpuBuffer');
  }

  static fromMLTensor(): never {
    throw notHere('fromMLTensor');
  }

  toDataURL(): never {
    throw notHere('toDataURL');
  }

  toImageData(): never {
    throw notHere('toImageData');
  }
} as unknown as TensorConstructor;

function notHere(name: string): Error {
  return new Error(
    `Tensor.${name}: not supported, a tensor here is a typed array with dims: new Tensor(type, data, dims)`,
  );
}

function checkType(type: string): Tensor.Type {
  if (!TYPES.includes(type)) throw unsupported(describe(type));
  return type as Tensor.Type;
}

function inferType(data: unknown): Tensor.Type {
  if (Array.isArray(data) && typeof data[0] === 'boolean') return 'bool';
  if (Array.isArray(data)) throw wrongType('Tensor', 'type', `one of ${TYPES.join(', ')} for a plain array`, undefined);
  if (!ArrayBuffer.isView(data)) throw wrongType('Tensor', 'data', 'a typed array or an array of booleans', data);
  const type = TYPE_OF_ARRAY.get(tag(data));
  if (!type) throw unsupported(`a ${tag(data)}`);
  return type;
}

function unsupported(got: string): TypeError {
  const text = `"type" expected ${TYPES.join(', ')} (models are computed with these), got ${got}`;
  return new TypeError(`Tensor: ${text}`);
}

function toData(type: Tensor.Type, data: unknown): Tensor.DataType {
  const { name } = ARRAYS[type];
  if (ArrayBuffer.isView(data) && (tag(data) === name || (type === 'float16' && tag(data) === 'Float16Array'))) {
    return data as unknown as Tensor.DataType;
  }
  if (type === 'float16') throw wrongType('Tensor', 'data', 'a Uint16Array or a Float16Array for float16', data);
  if (!Array.isArray(data)) throw wrongType('Tensor', 'data', `a ${name} or an array for ${type}`, data);
  const wrong = data.findIndex((element) => !ELEMENTS[type].includes(typeof element));
  if (wrong >= 0) {
    throw wrongType('Tensor', `data[${wrong}]`, `a ${ELEMENTS[type].join(' or ')} for ${type}`, data[wrong]);
  }
  return type === 'int64' ? BigInt64Array.from(data, BigInt) : ARRAYS[type].from(data);
}

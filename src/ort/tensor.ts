import { checkDims, describe, formatDims, tag, wrongType } from '../base/tensor.ts';

const ARRAYS = { float32: Float32Array, int64: BigInt64Array, int32: Int32Array, bool: Uint8Array };
const TYPES = Object.keys(ARRAYS);
const TYPE_OF_ARRAY: ReadonlyMap<string, Tensor.Type> = new Map([
  ['Float32Array', 'float32'],
  ['BigInt64Array', 'int64'],
  ['Int32Array', 'int32'],
]);
/** What `typeof` says of the elements of a plain array. */
const ELEMENTS: Readonly<Record<Tensor.Type, readonly string[]>> = {
  float32: ['number'],
  int64: ['bigint', 'number'],
  int32: ['number'],
  bool: ['boolean', 'number'],
};

export declare namespace Tensor {
  /** What models are computed with. */
  type Type = keyof DataTypeMap;
  interface DataTypeMap {
    float32: Float32Array;
    int64: BigInt64Array;
    int32: Int32Array;
    bool: Uint8Array;
  }
  interface ElementTypeMap {
    float32: number;
    int64: bigint;
    int32: number;
    bool: boolean;
  }
  type DataType = DataTypeMap[Type];
  type ElementType = ElementTypeMap[Type];
  /** Tensors here are on the CPU, or disposed of: the others are for programs that ask. */
  type DataLocation = 'none' | 'cpu' | 'cpu-pinned' | 'texture' | 'gpu-buffer' | 'ml-tensor';
}

/** A tensor of a known type. */
export interface TypedTensor<T extends Tensor.Type> {
  readonly type: T;
  readonly dims: readonly number[];
  /** The number of elements. */
  readonly size: number;
  /** @throws Error after dispose() */
  readonly data: Tensor.DataTypeMap[T];
  /** 'none' after dispose(). */
  readonly location: Tensor.DataLocation;
  /** `data`, at once; there is none elsewhere to release. */
  getData(releaseData?: boolean): Promise<Tensor.DataTypeMap[T]>;
  /** A tensor of other dims on the same data. */
  reshape(dims: readonly number[]): TypedTensor<T>;
  /** Lets go of the data. */
  dispose(): void;
}

export interface Tensor extends TypedTensor<Tensor.Type> {}

export type OnnxValue = Tensor;

/**
 * Numbers with dims, [data.length] if none are given. Typed arrays are kept, not copied; plain arrays are converted.
 * @throws TypeError for other types, and data that is not of the type; RangeError where data and dims do not fit each other
 */
export interface TensorConstructor {
  new (type: 'bool', data: Uint8Array | readonly boolean[], dims?: readonly number[]): TypedTensor<'bool'>;
  new (
    type: 'int64',
    data: BigInt64Array | readonly bigint[] | readonly number[],
    dims?: readonly number[],
  ): TypedTensor<'int64'>;
  new <T extends 'float32' | 'int32'>(
    type: T,
    data: Tensor.DataTypeMap[T] | readonly number[],
    dims?: readonly number[],
  ): TypedTensor<T>;
  new (data: Float32Array, dims?: readonly number[]): TypedTensor<'float32'>;
  new (data: BigInt64Array, dims?: readonly number[]): TypedTensor<'int64'>;
  new (data: Int32Array, dims?: readonly number[]): TypedTensor<'int32'>;
  new (data: readonly boolean[], dims?: readonly number[]): TypedTensor<'bool'>;
  new (
    type: Tensor.Type,
    data: Tensor.DataType | readonly number[] | readonly bigint[] | readonly boolean[],
    dims?: readonly number[],
  ): Tensor;
  /** The same as `new`, with a typed array: all memory of the CPU is alike here. */
  fromPinnedBuffer<T extends Tensor.Type>(
    type: T,
    buffer: Tensor.DataTypeMap[T],
    dims?: readonly number[],
  ): TypedTensor<T>;
}

class CpuTensor implements Tensor {
  readonly type: Tensor.Type;
  readonly dims: readonly number[];
  readonly size: number;
  private _data: Tensor.DataType | undefined;

  constructor(typeOrData: unknown, dataOrDims?: unknown, maybeDims?: unknown) {
    const isTyped = typeof typeOrData === 'string';
    const given = isTyped ? dataOrDims : typeOrData;
    const dims = isTyped ? maybeDims : dataOrDims;
    this.type = isTyped ? checkType(typeOrData) : inferType(typeOrData);
    this._data = toData(this.type, given);
    this.size = this._data.length;
    const count = dims === undefined ? this.size : checkDims('Tensor', this.type, dims);
    this.dims = dims === undefined ? [count] : [...(dims as readonly number[])];
    if (count !== this.size) {
      const text = `"data" expected ${count} elements for dims ${formatDims(this.dims)}, got ${this.size}`;
      throw new RangeError(`Tensor: ${text}`);
    }
  }

  static fromPinnedBuffer(type: unknown, buffer: unknown, dims?: unknown): Tensor {
    return new CpuTensor(type, buffer, dims);
  }

  get data(): Tensor.DataType {
    if (!this._data) throw new Error('Tensor: used after dispose()');
    return this._data;
  }

  get location(): Tensor.DataLocation {
    return this._data ? 'cpu' : 'none';
  }

  async getData(): Promise<Tensor.DataType> {
    return this.data;
  }

  reshape(dims: readonly number[]): Tensor {
    return new CpuTensor(this.type, this.data, dims);
  }

  dispose(): void {
    this._data = undefined;
  }
}
Object.defineProperty(CpuTensor, 'name', { value: 'Tensor' });

// not in the types, so that compilers refuse them too
for (const [on, names] of [
  [CpuTensor, ['fromImage', 'fromTexture', 'fromGpuBuffer', 'fromMLTensor']],
  [CpuTensor.prototype, ['toDataURL', 'toImageData']],
] as const) {
  for (const name of names) {
    const value = (): never => {
      throw new Error(
        `Tensor.${name}: not supported, a tensor here is a typed array with dims: new Tensor(type, data, dims)`,
      );
    };
    Object.defineProperty(on, name, { value });
  }
}

export const Tensor = CpuTensor as unknown as TensorConstructor;

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
  if (ArrayBuffer.isView(data) && tag(data) === name) return data as unknown as Tensor.DataType;
  if (!Array.isArray(data)) throw wrongType('Tensor', 'data', `a ${name} or an array for ${type}`, data);
  const wrong = data.findIndex((element) => !ELEMENTS[type].includes(typeof element));
  if (wrong >= 0) {
    throw wrongType('Tensor', `data[${wrong}]`, `a ${ELEMENTS[type].join(' or ')} for ${type}`, data[wrong]);
  }
  return type === 'int64' ? BigInt64Array.from(data, BigInt) : ARRAYS[type].from(data);
}

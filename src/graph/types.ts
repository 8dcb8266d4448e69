/** The types that are computed with; a file's float16, bfloat16 and float64 become float32. */
export type ValueType = 'float32' | 'int64' | 'int32' | 'int8' | 'uint8' | 'bool';

/** The elements of a tensor, row-major; a bool is 0 or 1. */
export type ValueData = Float32Array | BigInt64Array | Int32Array | Int8Array | Uint8Array;

/** The array of a type. */
export type DataOf<Type extends ValueType> = Type extends 'float32'
  ? Float32Array
  : Type extends 'int64'
    ? BigInt64Array
    : Type extends 'int32'
      ? Int32Array
      : Type extends 'int8'
        ? Int8Array
        : Uint8Array;

const ARRAYS = {
  float32: Float32Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/** The class of a type's array. */
export function classOf(type: ValueType): (typeof ARRAYS)[ValueType] {
  return ARRAYS[type];
}

/** Counts the bytes of `count` elements. */
export function bytesOf(type: ValueType, count: number): number {
  return ARRAYS[type].BYTES_PER_ELEMENT * count;
}

/** Makes an array of zeros. */
export function newData<Type extends ValueType>(type: Type, count: number): DataOf<Type> {
  return new ARRAYS[type](count) as DataOf<Type>;
}

/** Makes a view of `count` elements of a buffer. */
export function viewOf(type: ValueType, buffer: ArrayBuffer, pointer: number, count: number): ValueData {
  return new ARRAYS[type](buffer, pointer, count);
}

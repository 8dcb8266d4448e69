import { bfloat16ToFloat32, float16ToFloat32 } from '../files/float-formats.ts';

// The element types of tensors in files, and the fields of a TensorProto that hold them.

export const FLOAT_DATA = 4;
export const INT32_DATA = 5;
export const STRING_DATA = 6;
export const INT64_DATA = 7;
export const DOUBLE_DATA = 10;
export const UINT64_DATA = 11;

export interface DataType {
  /** The name that onnxruntime gives it. */
  readonly name: string;
  /** Bits of an element in raw_data; 0 for strings. */
  readonly bits: number;
  /** The field with the elements where raw_data is not used. */
  readonly field: number;
  readonly array:
    | Int8ArrayConstructor
    | Uint8ArrayConstructor
    | Int16ArrayConstructor
    | Uint16ArrayConstructor
    | Int32ArrayConstructor
    | Uint32ArrayConstructor
    | BigInt64ArrayConstructor
    | BigUint64ArrayConstructor
    | Float32ArrayConstructor
    | Float64ArrayConstructor;
  /** The range of integers in int32_data. */
  readonly min?: number;
  readonly max?: number;
  readonly convert?: (data: never) => Float32Array;
  /** Numbers for each element: 2 for complex types, 1 if left out. */
  readonly parts?: number;
}

const bytes = (name: string): DataType => ({
  name,
  bits: 8,
  field: INT32_DATA,
  array: Uint8Array,
  min: 0,
  max: 255,
});
const nibbles = (name: string, bits: number): DataType => ({ ...bytes(name), bits });

/** Types by TensorProto.DataType. Those that nobody computes with come as their bytes. */
export const TYPES: ReadonlyMap<number, DataType> = new Map<number, DataType>([
  [1, { name: 'float32', bits: 32, field: FLOAT_DATA, array: Float32Array }],
  [2, { name: 'uint8', bits: 8, field: INT32_DATA, array: Uint8Array, min: 0, max: 255 }],
  [3, { name: 'int8', bits: 8, field: INT32_DATA, array: Int8Array, min: -128, max: 127 }],
  [4, { name: 'uint16', bits: 16, field: INT32_DATA, array: Uint16Array, min: 0, max: 65535 }],
  [5, { name: 'int16', bits: 16, field: INT32_DATA, array: Int16Array, min: -32768, max: 32767 }],
  [6, { name: 'int32', bits: 32, field: INT32_DATA, array: Int32Array, min: -(2 ** 31), max: 2 ** 31 - 1 }],
  [7, { name: 'int64', bits: 64, field: INT64_DATA, array: BigInt64Array }],
  [8, { name: 'string', bits: 0, field: STRING_DATA, array: Uint8Array }],
  [9, { name: 'bool', bits: 8, field: INT32_DATA, array: Uint8Array, min: 0, max: 1 }],
  [
    10,
    { name: 'float16', bits: 16, field: INT32_DATA, array: Uint16Array, min: 0, max: 65535, convert: float16ToFloat32 },
  ],
  [
    11,
    { name: 'float64', bits: 64, field: DOUBLE_DATA, array: Float64Array, convert: (data) => Float32Array.from(data) },
  ],
  [12, { name: 'uint32', bits: 32, field: UINT64_DATA, array: Uint32Array, min: 0, max: 2 ** 32 - 1 }],
  [13, { name: 'uint64', bits: 64, field: UINT64_DATA, array: BigUint64Array }],
  [14, { name: 'complex64', bits: 64, field: FLOAT_DATA, array: Float32Array, parts: 2 }],
  [15, { name: 'complex128', bits: 128, field: DOUBLE_DATA, array: Float64Array, parts: 2 }],
  [
    16,
    {
      name: 'bfloat16',
      bits: 16,
      field: INT32_DATA,
      array: Uint16Array,
      min: 0,
      max: 65535,
      convert: bfloat16ToFloat32,
    },
  ],
  ...['float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz'].map(
    (name, i) => [17 + i, bytes(name)] as const,
  ),
  [21, nibbles('uint4', 4)],
  [22, nibbles('int4', 4)],
  [23, nibbles('float4e2m1', 4)],
  [24, bytes('float8e8m0')],
  [25, nibbles('uint2', 2)],
  [26, nibbles('int2', 2)],
]);

/** The name of a TensorProto.DataType, or undefined where the format has none. */
export function typeName(dataType: number): string | undefined {
  return TYPES.get(dataType)?.name;
}

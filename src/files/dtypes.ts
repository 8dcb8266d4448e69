import type { AnyTypedArray } from '../base/tensor.ts';
import { bfloat16ToFloat32, float16ToFloat32 } from './float-formats.ts';

interface Dtype {
  /** Bits of one element. */
  readonly bits: number;
  /** Makes the elements of little-endian bytes, which it may keep. */
  readonly read: (bytes: ArrayBuffer) => AnyTypedArray;
}

const raw: Dtype['read'] = (bytes) => new Uint8Array(bytes);

/** The element types of safetensors, in the order of the reference's enum `Dtype`, which is the order in files. */
export const DTYPES: ReadonlyMap<string, Dtype> = new Map<string, Dtype>([
  ['BOOL', { bits: 8, read: raw }],
  ['F4', { bits: 4, read: raw }],
  ['F6_E2M3', { bits: 6, read: raw }],
  ['F6_E3M2', { bits: 6, read: raw }],
  ['U8', { bits: 8, read: raw }],
  ['I8', { bits: 8, read: (bytes) => new Int8Array(bytes) }],
  ['F8_E5M2', { bits: 8, read: raw }],
  ['F8_E4M3', { bits: 8, read: raw }],
  ['F8_E8M0', { bits: 8, read: raw }],
  ['F8_E4M3FNUZ', { bits: 8, read: raw }],
  ['F8_E5M2FNUZ', { bits: 8, read: raw }],
  ['I16', { bits: 16, read: (bytes) => new Int16Array(bytes) }],
  ['U16', { bits: 16, read: (bytes) => new Uint16Array(bytes) }],
  ['F16', { bits: 16, read: (bytes) => float16ToFloat32(new Uint16Array(bytes)) }],
  ['BF16', { bits: 16, read: (bytes) => bfloat16ToFloat32(new Uint16Array(bytes)) }],
  ['I32', { bits: 32, read: (bytes) => new Int32Array(bytes) }],
  ['U32', { bits: 32, read: (bytes) => new Uint32Array(bytes) }],
  ['F32', { bits: 32, read: (bytes) => new Float32Array(bytes) }],
  ['C64', { bits: 64, read: raw }],
  ['F64', { bits: 64, read: (bytes) => new Float32Array(new Float64Array(bytes)) }],
  ['I64', { bits: 64, read: (bytes) => new BigInt64Array(bytes) }],
  ['U64', { bits: 64, read: (bytes) => new BigUint64Array(bytes) }],
]);

/** Bytes that V8 keeps with a typed array itself, without an ArrayBuffer, whose 200 bytes a file of small tensors would pay for each. */
const SMALL = 64;

/** Memory to read small tensors from, by its size. */
const scratches: Uint8Array<ArrayBuffer>[] = [];

/** Makes the elements of the bytes from `begin` up to `end`, which are copied. */
export function readElements(dtype: string, bytes: Uint8Array, begin: number, end: number): AnyTypedArray {
  const { read } = DTYPES.get(dtype)!;
  const size = end - begin;
  if (size > SMALL) return read(bytes.slice(begin, end).buffer as ArrayBuffer);
  scratches[size] ??= new Uint8Array(size);
  const scratch = scratches[size];
  for (let i = 0; i < size; i++) scratch[i] = bytes[begin + i]!;
  return read(scratch.buffer).slice();
}

/** The names of DTYPES, in its order. */
export const DTYPE_NAMES: readonly string[] = [...DTYPES.keys()];

/** The types without a typed array of their own: tensors of them keep the bytes of the file. */
export const RAW_DTYPES: readonly string[] = DTYPE_NAMES.filter((name) => DTYPES.get(name)!.read === raw);

import type { AnyTypedArray } from '../base/tensor.ts';
import { bfloat16ToFloat32, float16ToFloat32 } from './float-formats.ts';

interface Dtype {
  /** Bits of one element. */
  readonly bits: number;
  /** Makes the elements of little-endian bytes, which it may keep. */
  readonly read: (bytes: ArrayBuffer) => AnyTypedArray;
}

const raw: Dtype['read'] = (bytes) => new Uint8Array(bytes);

type Row = readonly [name: string, bits: number, read?: Dtype['read']];

const ROWS: readonly Row[] = [
  ['BOOL', 8],
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['U8', 8],
  ['I8', 8, (bytes) => new Int8Array(bytes)],
  ['F8_E5M2', 8],
  ['F8_E4M3', 8],
  ['F8_E8M0', 8],
  ['F8_E4M3FNUZ', 8],
  ['F8_E5M2FNUZ', 8],
  ['I16', 16, (bytes) => new Int16Array(bytes)],
  ['U16', 16, (bytes) => new Uint16Array(bytes)],
  ['F16', 16, (bytes) => float16ToFloat32(new Uint16Array(bytes))],
  ['BF16', 16, (bytes) => bfloat16ToFloat32(new Uint16Array(bytes))],
  ['I32', 32, (bytes) => new Int32Array(bytes)],
  ['U32', 32, (bytes) => new Uint32Array(bytes)],
  ['F32', 32, (bytes) => new Float32Array(bytes)],
  ['C64', 64],
  ['F64', 64, (bytes) => new Float32Array(new Float64Array(bytes))],
  ['I64', 64, (bytes) => new BigInt64Array(bytes)],
  ['U64', 64, (bytes) => new BigUint64Array(bytes)],
];

/** The element types of safetensors, in the order of the reference's enum `Dtype`, which is the order in files. */
export const DTYPES: ReadonlyMap<string, Dtype> = new Map(
  ROWS.map(([name, bits, read = raw]): [string, Dtype] => [name, { bits, read }]),
);

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

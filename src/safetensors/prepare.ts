import { formatDims, readDims, tag, wrongType, wrongValue } from '../base/tensor.ts';
import { bytesOf } from '../files/bytes.ts';
import { DTYPE_NAMES, DTYPES, RAW_DTYPES } from '../files/dtypes.ts';
import { METADATA } from './header.ts';

const WRITE = 'serializeSafetensors';

/** The types that typed arrays are written as. */
const NATIVE: ReadonlyMap<string, string> = new Map([
  ['Float32Array', 'F32'],
  ['Float64Array', 'F64'],
  ['Int8Array', 'I8'],
  ['Uint8Array', 'U8'],
  ['Uint8ClampedArray', 'U8'],
  ['Int16Array', 'I16'],
  ['Uint16Array', 'U16'],
  ['Int32Array', 'I32'],
  ['Uint32Array', 'U32'],
  ['BigInt64Array', 'I64'],
  ['BigUint64Array', 'U64'],
]);

/** The entries of the argument `what`. */
export function entries(what: string, dict: unknown): [unknown, unknown][] {
  if (tag(dict) === 'Map') return [...(dict as Map<unknown, unknown>)];
  if (tag(dict) === 'Object') return Object.entries(dict as object);
  throw wrongType(WRITE, what, 'a Map or an object', dict);
}

/** Checks a string that UTF-8 has, and returns it. */
export function checkString(what: string, value: unknown): string {
  if (typeof value !== 'string') throw wrongType(WRITE, what, 'a string', value);
  if (/\p{Surrogate}/u.test(value)) throw wrongType(WRITE, what, 'a string without lone surrogates', value);
  return value;
}

/** A tensor that was checked and can be written. */
export interface Prepared {
  readonly name: string;
  /** The index of its type in DTYPE_NAMES. */
  readonly rank: number;
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

/** Checks a tensor of the argument `stateDict`. */
export function prepare(key: unknown, tensor: unknown): Prepared {
  const name = checkString('a key', key);
  if (name === METADATA) throw wrongValue(WRITE, 'a key', 'the name of a tensor', name);
  if (tensor === null || typeof tensor !== 'object') throw wrongType(WRITE, name, 'a tensor { data, dims }', tensor);
  const { data, dims: given, dtype } = tensor as { data: unknown; dims: unknown; dtype?: string };
  const native = ArrayBuffer.isView(data) ? NATIVE.get(tag(data)) : undefined;
  const bytes = native && bytesOf(data as ArrayBufferView);
  if (!bytes) throw wrongType(WRITE, `${name}.data`, 'a typed array, not shared and not detached', data);
  const type = native === 'U8' ? (dtype ?? native) : native;
  if (native === 'U8' && !RAW_DTYPES.includes(type)) {
    throw wrongValue(WRITE, `${name}.dtype`, `one of ${RAW_DTYPES.join(', ')} for bytes`, dtype);
  }
  const dims: number[] = [];
  const size = (readDims(WRITE, name, given, dims) * DTYPES.get(type)!.bits) / 8;
  if (bytes.length !== size) {
    throw wrongValue(WRITE, `${name}.data`, `${size} bytes for dims ${formatDims(dims)} of ${type}`, bytes.length);
  }
  return { name, rank: DTYPE_NAMES.indexOf(type), dims, data: bytes };
}

/** Compares two strings by their code points, which is the order of their UTF-8: surrogates come after all other units. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return (isSurrogate(x) ? 0x10000 : x) - (isSurrogate(y) ? 0x10000 : y) || x - y;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

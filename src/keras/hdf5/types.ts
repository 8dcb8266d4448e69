import { formatDims } from '../../base/tensor.ts';
import type { Hdf5Cursor } from './cursor.ts';

// Datatype and dataspace messages (HDF5 file format, IV.A.2.b and d), as far as weights and their attributes need them.

/** The type of an element. */
export interface Datatype {
  /** 'string' has a fixed length; 'text' is a reference of 16 bytes to the characters. */
  readonly kind: 'float' | 'integer' | 'string' | 'text';
  /** Bytes of an element. */
  readonly size: number;
  readonly bigEndian: boolean;
}

/** IEEE 754 formats by their bytes: precision, position and size of exponent and mantissa, exponent bias. */
const FLOATS: ReadonlyMap<number, readonly number[]> = new Map([
  [2, [16, 10, 5, 0, 10, 15]],
  [4, [32, 23, 8, 0, 23, 127]],
  [8, [64, 52, 11, 0, 52, 1023]],
]);

const MAX_RANK = 8;

/** Reads the message of a datatype, which has `length` bytes. */
export function readDatatype(cursor: Hdf5Cursor, at: number, length: number, path: string): Datatype {
  const unsupported = (what: string): never => {
    return cursor.refuse(
      'unsupported',
      path,
      `${what}; only float16, float32, float64, integers and strings are read`,
      at,
    );
  };
  cursor.check(at, length, 8, 'datatype');
  const type = cursor.u8(at) & 15;
  const bits = cursor.u8(at + 1);
  const size = cursor.u32(at + 4);
  const bigEndian = (bits & 1) === 1;
  if (type === 0) {
    cursor.check(at, length, 12, 'datatype');
    if (![1, 2, 4, 8].includes(size) || cursor.u16(at + 8) !== 0 || cursor.u16(at + 10) !== 8 * size) {
      unsupported('an integer of another size');
    }
    return { kind: 'integer', size, bigEndian };
  }
  if (type === 1) {
    cursor.check(at, length, 20, 'datatype');
    const found = [cursor.u16(at + 10), ...[12, 13, 14, 15].map((i) => cursor.u8(at + i)), cursor.u32(at + 16)];
    // bit 6 is the byte order of a VAX
    if (`${found}` !== `${FLOATS.get(size)}` || cursor.u16(at + 8) !== 0 || bits & 0x40) {
      unsupported(`a float of ${size} bytes that is not IEEE 754`);
    }
    return { kind: 'float', size, bigEndian };
  }
  if (type === 3 && size > 0) return { kind: 'string', size, bigEndian: false };
  if (type === 9 && (bits & 15) === 1 && size === 16) return { kind: 'text', size, bigEndian: false };
  return unsupported(`a datatype of class ${type} and ${size} bytes`);
}

/** Reads the dimensions in a dataspace, which has `length` bytes; `[]` is a scalar. */
export function readDataspace(cursor: Hdf5Cursor, at: number, length: number, path: string): number[] {
  cursor.check(at, length, 4, 'dataspace');
  const version = cursor.u8(at);
  const rank = cursor.u8(at + 1);
  const flags = cursor.u8(at + 2);
  const start = version === 1 ? 8 : 4;
  // the type in version 2: 1 is an array, 0 a scalar, 2 a dataspace without elements
  const wrongType = version === 2 && cursor.u8(at + 3) !== (rank > 0 ? 1 : 0);
  if ((version !== 1 && version !== 2) || rank > MAX_RANK || flags > 1 || wrongType) {
    cursor.refuse('unsupported', path, `a dataspace of version ${version}, rank ${rank} and flags ${flags}`, at);
  }
  cursor.check(at, length, start + rank * (flags === 1 ? 16 : 8), 'dataspace');
  const dims = Array.from({ length: rank }, (_, i) => cursor.u64(at + start + 8 * i));
  const count = dims.reduce((product, size) => product * size, 1);
  if (dims.some((size) => size >= 2 ** 31) || count >= 2 ** 31) {
    cursor.refuse('too-large', path, `${formatDims(dims)} elements`, at);
  }
  return dims;
}

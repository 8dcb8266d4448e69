import { CliError } from '../errors.ts';
import type { AnyValue } from '../model.ts';
import { formatDims, product } from '../text.ts';

// Arrays of NumPy: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

const MAGIC = '\x93NUMPY';

/** Longer headers are of arrays of records. */
const LONGEST = 65_536;

type Read = (view: DataView, at: number, little: boolean) => number | bigint;

/** Readers of elements by type and size, as in `<f4`. */
const TYPES: Readonly<Record<string, readonly [bytes: number, read: Read]>> = {
  f4: [4, (view, at, little) => view.getFloat32(at, little)],
  f8: [8, (view, at, little) => view.getFloat64(at, little)],
  i1: [1, (view, at) => view.getInt8(at)],
  u1: [1, (view, at) => view.getUint8(at)],
  b1: [1, (view, at) => view.getUint8(at)],
  i2: [2, (view, at, little) => view.getInt16(at, little)],
  u2: [2, (view, at, little) => view.getUint16(at, little)],
  i4: [4, (view, at, little) => view.getInt32(at, little)],
  u4: [4, (view, at, little) => view.getUint32(at, little)],
  i8: [8, (view, at, little) => view.getBigInt64(at, little)],
};

export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.split('').every((character, i) => bytes[i] === character.charCodeAt(0));
}

/** Reads an array; its numbers are rounded to float32, int64 stay. */
export function readNpy(bytes: Uint8Array): AnyValue {
  const { descr, isFortran, dims, start } = readHeader(bytes);
  const type = TYPES[descr.slice(1)];
  if (!type || !'<>|='.includes(descr[0]!))
    throw new CliError(`npy: expected numbers such as <f4 or <f8, got ${JSON.stringify(descr)}`);
  const [size, read] = type;
  const count = product(dims);
  if (!Number.isSafeInteger(count * size) || bytes.length - start !== count * size) {
    throw new CliError(
      `npy: expected ${count * size} bytes of numbers for ${formatDims(dims)}, got ${bytes.length - start}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, count * size);
  const little = descr[0] !== '>';
  const data = descr.endsWith('i8') ? new BigInt64Array(count) : new Float32Array(count);
  for (let i = 0; i < count; i++) data[i] = read(view, i * size, little) as never;
  return { data: isFortran ? toRows(data, dims) : data, dims };
}

function readHeader(bytes: Uint8Array): { descr: string; isFortran: boolean; dims: number[]; start: number } {
  const version = bytes[6] ?? 0;
  const prefix = version >= 2 ? 12 : 10;
  if (bytes.length < prefix || version < 1 || version > 3)
    throw new CliError('npy: the header is cut off or of another version than 1 to 3');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = version >= 2 ? view.getUint32(8, true) : view.getUint16(8, true);
  if (length > LONGEST || prefix + length > bytes.length)
    throw new CliError(`npy: the header says that it has ${length} bytes`);
  const header = new TextDecoder('latin1').decode(bytes.subarray(prefix, prefix + length));
  const descr = header.match(/'descr'\s*:\s*'([^']{2,8})'/)?.[1];
  const order = header.match(/'fortran_order'\s*:\s*(True|False)/)?.[1];
  const shape = header.match(/'shape'\s*:\s*\(([\d,\sL]*)\)/)?.[1];
  if (descr === undefined || order === undefined || shape === undefined)
    throw new CliError('npy: the header is not that of an array of numbers');
  const dims = shape.split(',').flatMap((part) => (part.trim() === '' ? [] : [Number.parseInt(part, 10)]));
  return { descr, isFortran: order === 'True', dims, start: prefix + length };
}

/** Puts elements in column-major order into row-major order. */
function toRows<T extends Float32Array | BigInt64Array>(data: T, dims: readonly number[]): T {
  const rows = data.slice() as T;
  for (let i = 0; i < data.length; i++) {
    // the index in column-major order of element i in row-major order
    let [rest, at, step] = [i, 0, product(dims)];
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      step /= dims[axis]!;
      at += (rest % dims[axis]!) * step;
      rest = Math.floor(rest / dims[axis]!);
    }
    rows[i] = data[at]!;
  }
  return rows;
}

/** The types of arrays that are written. */
const NAMES = new Map<string, string>([
  ['Float32Array', '<f4'],
  ['BigInt64Array', '<i8'],
  ['Int32Array', '<i4'],
  ['Int8Array', '|i1'],
  ['Uint8Array', '|u1'],
]);

/** Writes an array, in row-major order and little-endian. */
export function writeNpy({ data, dims }: AnyValue): Uint8Array {
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ');
  const text = `{'descr': '${NAMES.get(data.constructor.name)}', 'fortran_order': False, 'shape': (${shape}), }`;
  const padded = text.padEnd(Math.ceil((10 + text.length + 1) / 64) * 64 - 11);
  const header = new TextEncoder().encode(`${padded}\n`);
  const bytes = new Uint8Array(10 + header.length + data.byteLength);
  bytes.set(MAGIC.split('').map((character) => character.charCodeAt(0)));
  bytes.set([1, 0, header.length & 0xff, header.length >> 8], MAGIC.length);
  bytes.set(header, 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length);
  return bytes;
}

import { ModelError } from './base/errors.ts';
import { type AnyTensor, checkDims, formatDims, type StateDict, tag, wrongType, wrongValue } from './base/tensor.ts';
import { bytesOf, checkFile } from './files/bytes.ts';
import { DTYPE_NAMES, DTYPES, RAW_DTYPES } from './files/dtypes.ts';
import { encodeUtf8 } from './files/utf8.ts';
import { findData, type HeaderEntry, METADATA, readHeader } from './safetensors/header.ts';

export type { AnyTensor, AnyTypedArray, StateDict } from './base/tensor.ts';
export { ModelError };

/** A tensor of a safetensors file. */
export interface SafetensorsTensor extends AnyTensor {
  /**
   * The type in the file. F32, F64, F16 and BF16 come as a Float32Array, BOOL as a Uint8Array, I8 to U64 as their typed
   * arrays, and any other type as its bytes.
   */
  readonly dtype: string;
}

/** A safetensors file of which only the header was read. */
export interface SafetensorsFile {
  /** Type and shape of every tensor by name, in the order of the header. */
  readonly tensors: ReadonlyMap<string, { readonly dtype: string; readonly dims: readonly number[] }>;
  /**
   * Reads one tensor, as parseSafetensors gives it. As long as the file is open, in any order, as often as needed.
   * @throws RangeError if there is no such tensor; ModelError if the file has become shorter
   */
  read(name: string): Promise<SafetensorsTensor>;
}

/** The part of Node's `fs/promises` FileHandle that is used. */
export interface FileHandleLike {
  stat(): Promise<{ readonly size: number }>;
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

const READ = 'parseSafetensors';
const OPEN = 'openSafetensors';
const WRITE = 'serializeSafetensors';

/** What a typed array is written as. */
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

/**
 * Reads a file in the safetensors format, by the rules of its reference implementation
 * (https://github.com/huggingface/safetensors): the tensors by name, in the order of the header, on memory of their own.
 * F64 is rounded to nearest, the conversion of F16 and BF16 is exact, and F32 keeps its bits.
 *
 * More than the reference it refuses repeated keys and white space before the header, as the format's description does,
 * and sizes from 2^53 and entries that are not objects.
 * @throws ModelError where the file breaks the rules; nothing that it claims is allocated before all of it was checked
 * @throws TypeError if `bytes` is no Uint8Array or ArrayBuffer, or shared or detached
 */
export function parseSafetensors(bytes: Uint8Array | ArrayBuffer): Map<string, SafetensorsTensor> {
  const file = checkFile(READ, bytes);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const entry of readHeader(file)) {
    tensors.set(entry.name, toTensor(entry, file.slice(entry.begin, entry.end)));
  }
  return tensors;
}

/**
 * Reads the header of a file that is too large to be read as a whole, by the rules of parseSafetensors; then one tensor at a time.
 * @param source a Blob (a File is one), or a FileHandle of Node's `fs/promises`, which stays the caller's to close
 * @throws ModelError where the file breaks the rules; TypeError if `source` is neither
 */
export async function openSafetensors(source: Blob | FileHandleLike): Promise<SafetensorsFile> {
  const { size, read } = await reader(source);
  const start = await read(0, Math.min(8, size));
  const header = await read(0, findData(start, size));
  const entries = new Map([...readHeader(header, size)].map((entry) => [entry.name, entry]));
  return {
    tensors: new Map([...entries].map(([name, { dtype, dims }]) => [name, { dtype, dims }])),
    async read(name) {
      const entry = entries.get(name);
      if (!entry) throw wrongValue(OPEN, 'name', 'the name of a tensor in the file', name);
      return toTensor({ ...entry, dims: [...entry.dims] }, await read(entry.begin, entry.end));
    },
  };
}

function toTensor({ dtype, dims }: HeaderEntry, bytes: Uint8Array<ArrayBuffer>): SafetensorsTensor {
  return { data: DTYPES.get(dtype)!.read(bytes.buffer), dims, dtype };
}

interface Reader {
  readonly size: number;
  readonly read: (begin: number, end: number) => Promise<Uint8Array<ArrayBuffer>>;
}

async function reader(source: unknown): Promise<Reader> {
  if (['Blob', 'File'].includes(tag(source))) {
    const blob = source as Blob;
    return {
      size: blob.size,
      read: async (begin, end) => whole(new Uint8Array(await blob.slice(begin, end).arrayBuffer()), begin, end),
    };
  }
  const handle = source as Partial<FileHandleLike> | null | undefined;
  if (typeof handle?.stat !== 'function' || typeof handle.read !== 'function') {
    throw wrongType(OPEN, 'source', 'a Blob or a FileHandle', source);
  }
  const file = handle as FileHandleLike;
  const { size } = await file.stat();
  return {
    size,
    async read(begin, end) {
      const bytes = new Uint8Array(end - begin);
      let done = 0;
      // a read may give fewer bytes than asked for
      for (let more = 1; more > 0 && done < bytes.length; done += more) {
        more = (await file.read(bytes, done, bytes.length - done, begin + done)).bytesRead;
      }
      return whole(bytes.subarray(0, done), begin, end);
    },
  };
}

/** The bytes that were asked for, all of them. */
function whole(bytes: Uint8Array<ArrayBuffer>, begin: number, end: number): Uint8Array<ArrayBuffer> {
  if (bytes.length === end - begin) return bytes;
  const where = `byte ${begin + bytes.length}`;
  throw new ModelError(`safetensors: the file ends at ${where}, expected ${end} bytes`, {
    code: 'truncated',
    path: where,
    expected: end,
    found: begin + bytes.length,
  });
}

/**
 * Writes a file in the safetensors format, laid out as its reference implementation does: widest types first, then by
 * name. What parseSafetensors returned is accepted; what it converted to float32 is written as F32.
 * @param metadata strings by name, for the header's `__metadata__`
 * @throws TypeError for a wrong type, or a name that is no well-formed string
 * @throws RangeError where data and dims do not match, or for a tensor named `__metadata__`
 */
export function serializeSafetensors(stateDict: StateDict, metadata?: Readonly<Record<string, string>>): Uint8Array {
  const tensors = entries('stateDict', stateDict).map(([name, tensor]) => prepare(name, tensor));
  tensors.sort((a, b) => b.rank - a.rank || compareCodePoints(a.name, b.name));

  const members: string[] = [];
  if (metadata !== undefined) {
    const strings = entries('metadata', metadata).map(([key, value]) => {
      return `${JSON.stringify(checkString('metadata', key))}:${JSON.stringify(checkString(`metadata.${key}`, value))}`;
    });
    members.push(`"${METADATA}":{${strings.join(',')}}`);
  }
  let size = 0;
  for (const { name, rank, dims, data } of tensors) {
    const range = [size, size + data.length];
    members.push(
      `${JSON.stringify(name)}:{"dtype":"${DTYPE_NAMES[rank]}","shape":[${dims}],"data_offsets":[${range}]}`,
    );
    size += data.length;
  }
  const header = encodeUtf8(`{${members.join(',')}}`);
  const dataStart = 8 + 8 * Math.ceil(header.length / 8);
  const file = new Uint8Array(dataStart + size);
  new DataView(file.buffer).setUint32(0, dataStart - 8, true);
  file.set(header, 8);
  file.fill(0x20, 8 + header.length, dataStart);
  let at = dataStart;
  for (const { data } of tensors) {
    file.set(data, at);
    at += data.length;
  }
  return file;
}

function entries(what: string, dict: unknown): [unknown, unknown][] {
  if (tag(dict) === 'Map') return [...(dict as Map<unknown, unknown>)];
  if (tag(dict) === 'Object') return Object.entries(dict as object);
  throw wrongType(WRITE, what, 'a Map or an object', dict);
}

function checkString(what: string, value: unknown): string {
  if (typeof value !== 'string') throw wrongType(WRITE, what, 'a string', value);
  if (/\p{Surrogate}/u.test(value)) throw wrongType(WRITE, what, 'a string without lone surrogates', value);
  return value;
}

interface Prepared {
  readonly name: string;
  /** Index in DTYPE_NAMES. */
  readonly rank: number;
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

function prepare(key: unknown, tensor: unknown): Prepared {
  const name = checkString('a key', key);
  if (name === METADATA) throw wrongValue(WRITE, 'a key', 'the name of a tensor', name);
  if (tensor === null || typeof tensor !== 'object') throw wrongType(WRITE, name, 'a tensor { data, dims }', tensor);
  const { data, dims, dtype } = tensor as SafetensorsTensor;
  const native = ArrayBuffer.isView(data) ? NATIVE.get(tag(data)) : undefined;
  const bytes = native && bytesOf(data);
  if (!bytes) throw wrongType(WRITE, `${name}.data`, 'a typed array, not shared and not detached', data);
  const type = native === 'U8' ? (dtype ?? native) : native;
  if (native === 'U8' && !RAW_DTYPES.includes(type)) {
    throw wrongValue(WRITE, `${name}.dtype`, `one of ${RAW_DTYPES.join(', ')} for bytes`, dtype);
  }
  const size = (checkDims(WRITE, name, dims) * DTYPES.get(type)!.bits) / 8;
  if (bytes.length !== size) {
    throw wrongValue(WRITE, `${name}.data`, `${size} bytes for dims ${formatDims(dims)} of ${type}`, bytes.length);
  }
  return { name, rank: DTYPE_NAMES.indexOf(type), dims, data: bytes };
}

/** The order of UTF-8, in which surrogates come after all other code units. */
function compareCodePoints(a: string, b: string): number {
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

import { ModelError } from './base/errors.ts';
import { type AnyTensor, type AnyTypedArray, type StateDict, tag, wrongType, wrongValue } from './base/tensor.ts';
import { checkFile } from './files/bytes.ts';
import { DTYPE_NAMES, DTYPES, readElements } from './files/dtypes.ts';
import { encodeUtf8 } from './files/utf8.ts';
import { explainRefusal } from './files/what-file.ts';
import { findData, type HeaderEntry, METADATA, readHeader } from './safetensors/header.ts';
import { checkString, compareCodePoints, entries, prepare } from './safetensors/prepare.ts';
import { refuse, WHO } from './safetensors/refuse.ts';
import { type IndexLike, mergeShards, readIndex } from './safetensors/shards.ts';

export type { ModelErrorDetails } from './base/errors.ts';
export type { AnyTensor, AnyTypedArray, StateDict } from './base/tensor.ts';
export type { IndexLike } from './safetensors/shards.ts';
export { ModelError };

/** A tensor of a safetensors file, on memory of its own. */
export interface SafetensorsTensor extends AnyTensor {
  /**
   * The element type in the file. The data of F32, F64, F16 and BF16 are a Float32Array, those of I8 to U64 their typed arrays,
   * and those of BOOL and any other type a Uint8Array with the bytes of the file.
   */
  readonly dtype: string;
}

/** A safetensors file of which openSafetensors() has read the header. */
export interface SafetensorsFile {
  /** The type and shape of every tensor by name, in the order of the header. */
  readonly tensors: ReadonlyMap<string, { readonly dtype: string; readonly dims: readonly number[] }>;
  /**
   * Reads one tensor, as parseSafetensors() gives it. Call it in any order and number while the source is open.
   * @throws RangeError if the file has no tensor `name`
   * @throws ModelError if the file has become shorter
   */
  read(name: string): Promise<SafetensorsTensor>;
}

/** The part of Node's `fs/promises` FileHandle that openSafetensors() uses. */
export interface FileHandleLike {
  /** Gives the size of the file in bytes. */
  stat(): Promise<{ readonly size: number }>;
  /** Reads up to `length` bytes from `position` of the file to `offset` of `buffer`. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

/** The part of a Blob that is used. TypeScript knows Blob only where `lib` has `dom`, or in the types of a platform. */
export interface BlobLike {
  /** The size in bytes. */
  readonly size: number;
  /** The bytes from `start` to before `end`. */
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/** The kind of file that this reader's own errors are about. */
const OWN = ['a safetensors file'];

/** Bytes that tell what a file is. */
const START = 4096;

const READ = 'parseSafetensors';
const OPEN = 'openSafetensors';
const SHARDS = 'parseSafetensorsShards';

/**
 * Reads a file in the safetensors format, by the rules of its reference implementation
 * (https://github.com/huggingface/safetensors). Returns the tensors by name, in the order of the header, each on memory of its
 * own, but for those without elements. F64 is rounded to nearest, F16 and BF16 are converted exactly, F32 keeps its bits.
 *
 * It is stricter than the reference: it also refuses repeated keys and white space before the header, as the description of the
 * format does, sizes from 2^53, and entries that are not objects.
 * @param bytes the whole file
 * @throws ModelError if the file breaks the rules; all of its claims are checked before any memory is taken for them
 * @throws TypeError unless `bytes` is a Uint8Array or ArrayBuffer, neither shared nor detached
 * @example
 * ```js
 * import { readFileSync } from 'node:fs'; // in a page: await (await fetch('model.safetensors')).arrayBuffer()
 * import { LSTM } from 'lstm-wasm';
 * import { parseSafetensors } from 'lstm-wasm/safetensors';
 *
 * const tensors = parseSafetensors(readFileSync('model.safetensors'));
 * const { dtype, dims } = tensors.get('head.weight');
 * console.log(dtype, dims); // F32 [ 1, 20 ]
 * const lstm = LSTM.fromStateDict(tensors, { prefix: 'encoder.lstm.' });
 * console.log(lstm.hiddenSize); // 20
 * ```
 */
export function parseSafetensors(bytes: Uint8Array | ArrayBuffer): Map<string, SafetensorsTensor> {
  const file = checkFile(READ, bytes);
  return explainRefusal(WHO, file, OWN, () => readTensors(file));
}

function readTensors(file: Uint8Array<ArrayBuffer>): Map<string, SafetensorsTensor> {
  const tensors = new Map<string, SafetensorsTensor>();
  const empty = new Map<string, AnyTypedArray>();
  for (const entry of readHeader(file)) {
    const { name, dtype, dims, begin, end } = entry;
    // tensors without elements have one array: a file of many would take ten times its size
    const data =
      begin === end
        ? (empty.get(dtype) ?? readElements(dtype, file, begin, end))
        : readElements(dtype, file, begin, end);
    if (begin === end) empty.set(dtype, data);
    tensors.set(name, { data, dims, dtype });
  }
  return tensors;
}

/**
 * Reads a model that is split into several files, as Hugging Face writes large ones: an index, `model.safetensors.index.json`, says
 * which file has which tensor. Returns the tensors by name, in the order of the index. Files that it does not name are not read.
 * @param index the JSON of the index: as bytes, as text or parsed
 * @param files the whole files, by the names that the index gives them
 * @throws ModelError if the index is wrong, names a file that is not there, or a file has other tensors than it says; or as
 * parseSafetensors()
 * @throws TypeError for a wrong type
 * @example
 * ```js
 * import { parseSafetensorsShards, serializeSafetensors } from 'lstm-wasm/safetensors';
 *
 * const [one, two] = [1, 2].map((value) => ({ data: Float32Array.of(value), dims: [1] }));
 * const index = '{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}';
 * const tensors = parseSafetensorsShards(index, {
 *   'model-00001-of-00002.safetensors': serializeSafetensors({ a: one }),
 *   'model-00002-of-00002.safetensors': serializeSafetensors({ b: two }),
 * });
 * console.log(tensors.get('b').data); // Float32Array(1) [ 2 ]
 * ```
 */
export function parseSafetensorsShards(
  index: IndexLike,
  files: ReadonlyMap<string, Uint8Array | ArrayBuffer> | Readonly<Record<string, Uint8Array | ArrayBuffer>>,
): Map<string, SafetensorsTensor> {
  return mergeShards(SHARDS, readIndex(SHARDS, index), files, parseSafetensors);
}

/**
 * Opens a file that is too large to be read as a whole: reads its header, by the rules of parseSafetensors(), and then one
 * tensor at a time.
 * @param source a Blob (a File is one), or a FileHandle of Node's `fs/promises`, which the caller closes
 * @throws ModelError if the header breaks the rules
 * @throws TypeError if `source` is neither
 * @example
 * ```js
 * import { open } from 'node:fs/promises'; // in a page: openSafetensors(input.files[0])
 * import { openSafetensors } from 'lstm-wasm/safetensors';
 *
 * const handle = await open('model.safetensors');
 * const file = await openSafetensors(handle);
 * console.log(file.tensors.get('head.weight').dims); // [ 1, 20 ]
 * const { data } = await file.read('head.weight'); // the others are not read
 * console.log(data.length); // 20
 * await handle.close();
 * ```
 */
export async function openSafetensors(source: BlobLike | FileHandleLike): Promise<SafetensorsFile> {
  const bytes = await byteSource(source);
  const entries = await readEntries(bytes).catch(async (error) => {
    const start = await bytes.read(0, Math.min(START, bytes.size)).catch(() => {
      throw error;
    });
    return explainRefusal(WHO, start, OWN, () => {
      throw error;
    });
  });
  return {
    tensors: new Map([...entries].map(([name, { dtype, dims }]) => [name, { dtype, dims }])),
    async read(name) {
      const entry = entries.get(name);
      if (!entry) throw wrongValue(OPEN, 'name', 'the name of a tensor in the file', name);
      return toTensor({ ...entry, dims: [...entry.dims] }, await bytes.read(entry.begin, entry.end));
    },
  };
}

async function readEntries({ size, read }: ByteSource): Promise<ReadonlyMap<string, HeaderEntry>> {
  const start = await read(0, Math.min(8, size));
  const header = await read(0, findData(start, size));
  return new Map([...readHeader(header, size)].map((entry) => [entry.name, entry]));
}

function toTensor({ dtype, dims }: HeaderEntry, bytes: Uint8Array<ArrayBuffer>): SafetensorsTensor {
  return { data: DTYPES.get(dtype)!.read(bytes.buffer), dims, dtype };
}

/** A file that is read in parts. */
interface ByteSource {
  readonly size: number;
  /** Gives the bytes from `begin` up to `end`, all of them. */
  readonly read: (begin: number, end: number) => Promise<Uint8Array<ArrayBuffer>>;
}

async function byteSource(source: unknown): Promise<ByteSource> {
  if (['Blob', 'File'].includes(tag(source))) {
    const blob = source as BlobLike;
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

/** Checks that `bytes` are all that were asked for. */
function whole(bytes: Uint8Array<ArrayBuffer>, begin: number, end: number): Uint8Array<ArrayBuffer> {
  if (bytes.length === end - begin) return bytes;
  const where = `byte ${begin + bytes.length}`;
  const reason = `the file ends at ${where}, but its header asks for ${end} bytes`;
  refuse.because('truncated', where, reason, end, begin + bytes.length);
}

/**
 * Writes a file in the safetensors format, laid out as by its reference implementation: widest types first, then by name.
 * A typed array is written as the type of the same name; tensors that parseSafetensors() converted to float32 as F32.
 * @param stateDict tensors by name
 * @param metadata strings by name, for the header's `__metadata__`
 * @returns the whole file
 * @throws TypeError for a wrong type, or a name with a lone surrogate
 * @throws RangeError if data and dims do not match, or for a tensor named `__metadata__`
 * @example
 * ```js
 * import { parseSafetensors, serializeSafetensors } from 'lstm-wasm/safetensors';
 *
 * const weight = { data: Float32Array.of(1, 2, 3, 4, 5, 6), dims: [2, 3] };
 * const file = serializeSafetensors({ weight }, { epoch: '3' });
 * console.log(parseSafetensors(file).get('weight').data); // Float32Array(6) [ 1, 2, 3, 4, 5, 6 ]
 * ```
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

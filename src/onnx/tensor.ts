import { type AnyTypedArray, formatDims, product } from '../base/tensor.ts';
import {
  type DataType,
  DOUBLE_DATA,
  FLOAT_DATA,
  INT32_DATA,
  INT64_DATA,
  STRING_DATA,
  TYPES,
  UINT64_DATA,
} from './data-types.ts';
import type { ProtobufReader, Range } from './protobuf.ts';
import { refuse, refuseBecause, refuseSecond, refuseTwice } from './refuse.ts';

/** The data of a tensor in a file: numbers, or strings. */
export type OnnxData = AnyTypedArray | string[];

/** The most dims of a tensor in a file. ONNX sets no limit. */
export const MAX_FILE_RANK = 16;

// Fields of TensorProto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
const DIMS = 1;
const DATA_TYPE = 2;
const SEGMENT = 3;
const NAME = 8;
const RAW_DATA = 9;
const EXTERNAL_DATA = 13;
const DATA_LOCATION = 14;

/**
 * A tensor of an ONNX file, from parseOnnx(). Its type and size are checked; its data stay in the file until `data` is read.
 * @example
 * ```js
 * import { readFileSync } from 'node:fs';
 * import { parseOnnx } from 'lstm-wasm/onnx';
 *
 * const weights = parseOnnx(readFileSync('model.onnx')).graph.initializers.get('R');
 * console.log(weights.name, weights.type, weights.dims); // R float32 [ 1, 32, 8 ]
 * console.log(weights.data instanceof Float32Array, weights.data.length); // true 256
 * ```
 */
export class OnnxTensor {
  /** The tensor's name; '' if it has none. */
  readonly name: string;
  /** 'float32', 'int64' ... as onnxruntime spells it: the type in the file, also where `data` converts it. */
  readonly type: string;
  /** The shape; [] for a scalar. */
  readonly dims: readonly number[];
  declare private readonly _read: () => OnnxData;
  declare private _data: OnnxData | undefined;

  constructor(name: string, type: string, dims: readonly number[], read: () => OnnxData) {
    this.name = name;
    this.type = type;
    this.dims = dims;
    // not enumerable, so that logs and comparisons of tensors show only what the file says
    Object.defineProperties(this, { _read: { value: read }, _data: { writable: true } });
  }

  /**
   * The elements, row-major: read at the first access, the same array afterwards. float16, bfloat16 and float64 come as a
   * Float32Array, bool as a Uint8Array, strings as an array, float8 and types of 2 or 4 bits as their bytes, the others as their
   * typed arrays; a complex number is a pair.
   * @throws ModelError if a value is outside the range of its type, or a string is not UTF-8
   */
  get data(): OnnxData {
    this._data ??= this._read();
    return this._data;
  }

  /** Reads the data without keeping them. @internal */
  read(): OnnxData {
    return this._data ?? this._read();
  }
}

/** The fields of a TensorProto. */
interface TensorFields {
  name: string;
  dataType: number;
  readonly dims: number[];
  raw: Range | undefined;
  /** How many elements each typed field has. */
  readonly counts: Map<number, number>;
  /** Where the data are if they are in another file. */
  external: Map<string, string> | undefined;
}

/** Bytes counted for a tensor beside its name and data. */
const TENSOR_BYTES = 400;

/** Reads the TensorProto that the current field holds. */
export function readTensor(reader: ProtobufReader, path: string): OnnxTensor {
  const range = reader.range();
  reader.budget.spend(TENSOR_BYTES, path);
  const found = {
    name: '',
    dataType: 0,
    dims: [],
    raw: undefined,
    counts: new Map(),
    external: undefined,
  } as TensorFields;
  const count = (field: number, more: number) => found.counts.set(field, (found.counts.get(field) ?? 0) + more);
  reader.again(range, path, (field) => {
    if (field === DIMS) reader.integers((size) => found.dims.push(checkDim(path, size, found.dims.length)));
    else if (field === DATA_TYPE) found.dataType = reader.size('a data type', 255);
    else if (field === NAME) found.name = reader.string();
    else if (field === SEGMENT) refuse('unsupported', path, '', 'whole tensors', 'a segment');
    else if (field === EXTERNAL_DATA) {
      found.external ??= new Map();
      readExternalEntry(reader, path, found.external);
    } else if (field === DATA_LOCATION) {
      if (reader.size('a data location', 1)) found.external ??= new Map();
    } else if (field === RAW_DATA) {
      if (found.raw) refuseSecond(`${path}.raw_data`, 'field');
      found.raw = reader.range();
    } else if (field === FLOAT_DATA || field === DOUBLE_DATA) {
      const bytes = field === FLOAT_DATA ? 4 : 8;
      const { start, end } = reader.fixed(bytes);
      count(field, (end - start) / bytes);
    } else if (field === STRING_DATA) {
      reader.range();
      count(field, 1);
    } else if (field === INT32_DATA || field === INT64_DATA || field === UINT64_DATA) {
      let some = 0;
      reader.integers(() => some++);
      count(field, some);
    }
  });
  return checkData(reader, path, range, found);
}

function checkDim(path: string, size: number | bigint, index: number): number {
  if (index >= MAX_FILE_RANK) {
    refuseBecause(
      'out-of-range',
      `${path}.dims`,
      `expected at most ${MAX_FILE_RANK} dims, got more`,
      MAX_FILE_RANK,
      index + 1,
    );
  }
  if (!(size >= 0 && size < 2 ** 31)) {
    refuse('out-of-range', `${path}.dims`, 'size', '0 .. 2^31 - 1', size);
  }
  return Number(size);
}

function checkData(reader: ProtobufReader, path: string, range: Range, found: TensorFields): OnnxTensor {
  const { name, dataType, dims, raw, counts, external } = found;
  const type = TYPES.get(dataType);
  if (!type) refuse('unknown-type', path, 'data type', '1 .. 26', dataType);
  const elements = product(dims);
  for (const field of counts.keys()) {
    if (raw || field !== type.field) {
      const got = raw ? 'raw_data and a typed field' : `field ${field}`;
      refuse('malformed', path, `field of ${type.name} data`, type.field, got);
    }
  }
  if (external) return new OnnxTensor(name, type.name, dims, readExternal(reader, path, type, found));
  const { parts = 1 } = type;
  // elements shorter than a byte lie in typed fields as the bytes of raw_data
  const inField = type.bits && type.bits < 8 ? Math.ceil((elements * type.bits) / 8) : elements * parts;
  const expected = raw ? Math.ceil((elements * type.bits) / 8) : inField;
  const got = raw ? raw.end - raw.start : (counts.get(type.field) ?? 0);
  if (got !== expected || (raw && !type.bits)) {
    const unit = raw ? 'bytes' : 'elements';
    refuse('wrong-length', path, `${unit} for ${formatDims(dims)} of ${type.name}`, expected, got);
  }
  const read = raw ? () => readRaw(reader.file, raw, type) : () => readTyped(reader, range, path, type, got);
  return new OnnxTensor(name, type.name, dims, read);
}

/** Reads an entry of TensorProto.external_data, a pair of strings. */
function readExternalEntry(reader: ProtobufReader, path: string, entries: Map<string, string>): void {
  let key = '';
  let value = '';
  reader.nested(`${path}.external_data`, (field) => {
    if (field === 1) key = reader.string();
    else if (field === 2) value = reader.string();
  });
  if (entries.has(key)) refuseTwice(path, 'key', key);
  entries.set(key, value);
}

/** Finds the data in another file; they are raw. */
function readExternal(
  reader: ProtobufReader,
  path: string,
  type: DataType,
  { name, dims, raw, counts, external }: TensorFields,
): () => OnnxData {
  if (raw || counts.size) refuseSecond(path, 'place of its data');
  if (!type.bits) refuse('unsupported', path, 'data in another file', 'numbers', 'strings');
  const bytes = Math.ceil((product(dims) * type.bits) / 8);
  const part = reader.external.find(path, name, external!, bytes);
  return () => readRaw(part.file, part, type);
}

function readRaw(file: Uint8Array, { start, end }: Range, { array, convert }: DataType): OnnxData {
  // copied: the file's bytes need not be aligned, and their owner may change them
  const data = new array(file.slice(start, end).buffer);
  return convert ? convert(data as never) : data;
}

function readTyped(reader: ProtobufReader, range: Range, path: string, type: DataType, count: number): OnnxData {
  const { field, array, convert, min = 0, max = 0 } = type;
  if (field === STRING_DATA) return readStrings(reader, range, path);
  const data = new array(count);
  const file = new Uint8Array(data.buffer);
  const wide = data instanceof BigInt64Array || data instanceof BigUint64Array;
  let at = 0;
  reader.again(range, path, (found) => {
    if (found !== field) return;
    if (field === FLOAT_DATA || field === DOUBLE_DATA) {
      const { start, end } = reader.fixed(field === FLOAT_DATA ? 4 : 8);
      file.set(reader.file.subarray(start, end), at);
      at += end - start;
      return;
    }
    reader.integers((value) => {
      if (wide) data[at++] = BigInt(value);
      else if (value >= min && value <= max) data[at++] = Number(value);
      else refuse('out-of-range', path, type.name, `${min} .. ${max}`, value);
    });
  });
  return convert ? convert(data as never) : data;
}

function readStrings(reader: ProtobufReader, range: Range, path: string): string[] {
  const strings: string[] = [];
  reader.again(range, path, (field) => {
    if (field === STRING_DATA) strings.push(reader.string());
  });
  return strings;
}

import { type AnyTypedArray, formatDims, product } from '../base/tensor.ts';
import { bfloat16ToFloat32, float16ToFloat32 } from '../files/float-formats.ts';
import type { ProtobufReader, Range } from './protobuf.ts';
import { refuse, refuseBecause, refuseSecond } from './refuse.ts';

/** The data of a tensor in a file: numbers, or strings. */
export type OnnxData = AnyTypedArray | string[];

/** The most dims of a tensor in a file. ONNX sets no limit. */
export const MAX_FILE_RANK = 16;

// Fields of TensorProto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
const DIMS = 1;
const DATA_TYPE = 2;
const SEGMENT = 3;
const FLOAT_DATA = 4;
const INT32_DATA = 5;
const STRING_DATA = 6;
const INT64_DATA = 7;
const NAME = 8;
const RAW_DATA = 9;
const DOUBLE_DATA = 10;
const UINT64_DATA = 11;
const EXTERNAL_DATA = 13;
const DATA_LOCATION = 14;

interface DataType {
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
const TYPES: ReadonlyMap<number, DataType> = new Map<number, DataType>([
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
}

/** Bytes counted for a tensor beside its name and data. */
const TENSOR_BYTES = 400;

/** Reads the TensorProto that the current field holds. */
export function readTensor(reader: ProtobufReader, path: string): OnnxTensor {
  const range = reader.range();
  reader.budget.spend(TENSOR_BYTES, path);
  const found: TensorFields = { name: '', dataType: 0, dims: [], raw: undefined, counts: new Map() };
  const count = (field: number, more: number) => found.counts.set(field, (found.counts.get(field) ?? 0) + more);
  reader.again(range, path, (field) => {
    if (field === DIMS) reader.integers((size) => found.dims.push(checkDim(path, size, found.dims.length)));
    else if (field === DATA_TYPE) found.dataType = reader.size('a data type', 255);
    else if (field === NAME) found.name = reader.string();
    else if (field === SEGMENT) refuse('unsupported', path, '', 'whole tensors', 'a segment');
    else if (field === EXTERNAL_DATA) refuseExternal(path);
    else if (field === DATA_LOCATION && reader.integer() !== 0) refuseExternal(path);
    else if (field === RAW_DATA) {
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

function refuseExternal(path: string): never {
  const text = 'its data are in another file, which is not read: save the model with its weights inside';
  refuseBecause('external-data', path, text, 'data in the file', 'external data');
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

function checkData(
  reader: ProtobufReader,
  path: string,
  range: Range,
  { name, dataType, dims, raw, counts }: TensorFields,
): OnnxTensor {
  const type = TYPES.get(dataType);
  if (!type) refuse('unknown-type', path, 'data type', '1 .. 26', dataType);
  const elements = product(dims);
  for (const field of counts.keys()) {
    if (raw || field !== type.field) {
      const found = raw ? 'raw_data and a typed field' : `field ${field}`;
      refuse('malformed', path, `field of ${type.name} data`, type.field, found);
    }
  }
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

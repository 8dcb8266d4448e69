import { describe } from '../base/tensor.ts';
import { Budget } from '../files/budget.ts';
import { DTYPE_NAMES, DTYPES } from '../files/dtypes.ts';
import { JsonCursor } from '../files/json.ts';
import { findInvalidUtf8 } from '../files/utf8.ts';
import { Keys } from './keys.ts';
import { refuse, WHO } from './refuse.ts';

/** The one name that is not a tensor: its value is an object of strings. */
export const METADATA = '__metadata__';

/** The reference's limit for a header, in bytes. */
export const MAX_HEADER = 100_000_000;

// the shortest texts bound how many entries a header can have
const SHORTEST_ENTRY = '"":{"dtype":"F4","shape":[],"data_offsets":[0,0]},';
const SHORTEST_METADATA = '"":"",';

/** Bytes on the budget: for a row of the table, for a tensor without elements, for one of its sizes, and for an array. */
const ROW_BYTES = 25;
const TENSOR_BYTES = 144;
const SIZE_BYTES = 8;
const ARRAY_BYTES = 280;

/** A tensor as the header describes it. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: string;
  readonly dims: number[];
  /** The offset of its first byte in the file. */
  readonly begin: number;
  /** The offset after its last byte. */
  readonly end: number;
}

/** The fields of an entry. `at` and `end` of `shape` bound its text; `data_offsets` are relative to the data. */
interface Fields {
  dtype?: number;
  shape?: { readonly at: number; readonly end: number; readonly count: number };
  data_offsets?: { readonly begin: number; readonly end: number };
}

const SPECIAL = [METADATA];
const FIELDS = ['dtype', 'shape', 'data_offsets'] as const;

/** The tensors, kept in a few bytes each until all are checked. Its size is in proportion to that of the header. */
interface Table {
  size: number;
  /** Index in DTYPE_NAMES. */
  readonly dtypes: Uint8Array;
  /** Offsets of the names and shapes in the file. */
  readonly names: Uint32Array;
  readonly shapes: Uint32Array;
  /** Offsets in the data. */
  readonly begins: Float64Array;
  readonly ends: Float64Array;
}

/**
 * Reads the tensors of a file in the order of its header. All of them are checked before the first is given.
 * @param file the file or its first bytes, at least to the end of the header
 * @param size bytes of the whole file
 * @throws ModelError
 */
export function* readHeader(file: Uint8Array, size = file.length): Generator<HeaderEntry> {
  const dataStart = findData(file, size);
  const dataSize = size - dataStart;
  checkText(file, dataStart);
  const header = file.subarray(0, dataStart);
  const cursor = new JsonCursor(WHO, header, 8);
  const capacity = Math.ceil(dataStart / SHORTEST_ENTRY.length);
  const budget = new Budget(WHO, size);
  budget.spend(ROW_BYTES * capacity, 'the header');
  const table: Table = {
    size: 0,
    dtypes: new Uint8Array(capacity),
    names: new Uint32Array(capacity),
    shapes: new Uint32Array(capacity),
    begins: new Float64Array(capacity),
    ends: new Float64Array(capacity),
  };
  let metadata = false;
  readKeys(cursor, header, capacity + 1, (key, isMetadata) => {
    if (!isMetadata) return readEntry(cursor, key, dataSize, table);
    if (metadata) repeated(METADATA, METADATA, key);
    metadata = true;
    readMetadata(cursor, header, key);
  });
  cursor.end();
  checkCoverage(cursor, table, dataSize);
  for (let i = 0; i < table.size; i++) {
    const sizes: number[] = [];
    cursor.at = table.shapes[i]!;
    cursor.items(() => sizes.push(cursor.integer()!));
    // an array that grew has room for more
    const dims = sizes.slice();
    const name = cursor.stringAt(table.names[i]!);
    const dtype = DTYPE_NAMES[table.dtypes[i]!]!;
    const bytes = table.ends[i]! - table.begins[i]!;
    // halves become floats
    const data = bytes && ARRAY_BYTES + (dtype.endsWith('F16') ? 2 * bytes : bytes);
    budget.spend(TENSOR_BYTES + SIZE_BYTES * dims.length + 2 * name.length + data, describe(name));
    yield { name, dtype, dims, begin: dataStart + table.begins[i]!, end: dataStart + table.ends[i]! };
  }
}

/** Finds where the header ends and the data begin, from a file's first 8 bytes and its size. */
export function findData(file: Uint8Array, fileSize: number): number {
  if (fileSize < 8) {
    refuse('truncated', 'byte 0', 'the length of the header, in bytes,', 8, fileSize);
  }
  const view = new DataView(file.buffer, file.byteOffset);
  const size = view.getUint32(0, true) + 2 ** 32 * view.getUint32(4, true);
  if (size > MAX_HEADER) {
    const reason = `the header has ${size} bytes, more than the limit of ${MAX_HEADER}`;
    refuse.because('header-too-large', 'byte 0', reason, MAX_HEADER, size);
  }
  const end = 8 + size;
  if (end > fileSize) {
    refuse('truncated', 'byte 8', 'the header, in bytes,', size, fileSize - 8);
  }
  return end;
}

function checkText(file: Uint8Array, end: number): void {
  if (file[8] !== '{'.charCodeAt(0)) {
    refuse('invalid-json', 'byte 8', 'the first byte of the header', '{', file[8], ' (at byte 8)');
  }
  const bad = findInvalidUtf8(file.subarray(8, end));
  if (bad >= 0) {
    const where = `byte ${8 + bad}`;
    refuse('invalid-utf8', where, 'a byte of the header', 'UTF-8', file[8 + bad], ` (at ${where})`);
  }
}

/**
 * Reads an object and refuses a repeated key: `visit` gets the offset of each key, and reads the value.
 * @param most an upper bound of the number of keys
 */
function readKeys(
  cursor: JsonCursor,
  header: Uint8Array,
  most: number,
  visit: (key: number, isMetadata: boolean) => void,
): void {
  const keys = new Keys(cursor, header, most);
  cursor.keys(
    () => cursor.oneOf(SPECIAL) === 0,
    (isMetadata, key) => {
      keys.add(key);
      visit(key, isMetadata);
    },
  );
  const at = keys.findRepeated();
  if (at >= 0) repeated(cursor.stringAt(at), cursor.stringAt(at), at);
}

function repeated(path: string, key: string, at: number): never {
  const reason = `the key ${describe(key)} is repeated (at byte ${at})`;
  refuse.because('duplicate-key', path, reason, 'different keys', key);
}

function readMetadata(cursor: JsonCursor, header: Uint8Array, metadata: number): void {
  if (cursor.skipNull()) return;
  if (!cursor.atObject()) wrong(cursor, 'invalid-metadata', metadata, 'value', 'an object of strings');
  const most = Math.ceil((header.length - cursor.at) / SHORTEST_METADATA.length);
  readKeys(cursor, header, most, (key) => {
    if (!cursor.atString()) wrong(cursor, 'invalid-metadata', metadata, describe(cursor.stringAt(key)), 'a string');
    cursor.skipString();
  });
}

/**
 * Reads an entry into the table.
 * @param key the offset of the name, which becomes a string only for a message
 */
function readEntry(cursor: JsonCursor, key: number, dataSize: number, table: Table): void {
  if (!cursor.atObject()) wrong(cursor, 'invalid-entry', key, 'entry', 'an object');
  const fields: Fields = {};
  cursor.keys(
    () => FIELDS[cursor.oneOf(FIELDS)],
    (field, at) => {
      if (field === undefined) return cursor.skip();
      if (fields[field] !== undefined) repeated(cursor.stringAt(key), field, at);
      if (field === 'dtype') fields.dtype = readDtype(cursor, key);
      else if (field === 'shape') fields.shape = readShape(cursor, key);
      else fields.data_offsets = readOffsets(cursor, key, dataSize);
    },
  );
  const { dtype, shape, data_offsets: offsets } = fields;
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    const name = cursor.stringAt(key);
    const field = FIELDS.find((field) => fields[field] === undefined);
    refuse('missing-field', name, describe(name), field, undefined, ` (at byte ${key})`);
  }
  const { begin, end } = offsets;
  const type = DTYPE_NAMES[dtype]!;
  const needed = (shape.count * DTYPES.get(type)!.bits) / 8;
  if (needed !== end - begin) {
    const name = cursor.stringAt(key);
    const what = `the bytes of ${describe(name)}, shape ${cursor.excerpt(shape.at, shape.end)} of ${type},`;
    refuse('size-mismatch', name, what, needed, end - begin, ` (at byte ${key})`);
  }
  const i = table.size++;
  table.dtypes[i] = dtype;
  table.names[i] = key;
  table.shapes[i] = shape.at;
  table.begins[i] = begin;
  table.ends[i] = end;
}

function readDtype(cursor: JsonCursor, key: number): number {
  const at = cursor.next();
  const dtype = cursor.atString() ? cursor.oneOf(DTYPE_NAMES) : -1;
  if (dtype < 0) wrong(cursor, 'unknown-dtype', key, 'dtype', 'a type of the format', at);
  return dtype;
}

function readShape(cursor: JsonCursor, key: number): NonNullable<Fields['shape']> {
  if (!cursor.atArray()) wrong(cursor, 'invalid-shape', key, 'shape', 'an array');
  const at = cursor.at;
  let count: number | bigint = 1;
  cursor.items(() => {
    const size = readInteger(cursor, key, 'invalid-shape', 'shape');
    count = multiply(count, size);
    // as the reference does: a later size of 0 does not make it valid
    if (count >= 2 ** 64) wrong(cursor, 'invalid-shape', key, 'shape', 'a product below 2^64', at);
  });
  return { at, end: cursor.at, count: Number(count) };
}

/** Multiplies exactly: gives a bigint where the product is not below 2^53. */
function multiply(count: number | bigint, size: number): number | bigint {
  const product = Number(count) * size;
  if (product <= Number.MAX_SAFE_INTEGER) return product;
  return size === 1 ? count : BigInt(count) * BigInt(size);
}

function readOffsets(cursor: JsonCursor, key: number, dataSize: number): NonNullable<Fields['data_offsets']> {
  if (!cursor.atArray()) wrong(cursor, 'invalid-offsets', key, 'data_offsets', 'an array');
  const at = cursor.at;
  let begin = 0;
  let end = 0;
  let length = 0;
  cursor.items(() => {
    begin = end;
    end = readInteger(cursor, key, 'invalid-offsets', 'data_offsets');
    length++;
  });
  if (length !== 2 || end < begin) wrong(cursor, 'invalid-offsets', key, 'data_offsets', '[begin, end]', at);
  if (end > dataSize) wrong(cursor, 'offsets-out-of-range', key, 'data_offsets', `at most ${dataSize}`, at);
  return { begin, end };
}

function readInteger(cursor: JsonCursor, key: number, code: string, field: string): number {
  const at = cursor.next();
  const value = cursor.integer();
  if (value === undefined) wrong(cursor, code, key, field, 'integers from 0 to 2^53 - 1 in plain digits', at);
  return value;
}

/** Refuses a field of the tensor at `key`: the value that starts at `from`, which may have been read already. */
function wrong(
  cursor: JsonCursor,
  code: string,
  key: number,
  field: string,
  expected: string,
  from = cursor.next(),
): never {
  const found = cursor.excerpt(from, cursor.at > from ? cursor.at : undefined);
  const name = cursor.stringAt(key);
  refuse(code, name, `${describe(name)} ${field}`, expected, found, ` (at byte ${from})`);
}

/** Checks that every byte of the data belongs to exactly one tensor. */
function checkCoverage(cursor: JsonCursor, { size, names, begins, ends }: Table, dataSize: number): void {
  const order = new Uint32Array(size).map((_, i) => i);
  order.sort((a, b) => begins[a]! - begins[b]! || ends[a]! - ends[b]!);
  let reached = 0;
  for (const i of order) {
    const begin = begins[i]!;
    if (begin !== reached) {
      const name = cursor.stringAt(names[i]!);
      const code = begin < reached ? 'overlap' : 'hole';
      const note = ': it must begin where the tensor before it ends';
      refuse(code, name, `the offset of ${describe(name)} in the data`, reached, begin, note);
    }
    reached = ends[i]!;
  }
  if (reached !== dataSize) {
    refuse(
      'hole',
      `byte ${reached} of the data`,
      'the end of the data after the last tensor, at byte',
      reached,
      dataSize,
    );
  }
}

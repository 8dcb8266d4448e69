/** A float32 tensor. An onnxruntime `Tensor` of type float32 fits. */
export interface TensorLike {
  /** The elements in row-major order; their number is the product of `dims`. */
  readonly data: Float32Array;
  /** The shape: sizes from the outermost dimension to the innermost; `[]` for a scalar. */
  readonly dims: readonly number[];
}

/** The arrays that tensors of files come in, and that serializeSafetensors() takes. */
export type AnyTypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** An entry of a state dict. Entries that are not floating-point are refused when they are loaded. */
export interface AnyTensor {
  /** The elements in row-major order. */
  readonly data: AnyTypedArray;
  /** The shape: sizes from the outermost dimension to the innermost; `[]` for a scalar. */
  readonly dims: readonly number[];
}

/** Tensors by the names that PyTorch gives them, as `torch.save` and safetensors files hold them. */
export type StateDict = ReadonlyMap<string, AnyTensor> | Readonly<Record<string, AnyTensor>>;

/** The most characters of a message, and of a text and an element in it: files and callers may give any. */
const MESSAGE = 480;
const TEXT = 120;
const ELEMENT = 24;
/** The most sizes of a shape that a message shows; a rank that any format or operator has is below. */
const SIZES = 16;

/** Leaves out the middle of a text that is longer than `most`. */
export function shorten(text: string, most = MESSAGE): string {
  const end = most >> 2;
  return text.length > most ? `${text.slice(0, most - end - 1)}…${text.slice(-end)}` : text;
}

/** Formats a shape as `[2, 3, 20]`; elements of any type are shown. */
export function formatDims(dims: ArrayLike<unknown>): string {
  const { length } = dims;
  const shown = Array.from({ length: Math.min(length, SIZES) }, (_, i) => shorten(show(dims[i]), ELEMENT));
  return `[${shown.join(', ')}${length > SIZES ? `, … ${length} in all` : ''}]`;
}

function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  return Object(value) === value ? `a ${tag(value)}` : String(value);
}

/** Shows any value in an error message: in short, strings quoted with control characters escaped. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    const text = value.length > TEXT ? `${value.slice(0, 80)}…${value.slice(-30)}` : value;
    // an escape is up to six characters
    return shorten(JSON.stringify(text), TEXT + 40);
  }
  if (Array.isArray(value)) {
    const items = value.slice(0, 8).map((item) => (typeof item === 'string' ? describe(item) : item));
    return formatDims(value.length > 8 ? [...items, '…'] : items);
  }
  const keys = tag(value) === 'Object' ? Object.keys(value as object) : [];
  return shorten(keys.length ? `{ ${keys.slice(0, 6).map(describe).join(', ')} }` : show(value), TEXT);
}

/** Gives the class name of a value, the same across realms: 'Float32Array', 'Map', 'Object' ... */
export function tag(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Makes a TypeError: `who: "what" expected ..., got ...`. */
export function wrongType(who: string, what: string, expected: string, got: unknown): TypeError {
  return new TypeError(shorten(`${who}: "${what}" expected ${expected}, got ${describe(got)}`));
}

/** Makes a RangeError: `who: "what" expected ..., got ...`. */
export function wrongValue(who: string, what: string, expected: string, got: unknown): RangeError {
  return new RangeError(shorten(`${who}: "${what}" expected ${expected}, got ${describe(got)}`));
}

/** Makes a RangeError for a number, a TypeError for anything else. */
export function wrongNumber(who: string, what: string, expected: string, got: unknown): Error {
  return (typeof got === 'number' ? wrongValue : wrongType)(who, what, expected, got);
}

/** Makes a RangeError: `got` elements in place of the `expected` ones for `reason`. */
export function wrongLength(who: string, what: string, expected: number, reason: string, got: number): RangeError {
  const detached = got === 0 ? ', as a detached buffer has' : '';
  return new RangeError(
    shorten(`${who}: "${what}" expected ${expected} elements for ${reason}, got ${got}${detached}`),
  );
}

/** Checks an integer from `min` to `max`, such as a size, and returns it. */
export function checkInteger(who: string, what: string, value: unknown, min: number, max = 2 ** 31 - 1): number {
  if (!isInteger(value, min, max)) throw wrongInteger(who, what, value, min, max);
  return value;
}

/** Tells whether `value` is an integer from `min` to `max`. */
export function isInteger(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

/** Makes the error for a value that isInteger() denies. */
export function wrongInteger(who: string, what: string, value: unknown, min: number, max: number): Error {
  return wrongNumber(who, what, `an integer from ${min} to ${max}`, value);
}

/** Checks a boolean and returns it. */
export function checkBoolean(who: string, what: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrongType(who, what, 'a boolean', value);
  return value;
}

/** Refuses options that nobody reads, so that a misspelt one (`batch_first` for `batchFirst`) is not passed over. */
export function checkOptions(who: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) return;
  if (options === null || typeof options !== 'object') throw wrongType(who, 'options', 'an object', options);
  for (const key in options) {
    if (!known.includes(key))
      throw new TypeError(`${who}: unknown option ${describe(key)}, expected one of ${known.join(', ')}`);
  }
}

type Class<T> = abstract new (...args: never[]) => T;

/** Tells whether `value` is a `type` of any realm. instanceof comes first: a tag is a string, and step() must make no garbage. */
function isOf(value: unknown, type: Class<unknown>): boolean {
  return value instanceof type || tag(value) === type.name;
}

/** Tells whether `value` is a typed array of the class `type`, of any realm. */
export function isView<T extends ArrayBufferView>(value: unknown, type: Class<T>): value is T {
  return ArrayBuffer.isView(value) && isOf(value, type);
}

/** Checks a Float32Array of any realm, not on shared memory, and returns it: `field` of the argument `what`. */
export function checkFloats(who: string, what: string, data: unknown, field = ''): Float32Array {
  // names are joined only to throw: forward() must make no garbage
  if (!isView(data, Float32Array)) throw wrongType(who, what + field, 'a Float32Array', data);
  if (!isOf(data.buffer, ArrayBuffer)) throw wrongType(who, what + field, 'a view of an ArrayBuffer', data.buffer);
  return data;
}

/**
 * Checks that `dims` are integers from 0 and copies them to `into`, each read once.
 * @returns their product, the number of elements
 */
export function readDims(who: string, what: string, dims: unknown, into: number[]): number {
  if (!Array.isArray(dims)) throw wrongType(who, `${what}.dims`, 'an array of integers', dims);
  const { length } = dims;
  let count = 1;
  for (let i = 0; i < length; i++) {
    const size: unknown = dims[i];
    if (!Number.isSafeInteger(size) || (size as number) < 0) {
      throw wrongValue(who, `${what}.dims`, 'integers of at least 0', dims);
    }
    into[i] = size as number;
    count *= into[i]!;
  }
  into.length = length;
  return count;
}

/** A tensor in the words of messages. */
export const TENSOR = 'a tensor { data: Float32Array, dims: number[] }';

/** A tensor of the caller's as it was when it was read, once: its getters and arrays may change, or call anything. */
export interface Reading {
  data: Float32Array;
  readonly dims: number[];
  /** The product of `dims`, the elements of `data` */
  count: number;
  tensor: TensorLike;
  /** Whether it is a result that was made by this call */
  isNew: boolean;
  /** The next one that is free */
  next: Reading | undefined;
}

const NOTHING: TensorLike = { data: new Float32Array(0), dims: [] };
let free: Reading | undefined;

/** Gives a Reading to fill: one that is free, so that calls make no garbage. Calls from getters have their own. */
export function newReading(): Reading {
  const reading = free ?? { data: NOTHING.data, dims: [], count: 0, tensor: NOTHING, isNew: false, next: undefined };
  free = reading.next;
  return reading;
}

/** Frees a Reading for the next call, and gives its tensor. One that is forgotten, as by a call that throws, is garbage. */
export function endReading(reading: Reading): TensorLike {
  const { tensor } = reading;
  reading.data = NOTHING.data;
  reading.tensor = NOTHING;
  reading.next = free;
  free = reading;
  return tensor;
}

/** Reads a float tensor, and checks that its data has the number of elements that its dims ask for. */
export function readTensor(who: string, what: string, tensor: unknown): Reading {
  const { data, dims } = Object(tensor) as TensorLike;
  // bare numbers, a state, or a result that holds tensors
  if (dims === undefined) throw wrongType(who, what, TENSOR, tensor);
  const into = newReading();
  into.count = readDims(who, what, dims, into.dims);
  into.data = checkFloats(who, what, data, '.data');
  into.tensor = tensor as TensorLike;
  if (into.data.length !== into.count) {
    throw wrongLength(who, what, into.count, `dims ${formatDims(into.dims)}`, into.data.length);
  }
  return into;
}

type Dims = readonly number[] | null | undefined;

/** Tells whether two shapes are the same, or both missing. Makes no garbage. */
export function sameDims(dims: Dims, expected: Dims): boolean {
  if (!dims || !expected) return dims === expected;
  if (dims.length !== expected.length) return false;
  for (let i = 0; i < dims.length; i++) if (dims[i] !== expected[i]) return false;
  return true;
}

/** Counts the elements of a tensor with `dims`; 1 for a scalar. */
export function product(dims: readonly number[]): number {
  let count = 1;
  for (let i = 0; i < dims.length; i++) count *= dims[i]!;
  return count;
}

/**
 * Makes a tensor of zeros.
 * @throws RangeError if there is no memory for it
 */
export function zeros(who: string, dims: readonly number[]): TensorLike {
  try {
    return { data: new Float32Array(product(dims)), dims: [...dims] };
  } catch {
    throw new RangeError(`${who}: no memory for a result of dims ${formatDims(dims)}`);
  }
}

/** Checks an element of a list that checkIntegers() took, and returns it as a number. */
export function checkElement(who: string, what: string, value: unknown, min: number, max: number): number {
  return checkInteger(who, what, typeof value === 'bigint' ? Number(value) : value, min, max);
}

/** Checks a list of lengths or indices, by its type alone. */
export function checkIntegers(who: string, what: string, list: unknown): ArrayLike<unknown> {
  if (Array.isArray(list) || isView(list, Int32Array) || isView(list, BigInt64Array)) return list;
  throw wrongType(who, what, 'an array, Int32Array or BigInt64Array', list);
}

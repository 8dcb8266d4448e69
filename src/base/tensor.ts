/** Numbers in row-major order and their shape. An onnxruntime `Tensor` of type float32 fits. */
export interface TensorLike {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

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
  readonly data: AnyTypedArray;
  readonly dims: readonly number[];
}

/** Tensors by PyTorch's names, as `torch.save` and safetensors files hold them. */
export type StateDict = ReadonlyMap<string, AnyTensor> | Readonly<Record<string, AnyTensor>>;

/** `[2, 3, 20]`, whatever the elements are. */
export function formatDims(dims: ArrayLike<unknown>): string {
  return `[${Array.from(dims, show).join(', ')}]`;
}

function show(value: unknown): string {
  return Object(value) === value ? `a ${tag(value)}` : String(value);
}

/** A value as an error message shows it: short, whatever it is, control characters escaped. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 120 ? `${value.slice(0, 80)}…${value.slice(-30)}` : value);
  }
  if (Array.isArray(value)) return formatDims(value.length > 8 ? [...value.slice(0, 8), '…'] : value);
  return typeof value === 'bigint' ? `${value}n` : show(value);
}

/** The class name an object reports, the same across realms: 'Float32Array', 'Map', 'Object' ... */
export function tag(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

export function wrongType(who: string, what: string, expected: string, got: unknown): TypeError {
  return new TypeError(`${who}: "${what}" expected ${expected}, got ${describe(got)}`);
}

export function wrongValue(who: string, what: string, expected: string, got: unknown): RangeError {
  return new RangeError(`${who}: "${what}" expected ${expected}, got ${describe(got)}`);
}

/** A TypeError for what is no number, else a RangeError. */
export function wrongNumber(who: string, what: string, expected: string, got: unknown): Error {
  return (typeof got === 'number' ? wrongValue : wrongType)(who, what, expected, got);
}

/** `got` elements, and not the `expected` ones for `reason`. */
export function wrongLength(who: string, what: string, expected: number, reason: string, got: number): RangeError {
  const detached = got === 0 ? ', as a detached buffer has' : '';
  return new RangeError(`${who}: "${what}" expected ${expected} elements for ${reason}, got ${got}${detached}`);
}

/** An integer in `min` .. `max`, as sizes are. */
export function checkInteger(who: string, what: string, value: unknown, min: number, max = 2 ** 31 - 1): number {
  if (!isInteger(value, min, max)) throw wrongInteger(who, what, value, min, max);
  return value;
}

export function isInteger(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

export function wrongInteger(who: string, what: string, value: unknown, min: number, max: number): Error {
  return wrongNumber(who, what, `an integer from ${min} to ${max}`, value);
}

export function checkBoolean(who: string, what: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrongType(who, what, 'a boolean', value);
  return value;
}

/** Refuses options nobody reads: PyTorch has no `hidden` either, and `batch_first` is spelt `batchFirst` here. */
export function checkOptions(who: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) return;
  if (options === null || typeof options !== 'object') throw wrongType(who, 'options', 'an object', options);
  for (const key in options) {
    if (!known.includes(key))
      throw new TypeError(`${who}: unknown option "${key}", expected one of ${known.join(', ')}`);
  }
}

type Class<T> = abstract new (...args: never[]) => T;

/** Of any realm. instanceof first, since a tag is a string, and step() is to make no garbage. */
function isOf(value: unknown, type: Class<unknown>): boolean {
  return value instanceof type || tag(value) === type.name;
}

/** Whether `value` is a typed array of the class `type`, of any realm. */
export function isView<T extends ArrayBufferView>(value: unknown, type: Class<T>): value is T {
  return ArrayBuffer.isView(value) && isOf(value, type);
}

/** A Float32Array of any realm, on memory that only this thread can change: `field` of the argument `what`. */
export function checkFloats(who: string, what: string, data: unknown, field = ''): Float32Array {
  // names are joined only to throw: forward() is to make no garbage
  if (!isView(data, Float32Array)) throw wrongType(who, what + field, 'a Float32Array', data);
  if (!isOf(data.buffer, ArrayBuffer)) throw wrongType(who, what + field, 'a view of an ArrayBuffer', data.buffer);
  return data;
}

/** The number of elements that `dims` ask for, each a non-negative integer. */
export function checkDims(who: string, what: string, dims: unknown): number {
  if (!Array.isArray(dims)) throw wrongType(who, `${what}.dims`, 'an array of integers', dims);
  let count = 1;
  for (let i = 0; i < dims.length; i++) {
    if (!Number.isSafeInteger(dims[i]) || dims[i] < 0) {
      throw wrongValue(who, `${what}.dims`, 'integers of at least 0', dims);
    }
    count *= dims[i];
  }
  return count;
}

/** A float tensor whose data has as many elements as its dims say. Gives its data. */
export function checkTensor(who: string, what: string, tensor: unknown): Float32Array {
  if (tensor === null || typeof tensor !== 'object') throw wrongType(who, what, 'a tensor { data, dims }', tensor);
  const { data, dims } = tensor as TensorLike;
  const count = checkDims(who, what, dims);
  const floats = checkFloats(who, what, data, '.data');
  if (floats.length !== count) throw wrongLength(who, what, count, `dims ${formatDims(dims)}`, floats.length);
  return floats;
}

type Dims = readonly number[] | null | undefined;

/** Whether dims are the expected ones, or other such lists. Makes no garbage. */
export function sameDims(dims: Dims, expected: Dims): boolean {
  if (!dims || !expected) return dims === expected;
  if (dims.length !== expected.length) return false;
  for (let i = 0; i < dims.length; i++) if (dims[i] !== expected[i]) return false;
  return true;
}

/** The number of elements that `dims` stand for; 1 for a scalar. */
export function product(dims: readonly number[]): number {
  return dims.reduce((count, size) => count * size, 1);
}

/** @throws RangeError if there is no memory for that many */
export function zeros(who: string, dims: readonly number[]): TensorLike {
  try {
    return { data: new Float32Array(product(dims)), dims: [...dims] };
  } catch {
    throw new RangeError(`${who}: no memory for a result of dims ${formatDims(dims)}`);
  }
}

/** An element of what checkIntegers took. */
export function checkElement(who: string, what: string, value: unknown, min: number, max: number): number {
  return checkInteger(who, what, typeof value === 'bigint' ? Number(value) : value, min, max);
}

/** The list types that lengths and indices come in. */
export function checkIntegers(who: string, what: string, list: unknown): ArrayLike<unknown> {
  if (Array.isArray(list) || isView(list, Int32Array) || isView(list, BigInt64Array)) return list;
  throw wrongType(who, what, 'an array, Int32Array or BigInt64Array', list);
}

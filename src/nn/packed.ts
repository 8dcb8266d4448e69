import {
  checkBoolean,
  checkElement,
  checkInteger,
  checkIntegers,
  checkOptions,
  formatDims,
  product,
  readTensor,
  type TensorLike,
  wrongType,
  wrongValue,
  zeros,
} from '../base/tensor.ts';
import { columnCount } from '../memory/pack.ts';
import { newPacking, type PackedSequence, readPacked } from './packed-sequence.ts';

/** The length of each sequence; a BigInt64Array is the data of an int64 tensor of ONNX Runtime. */
export type Lengths = readonly number[] | Int32Array | BigInt64Array;

/** Options of the functions for packed and padded sequences. Each function takes some of them. */
export interface PackedOptions {
  /** Whether padded tensors are (B, T, *) in place of (T, B, *). Default: false. */
  readonly batchFirst?: boolean;
  /**
   * Whether to refuse lengths that increase, or else to sort the sequences, equal lengths in the caller's order. Default: true.
   */
  readonly enforceSorted?: boolean;
  /** The value of the padding: any number, rounded to float32. Default: 0. */
  readonly paddingValue?: number;
  /** Where the padding lies: 'left', before a sequence, or 'right', after it. Default: 'right'. */
  readonly paddingSide?: 'left' | 'right';
  /** T of the padded tensor, at least the longest length. Default: the longest length. */
  readonly totalLength?: number;
}

/**
 * Packs sequences without padding, as torch.nn.utils.rnn.pack_sequence.
 * @param sequences (L, *) each, with the same trailing dims and at least one step
 * @throws TypeError or RangeError if there are none, one is empty, dims differ, or lengths increase under `enforceSorted`
 *
 * @example
 * ```js
 * import { packSequence } from 'lstm-wasm';
 *
 * const sequence = (...steps) => ({ data: Float32Array.from(steps), dims: [steps.length, 1] });
 *
 * const packed = packSequence([sequence(1, 2, 3), sequence(4)]);
 * console.log(packed.batchSizes, packed.data.data); // [ 2, 1, 1 ] Float32Array(4) [ 1, 4, 2, 3 ]
 * ```
 */
export function packSequence(
  sequences: readonly TensorLike[],
  options: Pick<PackedOptions, 'enforceSorted'> = {},
): PackedSequence {
  const { enforceSorted } = readOptions('packSequence', options, ['enforceSorted']);
  return pack('packSequence', 'sequences', readSequences('packSequence', sequences), enforceSorted);
}

/**
 * Packs a padded tensor, as torch.nn.utils.rnn.pack_padded_sequence. Padding is never read.
 * @param tensor (T, B, *), or (B, T, *) if `batchFirst`
 * @param lengths B of them, from 1 to T
 * @throws TypeError or RangeError that names the argument, also if lengths increase under `enforceSorted`
 *
 * @example
 * ```js
 * import { packPaddedSequence } from 'lstm-wasm';
 *
 * const padded = { data: Float32Array.of(1, 2, 3, 4, 0, 0), dims: [2, 3, 1] }; // 2 sequences of up to 3 steps
 * const packed = packPaddedSequence(padded, [3, 1], { batchFirst: true });
 * console.log(packed.batchSizes, packed.data.data); // [ 2, 1, 1 ] Float32Array(4) [ 1, 4, 2, 3 ]
 * ```
 */
export function packPaddedSequence(
  tensor: TensorLike,
  lengths: Lengths,
  options: Pick<PackedOptions, 'batchFirst' | 'enforceSorted'> = {},
): PackedSequence {
  const who = 'packPaddedSequence';
  const { batchFirst, enforceSorted } = readOptions(who, options, ['batchFirst', 'enforceSorted']);
  return pack(who, 'lengths', unpad(who, 'tensor', tensor, lengths, batchFirst, 1), enforceSorted);
}

/**
 * Pads a packed sequence, as torch.nn.utils.rnn.pad_packed_sequence; sequences come in the caller's order.
 * @returns output (T, B, *), or (B, T, *) if `batchFirst`, and B lengths
 * @throws TypeError or RangeError if `packed` or `totalLength` is wrong
 *
 * @example
 * ```js
 * import { packSequence, padPackedSequence } from 'lstm-wasm';
 *
 * const sequence = (...steps) => ({ data: Float32Array.from(steps), dims: [steps.length, 1] });
 *
 * const packed = packSequence([sequence(4), sequence(1, 2, 3)], { enforceSorted: false });
 * const { output, lengths } = padPackedSequence(packed, { batchFirst: true });
 * console.log(output.data, lengths); // Float32Array(6) [ 4, 0, 0, 1, 2, 3 ] [ 1, 3 ]
 * ```
 */
export function padPackedSequence(
  packed: PackedSequence,
  options: Pick<PackedOptions, 'batchFirst' | 'paddingValue' | 'totalLength'> = {},
): { output: TensorLike; lengths: number[] } {
  const who = 'padPackedSequence';
  const read = readOptions(who, options, ['batchFirst', 'paddingValue', 'totalLength']);
  const sequences = unpack(who, packed);
  return { output: pad(who, sequences, read), lengths: sequences.map(({ dims }) => dims[0]) };
}

/**
 * Takes a packed sequence apart, as torch.nn.utils.rnn.unpack_sequence.
 * @returns the sequences (L, *) in the caller's order
 * @throws TypeError or RangeError if `packed` is not a PackedSequence
 *
 * @example
 * ```js
 * import { packSequence, unpackSequence } from 'lstm-wasm';
 *
 * const sequence = (...steps) => ({ data: Float32Array.from(steps), dims: [steps.length, 1] });
 *
 * const [first] = unpackSequence(packSequence([sequence(1, 2, 3), sequence(4)]));
 * console.log(first.data, first.dims); // Float32Array(3) [ 1, 2, 3 ] [ 3, 1 ]
 * ```
 */
export function unpackSequence(packed: PackedSequence): TensorLike[] {
  return unpack('unpackSequence', packed);
}

/**
 * Pads sequences to one tensor, as torch.nn.utils.rnn.pad_sequence.
 * @param sequences (L, *) each, with the same trailing dims
 * @returns (T, B, *), or (B, T, *) if `batchFirst`; T is the longest L
 * @throws TypeError or RangeError if there are no sequences or their trailing dims differ
 *
 * @example
 * ```js
 * import { padSequence } from 'lstm-wasm';
 *
 * const sequence = (...steps) => ({ data: Float32Array.from(steps), dims: [steps.length, 1] });
 *
 * const padded = padSequence([sequence(1, 2, 3), sequence(4)], { batchFirst: true, paddingValue: -1 });
 * console.log(padded.data, padded.dims); // Float32Array(6) [ 1, 2, 3, 4, -1, -1 ] [ 2, 3, 1 ]
 * ```
 */
export function padSequence(
  sequences: readonly TensorLike[],
  options: Pick<PackedOptions, 'batchFirst' | 'paddingValue' | 'paddingSide'> = {},
): TensorLike {
  const read = readOptions('padSequence', options, ['batchFirst', 'paddingValue', 'paddingSide']);
  return pad('padSequence', readSequences('padSequence', sequences), read);
}

/**
 * Takes the first `lengths[b]` steps of each sequence of a padded tensor, as torch.nn.utils.rnn.unpad_sequence.
 * @param padded (T, B, *), or (B, T, *) if `batchFirst`
 * @param lengths B of them, from 0 to T
 * @throws TypeError or RangeError that names the argument
 *
 * @example
 * ```js
 * import { unpadSequence } from 'lstm-wasm';
 *
 * const padded = { data: Float32Array.of(1, 2, 3, 4, 0, 0), dims: [2, 3, 1] };
 * const sequences = unpadSequence(padded, [3, 1], { batchFirst: true });
 * console.log(sequences.map(({ dims }) => dims)); // [ [ 3, 1 ], [ 1, 1 ] ]
 * ```
 */
export function unpadSequence(
  padded: TensorLike,
  lengths: Lengths,
  options: Pick<PackedOptions, 'batchFirst'> = {},
): TensorLike[] {
  const { batchFirst } = readOptions('unpadSequence', options, ['batchFirst']);
  return unpad('unpadSequence', 'padded', padded, lengths, batchFirst, 0);
}

function readOptions(who: string, options: PackedOptions, known: readonly (keyof PackedOptions)[]) {
  checkOptions(who, options, known);
  const { batchFirst = false, enforceSorted = true, paddingValue = 0, paddingSide = 'right', totalLength } = options;
  checkBoolean(who, 'batchFirst', batchFirst);
  checkBoolean(who, 'enforceSorted', enforceSorted);
  if (typeof paddingValue !== 'number') throw wrongType(who, 'paddingValue', 'a number', paddingValue);
  if (!['left', 'right'].includes(paddingSide)) throw wrongValue(who, 'paddingSide', '"left" or "right"', paddingSide);
  return { batchFirst, enforceSorted, paddingValue, paddingSide, totalLength };
}

/** Reads every tensor once, and checks that they differ in their first dimension at most. */
function readSequences(who: string, sequences: readonly TensorLike[]): TensorLike[] {
  if (!Array.isArray(sequences)) throw wrongType(who, 'sequences', 'an array of tensors', sequences);
  const read = [...sequences].map((sequence, b): TensorLike => readTensor(who, `sequences[${b}]`, sequence));
  if (read.length === 0) throw wrongValue(who, 'sequences', 'at least one tensor', read);
  const shape = ({ dims }: TensorLike) => formatDims(dims.map((size, d) => (d === 0 ? 'L' : size)));
  const expected = formatDims(['L', ...read[0].dims.slice(1)]);
  for (const [b, each] of read.entries()) {
    if (shape(each) !== expected) throw wrongValue(who, `sequences[${b}]`, expected, each.dims);
  }
  return read;
}

function pack(who: string, what: string, sequences: readonly TensorLike[], enforceSorted: boolean): PackedSequence {
  const lengths = sequences.map(({ dims }) => dims[0]);
  for (const [b, { dims }] of sequences.entries()) {
    if (product(dims) === 0) throw wrongValue(who, `${what}[${b}]`, 'no size of 0', dims);
    const expected = `at most ${lengths[b - 1]} steps, or enforceSorted: false`;
    if (enforceSorted && lengths[b] > lengths[b - 1]) throw wrongValue(who, `${what}[${b}]`, expected, lengths[b]);
  }
  const order = lengths.map((_, b) => b);
  if (!enforceSorted) order.sort((a, b) => lengths[b] - lengths[a]);
  const batchSizes = conjugate(order.map((b) => lengths[b]));
  const { dims } = sequences[0];
  const width = columnCount(dims);
  const data = zeros(who, [lengths.reduce((a, b) => a + b), ...dims.slice(1)]);
  let row = 0;
  for (const [t, size] of batchSizes.entries()) {
    for (let k = 0; k < size; k++) copyRow(sequences[order[k]].data, t, data.data, row++, width);
  }
  if (enforceSorted) return { data, batchSizes, sortedIndices: null, unsortedIndices: null };
  const unsortedIndices = order.slice();
  for (const [k, b] of order.entries()) unsortedIndices[b] = k;
  return { data, batchSizes, sortedIndices: order, unsortedIndices };
}

function unpack(who: string, packed: PackedSequence): TensorLike[] {
  const packing = newPacking();
  const data = readPacked(who, packed, packing, 'packed', 'packed.data');
  const { batchSizes, unsortedIndices } = packing;
  const width = columnCount(data.dims);
  const sorted = conjugate(batchSizes).map((length) => zeros(who, [length, ...data.dims.slice(1)]));
  let row = 0;
  for (const [t, size] of batchSizes.entries()) {
    for (let k = 0; k < size; k++) copyRow(data.data, row++, sorted[k].data, t, width);
  }
  return unsortedIndices.length ? unsortedIndices.map((k) => sorted[k]) : sorted;
}

function pad(who: string, sequences: readonly TensorLike[], options: ReturnType<typeof readOptions>): TensorLike {
  const longest = sequences.reduce((length, { dims }) => Math.max(length, dims[0]), 0);
  const { batchFirst, paddingValue, paddingSide, totalLength: steps = longest } = options;
  checkInteger(who, 'totalLength', steps, longest);
  const batch = sequences.length;
  const { dims } = sequences[0];
  const width = columnCount(dims);
  const padded = zeros(who, [...(batchFirst ? [batch, steps] : [steps, batch]), ...dims.slice(1)]);
  padded.data.fill(paddingValue);
  for (const [b, { data, dims }] of sequences.entries()) {
    const first = paddingSide === 'left' ? steps - dims[0] : 0;
    for (let t = first; (t - first) * width < data.length; t++) {
      copyRow(data, t - first, padded.data, batchFirst ? b * steps + t : t * batch + b, width);
    }
  }
  return padded;
}

function unpad(who: string, what: string, tensor: TensorLike, lengths: Lengths, batchFirst: boolean, min: 0 | 1) {
  const { data: from, dims } = readTensor(who, what, tensor);
  if (min && from.length === 0) throw wrongValue(who, what, 'no size of 0', dims);
  const [first, second, ...trailing] = dims;
  if (second === undefined) throw wrongValue(who, what, batchFirst ? '[B, T, *]' : '[T, B, *]', dims);
  const [steps, batch] = batchFirst ? [second, first] : [first, second];
  const given = Array.from(checkIntegers(who, 'lengths', lengths));
  if (given.length !== batch) throw wrongValue(who, 'lengths', `${batch} lengths`, given.length);
  const width = product(trailing);
  return given.map((value, b): TensorLike => {
    const length = checkElement(who, `lengths[${b}]`, value, min, steps);
    const sequence = zeros(who, [length, ...trailing]);
    for (let t = 0; t * width < sequence.data.length; t++) {
      copyRow(from, batchFirst ? b * steps + t : t * batch + b, sequence.data, t, width);
    }
    return sequence;
  });
}

/** Turns lengths in falling order into batch sizes, or back: counts how many of `counts` exceed 0, 1, 2 ... */
function conjugate(counts: readonly number[]): number[] {
  const result: number[] = [];
  for (let k = counts.length; k > 0; k--) while (result.length < counts[k - 1]) result.push(k);
  return result;
}

/** Copies a row with all bits: `set` between Float32Arrays keeps NaN payloads. */
function copyRow(from: Float32Array, i: number, to: Float32Array, j: number, width: number): void {
  to.set(from.subarray(i * width, (i + 1) * width), j * width);
}

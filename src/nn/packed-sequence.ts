import {
  isInteger,
  type Reading,
  readTensor,
  type TensorLike,
  wrongInteger,
  wrongType,
  wrongValue,
} from '../base/tensor.ts';

/**
 * Sequences of different lengths without padding, as torch.nn.utils.rnn.PackedSequence: the first step of every sequence, longest
 * sequence first, then the second step of each sequence that has one, and so on.
 */
export interface PackedSequence {
  /** The steps of all sequences: (sum of the lengths, *). */
  readonly data: TensorLike;
  /** The number of sequences that have a step t, for each t below the longest length: positive, never increasing. */
  readonly batchSizes: readonly number[];
  /** The caller's index of the k-th longest sequence; null if packed with `enforceSorted`. */
  readonly sortedIndices: readonly number[] | null;
  /** The inverse of `sortedIndices`, or null. */
  readonly unsortedIndices: readonly number[] | null;
}

/** The packing of a PackedSequence as it was when it was read, once. Without an order both lists of indices are empty. */
export interface Packing {
  readonly batchSizes: number[];
  readonly sortedIndices: number[];
  readonly unsortedIndices: number[];
}

export function newPacking(): Packing {
  return { batchSizes: [], sortedIndices: [], unsortedIndices: [] };
}

/**
 * Reads and checks a PackedSequence of any origin, its packing to lists that are given. Makes no garbage.
 * @param what the name of the argument in messages
 * @param whatData the name of its data in messages
 */
export function readPacked(
  who: string,
  packed: unknown,
  { batchSizes, sortedIndices, unsortedIndices }: Packing,
  what = 'input',
  whatData = 'input.data',
): Reading {
  if (packed === null || typeof packed !== 'object') throw wrongType(who, what, 'a PackedSequence', packed);
  const { data, batchSizes: sizes, sortedIndices: sorted, unsortedIndices: unsorted } = packed as PackedSequence;
  const reading = readTensor(who, whatData, data);
  const { count, dims } = reading;
  if (count === 0 || dims.length === 0) throw wrongValue(who, whatData, '[rows, *] without a 0', dims);
  const rows = dims[0]!;
  if (!Array.isArray(sizes)) throw wrongType(who, `${what}.batchSizes`, 'an array of integers', sizes);
  const steps = sizes.length;
  let sum = 0;
  for (let t = 0, max = rows; t < steps; t++) {
    const size: unknown = sizes[t];
    if (!isInteger(size, 1, max)) throw wrongInteger(who, `${what}.batchSizes[${t}]`, size, 1, max);
    batchSizes[t] = size;
    sum += size;
    max = size;
  }
  batchSizes.length = steps;
  if (sum !== rows) throw wrongValue(who, `${what}.batchSizes`, `a sum of ${rows}, the rows of data`, sum);
  const isOrdered = (sorted ?? unsorted ?? null) !== null;
  const batch = isOrdered ? batchSizes[0]! : 0;
  sortedIndices.length = unsortedIndices.length = batch;
  if (!isOrdered) return reading;
  if (!isList(sorted, batch) || !isList(unsorted, batch)) {
    const wrong = isList(sorted, batch) ? unsorted : sorted;
    throw wrongType(who, `${what}.sortedIndices, unsortedIndices`, `two arrays of ${batch} integers or null`, wrong);
  }
  for (let k = 0; k < batch; k++) {
    const b = sorted[k];
    if (!isInteger(b, 0, batch - 1)) throw wrongInteger(who, `${what}.sortedIndices[${k}]`, b, 0, batch - 1);
    const back = unsorted[b];
    if (back !== k) throw wrongValue(who, `${what}.unsortedIndices[${b}]`, `${k}, as sortedIndices has it`, back);
    sortedIndices[k] = b;
    unsortedIndices[b] = k;
  }
  return reading;
}

function isList(value: unknown, length: number): value is unknown[] {
  return Array.isArray(value) && value.length === length;
}

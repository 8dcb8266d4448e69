import { checkTensor, isInteger, type TensorLike, wrongInteger, wrongType, wrongValue } from '../base/tensor.ts';

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

/**
 * Checks a PackedSequence of any origin. Makes no garbage.
 * @param what the name of the argument in messages
 * @param whatData the name of its data in messages
 */
export function checkPacked(who: string, packed: unknown, what = 'input', whatData = 'input.data'): void {
  if (packed === null || typeof packed !== 'object') throw wrongType(who, what, 'a PackedSequence', packed);
  const { data, batchSizes, sortedIndices, unsortedIndices } = packed as PackedSequence;
  const { length } = checkTensor(who, whatData, data);
  if (length === 0 || data.dims.length === 0) throw wrongValue(who, whatData, '[rows, *] without a 0', data.dims);
  const rows = data.dims[0]!;
  if (!Array.isArray(batchSizes)) throw wrongType(who, `${what}.batchSizes`, 'an array of integers', batchSizes);
  let sum = 0;
  for (let t = 0, max = rows; t < batchSizes.length; t++) {
    const size: unknown = batchSizes[t];
    if (!isInteger(size, 1, max)) throw wrongInteger(who, `${what}.batchSizes[${t}]`, size, 1, max);
    sum += size;
    max = size;
  }
  if (sum !== rows) throw wrongValue(who, `${what}.batchSizes`, `a sum of ${rows}, the rows of data`, sum);
  if ((sortedIndices ?? unsortedIndices ?? null) === null) return;
  const batch: number = batchSizes[0];
  if (!isList(sortedIndices, batch) || !isList(unsortedIndices, batch)) {
    const wrong = isList(sortedIndices, batch) ? unsortedIndices : sortedIndices;
    throw wrongType(who, `${what}.sortedIndices, unsortedIndices`, `two arrays of ${batch} integers or null`, wrong);
  }
  for (let k = 0; k < batch; k++) {
    const b = sortedIndices[k];
    if (!isInteger(b, 0, batch - 1)) throw wrongInteger(who, `${what}.sortedIndices[${k}]`, b, 0, batch - 1);
    const back = unsortedIndices[b];
    if (back !== k) throw wrongValue(who, `${what}.unsortedIndices[${b}]`, `${k}, as sortedIndices has it`, back);
  }
}

function isList(value: unknown, length: number): value is unknown[] {
  return Array.isArray(value) && value.length === length;
}

/** The rows of padded sequences in the order of a packed sequence: step by step, longer sequences first. */
export interface PackedRows {
  /** The row of the padded batch for each packed row. */
  readonly places: Int32Array;
  /** How many sequences have each step. */
  readonly batchSizes: readonly number[];
  /** The sequence in each row of a step. */
  readonly order: readonly number[];
  /** Copies rows of `size` elements out of the padded batch. */
  gather(padded: Float32Array, size: number): Float32Array;
  /** Copies rows back to their places in `padded`, and gives it. */
  scatter(packed: Float32Array, padded: Float32Array, size: number): Float32Array;
}

/**
 * Packs sequences that are padded to T steps.
 * @param lengths the steps of each, at least 1
 * @param batchFirst whether rows are [batch][T] in place of [T][batch]
 */
export function packRows(lengths: readonly number[], T: number, batchFirst: boolean): PackedRows {
  const batch = lengths.length;
  // equal lengths keep their order
  const order = [...lengths.keys()].sort((a, b) => lengths[b]! - lengths[a]!);
  const batchSizes: number[] = [];
  for (let t = 0, left = batch; t < lengths[order[0]!]!; t++) {
    while (lengths[order[left - 1]!]! <= t) left--;
    batchSizes.push(left);
  }
  const places = new Int32Array(batchSizes.reduce((sum, size) => sum + size, 0));
  let row = 0;
  for (const [t, size] of batchSizes.entries()) {
    for (let k = 0; k < size; k++) places[row++] = batchFirst ? order[k]! * T + t : t * batch + order[k]!;
  }
  return {
    places,
    batchSizes,
    order,
    gather(padded, size) {
      const packed = new Float32Array(places.length * size);
      for (const [i, place] of places.entries())
        packed.set(padded.subarray(place * size, (place + 1) * size), i * size);
      return packed;
    },
    scatter(packed, padded, size) {
      for (const [i, place] of places.entries()) padded.set(packed.subarray(i * size, (i + 1) * size), place * size);
      return padded;
    },
  };
}

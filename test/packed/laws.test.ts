import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TensorLike } from '../../src/base/tensor.ts';
import {
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
  unpackSequence,
  unpadSequence,
} from '../../src/nn/packed.ts';
import type { PackedSequence } from '../../src/nn/packed-sequence.ts';
import { bits } from '../support/bits.ts';

describe('laws', () => {
  /** Sequences of any bits, NaN payloads among them, each a view inside a larger buffer; sizes from `least` on. */
  const sequencesFrom = (least: number) =>
    fc
      .record({
        lengths: fc.array(fc.integer({ min: least, max: 7 }), { minLength: 1, maxLength: 20 }),
        trailing: fc.array(fc.integer({ min: least, max: 3 }), { maxLength: 3 }),
        seed: fc.integer(),
      })
      .map(({ lengths, trailing, seed }) =>
        lengths.map((length, b) => {
          const dims = [length, ...trailing];
          const count = dims.reduce((a, b) => a * b, 1);
          const words = new Uint32Array(count + 5).map((_, i) => Math.imul(seed + 1000 * b + i, 0x9e3779b1));
          return { data: new Float32Array(words.buffer, 12, count), dims };
        }),
      );
  const anyBits = (tensors: readonly TensorLike[]) => tensors.map((t) => ({ bits: bits(t), dims: t.dims }));
  const lengthsOf = (sequences: readonly TensorLike[]) => sequences.map(({ dims }) => dims[0]);
  const padding = fc.constantFrom(0, -0, 1.5, 1e30, Number.NaN, Number.NEGATIVE_INFINITY);

  test('unpackSequence undoes packSequence, whatever the order', () => {
    fc.assert(
      fc.property(sequencesFrom(1), (sequences) => {
        expect(anyBits(unpackSequence(packSequence(sequences, { enforceSorted: false })))).toEqual(anyBits(sequences));
        const falling = sequences.toSorted((a, b) => b.dims[0] - a.dims[0]);
        expect(anyBits(unpackSequence(packSequence(falling)))).toEqual(anyBits(falling));
      }),
    );
  });

  test('packed data holds step t of the k-th longest sequence after all steps before t', () => {
    fc.assert(
      fc.property(sequencesFrom(1), (sequences) => {
        const { data, batchSizes, sortedIndices, unsortedIndices } = packSequence(sequences, { enforceSorted: false });
        const order = sequences.map((_, b) => b).sort((a, b) => sequences[b].dims[0] - sequences[a].dims[0] || a - b);
        const expected: number[] = [];
        for (let t = 0; t < batchSizes.length; t++) {
          const present = order.filter((b) => sequences[b].dims[0] > t);
          expect(batchSizes[t]).toBe(present.length);
          for (const b of present) {
            const width = sequences[b].data.length / sequences[b].dims[0];
            expected.push(...bits(sequences[b]).slice(t * width, (t + 1) * width));
          }
        }
        expect(bits(data)).toEqual(expected);
        expect(sortedIndices).toEqual(order);
        expect(unsortedIndices).toEqual(order.map((_, b) => order.indexOf(b)));
      }),
    );
  });

  test('unpadSequence undoes padSequence', () => {
    fc.assert(
      fc.property(sequencesFrom(0), fc.boolean(), padding, (sequences, batchFirst, paddingValue) => {
        const padded = padSequence(sequences, { batchFirst, paddingValue });
        expect(anyBits(unpadSequence(padded, lengthsOf(sequences), { batchFirst }))).toEqual(anyBits(sequences));
      }),
    );
  });

  test('packPaddedSequence never reads padding: it equals packSequence whatever the padding is', () => {
    fc.assert(
      fc.property(sequencesFrom(1), fc.boolean(), padding, (sequences, batchFirst, paddingValue) => {
        const padded = padSequence(sequences, { batchFirst, paddingValue });
        const packed = packPaddedSequence(padded, lengthsOf(sequences), { batchFirst, enforceSorted: false });
        const expected = packSequence(sequences, { enforceSorted: false });
        expect(anyBits([packed.data])).toEqual(anyBits([expected.data]));
        expect({ ...packed, data: null }).toEqual({ ...expected, data: null });
      }),
    );
  });

  test('padPackedSequence undoes packPaddedSequence and replaces the padding', () => {
    fc.assert(
      fc.property(sequencesFrom(1), fc.boolean(), padding, (sequences, batchFirst, paddingValue) => {
        const lengths = lengthsOf(sequences);
        const junk = padSequence(sequences, { batchFirst, paddingValue: 1e30 });
        const packed = packPaddedSequence(junk, lengths, { batchFirst, enforceSorted: false });
        const restored = padPackedSequence(packed, { batchFirst, paddingValue });
        const expected = padSequence(sequences, { batchFirst, paddingValue });
        expect(anyBits([restored.output])).toEqual(anyBits([expected]));
        expect(restored.lengths).toEqual(lengths);
      }),
    );
  });

  test('frozen inputs are not changed, and results share no memory with them', () => {
    fc.assert(
      fc.property(sequencesFrom(1), (sequences) => {
        for (const sequence of sequences) Object.freeze(Object.freeze(sequence).dims);
        const input = Object.freeze(sequences);
        const before = anyBits(input);
        const lengths = Object.freeze(lengthsOf(input)) as number[];
        const packed: PackedSequence = Object.freeze(packSequence(input, Object.freeze({ enforceSorted: false })));
        for (const field of [packed.data, packed.data.dims, packed.batchSizes]) Object.freeze(field);
        const padded = Object.freeze(padSequence(input));
        const again = packPaddedSequence(padded, lengths, { enforceSorted: false });
        const results = [
          ...unpackSequence(packed),
          ...unpadSequence(padded, lengths),
          padPackedSequence(packed).output,
          packed.data,
          again.data,
          padded,
        ];
        const buffers = new Set([...input, ...results].map(({ data }) => data.buffer));
        expect(buffers.size).toBe(input.length + results.length);
        expect(anyBits(input)).toEqual(before);
      }),
    );
  });
});

import { describe, expect, test } from 'vitest';
import {
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
  unpackSequence,
  unpadSequence,
} from '../../src/nn/packed.ts';
import { bits } from '../support/bits.ts';
import { counting, tensor, vectors } from '../support/packed.ts';

/** A call with arguments that the types forbid. */
const wrong = (call: (value: any) => unknown, value: unknown) => () => call(value);

const abc = vectors([1, 2, 3], [4, 5], [6]);

const unsortedAbc = vectors([4, 5], [6], [1, 2, 3]);

// First in the file: engines quieten a signalling NaN copied as a number only until they have compiled the loop.
test('NaN payloads survive every function', () => {
  const words = [0x7f800001, 0xffa0beef, 0xffc12345, 0x3f800000];
  const sequence = { data: new Float32Array(Uint32Array.from(words).buffer), dims: [2, 2] };
  const packed = packSequence([sequence]);
  const padded = padSequence([sequence]);
  expect(bits(packed.data)).toEqual(words);
  expect(bits(padded)).toEqual(words);
  expect(bits(packPaddedSequence(padded, [2]).data)).toEqual(words);
  expect(bits(padPackedSequence(packed).output)).toEqual(words);
  expect(unpackSequence(packed).map(bits)).toEqual([words]);
  expect(unpadSequence(padded, [2]).map(bits)).toEqual([words]);
});

describe('packSequence', () => {
  test('interleaves the sequences, as in the documentation of PyTorch', () => {
    expect(packSequence(abc)).toEqual({
      data: tensor([6], [1, 4, 6, 2, 5, 3]),
      batchSizes: [3, 2, 1],
      sortedIndices: null,
      unsortedIndices: null,
    });
  });

  test('sorts by length with enforceSorted: false', () => {
    expect(packSequence(unsortedAbc, { enforceSorted: false })).toEqual({
      data: tensor([6], [1, 4, 6, 2, 5, 3]),
      batchSizes: [3, 2, 1],
      sortedIndices: [2, 0, 1],
      unsortedIndices: [1, 2, 0],
    });
  });

  test('keeps the order of equal lengths', () => {
    const lengths = Array.from({ length: 40 }, (_, b) => 1 + (b % 2));
    const sequences = lengths.map((length, b) => tensor([length], new Array(length).fill(b)));
    const odd = lengths.map((_, b) => b).filter((b) => b % 2 === 1);
    const even = lengths.map((_, b) => b).filter((b) => b % 2 === 0);
    const packed = packSequence(sequences, { enforceSorted: false });
    expect(packed.sortedIndices).toEqual([...odd, ...even]);
    expect(Array.from(packed.data.data)).toEqual([...odd, ...even, ...odd]);
  });

  test('keeps trailing dimensions of any rank', () => {
    const packed = packSequence([counting(2, 2, 3), tensor([1, 2, 3], [-1, -2, -3, -4, -5, -6])]);
    expect(packed.data).toEqual(tensor([3, 2, 3], [1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6, 7, 8, 9, 10, 11, 12]));
    expect(packed.batchSizes).toEqual([2, 1]);
  });

  test.each<[string, unknown, string]>([
    ['no array', 3, 'packSequence: "sequences" expected an array of tensors, got 3'],
    ['no sequences', [], 'packSequence: "sequences" expected at least one tensor, got []'],
    [
      'a hole',
      new Array(1),
      'packSequence: "sequences[0]" expected a tensor { data: Float32Array, dims: number[] }, got undefined',
    ],
    ['plain numbers', [{ data: [1], dims: [1] }], 'packSequence: "sequences[0].data" expected a Float32Array, got [1]'],
    ['a scalar', [tensor([], [1])], 'packSequence: "sequences[0]" expected [L], got []'],
    ['an empty sequence', vectors([1], []), 'packSequence: "sequences[1]" expected no size of 0, got [0]'],
    ['an empty step', [tensor([2, 0], [])], 'packSequence: "sequences[0]" expected no size of 0, got [2, 0]'],
    ['other features', [counting(2, 3), counting(1, 4)], 'packSequence: "sequences[1]" expected [L, 3], got [1, 4]'],
    ['another rank', [counting(2, 3), counting(2)], 'packSequence: "sequences[1]" expected [L, 3], got [2]'],
    [
      'increasing lengths',
      vectors([1, 2], [3, 4], [5, 6, 7]),
      'packSequence: "sequences[2]" expected at most 2 steps, or enforceSorted: false, got 3',
    ],
  ])('refuses %s', (_, sequences, message) => {
    expect(wrong(packSequence, sequences)).toThrow(message);
  });
});

describe('packPaddedSequence', () => {
  const padded = tensor([3, 2], [1, 4, 2, 5, 3, 99]);
  const expected = {
    data: tensor([5], [1, 4, 2, 5, 3]),
    batchSizes: [2, 2, 1],
    sortedIndices: null,
    unsortedIndices: null,
  };

  test('packs (T, B, *) and, with batchFirst, (B, T, *)', () => {
    expect(packPaddedSequence(padded, [3, 2])).toEqual(expected);
    expect(packPaddedSequence(tensor([2, 3], [1, 2, 3, 4, 5, 99]), [3, 2], { batchFirst: true })).toEqual(expected);
  });

  test('takes lengths of every kind', () => {
    expect(packPaddedSequence(padded, Int32Array.of(3, 2))).toEqual(expected);
    expect(packPaddedSequence(padded, BigInt64Array.of(3n, 2n))).toEqual(expected);
  });

  test('drops steps that no sequence has', () => {
    const packed = packPaddedSequence(counting(4, 2, 1), [1, 2], { enforceSorted: false });
    expect(packed).toEqual({
      data: tensor([3, 1], [2, 1, 4]),
      batchSizes: [2, 1],
      sortedIndices: [1, 0],
      unsortedIndices: [1, 0],
    });
  });

  test.each<[string, unknown, ErrorConstructor, string]>([
    ['a length of 0', [3, 0], RangeError, '"lengths[1]" expected an integer from 1 to 3, got 0'],
    ['a negative length', [3, -1], RangeError, '"lengths[1]" expected an integer from 1 to 3, got -1'],
    ['a length beyond T', [4, 2], RangeError, '"lengths[0]" expected an integer from 1 to 3, got 4'],
    ['a fraction', [3, 1.5], RangeError, '"lengths[1]" expected an integer from 1 to 3, got 1.5'],
    ['NaN', [3, Number.NaN], RangeError, '"lengths[1]" expected an integer from 1 to 3, got NaN'],
    ['a string', [3, '2'], TypeError, '"lengths[1]" expected an integer from 1 to 3, got "2"'],
    ['a hole', new Array(2), TypeError, '"lengths[0]" expected an integer from 1 to 3, got undefined'],
    ['a bigint beyond 2^53', BigInt64Array.of(3n, 2n ** 53n + 1n), RangeError, '"lengths[1]" expected an integer from'],
    ['a negative bigint', BigInt64Array.of(3n, -(2n ** 63n)), RangeError, '"lengths[1]" expected an integer from 1'],
    ['fewer lengths than rows', [3], RangeError, '"lengths" expected 2 lengths, got 1'],
    ['more lengths than rows', [3, 2, 1], RangeError, '"lengths" expected 2 lengths, got 3'],
    ['no lengths', undefined, TypeError, '"lengths" expected an array, Int32Array or BigInt64Array, got undefined'],
    [
      'another typed array',
      Float32Array.of(3, 2),
      TypeError,
      '"lengths" expected an array, Int32Array or BigInt64Array, got a Float32',
    ],
    [
      'an object that only claims to be one',
      { length: 2, 0: 3, 1: 2, [Symbol.toStringTag]: 'Int32Array' },
      TypeError,
      '"lengths" expected an array, Int32Array or BigInt64Array, got a Int32Array',
    ],
    ['increasing lengths', [2, 3], RangeError, '"lengths[1]" expected at most 2 steps, or enforceSorted: false, got 3'],
  ])('refuses %s', (_, lengths, kind, message) => {
    const call = wrong((value) => packPaddedSequence(padded, value), lengths);
    expect(call).toThrow(kind);
    expect(call).toThrow(`packPaddedSequence: ${message}`);
  });

  test.each<[string, unknown, string]>([
    ['no tensor', null, '"tensor" expected a tensor { data: Float32Array, dims: number[] }, got null'],
    ['a vector', counting(3), '"tensor" expected [T, B, *], got [3]'],
    ['T = 0', tensor([0, 1], []), '"tensor" expected no size of 0, got [0, 1]'],
    ['B = 0', tensor([1, 0], []), '"tensor" expected no size of 0, got [1, 0]'],
    ['no features', tensor([1, 1, 0], []), '"tensor" expected no size of 0, got [1, 1, 0]'],
    ['missing data', tensor([2, 1], [1]), '"tensor" expected 2 elements for dims [2, 1], got 1'],
  ])('refuses %s', (_, input, message) => {
    expect(wrong((value) => packPaddedSequence(value, [1]), input)).toThrow(`packPaddedSequence: ${message}`);
  });

  test('names the layout in the order of batchFirst', () => {
    expect(() => packPaddedSequence(counting(3), [3], { batchFirst: true })).toThrow('expected [B, T, *], got [3]');
    expect(() => packPaddedSequence(padded, [3, 2], { batchFirst: true })).toThrow('expected 3 lengths, got 2');
  });
});

describe('padPackedSequence', () => {
  test('pads with 0 in the layout asked for', () => {
    expect(padPackedSequence(packSequence(abc))).toEqual({
      output: tensor([3, 3], [1, 4, 6, 2, 5, 0, 3, 0, 0]),
      lengths: [3, 2, 1],
    });
    expect(padPackedSequence(packSequence(abc), { batchFirst: true }).output).toEqual(
      tensor([3, 3], [1, 2, 3, 4, 5, 0, 6, 0, 0]),
    );
  });

  test("gives the caller's order back", () => {
    const packed = packSequence(unsortedAbc, { enforceSorted: false });
    expect(padPackedSequence(packed, { batchFirst: true, paddingValue: -1 })).toEqual({
      output: tensor([3, 3], [4, 5, -1, 6, -1, -1, 1, 2, 3]),
      lengths: [2, 1, 3],
    });
  });

  test('fills up to totalLength', () => {
    const packed = packSequence(vectors([1, 2], [3]));
    const { output, lengths } = padPackedSequence(packed, { totalLength: 4, paddingValue: Number.NaN });
    const _ = Number.NaN;
    expect(output).toEqual(tensor([4, 2], [1, 3, 2, _, _, _, _, _]));
    expect(lengths).toEqual([2, 1]);
    expect(padPackedSequence(packed, { totalLength: 2 }).output.dims).toEqual([2, 2]);
    expect(padPackedSequence(packed, { totalLength: 3, batchFirst: true }).output).toEqual(
      tensor([2, 3], [1, 2, 0, 3, 0, 0]),
    );
  });

  test('refuses a totalLength below the longest length, and what is no length', () => {
    const pad = (totalLength: unknown) =>
      wrong((value) => padPackedSequence(packSequence(abc), value), { totalLength });
    expect(pad(2)).toThrow('padPackedSequence: "totalLength" expected an integer from 3 to 2147483647, got 2');
    expect(pad(3.5)).toThrow('padPackedSequence: "totalLength" expected an integer from 3 to 2147483647, got 3.5');
    expect(pad(null)).toThrow('padPackedSequence: "totalLength" expected an integer from 3 to 2147483647, got null');
  });
});

describe('unpackSequence', () => {
  test("gives the sequences in the caller's order", () => {
    expect(unpackSequence(packSequence(abc))).toEqual(abc);
    expect(unpackSequence(packSequence(unsortedAbc, { enforceSorted: false }))).toEqual(unsortedAbc);
  });

  test('names what is wrong with its argument', () => {
    expect(wrong(unpackSequence, abc)).toThrow(
      'unpackSequence: "packed.data" expected a tensor { data: Float32Array, dims: number[] }, got undefined',
    );
  });
});

describe('padSequence', () => {
  const sequences = vectors([1, 2], [3, 4, 5], []);

  test('pads on either side, in either layout', () => {
    expect(padSequence(sequences)).toEqual(tensor([3, 3], [1, 3, 0, 2, 4, 0, 0, 5, 0]));
    expect(padSequence(sequences, { batchFirst: true, paddingValue: 9 })).toEqual(
      tensor([3, 3], [1, 2, 9, 3, 4, 5, 9, 9, 9]),
    );
    expect(padSequence(sequences, { batchFirst: true, paddingSide: 'left' })).toEqual(
      tensor([3, 3], [0, 1, 2, 3, 4, 5, 0, 0, 0]),
    );
    expect(padSequence(sequences, { paddingSide: 'left' })).toEqual(tensor([3, 3], [0, 3, 0, 1, 4, 0, 2, 5, 0]));
  });

  test('pads sequences with trailing dimensions, as in the documentation of PyTorch', () => {
    const padded = padSequence([counting(25, 300), counting(22, 300), counting(15, 300)]);
    expect(padded.dims).toEqual([25, 3, 300]);
    expect(padded.data[(14 * 3 + 2) * 300 + 299]).toBe(15 * 300);
    expect(padded.data[(15 * 3 + 2) * 300]).toBe(0);
  });

  test('takes sequences without a number in them, however long', () => {
    expect(padSequence(vectors([], []))).toEqual(tensor([0, 2], []));
    expect(padSequence([tensor([2 ** 30, 0], []), tensor([2, 0], [])])).toEqual(tensor([2 ** 30, 2, 0], []));
    expect(unpadSequence(tensor([2 ** 50, 1, 0], []), [2 ** 50])).toEqual([tensor([2 ** 50, 0], [])]);
  });

  test('refuses wrong sequences', () => {
    expect(() => padSequence([])).toThrow('padSequence: "sequences" expected at least one tensor, got []');
    expect(() => padSequence([counting(2, 3), counting(2, 2)])).toThrow(
      'padSequence: "sequences[1]" expected [L, 3], got [2, 2]',
    );
  });

  test.each([['up'], [5], [null]])('refuses paddingSide %j', (paddingSide) => {
    expect(wrong((value) => padSequence(sequences, value), { paddingSide })).toThrow(
      `padSequence: "paddingSide" expected "left" or "right", got ${JSON.stringify(paddingSide)}`,
    );
  });
});

describe('unpadSequence', () => {
  test('cuts the sequences out of either layout', () => {
    expect(unpadSequence(tensor([2, 3], [1, 2, 3, 4, 5, 6]), [2, 1, 0])).toEqual(vectors([1, 4], [2], []));
    expect(unpadSequence(tensor([2, 3], [1, 2, 3, 4, 5, 6]), [2, 3], { batchFirst: true })).toEqual(
      vectors([1, 2], [4, 5, 6]),
    );
    expect(unpadSequence(tensor([2, 0], []), [])).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ['a negative length', [-1], '"lengths[0]" expected an integer from 0 to 2, got -1'],
    ['a length beyond T', BigInt64Array.of(3n), '"lengths[0]" expected an integer from 0 to 2, got 3'],
    ['the wrong number of lengths', [], '"lengths" expected 1 lengths, got 0'],
    ['lengths of another kind', new Set([1]), '"lengths" expected an array, Int32Array or BigInt64Array, got a Set'],
  ])('refuses %s', (_, lengths, message) => {
    expect(wrong((value) => unpadSequence(counting(2, 1), value), lengths)).toThrow(`unpadSequence: ${message}`);
  });

  test('refuses a vector', () => {
    expect(() => unpadSequence(counting(2), [2])).toThrow('unpadSequence: "padded" expected [T, B, *], got [2]');
  });
});

describe('options', () => {
  const calls: [string, string[], (options: any) => unknown][] = [
    ['packSequence', ['enforceSorted'], (o) => packSequence(abc, o)],
    ['packPaddedSequence', ['batchFirst', 'enforceSorted'], (o) => packPaddedSequence(counting(1, 1), [1], o)],
    [
      'padPackedSequence',
      ['batchFirst', 'paddingValue', 'totalLength'],
      (o) => padPackedSequence(packSequence(abc), o),
    ],
    ['padSequence', ['batchFirst', 'paddingValue', 'paddingSide'], (o) => padSequence(abc, o)],
    ['unpadSequence', ['batchFirst'], (o) => unpadSequence(counting(1, 1), [1], o)],
  ];

  test.each(calls)('%s takes its own and refuses all others', (who, known, call) => {
    for (const name of ['batchFirst', 'enforceSorted', 'paddingValue', 'paddingSide', 'totalLength', 'batch_first']) {
      if (known.includes(name)) expect(() => call({ [name]: undefined })).not.toThrow();
      else expect(() => call({ [name]: 1 })).toThrow(`${who}: unknown option "${name}"`);
    }
    expect(() => call(null)).toThrow(`${who}: "options" expected an object, got null`);
  });

  test.each(calls)('%s checks their types', (who, known, call) => {
    for (const name of ['batchFirst', 'enforceSorted'].filter((option) => known.includes(option))) {
      expect(() => call({ [name]: 1 })).toThrow(`${who}: "${name}" expected a boolean, got 1`);
    }
    if (known.includes('paddingValue')) {
      expect(() => call({ paddingValue: '0' })).toThrow(`${who}: "paddingValue" expected a number, got "0"`);
      expect(() => call({ paddingValue: null })).toThrow(`${who}: "paddingValue" expected a number, got null`);
    }
  });
});

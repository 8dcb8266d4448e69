import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TensorLike } from '../src/base/tensor.ts';
import {
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
  unpackSequence,
  unpadSequence,
} from '../src/nn/packed.ts';
import { checkPacked, type PackedSequence } from '../src/nn/packed-sequence.ts';
import { bits } from './support/bits.ts';

function tensor(dims: number[], values: readonly number[]): TensorLike {
  return { data: new Float32Array(values), dims };
}

/** 1, 2, 3 ... */
function counting(...dims: number[]): TensorLike {
  const count = dims.reduce((a, b) => a * b, 1);
  return tensor(
    dims,
    Array.from({ length: count }, (_, i) => i + 1),
  );
}

function vectors(...sequences: number[][]): TensorLike[] {
  return sequences.map((values) => tensor([values.length], values));
}

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
    ['a hole', new Array(1), 'packSequence: "sequences[0]" expected a tensor { data, dims }, got undefined'],
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
    ['no tensor', null, '"tensor" expected a tensor { data, dims }, got null'],
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
      'unpackSequence: "packed.data" expected a tensor { data, dims }, got undefined',
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

describe('checkPacked', () => {
  const valid = { data: counting(6, 2), batchSizes: [3, 2, 1], sortedIndices: [2, 0, 1], unsortedIndices: [1, 2, 0] };

  test('passes what is one', () => {
    expect(() => checkPacked('LSTM', valid)).not.toThrow();
    expect(() => checkPacked('LSTM', { ...valid, sortedIndices: null, unsortedIndices: null })).not.toThrow();
    expect(() => checkPacked('LSTM', { data: counting(2), batchSizes: [1, 1] })).not.toThrow();
  });

  test.each<[string, object, ErrorConstructor, string]>([
    ['no data', { data: undefined }, TypeError, '"input.data" expected a tensor { data, dims }, got undefined'],
    ['other data', { data: { data: [1], dims: [1] } }, TypeError, '"input.data.data" expected a Float32Array, got [1]'],
    ['missing data', { data: tensor([6, 2], [1]) }, RangeError, '"input.data" expected 12 elements for dims [6, 2]'],
    ['a scalar', { data: counting() }, RangeError, '"input.data" expected [rows, *] without a 0, got []'],
    ['no rows', { data: tensor([0, 2], []) }, RangeError, '"input.data" expected [rows, *] without a 0, got [0, 2]'],
    [
      'rows of nothing',
      { data: tensor([2 ** 40, 0], []), batchSizes: [2 ** 40] },
      RangeError,
      '"input.data" expected [rows, *] without a 0, got [1099511627776, 0]',
    ],
    ['no batchSizes', { batchSizes: null }, TypeError, '"input.batchSizes" expected an array of integers, got null'],
    [
      'typed batchSizes',
      { batchSizes: Int32Array.of(3, 2, 1) },
      TypeError,
      '"input.batchSizes" expected an array of integers, got a Int32Array',
    ],
    ['empty batchSizes', { batchSizes: [] }, RangeError, '"input.batchSizes" expected a sum of 6, the rows of data'],
    ['a long hole', { batchSizes: new Array(2 ** 32 - 1) }, TypeError, '"input.batchSizes[0]" expected an integer'],
    [
      'a bigint',
      { batchSizes: [3n, 2n, 1n] },
      TypeError,
      '"input.batchSizes[0]" expected an integer from 1 to 6, got 3n',
    ],
    ['a size of 0', { batchSizes: [3, 3, 0] }, RangeError, '"input.batchSizes[2]" expected an integer from 1 to 3'],
    ['a negative size', { batchSizes: [4, 3, -1] }, RangeError, '"input.batchSizes[2]" expected an integer from 1 to'],
    ['a fraction', { batchSizes: [3, 1.5, 1.5] }, RangeError, '"input.batchSizes[1]" expected an integer from 1 to 3'],
    ['NaN', { batchSizes: [3, Number.NaN] }, RangeError, '"input.batchSizes[1]" expected an integer from 1 to 3'],
    [
      'increasing sizes',
      { batchSizes: [2, 3, 1] },
      RangeError,
      '"input.batchSizes[1]" expected an integer from 1 to 2',
    ],
    ['more sizes than rows', { batchSizes: [7] }, RangeError, '"input.batchSizes[0]" expected an integer from 1 to 6'],
    [
      'a lower sum',
      { batchSizes: [3, 2] },
      RangeError,
      '"input.batchSizes" expected a sum of 6, the rows of data, got 5',
    ],
    ['a higher sum', { batchSizes: [3, 2, 2] }, RangeError, '"input.batchSizes" expected a sum of 6'],
    [
      'one of the indices',
      { sortedIndices: null },
      TypeError,
      '"input.sortedIndices, unsortedIndices" expected two arrays of 3 integers or null, got null',
    ],
    [
      'the other of the indices',
      { unsortedIndices: undefined },
      TypeError,
      '"input.sortedIndices, unsortedIndices" expected two arrays of 3 integers or null, got undefined',
    ],
    [
      'fewer indices',
      { sortedIndices: [1, 0] },
      TypeError,
      '"input.sortedIndices, unsortedIndices" expected two arrays of 3 integers or null, got [1, 0]',
    ],
    [
      'more indices',
      { unsortedIndices: [1, 2, 0, 3] },
      TypeError,
      '"input.sortedIndices, unsortedIndices" expected two arrays of 3 integers or null, got [1, 2, 0, 3]',
    ],
    [
      'an index beyond',
      { sortedIndices: [2, 0, 3] },
      RangeError,
      '"input.sortedIndices[2]" expected an integer from 0',
    ],
    [
      'a negative index',
      { sortedIndices: [-1, 0, 1] },
      RangeError,
      '"input.sortedIndices[0]" expected an integer from',
    ],
    [
      'a string index',
      { sortedIndices: ['2', 0, 1] },
      TypeError,
      '"input.sortedIndices[0]" expected an integer from 0 to 2, got "2"',
    ],
    ['a repeated index', { sortedIndices: [2, 0, 0] }, RangeError, '"input.unsortedIndices[0]" expected 2, as'],
    [
      'permutations that are not inverse',
      { unsortedIndices: [2, 0, 1] },
      RangeError,
      '"input.unsortedIndices[2]" expected 0, as sortedIndices has it, got 1',
    ],
    [
      'a hole in the indices',
      { unsortedIndices: Object.assign(new Array(3), { 0: 1, 2: 0 }) },
      RangeError,
      '"input.unsortedIndices[1]" expected 2',
    ],
  ])('refuses %s', (_, change, kind, message) => {
    const call = () => checkPacked('LSTM', { ...valid, ...change });
    expect(call).toThrow(kind);
    expect(call).toThrow(`LSTM: ${message}`);
  });

  test.each([[null], [undefined], [3], ['packed'], [() => valid]])('refuses %s', (packed) => {
    expect(() => checkPacked('LSTM', packed)).toThrow(/^LSTM: "input" expected a PackedSequence, got /);
  });
});

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

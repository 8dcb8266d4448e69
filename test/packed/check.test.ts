import { describe, expect, test } from 'vitest';
import { newPacking, readPacked } from '../../src/nn/packed-sequence.ts';
import { counting, tensor } from '../support/packed.ts';

const check = (packed: unknown) => readPacked('LSTM', packed, newPacking());

describe('readPacked', () => {
  const valid = { data: counting(6, 2), batchSizes: [3, 2, 1], sortedIndices: [2, 0, 1], unsortedIndices: [1, 2, 0] };

  test('passes what is one', () => {
    expect(() => check(valid)).not.toThrow();
    expect(() => check({ ...valid, sortedIndices: null, unsortedIndices: null })).not.toThrow();
    expect(() => check({ data: counting(2), batchSizes: [1, 1] })).not.toThrow();
  });

  test.each<[string, object, ErrorConstructor, string]>([
    [
      'no data',
      { data: undefined },
      TypeError,
      '"input.data" expected a tensor { data: Float32Array, dims: number[] }, got undefined',
    ],
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
    const call = () => check({ ...valid, ...change });
    expect(call).toThrow(kind);
    expect(call).toThrow(`LSTM: ${message}`);
  });

  test.each([[null], [undefined], [3], ['packed'], [() => valid]])('refuses %s', (packed) => {
    expect(() => check(packed)).toThrow(/^LSTM: "input" expected a PackedSequence, got /);
  });
});

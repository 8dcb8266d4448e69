import { expect, test } from 'vitest';
import { chosenForm, withOtherIntegers } from '../support/int8-form.ts';

test('8-bit products take the plain form where the relaxed one computes other integers', () => {
  expect(chosenForm({ relaxed: true, int8: withOtherIntegers() }, false)).toBe('plain');
});

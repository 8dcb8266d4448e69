import { expect, test } from 'vitest';
import { chosenForm } from '../support/int8-form.ts';

test('8-bit products take the plain form if the relaxed one is not wanted', () => {
  expect(chosenForm({ relaxed: false }, false)).toBe('plain');
});

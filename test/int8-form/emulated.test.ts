import { expect, test } from 'vitest';
import { chosenForm } from '../support/int8-form.ts';
import { hasRelaxedSimd, need } from '../support/need.ts';

test('8-bit products take the plain form where the relaxed one is emulated', (context) => {
  need(context, 'relaxed SIMD', hasRelaxedSimd());
  expect(chosenForm(undefined, true)).toBe('plain');
});

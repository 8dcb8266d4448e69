import { expect, test } from 'vitest';
import { chosenForm } from '../support/int8-form.ts';
import { hasRelaxedSimd, need } from '../support/need.ts';

test('8-bit products take the relaxed form, if it is wanted, also where it is emulated', (context) => {
  need(context, 'relaxed SIMD', hasRelaxedSimd());
  expect(chosenForm({ relaxed: true }, true)).toBe('relaxed');
});

import { expect, test } from 'vitest';
import { chosenForm } from '../support/int8-form.ts';
import { hasRelaxedSimd, need } from '../support/need.ts';

test('8-bit products take the relaxed form where it is an instruction', (context) => {
  need(context, 'relaxed SIMD', hasRelaxedSimd());
  expect(chosenForm(undefined, false)).toBe('relaxed');
});

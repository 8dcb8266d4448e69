import { ModelError } from 'lstm-wasm';
import { expect, test } from 'vitest';
import { FORMATS, tryMutant } from '../scripts/fuzz-formats.mjs';

// The first 2,000 mutants of `npm run fuzz`, read by the built package.

const COUNT = 2000;

test.each(Object.keys(FORMATS) as (keyof typeof FORMATS)[])('%s: mutants are read or refused', (name) => {
  let past = 0;
  let loaded = 0;
  for (let index = 0; index < COUNT; index++) {
    const mutant = tryMutant(name, index, ModelError);
    expect(mutant.problem, `mutant ${index}`).toBeUndefined();
    if (mutant.past) past++;
    if (mutant.outcome === 'loaded') loaded++;
  }
  expect(past).toBeGreaterThan(0.3 * COUNT);
  expect(loaded).toBeGreaterThan(0);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MUTATIONS } from '../scripts/mutations.mjs';

test.each(MUTATIONS)('npm run mutate can still make the edit: $what', ({ file, from, to }) => {
  const source = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
  expect(source.split(from).length - 1).toBe(1);
  expect(to).not.toBe(from);
});

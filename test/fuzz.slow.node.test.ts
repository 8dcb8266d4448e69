import { readdirSync, readFileSync } from 'node:fs';
import { ModelError } from 'lstm-wasm';
import { describe, expect, test } from 'vitest';
import { FORMATS, readMutant, tryMutant } from '../scripts/fuzz-formats.mjs';

type Format = keyof typeof FORMATS;

const COUNT = 2000;

// The first mutants of `npm run fuzz`, read by the built package.
test.each(Object.keys(FORMATS) as Format[])('%s: mutants are read or refused', (name) => {
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

describe('what long runs have found', () => {
  const finds = new URL('./fixtures/fuzz/', import.meta.url);
  const files = readdirSync(finds);
  const read = (file: string) => readFileSync(new URL(file, finds));

  /** What became of it, by the name that scripts/fuzz.mjs gave the file, or the files of its parts. */
  const TABLE: [format: Format, index: number, outcome: string][] = [['keras-tfjs', 3070, 'wrong-value']];

  test.each(TABLE)('%s %i: %s', (format, index, outcome) => {
    const find = `${format}-${index}`;
    const parts = files
      .filter((file) => file.startsWith(`${find}.`))
      .map((file) => [file.slice(find.length + 1), file]);
    const content = (part: string, file: string) => (part === 'modelJson' ? read(file).toString() : read(file));
    const file =
      parts.length > 0 ? Object.fromEntries(parts.map(([part, file]) => [part, content(part!, file!)])) : read(find);
    const mutant = readMutant(format, file, ModelError);
    expect(mutant.problem).toBeUndefined();
    expect(mutant.outcome).toBe(outcome);
  });

  test('are all in the table', () => {
    const stems = new Set(files.map((file) => file.split('.')[0]));
    expect([...stems].sort()).toEqual(TABLE.map(([format, index]) => `${format}-${index}`).sort());
  });
});

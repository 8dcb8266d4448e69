import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OPERATORS } from '../src/operators/operators.ts';

test('docs/formats/onnx.md lists every operator with its limits', () => {
  const page = readFileSync(new URL('../docs/formats/onnx.md', import.meta.url), 'utf8');
  const rows = page.split('## Operators')[1]!.matchAll(/^\| ([\w.]+) \| (\d+) \| (.*?) ?\|$/gm);
  const listed = [...rows].map(([, name, since, limits]) => [name, Number(since), limits]);
  const own = [...OPERATORS].map(([name, { since = 7, limits = '' }]) => [name, since, limits]);
  expect(listed).toEqual(own.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { coverage, table } from '../scripts/formats-report.mjs';
import { OPERATORS } from '../src/operators/operators.ts';

test('docs/formats/onnx.md lists every operator with its limits, as npm run formats -- --write does', () => {
  const page = readFileSync(new URL('../docs/formats/onnx.md', import.meta.url), 'utf8');
  expect(page.split('## Operators')[1]).toContain(table(OPERATORS));
  expect(page.endsWith(table(OPERATORS))).toBe(true);
});

test('fixtures cover every operator', () => {
  const covered = coverage();
  expect([...OPERATORS.keys()].filter((name) => !covered.has(name))).toEqual([]);
  // their own files and nodes alone
  expect([...covered.get('LSTM')!.keys()]).toContain('onnx-ort');
  expect([...covered.get('com.microsoft.DynamicQuantizeLSTM')!.keys()]).toEqual(['onnx-corners', 'onnx-quantized']);
});

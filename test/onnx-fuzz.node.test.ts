import { expect, test } from 'vitest';
import { bytesUsed } from '../src/index.ts';
import { readFixture, readJson } from './support/fixtures.ts';
import { exerciseOnnx, mutateOnnx } from './support/onnx-mutate.ts';
import { mulberry32 } from './support/random.ts';

// Damaged files, the same each time: nothing but a result or a ModelError, and none that takes long. npm run fuzz has more.

const MUTANTS = 2000;
const SEED = 20_261;

test('mutants of ONNX files give results or ModelErrors, in time and without leaks', async () => {
  const { cases, torch_exports } = await readJson('onnx-ort/index.json');
  const files: Uint8Array[] = [];
  for (const { model } of [...cases, ...torch_exports]) files.push(await readFixture(`onnx-ort/${model}`));
  for (const { model } of await readJson('onnx-operators/cases.json'))
    files.push(Uint8Array.from(Buffer.from(model, 'base64')));
  for (const file of files) exerciseOnnx(file);
  const before = bytesUsed();
  const random = mulberry32(SEED);
  const counts = { parsed: 0, loaded: 0, ran: 0 };
  let slowest = 0;
  for (let i = 0; i < MUTANTS; i++) {
    const mutant = mutateOnnx(files[random() % files.length]!, random);
    const start = performance.now();
    const { parsed, loaded, ran } = exerciseOnnx(mutant);
    slowest = Math.max(slowest, performance.now() - start);
    counts.parsed += Number(parsed);
    counts.loaded += Number(loaded);
    counts.ran += Number(ran);
  }
  expect(counts.parsed).toBeGreaterThan(0.3 * MUTANTS);
  expect(counts.loaded).toBeGreaterThan(0.1 * MUTANTS);
  expect(counts.ran).toBeGreaterThan(0.05 * MUTANTS);
  expect(slowest).toBeLessThan(1000);
  expect(bytesUsed()).toBe(before);
});

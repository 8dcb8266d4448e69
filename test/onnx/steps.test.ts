import { expect, test } from 'vitest';
import { bytesUsed } from '../../src/index.ts';
import { loadOnnx, ModelError, type OnnxFeed } from '../../src/onnx.ts';
import { type GraphSpec, onnxFile, tensorProto } from '../support/onnx-files.ts';

// Graphs whose plans would take steps out of all proportion to their file are refused while they are planned.

const ones = (...dims: number[]): OnnxFeed => ({
  data: new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(1),
  dims,
});
const conv = (attributes: Record<string, number | number[]>, ...dims: number[]): GraphSpec => ({
  nodes: [{ op: 'Conv', name: 'conv', inputs: ['x', 'w'], attributes }],
  initializers: [tensorProto('w', dims, ones(...dims).data)],
  inputs: { x: ['N', 'C', 'L'] },
});

test.each<[string, GraphSpec, OnnxFeed]>([
  ['a long kernel with dilation', conv({ dilations: [2] }, 2, 1, 65536), ones(1, 1, 2 * 65536 + 1300)],
  ['many groups', conv({ group: 60_000 }, 120_000, 1, 1), ones(1, 60_000, 1)],
])('%s', (_, spec, x) => {
  const session = loadOnnx(onnxFile(spec));
  const before = bytesUsed();
  let error: unknown;
  try {
    session.run({ x });
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ModelError);
  expect(error).toMatchObject({ code: 'too-large', path: 'node "conv" (Conv)' });
  expect(bytesUsed()).toBe(before);
  session.dispose();
});

test('groups and dilations of usual sizes run for a batch', () => {
  const grouped = loadOnnx(onnxFile(conv({ group: 16 }, 32, 2, 3)));
  expect(grouped.run({ x: ones(64, 32, 10) }).y!.data[0]).toBe(6);
  grouped.dispose();
  const dilated = loadOnnx(onnxFile(conv({ dilations: [4] }, 8, 4, 3)));
  expect(dilated.run({ x: ones(512, 4, 20) }).y!.data[0]).toBe(12);
  dilated.dispose();
});

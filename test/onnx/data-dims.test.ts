import { expect, test } from 'vitest';
import { loadOnnx } from '../../src/onnx.ts';
import { onnxFile, tensorProto } from '../support/onnx-files.ts';

// NonZero, whose dims depend on the elements of its input: planning goes on in the run.

const floats = (...values: number[]) => Float32Array.from(values);
const bigs = (...values: number[]) => BigInt64Array.from(values, BigInt);

test('NonZero of what a run computes, and what is computed from it, for other elements each time', () => {
  const session = loadOnnx(
    onnxFile({
      nodes: [
        { op: 'Relu', inputs: ['x'], outputs: ['r'] },
        { op: 'NonZero', inputs: ['r'], outputs: ['places'] },
        { op: 'Transpose', inputs: ['places'], outputs: ['rows'] },
        { op: 'GatherND', inputs: ['x', 'rows'], outputs: ['y'] },
      ],
      inputs: { x: [2, 3] },
      outputs: { places: undefined, y: undefined },
    }),
  );
  const run = (...x: number[]) => {
    const { places, y } = session.run({ x: { data: floats(...x), dims: [2, 3] } });
    return [places!.dims, places!.data, y!.data];
  };
  for (let round = 0; round < 2; round++) {
    expect(run(1, -1, 0, 2, 0, 3)).toEqual([[2, 3], bigs(0, 1, 1, 0, 0, 2), floats(1, 2, 3)]);
    expect(run(-1, 0, -2, -0, -5, 0)).toEqual([[2, 0], bigs(), floats()]);
    expect(run(NaN, 0, 0, 0, 0, 7)).toEqual([[2, 2], bigs(0, 1, 0, 2), floats(NaN, 7)]);
  }
  session.dispose();
});

test('NonZero of a Conv, whose elements lie in another order', () => {
  const session = loadOnnx(
    onnxFile({
      nodes: [
        { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'] },
        { op: 'NonZero', inputs: ['c'], outputs: ['y'] },
      ],
      inputs: { x: [1, 2, 3] },
      initializers: [tensorProto('w', [2, 2, 1], floats(1, 0, 0, 1))],
    }),
  );
  const run = (...x: number[]) => session.run({ x: { data: floats(...x), dims: [1, 2, 3] } }).y!.data;
  // channel and position of each, in row-major order
  expect(run(0, 5, 0, 6, 0, 7)).toEqual(bigs(0, 0, 0, 0, 1, 1, 1, 0, 2));
  expect(run(0, 0, 0, 0, 0, 7)).toEqual(bigs(0, 1, 2));
  session.dispose();
});

test('activation functions of a Conv keep its order of elements', () => {
  const load = (op: string) =>
    loadOnnx(
      onnxFile(
        {
          nodes: [
            { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'] },
            { op, inputs: op === 'PRelu' ? ['c', 'slope'] : ['c'], outputs: ['d'] },
            { op: 'Identity', inputs: ['d'], outputs: ['y'] },
          ],
          inputs: { x: [1, 2, 3] },
          initializers: [
            tensorProto('w', [2, 2, 1], floats(1, 0, 0, 1)),
            tensorProto('slope', [2, 1], floats(0.5, -2)),
          ],
        },
        20,
      ),
    );
  const x = floats(-3, -2, -1, 1, 2, -4);
  const run = (op: string) => {
    const session = load(op);
    const { y } = session.run({ x: { data: x, dims: [1, 2, 3] } });
    session.dispose();
    return Array.from(y!.data as ArrayLike<number>);
  };
  expect(run('PRelu')).toEqual([-1.5, -1, -0.5, 1, 2, 8]);
  expect(run('Sign')).toEqual([-1, -1, -1, 1, 1, -1]);
  expect(run('HardSwish').map((value) => Math.round(1e6 * value))).toEqual([-0, -333333, -333333, 666667, 1666667, -0]);
  expect(run('Elu').map((value) => Math.round(1e4 * value))).toEqual([-9502, -8647, -6321, 10000, 20000, -9817]);
  expect(run('IsNaN')).toEqual([0, 0, 0, 0, 0, 0]);
});

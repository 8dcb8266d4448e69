import { expect, test } from 'vitest';
import { loadOnnx } from '../../src/onnx.ts';
import { onnxFile } from '../support/onnx-files.ts';
import { refused } from '../support/onnx-refusals.ts';

test.each(['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Multinomial', 'Bernoulli'])(
  '%s is refused at load with the reason, unless nothing asks for it',
  (op) => {
    const file = onnxFile({
      nodes: [
        { op, inputs: op.endsWith('l') || op.endsWith('m') ? [] : ['x'], outputs: ['noise'] },
        { op: 'Add', inputs: ['x', 'noise'], outputs: ['y'] },
        { op: 'Neg', inputs: ['x'], outputs: ['z'] },
      ],
      inputs: { x: [1] },
      outputs: { y: undefined, z: undefined },
    });
    refused(file, new RegExp(`not supported: ${op} \\("noise"\\); nothing is drawn at random here: name outputs`));
    const session = loadOnnx(file, { outputs: ['z'] });
    expect(session.run({ x: { data: Float32Array.of(2), dims: [1] } }).z!.data[0]).toBe(-2);
    session.dispose();
  },
);

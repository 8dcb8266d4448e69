import { expect, test } from 'vitest';
import { loadOnnx } from '../../src/onnx.ts';
import { onnxFile, tensorProto } from '../support/onnx-files.ts';

// ThresholdedRelu of an LSTM at x = alpha. The expected numbers are those of onnxruntime-node 1.30 for the same files: 0 there, as
// x has to be above alpha, while the text on RNN operators in ONNX's own page has "x if x >= alpha".

/** Runs one step with f = ThresholdedRelu, g(x) = h(x) = x, c0 = 3, all gates 4 but one, which is `x`. Gates are i, o, f, c. */
function run(gate: 'i' | 'o' | 'f', alpha: number, x: number, H: number) {
  const bias = new Float32Array(8 * H).fill(4, 0, 4 * H);
  bias.fill(x, 'iof'.indexOf(gate) * H, ('iof'.indexOf(gate) + 1) * H);
  const model = loadOnnx(
    onnxFile({
      nodes: [
        {
          op: 'LSTM',
          inputs: ['X', 'W', 'R', 'B', '', 'h0', 'c0'],
          outputs: ['Y', '', 'Y_c'],
          attributes: {
            hidden_size: H,
            activations: ['ThresholdedRelu', 'Affine', 'Affine'],
            activation_alpha: Float32Array.of(alpha, 1, 1),
          },
        },
      ],
      inputs: { X: [1, 1, 1] },
      outputs: { Y: undefined, Y_c: undefined },
      initializers: [
        tensorProto('W', [1, 4 * H, 1], new Float32Array(4 * H)),
        tensorProto('R', [1, 4 * H, H], new Float32Array(4 * H * H)),
        tensorProto('B', [1, 8 * H], bias),
        tensorProto('h0', [1, 1, H], new Float32Array(H)),
        tensorProto('c0', [1, 1, H], new Float32Array(H).fill(3)),
      ],
    }),
  );
  const { Y, Y_c } = model.run({ X: { data: Float32Array.of(1), dims: [1, 1, 1] } });
  model.dispose();
  return { h: [...(Y!.data as Float32Array)], c: [...(Y_c!.data as Float32Array)] };
}

const tenth = Math.fround(0.1);
const above = 0.5 + 2 ** -24;
test.each<[gate: 'i' | 'o' | 'f', alpha: number, x: number, h: number, c: number]>([
  ['i', 0.5, 0.5, 48, 12],
  ['f', 0.5, 0.5, 64, 16],
  ['o', 0.5, 0.5, 0, 28],
  ['i', 0.1, tenth, 48, 12],
  ['o', -1, -1, 0, 28],
  ['f', -1, -1, 64, 16],
  ['o', 0, 0, 0, 28],
  ['i', 0.5, above, 4 * (12 + 4 * above), 12 + 4 * above],
  ['o', 0.5, above, 28 * above, 28],
  ['o', 0.5, 0.5 - 2 ** -25, 0, 28],
])('gate %s, alpha %d, x %d', (gate, alpha, x, h, c) => {
  for (const H of [1, 4, 9]) {
    expect(run(gate, alpha, x, H)).toEqual({ h: Array(H).fill(Math.fround(h)), c: Array(H).fill(Math.fround(c)) });
  }
});

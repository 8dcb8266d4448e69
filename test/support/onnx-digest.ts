import { loadOnnx } from '../../src/onnx.ts';
import { Digest } from './bits.ts';
import { onnxFile, tensorProto } from './onnx-files.ts';
import { uniforms } from './random.ts';

/** Floats whose digest must be the same on every engine: functions on a grid, sums, and an LSTM with rare cells. */
export function onnxDigest(): string {
  const next = uniforms(31);
  const numbers = (count: number) => Float32Array.from({ length: count }, () => 2 * next() - 1);
  const unary = ['Exp', 'Log', 'Sigmoid', 'Tanh', 'Softmax', 'LogSoftmax', 'Sqrt'];
  const names = [...unary, 'Pow', 'ReduceMean', 'LayerNormalization', 'Y', 'Y_h', 'Y_c'];
  const session = loadOnnx(
    onnxFile({
      nodes: [
        ...unary.map((op) => ({ op, inputs: ['x'], outputs: [op] })),
        { op: 'Pow', inputs: ['x', 'e'], outputs: ['Pow'] },
        { op: 'ReduceMean', inputs: ['x'], outputs: ['ReduceMean'], attributes: { axes: [1] } },
        { op: 'LayerNormalization', inputs: ['x', 'one'], outputs: ['LayerNormalization'] },
        {
          op: 'LSTM',
          inputs: ['X', 'W', 'R', 'B', '', '', '', 'P'],
          outputs: ['Y', 'Y_h', 'Y_c'],
          attributes: {
            hidden_size: 7,
            direction: 'bidirectional',
            clip: Float32Array.of(1.5),
            activations: ['Sigmoid', 'Softsign', 'Elu', 'HardSigmoid', 'Softplus', 'ScaledTanh'],
            activation_alpha: Float32Array.of(0.7, 0.2, 1.1),
            activation_beta: Float32Array.of(0.5, 0.9),
          },
        },
      ],
      inputs: { x: [100, 201], e: [201], X: [9, 3, 5] },
      outputs: Object.fromEntries(names.map((name) => [name, undefined])),
      initializers: [
        tensorProto('one', [1], Float32Array.of(1)),
        tensorProto('W', [2, 28, 5], numbers(280)),
        tensorProto('R', [2, 28, 7], numbers(392)),
        tensorProto('B', [2, 56], numbers(112)),
        tensorProto('P', [2, 21], numbers(42)),
      ],
    }),
  );
  const grid = Float32Array.from({ length: 20_100 }, (_, i) => (i - 5000) / 90);
  const results = session.run({
    x: { data: grid, dims: [100, 201] },
    e: { data: Float32Array.from({ length: 201 }, (_, i) => (i - 100) / 16), dims: [201] },
    X: { data: numbers(135), dims: [9, 3, 5] },
  });
  session.dispose();
  const all = new Digest();
  for (const name of names) all.add(results[name]!.data as Float32Array);
  return all.toString();
}

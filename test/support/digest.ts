import * as api from '../../src/index.ts';
import { Digest } from './bits.ts';

/** Floats whose digest must be the same on every engine: activations on a grid, and modules of odd shapes. */
export function digest({ LSTM, Linear, sigmoid, softmax, tanh }: typeof api = api): string {
  const all = new Digest();
  const grid = new Float32Array(20_001);
  for (let i = 0; i < grid.length; i++) grid[i] = (i - 10_000) / 100;
  const specials = new Float32Array([0, -0, Infinity, -Infinity, NaN, 1e-45, -1e-38, 3.4e38, -3.4e38]);
  for (const data of [grid, specials]) {
    all.add(sigmoid({ data, dims: [data.length] }));
    all.add(tanh({ data, dims: [data.length] }));
    all.add(softmax({ data, dims: [data.length] }, 0));
  }
  for (const [I, H, options] of [
    [1, 8, {}],
    [13, 21, { numLayers: 2, bidirectional: true }],
    [7, 33, { projSize: 5, numLayers: 3 }],
    [64, 128, { bias: false }],
  ] as const) {
    const lstm = new LSTM(I, H, { seed: H, ...options });
    const input = new Float32Array(19 * 5 * I);
    for (let i = 0; i < input.length; i++) input[i] = ((i * 7919) % 4001) / 1000 - 2;
    const quantized = lstm.quantize();
    const { output, hn, cn } = lstm.forward({ data: input, dims: [19, 5, I] });
    for (const tensor of [output, hn, cn]) all.add(tensor);
    all.add(quantized.forward({ data: input, dims: [19, 5, I] }).output);
    quantized.dispose();
    const linear = new Linear(output.dims[2]!, 11, { seed: 5 });
    all.add(linear.forward(output));
    linear.dispose();
    lstm.dispose();
  }
  return all.toString();
}

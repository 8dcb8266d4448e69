import * as api from '../../src/index.ts';

/** Floats whose digest must be the same on every engine: activations on a grid, and modules of odd shapes. */
export function digest({ LSTM, Linear, sigmoid, softmax, tanh }: typeof api = api): string {
  let hash = 0xcbf29ce484222325n;
  const add = (data: Float32Array) => {
    const words = new Uint32Array(data.slice().buffer);
    data.forEach((value, i) => {
      // a NaN's sign and payload are the processor's choice
      const word = Number.isNaN(value) ? 0x7fc00000 : words[i]!;
      hash = BigInt.asUintN(64, (hash ^ BigInt(word)) * 0x100000001b3n);
    });
  };
  const grid = new Float32Array(20_001);
  for (let i = 0; i < grid.length; i++) grid[i] = (i - 10_000) / 100;
  const specials = new Float32Array([0, -0, Infinity, -Infinity, NaN, 1e-45, -1e-38, 3.4e38, -3.4e38]);
  for (const data of [grid, specials]) {
    add(sigmoid({ data, dims: [data.length] }).data);
    add(tanh({ data, dims: [data.length] }).data);
    add(softmax({ data, dims: [data.length] }, 0).data);
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
    for (const tensor of [output, hn, cn]) add(tensor.data);
    add(quantized.forward({ data: input, dims: [19, 5, I] }).output.data);
    quantized.dispose();
    const linear = new Linear(output.dims[2]!, 11, { seed: 5 });
    add(linear.forward(output).data);
    linear.dispose();
    lstm.dispose();
  }
  return hash.toString(16);
}

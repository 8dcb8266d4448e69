import { relu, sigmoid, softmax, tanh } from '../nn/functional.ts';
import { Linear } from '../nn/linear.ts';
import { LSTM } from '../nn/lstm.ts';
import { type Operation, samples } from './operations.ts';

/** A [rows][width] tensor with special values among others. */
function input(rows: number, width: number): { data: Float32Array; dims: number[] } {
  const some = samples(rows * width, 2);
  // the special ones are too few to hide the others: a denormal, zeros and halves, no NaN
  const data = some.slice(0, rows * width).map((value, i) => (i % 11 === 5 ? some[rows * width + (i % 8)]! : value));
  return { data, dims: [rows, width] };
}

/** Rows for each form of the kernel: one, a tile and what is left of one. */
const ROWS = [1, 7];

function products(layer: Linear): Float32Array[] {
  return ROWS.map((rows) => layer.forward(input(rows, layer.inFeatures)).data);
}

/** Disposes of a module when its result is there. */
function within<T extends { dispose(): void }>(module: T, compute: (module: T) => Float32Array[]): Float32Array[] {
  try {
    return compute(module);
  } finally {
    module.dispose();
  }
}

const linear = () => new Linear(9, 18, { seed: 1 });

function layers(): Float32Array[] {
  return within(new LSTM(3, 5, { bidirectional: true, seed: 1 }), (lstm) => {
    const { output, hn, cn } = lstm.forward({ data: input(8, 3).data, dims: [4, 2, 3] });
    return [output.data, hn.data, cn.data];
  });
}

function dropout(): Float32Array[] {
  return within(new LSTM(1, 5, { numLayers: 2, dropout: 0.5, seed: 1 }), (lstm) => [
    lstm.train({ seed: 1 }).forward(input(3, 1)).output.data,
  ]);
}

function streams(): Float32Array[] {
  return within(new LSTM(3, 5, { seed: 1 }), (lstm) =>
    within(lstm.streams({ capacity: 4 }), (all) => {
      const outputs = new Float32Array(3 * 5);
      const ids = [all.open(), all.open(), all.open()];
      for (let step = 0; step < 2; step++) all.step(ids, input(3, 3).data, outputs);
      return [outputs];
    }),
  );
}

/** Operations of lstm.wasm and lstm-int8.wasm. */
export function layerOperations(): [string, Operation][] {
  const numbers = samples(80, 10);
  const x = { data: numbers, dims: [numbers.length] };
  const weights = (layer: Linear) => [...layer.stateDict().values()].map(({ data }) => data as Float32Array);
  return [
    ['random numbers', () => within(linear(), weights)],
    ['float32 products', () => within(linear(), products)],
    ['8-bit products', () => within(linear(), (layer) => within(layer.quantize(), products))],
    ['sigmoid', () => [sigmoid(x).data]],
    ['tanh', () => [tanh(x).data]],
    ['relu', () => [relu(x).data]],
    ['softmax', () => [softmax(input(3, 7), -1).data, softmax(input(3, 7), 0).data]],
    ['LSTM', layers],
    ['dropout', dropout],
    ['streams', streams],
  ];
}

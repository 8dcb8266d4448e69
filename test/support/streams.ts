import { expect } from 'vitest';
import { LSTM, LSTMCell, type LSTMStream } from '../../src/index.ts';
import { wasm } from '../../src/memory/wasm.ts';
import { bits } from './bits.ts';
import { type Any, count, values } from './tensors.ts';

/** Every view of linear memory is detached by this. */
export const growMemory = () => wasm().memory.grow(1);

/** Outputs of `count` steps through input and output. */
export function steps(stream: LSTMStream, input: Float32Array, count: number): number[] {
  const I = stream.input.length;
  const outputs: number[] = [];
  for (let t = 0; t < count; t++) {
    stream.input.set(input.subarray(t * I, (t + 1) * I));
    stream.step();
    outputs.push(...stream.output);
  }
  return outputs;
}

export function expectUnchanged(stream: LSTMStream, call: () => unknown, error: Any, message?: RegExp): void {
  const { h0, c0 } = stream.getState();
  expect(call).toThrow(error);
  if (message) expect(call).toThrow(message);
  const after = stream.getState();
  expect([bits(after.h0.data), bits(after.c0.data)]).toEqual([bits(h0.data), bits(c0.data)]);
}

/** A state of numbers unlike each other. */
export const someState = (h0: number[], c0: number[]) => ({
  h0: { data: values(count(h0), 3), dims: h0 },
  c0: { data: values(count(c0), 9), dims: c0 },
});

export const models: [string, () => LSTM | LSTMCell, { I: number; Ho: number; h0: number[]; c0: number[] }][] = [
  ['LSTM', () => new LSTM(3, 5, { seed: 1 }), { I: 3, Ho: 5, h0: [1, 5], c0: [1, 5] }],
  ['LSTM of 2 layers', () => new LSTM(3, 5, { numLayers: 2, seed: 1 }), { I: 3, Ho: 5, h0: [2, 5], c0: [2, 5] }],
  [
    'LSTM with a projection',
    () => new LSTM(3, 5, { numLayers: 3, projSize: 2, seed: 1 }),
    { I: 3, Ho: 2, h0: [3, 2], c0: [3, 5] },
  ],
  ['LSTM without features', () => new LSTM(0, 5, { seed: 1 }), { I: 0, Ho: 5, h0: [1, 5], c0: [1, 5] }],
  ['LSTMCell', () => new LSTMCell(3, 5, { seed: 1 }), { I: 3, Ho: 5, h0: [5], c0: [5] }],
];

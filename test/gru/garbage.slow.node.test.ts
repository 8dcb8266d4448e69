import { describe, expect, test } from 'vitest';
import { GRU, GRUCell, RNN } from '../../src/gru.ts';
import { bytesUsed, packPaddedSequence } from '../../src/index.ts';
import { wasm } from '../../src/memory/wasm.ts';
import { bytesPerCall } from '../support/garbage.ts';
import { type Any, tensor } from '../support/tensors.ts';

// As test/memory/ for LSTM: the steady state makes no garbage, and memory stays as it is.

const memoryBytes = () => wasm().memory.buffer.byteLength;

describe.each<[string, GRU | RNN]>([
  ['GRU', new GRU(3, 8, { numLayers: 2, seed: 1 })],
  ['GRU of 8 bits', new GRU(3, 8, { numLayers: 2, seed: 1 }).quantize()],
  ['RNN', new RNN(3, 8, { numLayers: 2, seed: 1 })],
])('%s makes no garbage', (_, model) => {
  const stream = model.stream();
  const [x, y] = [tensor(128, 3).data, new Float32Array(128 * 8)];
  const streams = model.streams();
  const ids = Int32Array.from({ length: 7 }, () => streams.open());
  const [rows, outputs] = [new Float32Array(21), new Float32Array(56)];

  /** forward() into its own first result. */
  function into(module: Any, input: Any, withState: boolean): () => void {
    const out = module.forward(input);
    const state = withState ? { h0: out.hn } : undefined;
    const options = { out };
    return () => {
      module.forward(input, state, options);
    };
  }
  const bidirectional = new GRU(3, 8, { bidirectional: true, batchFirst: true, seed: 1 });
  // as much scratch as any of these calls needs
  stream.run(x, y);

  test.each<[string, () => void]>([
    [
      'step()',
      () => {
        stream.input[0] = 0.5;
        stream.step();
        if (stream.output[0]! > 2e9) throw new Error('never');
      },
    ],
    ['run() of 128 samples', () => void stream.run(x, y)],
    ['reset()', () => stream.reset()],
    ['streams.step()', () => streams.step(ids, rows, outputs)],
    ['forward, out', into(model, tensor(5, 2, 3), false)],
    ['forward, out, with a state', into(model, tensor(5, 2, 3), true)],
    ['forward, out, bidirectional, batchFirst', into(bidirectional, tensor(2, 5, 3), true)],
    [
      'forward, out, packed',
      into(model, packPaddedSequence(tensor(5, 3, 3), [2, 5, 1], { enforceSorted: false }), true),
    ],
  ])('%s', (_, call) => {
    const before = [memoryBytes(), bytesUsed()];
    expect(bytesPerCall(call)).toBeLessThan(1);
    expect([memoryBytes(), bytesUsed()]).toEqual(before);
  });
});

test('disposed modules, streams and failed calls let memory grow no further', () => {
  const other = new RNN(3, 4).stateDict();
  const work = () => {
    const gru = new GRU(3, 40, { numLayers: 2 });
    const cell = new GRUCell(3, 40);
    for (const one of [gru.stream(), gru.streams({ capacity: 4 }), cell.stream(), gru.quantize(), gru, cell])
      one.dispose();
    expect(() => gru.forward(tensor(2, 3))).toThrow('GRU: used after dispose()');
    expect(() => new GRU(3, 40, { dropout: 2 })).toThrow('"dropout"');
    expect(() => GRU.fromStateDict(other)).toThrow('keys of RNN');
  };
  for (let i = 0; i < 300; i++) work();
  const before = memoryBytes();
  for (let i = 0; i < 300; i++) work();
  expect(memoryBytes()).toBe(before);
});

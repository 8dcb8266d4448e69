import { afterEach, describe, expect, test, vi } from 'vitest';
import { LSTM, type LSTMResult } from '../../src/index.ts';
import { allocate, floats, release } from '../../src/memory/arena.ts';
import { copyOut } from '../../src/memory/rows.ts';
import { bytesPerCall } from '../support/garbage.ts';
import { uniforms } from '../support/random.ts';
import { tensor } from '../support/tensors.ts';

// step(), run() and forward() with out make no garbage when sizes change from call to call either. Node only: the JS heap is
// measured.

const MOST = 300;
const lstm = new LSTM(4, 8, { numLayers: 2, seed: 1 });

/** 1 .. MOST in random order */
function shuffled(): number[] {
  const random = uniforms(7);
  const order = Array.from({ length: MOST }, (_, i) => i + 1);
  for (let i = MOST - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

const order = shuffled();

const streams = lstm.streams({ capacity: MOST });
const ids = Array.from({ length: MOST }, () => streams.open());
const ready = order.map(
  (n) => [Int32Array.from(ids.slice(0, n)), new Float32Array(4 * n), new Float32Array(8 * n)] as const,
);
const stream = lstm.stream();
const blocks = order.map((n) => [new Float32Array(4 * n), new Float32Array(8 * n)] as const);
const shapes = [
  [3, 4],
  [5, 4],
  [5, 2, 4],
  [5, 3, 4],
  [70, 1, 4],
  [2, 40, 4],
].map((dims) => {
  const input = tensor(...dims);
  return [input, { out: lstm.forward(input) as LSTMResult }] as const;
});
const many = Array.from({ length: 20 }, (_, k) => {
  const input = tensor(k + 1, 4);
  return [input, { out: lstm.forward(input) as LSTMResult }] as const;
});
let turn = 0;

const calls: readonly (readonly [string, () => void])[] = [
  ['step() of 1 .. 300 ready streams', () => streams.step(...ready[turn++ % MOST]!)],
  [
    'forward() of twenty shapes in turn, out',
    () => {
      const [input, options] = many[turn++ % many.length]!;
      lstm.forward(input, null, options);
    },
  ],
  ['run() of 1 .. 300 steps', () => void stream.run(...blocks[turn++ % MOST]!)],
  [
    'forward() of six shapes in turn, out',
    () => {
      const [input, options] = shapes[turn++ % shapes.length]!;
      lstm.forward(input, null, options);
    },
  ],
];

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(calls)('%s', (_, call) => {
  test('takes no heap', () => {
    expect(bytesPerCall(call)).toBeLessThan(1);
  });

  test('makes no view', () => {
    for (let k = 0; k < 2 * MOST; k++) call();
    const subarray = vi.spyOn(Float32Array.prototype, 'subarray');
    const arrays = vi.spyOn(globalThis, 'Float32Array');
    for (let k = 0; k < 2 * MOST; k++) call();
    expect([subarray.mock.calls.length, arrays.mock.calls.length]).toEqual([0, 0]);
  });
});

test('copyOut copies any number of floats to any place, and nothing else', () => {
  const block = allocate(4 * 5000);
  const start = Math.ceil(block / 512) * 512;
  const source = floats().subarray(start / 4, start / 4 + 4800);
  for (let i = 0; i < source.length; i++) source[i] = i;
  for (const count of [0, 1, 63, 64, 65, 127, 128, 129, 191, 192, 500, 1000, 1024, 4095]) {
    for (const at of [0, 3]) {
      const target = new Float32Array(at + count + 2).fill(-1);
      copyOut(start, count, target, at);
      expect([...target]).toEqual([...Array(at).fill(-1), ...source.subarray(0, count), -1, -1]);
    }
  }
  release(block);
});

describe('inputs and outputs in one ArrayBuffer', () => {
  const wide = new LSTM(3, 3, { seed: 1 });
  const count = 600; // more rows than go through the kernels at once
  const many = wide.streams({ capacity: count });
  const ids = Array.from({ length: count }, () => many.open());
  const x = tensor(count, 3).data;
  const separate = new Float32Array(3 * count);
  many.step(ids, x, separate);

  // where the outputs begin, in floats from the inputs
  test.each([
    ['apart', 3 * count, 0],
    ['each output over its own input', 0, 0],
    ['outputs over later inputs', 3, 1],
    ['outputs over earlier inputs', -3, 1],
    ['one float in common', 3 * count - 1, 1],
  ])('%s', (_, offset, copies) => {
    const buffer = new Float32Array(9 * count);
    const inputs = buffer.subarray(3 * count, 6 * count);
    inputs.set(x);
    const outputs = new Float32Array(buffer.buffer, inputs.byteOffset + 4 * offset, 3 * count);
    for (const id of ids) many.reset(id);
    const slice = vi.spyOn(Float32Array.prototype, 'slice');
    many.step(ids, inputs, outputs);
    expect(slice.mock.calls.length).toBe(copies);
    expect(outputs).toEqual(separate);
  });
});

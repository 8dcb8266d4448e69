import { describe, expect, test } from 'vitest';
import { bytesUsed, LSTM, LSTMCell } from '../../src/index.ts';
import { gc } from '../support/garbage.ts';

// How much memory many streams take, in the arena and on the JS heap.

describe('many streams', () => {
  const COUNT = 10_000;

  test.each<[string, LSTM | LSTMCell, number]>([
    ['128x128', new LSTM(128, 128), 128 + 128],
    ['odd sizes, layers, a projection', new LSTM(7, 33, { numLayers: 3, projSize: 5 }), 3 * (8 + 36)],
    ['one unit', new LSTM(1, 1), 4 + 4],
    ['a cell', new LSTMCell(3, 21), 24 + 24],
  ])('%s: with capacity 10,000 a stream costs little memory', (_, model, count) => {
    const before = bytesUsed();
    const streams = model.streams({ capacity: COUNT });
    for (let k = 0; k < COUNT; k++) streams.open();
    expect((bytesUsed() - before) / COUNT).toBeLessThanOrEqual(4 * count + 64);
    streams.dispose();
  });

  test('less than 100 bytes of JavaScript heap each, also after many were closed and opened', () => {
    const model = new LSTM(1, 1);
    const ids = new Int32Array(COUNT);
    const rows = new Float32Array(COUNT);
    const heap = () => {
      // a second time, since array buffers that the first finds unused are freed on another thread
      gc();
      gc();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const bytesPerStream = (capacity: number) => {
      const before = heap();
      const streams = model.streams({ capacity });
      for (let k = 0; k < COUNT; k++) ids[k] = streams.open();
      streams.step(ids, rows, rows);
      const opened = heap();
      for (let k = 0; k < 3 * COUNT; k++) {
        const at = (k * 7919) % COUNT;
        streams.close(ids[at]!);
        ids[at] = streams.open();
      }
      const later = heap();
      expect(streams.size).toBe(COUNT);
      streams.dispose();
      return Math.max(opened - before, later - before) / COUNT;
    };
    // a rehearsal: linear memory, which it makes grow, is counted too
    for (const capacity of [64, COUNT]) bytesPerStream(capacity);
    for (const capacity of [64, COUNT]) expect(bytesPerStream(capacity)).toBeLessThan(100);
  });
});

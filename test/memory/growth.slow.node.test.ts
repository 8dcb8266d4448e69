import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { bytesUsed, Embedding, Linear, LSTM, LSTMCell, type LSTMStream } from '../../src/index.ts';
import { wasm } from '../../src/memory/wasm.ts';
import { hash } from '../support/bits.ts';
import { gc } from '../support/garbage.ts';
import { tensor } from '../support/tensors.ts';

// Linear memory stays flat, and what is forgotten comes back: the garbage collector is called.

const MIB = 1 << 20;

const memoryBytes = () => wasm().memory.buffer.byteLength;

// First in this file: memory never shrinks, so a later measurement might see nothing.
test('a million steps need less than 64 MiB, and are those of small pieces', () => {
  const steps = 1_000_000;
  const lstm = new LSTM(1, 4, { numLayers: 2, seed: 1 });
  const input = tensor(steps, 1);
  const before = memoryBytes();
  const { output, hn } = lstm.forward(input);
  expect(memoryBytes() - before).toBeLessThan(64 * MIB);
  const stream = lstm.stream();
  const pieces = new Float32Array(4 * steps);
  for (let at = 0, n = 1; at < steps; at += n, n = Math.min(steps - at, (n * 31) % 50_021)) {
    stream.run(input.data.subarray(at, at + n), pieces.subarray(4 * at, 4 * (at + n)));
  }
  expect(hash(pieces)).toBe(hash(output.data));
  expect(stream.getState().h0).toEqual(hn);
  expect(memoryBytes() - before).toBeLessThan(64 * MIB);
  stream.dispose();
  lstm.dispose();
});

test('10,000 rounds of making, using and disposing leave memory as it was after the first few', () => {
  const start = bytesUsed();
  let bytes = 0;
  for (let k = 0; k < 10_000; k++) {
    const size = 1 + ((k * 7) % 13);
    const modules = [
      new LSTM(size, 5 + (k % 7), { numLayers: 1 + (k % 2), bidirectional: k % 3 === 0, seed: 1 }),
      new LSTMCell(3, size, { seed: 1 }),
      new Linear(size, 9, { seed: 1 }),
      new Embedding(size, 4, { seed: 1 }),
    ] as const;
    const [lstm, cell, linear, embedding] = modules;
    lstm.forward(tensor(2, 3, size));
    linear.forward(tensor(2, size));
    embedding.forward({ data: [0], dims: [1] });
    const streams = [cell.stream(), ...(lstm.bidirectional ? [] : [lstm.stream()])];
    for (const stream of streams) stream.step();
    const many = cell.streams({ capacity: 1 + (k % 3) });
    for (let k = 0; k < 3; k++) many.open();
    many.step([3, 1], new Float32Array(6), new Float32Array(2 * size));
    const owners = [...modules, ...streams, many];
    // an order that differs from round to round
    for (let i = 0; i < owners.length; i++) owners[(i + k) % owners.length]!.dispose();
    if (k === 100) bytes = memoryBytes();
  }
  expect(memoryBytes()).toBe(bytes);
  expect(bytesUsed()).toBe(start);
});

describe('the garbage collector', () => {
  async function collected(until: () => boolean): Promise<boolean> {
    for (let k = 0; k < 100 && !until(); k++) {
      gc();
      await setTimeout(10);
    }
    return until();
  }

  test('frees what was forgotten, once, and nothing that was disposed or is in use', async () => {
    const start = bytesUsed();
    const kept = new LSTM(3, 4, { seed: 1 });
    const dict = kept.stateDict();
    const alone = bytesUsed();
    (() => {
      for (let k = 0; k < 300; k++) {
        new LSTM(3, 40);
        new LSTM(3, 4).stream().step();
        const streams = new LSTM(3, 4).streams({ capacity: 1 });
        for (let k = 0; k < 3; k++) streams.open();
        new LSTMCell(3, 40).forward(tensor(3));
        new Linear(30, 40);
        new Embedding(30, 40);
        const disposed = new LSTM(3, 4);
        disposed.stream().dispose();
        disposed.streams({ capacity: 1 }).dispose();
        disposed.dispose();
      }
    })();
    expect(bytesUsed() - alone).toBeGreaterThan(MIB);
    expect(await collected(() => bytesUsed() <= alone)).toBe(true);
    expect(bytesUsed()).toBe(alone);
    expect(kept.stateDict()).toEqual(dict);
    kept.dispose();
    expect(await collected(() => bytesUsed() <= start)).toBe(true);
    expect(bytesUsed()).toBe(start);
  });

  test('leaves the weights to a stream whose model was forgotten', async () => {
    const start = bytesUsed();
    const make = () => new LSTM(3, 40, { numLayers: 2, seed: 1 });
    const input = tensor(60).data;
    const run = (stream: LSTMStream) => {
      const output = new Float32Array(800);
      stream.run(input, output);
      return hash(output);
    };
    await (async () => {
      const stream = make().stream();
      for (let k = 0; k < 20; k++) {
        gc();
        await setTimeout(5);
        new LSTM(3, 40, { numLayers: 2, seed: k }).dispose();
      }
      const reference = make();
      expect(run(stream)).toBe(run(reference.stream()));
    })();
    expect(await collected(() => bytesUsed() <= start)).toBe(true);
    expect(bytesUsed()).toBe(start);
  });
});

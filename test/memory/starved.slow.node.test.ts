import { afterEach, describe, expect, test, vi } from 'vitest';
import { GRU } from '../../src/gru.ts';
import {
  bytesUsed,
  Embedding,
  Linear,
  LSTM,
  LSTMCell,
  packSequence,
  sigmoid,
  softmax,
  type TensorLike,
} from '../../src/index.ts';
import { allocate, endScratch, release, scratch } from '../../src/memory/arena.ts';
import { wasm } from '../../src/memory/wasm.ts';
import { hash } from '../support/bits.ts';
import { tensor } from '../support/tensors.ts';

// A lack of memory is an error that changes nothing.

const MIB = 1 << 20;

const memoryBytes = () => wasm().memory.buffer.byteLength;

afterEach(() => {
  vi.restoreAllMocks();
});

describe('without memory', () => {
  /** Runs `body` while not a byte is free and memory cannot grow. */
  function starved(body: () => void): void {
    scratch(9 * MIB);
    endScratch();
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
      throw new RangeError('WebAssembly.Memory.grow(): Unable to grow instance memory');
    });
    const blocks: number[] = [];
    for (let bytes = 1 << 30; bytes >= 64; ) {
      try {
        blocks.push(allocate(bytes));
      } catch {
        bytes /= 2;
      }
    }
    try {
      body();
    } finally {
      grow.mockRestore();
      blocks.forEach(release);
    }
  }

  const lstm = new LSTM(3, 4, { numLayers: 2, dropout: 0.5, seed: 1 });
  const cell = new LSTMCell(3, 4, { seed: 1 });
  const gru = new GRU(3, 4, { numLayers: 2, seed: 1 });
  const linear = new Linear(3, 4, { seed: 1 });
  const stream = lstm.stream();
  const state = { h0: tensor(2, 4), c0: tensor(2, 4) };
  const out = { output: tensor(5, 2, 4), hn: tensor(2, 2, 4), cn: tensor(2, 2, 4) };
  const values = (module: { stateDict(): Map<string, TensorLike>; dispose(): void }) => {
    const all = [...module.stateDict().values()].flatMap(({ data }) => [...data]);
    module.dispose();
    return all;
  };

  test.each<[string, () => Iterable<number>]>([
    ['new LSTM', () => values(new LSTM(3, 4, { seed: 2 }))],
    ['new LSTMCell', () => values(new LSTMCell(3, 4, { seed: 2 }))],
    ['new Linear', () => values(new Linear(3, 4, { seed: 2 }))],
    ['new Embedding', () => values(new Embedding(3, 4, { seed: 2 }))],
    ['fromStateDict', () => values(LSTM.fromStateDict(lstm.stateDict()))],
    [
      'stream()',
      () => {
        const made = lstm.stream();
        made.step();
        const { data } = made.getState().c0;
        made.dispose();
        return data;
      },
    ],
    [
      'clone()',
      () => {
        const made = stream.clone();
        const { data } = made.getState().c0;
        made.dispose();
        return data;
      },
    ],
    [
      'streams()',
      () => {
        const made = lstm.streams({ capacity: 1 });
        const output = new Float32Array(4);
        made.step([made.open()], tensor(3).data, output);
        made.dispose();
        return output;
      },
    ],
    ['LSTM.forward', () => lstm.forward(tensor(5, 2, 3)).output.data],
    ['LSTM.forward into out', () => lstm.forward(tensor(5, 2, 3), null, { out }).output.data],
    ['LSTM.forward in training', () => lstm.train().forward(tensor(5, 2, 3)).output.data],
    ['LSTM.forward of a packed sequence', () => lstm.forward(packSequence([tensor(5, 3), tensor(2, 3)])).hn.data],
    ['LSTMCell.forward', () => cell.forward(tensor(2, 3)).c1.data],
    ['GRU.forward', () => gru.forward(tensor(5, 2, 3)).output.data],
    ['GRU.quantize', () => gru.quantize().forward(tensor(5, 2, 3)).hn.data],
    ['GRU.trace', () => gru.trace(tensor(5, 2, 3)).layers[1]!.forward.n.data],
    ['Linear.forward', () => linear.forward(tensor(2, 3)).data],
    ['sigmoid', () => sigmoid(tensor(5)).data],
    ['softmax', () => softmax(tensor(5, 2), 0).data],
    [
      'stream.run',
      () => {
        const output = new Float32Array(8);
        stream.run(tensor(6).data, output);
        return output;
      },
    ],
  ])('%s throws a RangeError, changes nothing, and works again afterwards', (what, call) => {
    const begin = () => {
      lstm.train({ seed: 3 });
      if (what !== 'LSTM.forward in training') lstm.eval();
      stream.setState(state);
    };
    begin();
    const wanted = [...call()];
    begin();
    const [used, saved, results] = [bytesUsed(), stream.save(), structuredClone(out)];
    starved(() => {
      const full = bytesUsed();
      for (let k = 0; k < 3; k++) {
        expect(call).toThrow(RangeError);
        expect(call).toThrow(/^lstm-wasm: .*memory.*cannot grow/);
      }
      expect(bytesUsed()).toBe(full);
      // what needs no memory goes on as ever
      const before = stream.save();
      stream.step();
      expect(stream.save()).not.toEqual(before);
      stream.load(before);
    });
    expect(bytesUsed()).toBe(used);
    expect(stream.save()).toEqual(saved);
    expect(out).toEqual(results);
    expect([...call()]).toEqual(wanted);
    lstm.eval();
  });

  test('a batch of 10,000 streams is stepped in half a megabyte', () => {
    const model = new LSTM(64, 64, { numLayers: 2, seed: 1 });
    const streams = model.streams({ capacity: 10_000 });
    const ids = Int32Array.from({ length: 10_000 }, () => streams.open());
    const [inputs, outputs] = [tensor(10_000, 64).data, new Float32Array(640_000)];
    const room = allocate(MIB / 2);
    starved(() => {
      expect(() => streams.step(ids, inputs, outputs)).toThrow(RangeError);
      release(room);
      streams.step(ids, inputs, outputs);
    });
    expect(outputs.every((value) => value !== 0)).toBe(true);
    streams.dispose();
    model.dispose();
  });

  test('streams that cannot grow are as they were, and grow when they can', () => {
    const model = new LSTM(3, 4, { numLayers: 2, seed: 1 });
    const streams = model.streams({ capacity: 3 });
    const ids = [streams.open(), streams.open(), streams.open()];
    const [inputs, outputs] = [tensor(9).data, new Float32Array(12)];
    streams.step(ids, inputs, outputs);
    const before = ids.map((id) => streams.save(id));
    const used = bytesUsed();
    starved(() => {
      const full = bytesUsed();
      for (let k = 0; k < 3; k++) expect(() => streams.open()).toThrow(/^lstm-wasm: .*memory.*cannot grow/);
      // the step's scratch has no place either
      expect(() => streams.step(ids, inputs, outputs)).toThrow(RangeError);
      expect([streams.size, streams.capacity, bytesUsed()]).toEqual([3, 3, full]);
      expect(ids.map((id) => streams.save(id))).toEqual(before);
      streams.close(ids[1]!);
      expect(streams.open()).toBe(4);
      streams.load(4, before[1]!);
    });
    expect(bytesUsed()).toBe(used);
    expect(streams.open()).toBe(5);
    expect([1, 4, 3].map((id) => streams.save(id))).toEqual(before);
    expect(streams.capacity).toBeGreaterThan(3);
    model.dispose();
    streams.dispose();
  });

  test('at the very end of 4 GiB a model has the same bits, and then there is no more', () => {
    const run = () => {
      const model = new LSTM(3, 5, { numLayers: 2, bidirectional: true, projSize: 2, seed: 1 });
      const result = hash(model.forward(tensor(11, 9, 3)).output.data);
      const linear = new Linear(17, 19, { seed: 1 });
      const sum = hash(linear.forward(tensor(33, 17)).data);
      model.dispose();
      linear.dispose();
      return [result, sum];
    };
    const wanted = run();
    scratch(9 * MIB);
    endScratch();
    const used = bytesUsed();
    // the largest blocks first, down to what run() needs
    const blocks: number[] = [];
    for (let bytes = 1 << 30; bytes >= MIB; ) {
      try {
        blocks.push(allocate(bytes));
      } catch {
        bytes /= 2;
      }
    }
    expect(memoryBytes()).toBeGreaterThan(2 ** 32 - 2 * MIB);
    const rest: number[] = [];
    for (;;) {
      try {
        rest.push(allocate(64 * 1024));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        expect((error as Error).message).toMatch(/4 GiB/);
        break;
      }
    }
    expect(memoryBytes()).toBe(2 ** 32);
    // only the last megabyte is free
    const top = [...blocks, ...rest].sort((a, b) => b - a).find((start) => start <= 2 ** 32 - MIB)!;
    release(top);
    expect(run()).toEqual(wanted);
    expect(() => new LSTM(3000, 3000)).toThrow(/4 GiB/);
    expect(run()).toEqual(wanted);
    for (const start of [...blocks, ...rest]) if (start !== top) release(start);
    expect(run()).toEqual(wanted);
    expect(bytesUsed()).toBe(used);
  });
});

import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { loadGuitarML, loadNam, loadRTNeural } from '../src/audio.ts';
import {
  bytesUsed,
  Embedding,
  Linear,
  LSTM,
  LSTMCell,
  type LSTMStream,
  packPaddedSequence,
  packSequence,
  sigmoid,
  softmax,
  type TensorLike,
} from '../src/index.ts';
import { allocate, endScratch, release, scratch } from '../src/memory/arena.ts';
import { wasm } from '../src/memory/wasm.ts';
import { guitarML, nam, rtneural } from './support/audio-files.ts';
import { hash } from './support/bits.ts';
import { bytesPerCall, gc } from './support/garbage.ts';
import { tensor } from './support/tensors.ts';

// Linear memory stays flat, what is forgotten comes back, the steady state makes no garbage, and a lack of memory is an
// error that changes nothing. Node only: the garbage collector is called and the JS heap is measured.

const MIB = 1 << 20;
const memoryBytes = () => wasm().memory.buffer.byteLength;

afterEach(() => {
  vi.restoreAllMocks();
});

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

describe('no garbage', () => {
  test('the measurement sees a single small object', () => {
    let last: unknown;
    expect(
      bytesPerCall(() => {
        last = [last === undefined];
      }),
    ).toBeGreaterThan(15);
    expect(bytesPerCall(() => {})).toBeLessThan(1);
  });

  const lstm = new LSTM(3, 8, { numLayers: 2, seed: 1 });
  const projected = new LSTM(3, 8, { projSize: 5, seed: 1 });
  const bidirectional = new LSTM(3, 8, { bidirectional: true, batchFirst: true, seed: 1 });
  const [stream, cellStream] = [lstm.stream(), new LSTMCell(3, 8, { seed: 1 }).stream()];
  const x = tensor(128, 3).data;
  const y = new Float32Array(128 * 8);

  const streams = lstm.streams();
  const ids = Int32Array.from({ length: 20 }, () => streams.open());
  const [someIds, someRows, someOutputs] = [ids.slice(3, 10), new Float32Array(21), new Float32Array(56)];
  const listed = [...someIds];
  let turn = 0;
  const batches = [1, 2, 5, 7].map(
    (n) => [new Int32Array(n), new Float32Array(3 * n), new Float32Array(8 * n)] as const,
  );
  const differentStreams = () => {
    const [chosen, x, y] = batches[turn++ % 4]!;
    for (let k = 0; k < chosen.length; k++) chosen[k] = ids[(turn + k) % 20]!;
    streams.step(chosen, x, y);
  };
  // 8 KiB of scratch a row
  const wide = new LSTM(2000, 1).streams();
  const wideIds = Int32Array.from({ length: 35 }, () => wide.open());
  const [wideRows, wideOutputs] = [new Float32Array(35 * 2000), new Float32Array(35)];

  // as much scratch as any of these calls needs
  wide.step(wideIds, wideRows, wideOutputs);

  /** forward() into its own first result. */
  function into(model: LSTM, input: any, withState: boolean): () => void {
    const out = model.forward(input);
    const state = withState ? { h0: out.hn, c0: out.cn } : undefined;
    const options = { out };
    return () => {
      model.forward(input, state, options);
    };
  }

  const unsorted = { enforceSorted: false };

  const amp = loadNam(nam({ H: 8, layers: 2 }));
  const dense = loadRTNeural(
    rtneural({
      dense: [
        [4, 'elu'],
        [4, 'softmax'],
        [1, 'tanh'],
      ],
    }),
  );
  const knobbed = loadGuitarML(guitarML({ I: 3 }));
  const knobs = [0.1, 0.2];
  const [samples, played] = [tensor(441).data, new Float32Array(441)];
  const block = samples.subarray(0, 128);
  const playedBlock = played.subarray(0, 128);

  test.each<[string, () => void]>([
    ['NAM, 128 samples', () => amp.process(block, playedBlock)],
    ['NAM, 441 samples', () => amp.process(samples, played)],
    ['RTNeural, activations', () => dense.process(samples, played)],
    ['GuitarML, knobs', () => knobbed.process(samples, played, knobs)],
    [
      'stream.step()',
      () => {
        stream.input[0] = 0.5;
        stream.step();
        if (stream.output[0]! > 2) throw new Error('never');
      },
    ],
    ['step() of a cell', () => cellStream.step()],
    ['stream.run() of 128 samples', () => void stream.run(x, y)],
    ['reset()', () => stream.reset()],
    ['streams.step() of ids in an Int32Array', () => streams.step(someIds, someRows, someOutputs)],
    ['streams.step() of ids in an array', () => streams.step(listed, someRows, someOutputs)],
    ['streams.step() of ever other streams', differentStreams],
    ['streams.step() of several chunks', () => wide.step(wideIds, wideRows, wideOutputs)],
    ['streams.reset()', () => streams.reset(3)],
    ['forward, out', into(lstm, tensor(5, 2, 3), false)],
    ['forward, out, with a state', into(lstm, tensor(5, 2, 3), true)],
    ['forward, out, unbatched', into(lstm, tensor(5, 3), true)],
    ['forward, out, projection', into(projected, tensor(5, 2, 3), true)],
    ['forward, out, bidirectional, batchFirst', into(bidirectional, tensor(2, 5, 3), true)],
    ['forward, out, packed', into(lstm, packPaddedSequence(tensor(5, 3, 3), [5, 2, 1]), true)],
    [
      'forward, out, packed in another order',
      into(lstm, packPaddedSequence(tensor(5, 3, 3), [2, 5, 1], unsorted), true),
    ],
  ])('%s', (_, call) => {
    const before = [memoryBytes(), bytesUsed()];
    expect(bytesPerCall(call)).toBeLessThan(1);
    expect([memoryBytes(), bytesUsed()]).toEqual(before);
  });
});

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

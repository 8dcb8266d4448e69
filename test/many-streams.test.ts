import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesUsed, LSTM, LSTMCell, type LSTMStream, type LSTMStreams, ModelError } from '../src/index.ts';
import { wasm } from '../src/memory/wasm.ts';
import { IdTable } from '../src/nn/id-table.ts';
import { uniforms } from './support/random.ts';

// Many streams in one call: the bits of each alone, whatever else happens; what is refused, before anything changes. What
// they cost is for memory.node.test.ts.

/** Wrong arguments are much of the subject. */
type Any = any;

const SEED = 20250101;
const SPECIALS = [NaN, Infinity, -Infinity, -0, 1e-45, 3e38, -90];

/** Numbers from -2 to 2; with `specials` now and then one that no microphone gives. */
function numbers(count: number, random: () => number, specials = false): Float32Array {
  return Float32Array.from({ length: count }, () =>
    specials && random() < 0.05 ? SPECIALS[Math.floor(random() * SPECIALS.length)]! : 4 * random() - 2,
  );
}

/** The bits; a NaN's own bits are the processor's choice. */
function bits(data: Float32Array): number[] {
  const words = new Uint32Array(data.slice().buffer);
  return Array.from(words, (word, i) => (Number.isNaN(data[i]) ? 0x7fc00000 : word));
}

function stepped(stream: LSTMStream, input: Float32Array): Float32Array {
  stream.input.set(input);
  stream.step();
  return stream.output.slice();
}

const row = (data: Float32Array, k: number, size: number) => data.subarray(k * size, (k + 1) * size);

/** Fails unless `id` has the state of `alone`, with the same bytes unless a NaN is among them. */
function expectSameState(streams: LSTMStreams, id: number, alone: LSTMStream, model: LSTM | LSTMCell): void {
  const [saved, wanted] = [streams.save(id), alone.save()];
  if (saved.every((byte, i) => byte === wanted[i])) {
    expect(saved.length).toBe(wanted.length);
    return;
  }
  const copy = model.stream();
  copy.load(saved);
  const [got, own] = [copy.getState(), alone.getState()];
  expect([bits(got.h0.data), bits(got.c0.data)], `stream ${id}`).toEqual([bits(own.h0.data), bits(own.c0.data)]);
  expect([...own.h0.data, ...own.c0.data].some(Number.isNaN), `bytes of stream ${id} differ without a NaN`).toBe(true);
  copy.dispose();
}

interface Case {
  I: number;
  H: number;
  P: number;
  L: number;
  cell: boolean;
  capacity: number;
  specials: boolean;
  seed: number;
  /** What is done, one after the other; `draw` decides with whom */
  steps: { what: string; draw: number }[];
}

const upTo = (max: number) => fc.integer({ min: 1, max });
const cases = fc.record<Case>({
  I: fc.integer({ min: 0, max: 9 }),
  H: upTo(19),
  P: fc.integer({ min: 0, max: 9 }),
  L: upTo(3),
  cell: fc.boolean(),
  capacity: upTo(5),
  specials: fc.boolean(),
  seed: fc.nat(),
  steps: fc.array(
    fc.record({
      what: fc.constantFrom(
        'step',
        'step',
        'step',
        'open',
        'open',
        'close',
        'reset',
        'take',
        'give',
        'wrong',
        'weights',
      ),
      draw: fc.nat(),
    }),
    { maxLength: 40 },
  ),
});

function makeModel({ I, H, P, L, cell, seed }: Case): LSTM | LSTMCell {
  return cell ? new LSTMCell(I, H, { seed }) : new LSTM(I, H, { numLayers: L, projSize: P < H ? P : 0, seed });
}

test('whatever is opened, stepped, moved and closed: the bits of streams stepped alone', () => {
  const property = fc.property(cases, (c) => {
    const model = makeModel(c);
    const streams = model.streams({ capacity: c.capacity });
    /** The open streams, each beside one of its own */
    const alone = new Map<number, LSTMStream>();
    const given = new Set<number>();
    const I = c.I;
    const probe = model.stream();
    const Ho = probe.output.length;
    probe.dispose();

    const open = () => {
      const id = streams.open();
      expect(given).not.toContain(id);
      given.add(id);
      alone.set(id, model.stream());
    };
    const step = (random: () => number) => {
      const ids = shuffled([...alone.keys()], random).filter(() => random() < 0.7);
      const inputs = numbers(ids.length * I, random, c.specials);
      const wanted = ids.map((id, k) => stepped(alone.get(id)!, row(inputs, k, I)));
      const outputs = I === Ho && random() < 0.5 ? inputs : new Float32Array(ids.length * Ho);
      if (random() < 0.1) wasm().memory.grow(1);
      streams.step(random() < 0.5 ? ids : Int32Array.from(ids), inputs, outputs);
      ids.forEach((id, k) => {
        expect(bits(row(outputs, k, Ho)), `output of stream ${id}`).toEqual(bits(wanted[k]!));
      });
    };

    for (let k = 0; k < 3; k++) open();
    for (const { what, draw } of [...c.steps, { what: 'step', draw: 1 }]) {
      const random = uniforms(draw);
      const [id, stream] = [...alone][Math.floor(random() * alone.size)] ?? [];
      if (what === 'open') open();
      else if (what === 'step') step(random);
      else if (what === 'weights') {
        const dict = [...model.stateDict()].map(
          ([key, { data, dims }]) => [key, { data: numbers(data.length, random), dims }] as const,
        );
        model.loadStateDict(new Map(dict));
      } else if (id !== undefined && stream) {
        if (what === 'close') {
          streams.close(id);
          stream.dispose();
          alone.delete(id);
          expect(() => streams.step([id], new Float32Array(I), new Float32Array(Ho))).toThrow(RangeError);
        } else if (what === 'reset') {
          streams.reset(id);
          stream.reset();
        } else if (what === 'take') {
          stream.load(streams.save(id));
        } else if (what === 'give') {
          stepped(stream, numbers(I, random));
          streams.load(id, stream.save());
          expect(streams.save(id)).toEqual(stream.save());
        } else if (what === 'wrong') {
          const ids = [...alone.keys(), id];
          const call = () => streams.step(ids, numbers(ids.length * I, random), new Float32Array(ids.length * Ho));
          expect(call).toThrow(RangeError);
        }
      }
      expect(streams.size).toBe(alone.size);
      expect(streams.capacity).toBeGreaterThanOrEqual(Math.max(c.capacity, alone.size));
    }
    for (const [id, stream] of alone) {
      expectSameState(streams, id, stream, model);
      stream.dispose();
    }
    streams.dispose();
    model.dispose();
  });
  const used = bytesUsed();
  fc.assert(property, { seed: SEED, numRuns: 150 });
  expect(bytesUsed()).toBe(used);
});

function shuffled<T>(list: T[], random: () => number): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}

// Several chunks of rows (CHUNK_BYTES in src/nn/streams.ts), the last one shorter: no such border may be heard.
describe.each<[string, number, LSTM]>([
  ['one unit', 5003, new LSTM(1, 1, { seed: 1 })],
  ['wide input', 1001, new LSTM(300, 3, { numLayers: 3, seed: 1 })],
  ['many units', 107, new LSTM(130, 130, { numLayers: 2, seed: 1 })],
  ['projection', 259, new LSTM(9, 90, { numLayers: 2, projSize: 9, seed: 1 })],
])('a large batch: %s', (_, count, model) => {
  const I = model.inputSize;
  const Ho = model.projSize || model.hiddenSize;
  const random = uniforms(3);
  const inputs = numbers(count * I, random);
  const alone = Array.from({ length: count }, () => model.stream());
  const wanted = new Float32Array(count * Ho);
  alone.forEach((stream, k) => {
    wanted.set(stepped(stream, row(inputs, k, I)), k * Ho);
  });

  function expectWanted(x: Float32Array, y: Float32Array): void {
    const streams = model.streams({ capacity: 3 });
    const ids = shuffled(
      Array.from({ length: count }, () => streams.open()),
      random,
    );
    x.set(inputs);
    streams.step(ids, x, y);
    expect(bits(y)).toEqual(bits(wanted));
    for (const k of [0, 1, count >> 1, count - 1]) expect(streams.save(ids[k]!)).toEqual(alone[k]!.save());
    streams.dispose();
  }

  test('equals its rows alone', () => expectWanted(new Float32Array(count * I), new Float32Array(count * Ho)));

  test('whose outputs lie over its inputs, in the same place and shifted', () => {
    const buffer = new Float32Array(count * (I + Ho) + 64);
    for (const [from, to] of [
      [0, 0],
      [0, 7],
      [7, 0],
      [0, count * I],
    ] as const) {
      expectWanted(buffer.subarray(from, from + count * I), buffer.subarray(to, to + count * Ho));
    }
  });
});

test('scratch that has moved, since another model needed more, is not read where it was', () => {
  const model = new LSTM(3, 5, { seed: 1 });
  const streams = model.streams();
  const [ids, alone] = [
    [streams.open(), streams.open()],
    [model.stream(), model.stream()],
  ];
  const random = uniforms(1);
  for (const size of [1, 100, 1000, 3000, 1, 1]) {
    const large = new LSTM(size, 1);
    large.forward({ data: new Float32Array(1000 * size), dims: [1000, size] });
    large.dispose();
    const inputs = numbers(6, random);
    const outputs = new Float32Array(10);
    streams.step(ids, inputs, outputs);
    const wanted = alone.map((stream, k) => [...stepped(stream, row(inputs, k, 3))]);
    expect([...outputs]).toEqual(wanted.flat());
  }
});

test('NaN in one row stays there, until its stream is reset', () => {
  const model = new LSTM(3, 5, { numLayers: 2, seed: 1 });
  const streams = model.streams();
  const ids = Array.from({ length: 9 }, () => streams.open());
  const alone = ids.map(() => model.stream());
  const random = uniforms(1);
  for (let t = 0; t < 5; t++) {
    const inputs = numbers(27, random);
    const outputs = new Float32Array(45);
    inputs[13] = NaN;
    const wanted = alone.map((stream, k) => stepped(stream, row(inputs, k, 3)));
    streams.step(ids, inputs, outputs);
    ids.forEach((_, k) => {
      expect(bits(row(outputs, k, 5))).toEqual(bits(wanted[k]!));
      expect(row(outputs, k, 5).every(Number.isFinite)).toBe(k !== 4);
    });
  }
  streams.reset(ids[4]!);
  expect(streams.save(ids[4]!)).toEqual(model.stream().save());
});

test('a stream that is opened where another was closed starts with zeros, under an id of its own', () => {
  const model = new LSTM(2, 3, { seed: 1 });
  const streams = model.streams({ capacity: 2 });
  const given = new Set<number>();
  const zeros = model.stream().save();
  for (let k = 0; k < 100; k++) {
    const id = streams.open();
    expect(given).not.toContain(id);
    given.add(id);
    expect(streams.save(id)).toEqual(zeros);
    streams.step([id], Float32Array.of(NaN, 1), new Float32Array(3));
    streams.close(id);
  }
  expect([streams.size, streams.capacity]).toEqual([0, 2]);
});

test('ids are the positive numbers of an Int32Array, and when all have been given out there are no more', () => {
  const streams = new LSTM(2, 3).streams();
  expect([streams.open(), streams.open()]).toEqual([1, 2]);
  (streams as Any).nextId = 2 ** 31 - 1;
  const last = streams.open();
  expect(Int32Array.of(last)[0]).toBe(2 ** 31 - 1);
  streams.step(Int32Array.of(last, 1), new Float32Array(4), new Float32Array(6));
  const message = 'LSTMStreams: all ids up to 2^31 - 1 have been given out; make new streams()';
  streams.close(2);
  for (let k = 0; k < 3; k++) expect(() => streams.open()).toThrow(new RangeError(message));
  expect(streams.size).toBe(2);
});

test('capacity: 64 unless said otherwise; what grows keeps its states', () => {
  const model = new LSTM(2, 3, { numLayers: 2, seed: 1 });
  expect(model.streams().capacity).toBe(64);
  expect(model.streams({}).capacity).toBe(64);
  expect(new LSTMCell(2, 3).streams({ capacity: 10_000 }).capacity).toBe(10_000);
  const streams = model.streams({ capacity: 1 });
  const saved = new Map<number, Uint8Array>();
  const inputs = numbers(2, uniforms(5));
  for (let k = 0; k < 3000; k++) {
    const id = streams.open();
    inputs[0] = k / 1500;
    streams.step([id], inputs, new Float32Array(3));
    saved.set(id, streams.save(id));
    wasm().memory.grow(k % 100 ? 0 : 1);
  }
  expect(streams.size).toBe(3000);
  expect(streams.capacity).toBeLessThan(3000 * 1.07);
  for (const [id, bytes] of saved) expect(`${streams.save(id)}`).toBe(`${bytes}`);
});

describe('refused, before anything changes', () => {
  const model = new LSTM(2, 3, { seed: 1 });
  const streams = model.streams();
  const closed = streams.open();
  const [a, b, c] = [streams.open(), streams.open(), streams.open()];
  streams.close(closed);
  streams.step([a, b, c], numbers(6, uniforms(1)), new Float32Array(9));

  function expectRefused(call: () => unknown, error: Any, message: RegExp): void {
    const before = [a, b, c].map((id) => streams.save(id));
    expect(call).toThrow(error);
    expect(call).toThrow(message);
    expect([a, b, c].map((id) => streams.save(id))).toEqual(before);
    expect(streams.size).toBe(3);
  }

  const never = [closed, 0, -0, -1, 999, 1.5, a + 0.5, a + 2 ** 32, NaN, Infinity];
  const noNumbers = ['2', undefined, null, 2n, [a], { valueOf: () => a }, Symbol('a'), true];

  test('an id that is not open, in every method', () => {
    for (const id of [...never, ...noNumbers] as Any[]) {
      const error = typeof id === 'number' ? RangeError : TypeError;
      const message = /^LSTMStreams: "id" expected the id of an open stream, got /;
      expectRefused(() => streams.reset(id), error, message);
      expectRefused(() => streams.save(id), error, message);
      expectRefused(() => streams.load(id, streams.save(a)), error, message);
      expectRefused(() => streams.close(id), error, message);
      const inputs = numbers(6, uniforms(2));
      const call = () => streams.step([a, b, id], inputs, new Float32Array(9));
      expectRefused(call, error, /^LSTMStreams: "ids\[2\]" expected the id of an open stream, got /);
    }
    const inputs = numbers(6, uniforms(2));
    const outputs = new Float32Array(9).fill(7);
    expectRefused(() => streams.step(Int32Array.of(a, closed, c), inputs, outputs), RangeError, /"ids\[1\]".*, got 1$/);
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
    expectRefused(() => streams.step([a, , c] as Any, inputs, outputs), TypeError, /"ids\[1\]".*, got undefined$/);
    expect(outputs.every((value) => value === 7)).toBe(true);
  });

  test('an id that is there twice, also after other calls and in more rows than there are streams', () => {
    const once = /^LSTMStreams: "ids\[(\d+)\]" expected every id once, got \d+$/;
    for (const ids of [
      [a, a],
      [a, b, a],
      [c, b, a, b],
      [b, b, b, b, b, b],
      [a, b, c, c],
    ]) {
      const call = (list: Any) => () =>
        streams.step(list, numbers(2 * ids.length, uniforms(2)), new Float32Array(3 * ids.length));
      expectRefused(call(ids), RangeError, once);
      expectRefused(call(Int32Array.from(ids)), RangeError, once);
      const fresh = [c, a, b];
      streams.step(fresh, numbers(6, uniforms(2)), new Float32Array(9));
    }
  });

  test('lists of ids of another type', () => {
    const wrong = [
      undefined,
      null,
      a,
      'ab',
      new Float32Array([a]),
      new Uint32Array([a]),
      BigInt64Array.of(2n),
      { length: 1 },
    ];
    for (const ids of [...wrong, new Set([a]), new Int32Array([a]).buffer] as Any[]) {
      const call = () => streams.step(ids, new Float32Array(2), new Float32Array(3));
      expectRefused(call, TypeError, /^LSTMStreams: "ids" expected an Int32Array or an array, got /);
    }
  });

  test('inputs and outputs of other types and lengths', () => {
    const zeros = (n: number) => new Float32Array(n);
    const call = (x: Any, y: Any) => () => streams.step([a, b], x, y);
    for (const n of [0, 1, 3, 5, 6]) {
      expectRefused(
        call(zeros(n), zeros(6)),
        RangeError,
        /^LSTMStreams: "inputs" expected 4 elements for 2 ids, got \d/,
      );
    }
    for (const n of [0, 3, 5, 7, 9]) {
      expectRefused(
        call(zeros(4), zeros(n)),
        RangeError,
        /^LSTMStreams: "outputs" expected 6 elements for 2 ids, got \d/,
      );
    }
    expectRefused(
      () => streams.step([], zeros(2), zeros(0)),
      RangeError,
      /"inputs" expected 0 elements for 0 ids, got 2$/,
    );
    expectRefused(() => streams.step([], zeros(0), zeros(3)), RangeError, /"outputs" expected 0 elements/);
    const shared = new Float32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer, 0, 4);
    for (const value of [
      undefined,
      null,
      [1, 2, 3, 4],
      new Float64Array(4),
      { data: zeros(4), dims: [2, 2] },
      shared,
    ]) {
      expectRefused(call(value, zeros(6)), TypeError, /^LSTMStreams: "inputs" expected a /);
      expectRefused(call(zeros(4), value), TypeError, /^LSTMStreams: "outputs" expected a /);
    }
  });

  test('detached arrays', () => {
    const detached = <T extends Float32Array | Int32Array>(array: T): T => {
      structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
      return array;
    };
    const zeros = (n: number) => new Float32Array(n);
    expectRefused(
      () => streams.step([a], detached(zeros(2)), zeros(3)),
      RangeError,
      /"inputs".* 0, as a detached buffer/,
    );
    expectRefused(
      () => streams.step([a], zeros(2), detached(zeros(3))),
      RangeError,
      /"outputs".* 0, as a detached buffer/,
    );
    expectRefused(
      () => streams.step(detached(Int32Array.of(a)), zeros(2), zeros(3)),
      TypeError,
      /"ids".* detached one$/,
    );
    // all of them look as empty ones do
    const gone = [detached(Int32Array.of(a)), detached(zeros(2)), detached(zeros(3))] as const;
    expectRefused(() => streams.step(...gone), TypeError, /^LSTMStreams: "ids" expected an array, got a detached one$/);
    expectRefused(
      () => streams.step([], gone[1], gone[2]),
      TypeError,
      /"inputs" expected an array, got a detached one$/,
    );
    expectRefused(
      () => streams.step([], zeros(0), gone[2]),
      TypeError,
      /"outputs" expected an array, got a detached one$/,
    );
  });

  test('views of linear memory, which may grow during the call', () => {
    const other = model.stream();
    const inMemory = /expected memory of its own, got a view of linear memory$/;
    expectRefused(() => streams.step([a], other.input, new Float32Array(3)), TypeError, inMemory);
    expectRefused(() => streams.step([a], new Float32Array(2), other.output), TypeError, inMemory);
    const all = new Float32Array(wasm().memory.buffer);
    expectRefused(() => streams.step([a], all.subarray(0, 2), new Float32Array(3)), TypeError, inMemory);
  });

  test('saved states that are damaged or of other models', () => {
    const saved = streams.save(a);
    const wrong = [saved.subarray(1), new Uint8Array(saved.length), new LSTM(2, 4).stream().save()];
    const cell = new LSTMCell(2, 3).streams();
    wrong.push(cell.save(cell.open()));
    for (const bytes of wrong) expectRefused(() => streams.load(b, bytes), ModelError, /^LSTMStreams: saved state: /);
    expectRefused(() => streams.load(b, [...saved] as Any), TypeError, /^LSTMStreams: "bytes" expected a Uint8Array/);
  });

  test('options', () => {
    const used = bytesUsed();
    for (const capacity of [0, -1, 1.5, NaN, 2 ** 31]) {
      expect(() => model.streams({ capacity })).toThrow(RangeError);
      expect(() => model.streams({ capacity })).toThrow(/^LSTMStreams: "capacity" expected an integer from 1 to /);
    }
    expect(() => model.streams({ capacity: '5' } as Any)).toThrow(TypeError);
    expect(() => model.streams({ Capacity: 5 } as Any)).toThrow(/^LSTMStreams: unknown option "Capacity"/);
    expect(() => model.streams(5 as Any)).toThrow(/^LSTMStreams: "options" expected an object, got 5$/);
    expect(() => model.streams({ capacity: 2 ** 31 - 1 })).toThrow(/^lstm-wasm: .*memory.* cannot grow/);
    expect(bytesUsed()).toBe(used);
    const both = new LSTM(2, 3, { bidirectional: true });
    expect(() => both.streams()).toThrow(TypeError);
    expect(() => both.streams()).toThrow(/^LSTM: .*bidirectional.*end/);
  });
});

test('no ids: nothing happens', () => {
  const streams = new LSTM(2, 3).streams();
  const id = streams.open();
  const before = streams.save(id);
  streams.step([], new Float32Array(0), new Float32Array(0));
  streams.step(new Int32Array(0), new Float32Array(0), new Float32Array(0));
  expect(streams.save(id)).toEqual(before);
});

test('dropout is never applied', () => {
  const model = new LSTM(2, 30, { numLayers: 2, dropout: 0.9, seed: 1 }).train();
  const streams = model.streams();
  const outputs = new Float32Array(30);
  streams.step([streams.open()], Float32Array.of(1, 2), outputs);
  expect(bits(outputs)).toEqual(bits(stepped(model.stream(), Float32Array.of(1, 2))));
});

test('after dispose() of the streams or of the model: errors, and a second dispose is harmless', () => {
  const used = bytesUsed();
  const model = new LSTM(2, 3);
  const [streams, orphan] = [model.streams({ capacity: 1 }), model.streams()];
  const id = streams.open();
  const saved = streams.save(id);
  expect(orphan.open()).toBe(id);
  for (let k = 0; k < 200; k++) streams.open();
  const uses: ((s: LSTMStreams) => unknown)[] = [
    (s) => s.open(),
    (s) => s.step([id], new Float32Array(2), new Float32Array(3)),
    (s) => s.step([], new Float32Array(0), new Float32Array(0)),
    (s) => s.reset(id),
    (s) => s.save(id),
    (s) => s.load(id, saved),
    (s) => s.close(id),
    (s) => s.size,
    (s) => s.capacity,
  ];
  streams.dispose();
  streams.dispose();
  for (const use of uses) expect(() => use(streams)).toThrow(new Error('LSTMStreams: used after dispose()'));
  uses[1]!(orphan);
  model.dispose();
  for (const use of uses) expect(() => use(orphan)).toThrow(new Error('LSTM: used after dispose()'));
  expect(() => model.streams()).toThrow(new Error('LSTM: used after dispose()'));
  expect(bytesUsed()).toBeGreaterThan(used);
  if (typeof Symbol.dispose === 'symbol') (orphan as Any)[Symbol.dispose]();
  orphan.dispose();
  expect(bytesUsed()).toBe(used);
});

test('the table of ids is a Map, in whatever order they come and go', () => {
  const random = uniforms(1);
  const table = new IdTable();
  const map = new Map<number, number>();
  let next = 1;
  for (let k = 0; k < 30_000; k++) {
    // up to 300 ids, then down to none, then up again; now and then far apart
    if (Math.floor(k / 600) % 2 ? random() < 0.3 : random() < 0.7) {
      next += random() < 0.1 ? 65_536 : 1;
      table.reserve(map.size + 1);
      table.set(next, k);
      map.set(next, k);
    } else if (map.size) {
      const id = [...map.keys()][Math.floor(random() * map.size)]!;
      table.delete(id);
      map.delete(id);
      expect(table.get(id)).toBe(-1);
    }
    if (k % 50 === 0) expect([...map.keys()].map((id) => table.get(id))).toEqual([...map.values()]);
  }
});

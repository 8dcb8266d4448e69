import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesUsed, LSTM, LSTMCell, type LSTMStream, type LSTMStreams } from '../../src/index.ts';
import { wasm } from '../../src/memory/wasm.ts';
import { numberBits } from '../support/bits.ts';
import { uniforms } from '../support/random.ts';
import { type Any, unusual } from '../support/tensors.ts';

// Many streams in one call: the bits of each alone, whatever else happens; what is refused, before anything changes. What
// they cost is for memory/.

const SEED = 20250101;
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
  expect([numberBits(got.h0.data), numberBits(got.c0.data)], `stream ${id}`).toEqual([
    numberBits(own.h0.data),
    numberBits(own.c0.data),
  ]);
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
      const inputs = unusual(ids.length * I, random, c.specials ? 0.05 : 0);
      const wanted = ids.map((id, k) => stepped(alone.get(id)!, row(inputs, k, I)));
      const outputs = I === Ho && random() < 0.5 ? inputs : new Float32Array(ids.length * Ho);
      if (random() < 0.1) wasm().memory.grow(1);
      streams.step(random() < 0.5 ? ids : Int32Array.from(ids), inputs, outputs);
      ids.forEach((id, k) => {
        expect(numberBits(row(outputs, k, Ho)), `output of stream ${id}`).toEqual(numberBits(wanted[k]!));
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
          ([key, { data, dims }]) => [key, { data: unusual(data.length, random), dims }] as const,
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
          stepped(stream, unusual(I, random));
          streams.load(id, stream.save());
          expect(streams.save(id)).toEqual(stream.save());
        } else if (what === 'wrong') {
          const ids = [...alone.keys(), id];
          const call = () => streams.step(ids, unusual(ids.length * I, random), new Float32Array(ids.length * Ho));
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
  const inputs = unusual(count * I, random);
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
    expect(numberBits(y)).toEqual(numberBits(wanted));
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
    const inputs = unusual(6, random);
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
    const inputs = unusual(27, random);
    const outputs = new Float32Array(45);
    inputs[13] = NaN;
    const wanted = alone.map((stream, k) => stepped(stream, row(inputs, k, 3)));
    streams.step(ids, inputs, outputs);
    ids.forEach((_, k) => {
      expect(numberBits(row(outputs, k, 5))).toEqual(numberBits(wanted[k]!));
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
  const inputs = unusual(2, uniforms(5));
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
  expect(numberBits(outputs)).toEqual(numberBits(stepped(model.stream(), Float32Array.of(1, 2))));
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
  orphan.dispose();
  expect(bytesUsed()).toBe(used);
});

import { describe, expect, test } from 'vitest';
import { bytesUsed, LSTM, LSTMCell, ModelError } from '../../src/index.ts';
import { wasm } from '../../src/memory/wasm.ts';
import { uniforms } from '../support/random.ts';
import { type Any, unusual } from '../support/tensors.ts';

// Many streams in one call: what is refused, before anything changes.

describe('refused, before anything changes', () => {
  const model = new LSTM(2, 3, { seed: 1 });
  const streams = model.streams();
  const closed = streams.open();
  const [a, b, c] = [streams.open(), streams.open(), streams.open()];
  streams.close(closed);
  streams.step([a, b, c], unusual(6, uniforms(1)), new Float32Array(9));

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
      const inputs = unusual(6, uniforms(2));
      const call = () => streams.step([a, b, id], inputs, new Float32Array(9));
      expectRefused(call, error, /^LSTMStreams: "ids\[2\]" expected the id of an open stream, got /);
    }
    const inputs = unusual(6, uniforms(2));
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
        streams.step(list, unusual(2 * ids.length, uniforms(2)), new Float32Array(3 * ids.length));
      expectRefused(call(ids), RangeError, once);
      expectRefused(call(Int32Array.from(ids)), RangeError, once);
      const fresh = [c, a, b];
      streams.step(fresh, unusual(6, uniforms(2)), new Float32Array(9));
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

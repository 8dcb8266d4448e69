import { describe, expect, test } from 'vitest';
import { Conv1d, Embedding, LSTM, LSTMCell, relu, sigmoid, softmax, type TensorLike, tanh } from '../../src/index.ts';
import { tensor } from '../support/tensors.ts';

// Getters and arrays of the caller's may do anything between reads: the answer is right, or the error clear, and nobody else's
// memory is touched.

const lstm = new LSTM(2, 3, { seed: 1 });
const x = tensor(2, 2);
const other = tensor(5, 2);
const zero = { data: new Float32Array(3), dims: [1, 3] };
const right = lstm.forward(x, { h0: zero, c0: zero });

/** A getter that does something before it gives a value. */
const calling =
  <T>(call: () => unknown, value: T) =>
  (): T => {
    call();
    return value;
  };

describe('forward() called by a getter', () => {
  const inner: [string, () => unknown][] = [
    ['succeeds', () => lstm.forward(other)],
    ['throws', () => expect(() => lstm.forward(other, { h0: {} as never, c0: zero })).toThrow(TypeError)],
  ];
  test.each(inner)('of the state, where it %s', (_, call) => {
    for (const name of ['h0', 'c0'] as const) {
      const state = { h0: zero, c0: zero };
      Object.defineProperty(state, name, { get: calling(call, zero) });
      expect(lstm.forward(x, state)).toEqual(right);
    }
  });

  test.each(inner)('of out, where it %s', (_, call) => {
    for (const name of ['output', 'hn', 'cn'] as const) {
      const out = lstm.forward(x);
      const real = out[name];
      Object.defineProperty(out, name, { get: calling(call, real) });
      lstm.forward(x, { h0: zero, c0: zero }, { out });
      expect(real).toEqual(right[name]);
    }
  });

  test('of the state of a cell', () => {
    const cell = new LSTMCell(2, 3, { seed: 1 });
    const step = { data: Float32Array.of(1, 2), dims: [2] };
    const wanted = cell.forward(step);
    const h0 = { data: new Float32Array(3), dims: [3] };
    const state = { h0, c0: h0 };
    const inner = () => cell.forward({ data: Float32Array.of(9, 9), dims: [2] });
    Object.defineProperty(state, 'h0', { get: calling(inner, h0) });
    expect(cell.forward(step, state)).toEqual(wanted);
  });
});

test('an input whose dims change is refused', () => {
  let reads = 0;
  const input = {
    data: new Float32Array(4),
    get dims() {
      return reads++ < 2 ? [2, 2] : [1, 2, 2];
    },
  };
  expect(() => lstm.forward(input)).toThrow(/^LSTM: /);
  expect(lstm.forward(x)).toEqual(lstm.forward(x));
});

test('ids whose getter opens streams are refused, and no stream has stepped', () => {
  const streams = new LSTM(1, 1, { seed: 1 }).streams({ capacity: 2 });
  const [p, q] = [streams.open(), streams.open()];
  const before = [streams.save(p), streams.save(q)];
  const ids = [p, 0];
  Object.defineProperty(ids, 1, {
    get: () => {
      for (let k = 0; k < 70; k++) streams.open();
      return q;
    },
  });
  expect(() => streams.step(ids, Float32Array.of(1, 2), new Float32Array(2))).toThrow(/"ids" expected no getters/);
  expect([streams.save(p), streams.save(q)]).toEqual(before);
  streams.step([p, q], Float32Array.of(1, 2), new Float32Array(2));
  expect(streams.save(q)).not.toEqual(before[1]);
});

test('an index whose getter makes memory grow', () => {
  const embedding = new Embedding(4, 2, { seed: 1 });
  const wanted = embedding.forward({ data: [0, 1], dims: [2] });
  const data = [0, 1];
  const made: LSTM[] = [];
  const grow = () => {
    made.push(new LSTM(1500, 300));
    embedding.forward({ data: [3], dims: [1] });
  };
  Object.defineProperty(data, 0, { get: calling(grow, 0) });
  expect(embedding.forward({ data, dims: [2] })).toEqual(wanted);
  for (const each of made) each.dispose();
});

describe('out whose data change between reads', () => {
  const calls: [string, (out: TensorLike) => unknown][] = [
    ['sigmoid', (out) => sigmoid(tensor(4), { out })],
    ['softmax', (out) => softmax(tensor(4), 0, { out })],
  ];
  test.each(calls)('%s: no other memory is touched', (_, call) => {
    const victim = new LSTM(64, 64, { seed: 3 });
    const wanted = victim.stateDict();
    for (const turn of [1, 2, 3, 4, 5]) {
      let reads = 0;
      const [small, large] = [new Float32Array(4), new Float32Array(100_000)];
      const out = {
        dims: [4],
        get data() {
          return ++reads >= turn ? large : small;
        },
      };
      try {
        call(out);
      } catch (error) {
        expect((error as Error).message).toMatch(/"out" expected 4 elements/);
      }
      expect(large.every((value) => value === 0)).toBe(true);
    }
    expect(victim.stateDict()).toEqual(wanted);
    victim.dispose();
  });
});

test('the index that Array.map passes is no option', () => {
  const tensors = [tensor(3), tensor(2, 2)];
  for (const f of [sigmoid, tanh, relu]) expect(tensors.map(f)).toEqual(tensors.map((each) => f(each)));
});

test("Conv1d with padding 'same' has half of a reach beyond 2^31 on the left", () => {
  const conv = new Conv1d(1, 1, 3, { padding: 'same', dilation: 2 ** 30, seed: 1 });
  const weight = conv.stateDict().get('weight')!.data;
  const bias = conv.stateDict().get('bias')!.data;
  // both outer weights fall beside the only step
  const { data } = conv.forward({ data: Float32Array.of(0.5), dims: [1, 1] });
  expect(data[0]).toBe(Math.fround(bias[0]! + Math.fround(weight[1]! * 0.5)));
});

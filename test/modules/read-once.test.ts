import { describe, expect, test } from 'vitest';
import {
  Conv1d,
  Embedding,
  LayerNorm,
  Linear,
  LSTM,
  LSTMCell,
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
  relu,
  sigmoid,
  softmax,
  type TensorLike,
  tanh,
  unpackSequence,
  unpadSequence,
} from '../../src/index.ts';
import { Tensor } from '../../src/ort.ts';
import { serializeSafetensors } from '../../src/safetensors.ts';
import { type Any, tensor } from '../support/tensors.ts';

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

/** Shows everything in `value` once: a property that is read again is another. Lengths may be read again. */
function once<T>(value: T): T {
  if (Object(value) !== value || ArrayBuffer.isView(value)) return value;
  const read = new Set<string | symbol>();
  return new Proxy(value as object, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name);
      if (typeof name === 'symbol' || name === 'length' || typeof found === 'function') return found;
      if (read.has(name)) throw new Error(`${name} was read again`);
      read.add(name);
      return once(found);
    },
  }) as T;
}

describe('each property and element of the caller is read once', () => {
  const sequences = [tensor(3, 2), tensor(1, 2)];
  const packed = packSequence(sequences, { enforceSorted: false });
  const hidden = tensor(1, 2, 3);
  const state = { h0: hidden, c0: hidden };
  const linear = new Linear(2, 3, { seed: 1 });
  const conv = new Conv1d(2, 3, 2, { seed: 1 });
  const norm = new LayerNorm(2);
  const embedding = new Embedding(4, 2, { seed: 1 });
  const cell = new LSTMCell(2, 3, { seed: 1 });
  const stream = lstm.stream();
  const set = (given: Any) => {
    stream.setState(given);
    return stream.getState();
  };
  const load = (given: Any) => {
    const module = new LSTM(2, 3, { seed: 2 });
    return [module.loadStateDict(given), module.stateDict()];
  };
  const table: [string, (...given: Any[]) => unknown, unknown[]][] = [
    [
      'LSTM',
      (...given) => lstm.forward(...(given as [Any])),
      [tensor(2, 2, 2), state, { out: lstm.forward(tensor(2, 2, 2)) }],
    ],
    ['LSTM without out', (...given) => lstm.forward(...(given as [Any])), [tensor(2, 2, 2), state]],
    ['LSTM, packed', (...given) => lstm.forward(...(given as [Any])), [packed, state, { out: lstm.forward(packed) }]],
    ['LSTM, packed, without out', (...given) => lstm.forward(...(given as [Any])), [packed]],
    [
      'LSTMCell',
      (...given) => cell.forward(...(given as [Any])),
      [tensor(2, 2), { h0: tensor(2, 3), c0: tensor(2, 3) }],
    ],
    ['setState', set, [{ h0: tensor(1, 3), c0: tensor(1, 3) }]],
    ['Linear', (...given) => linear.forward(...(given as [Any])), [tensor(4, 2), { out: tensor(4, 3) }]],
    ['Conv1d', (...given) => conv.forward(...(given as [Any])), [tensor(2, 2, 5), { out: tensor(2, 3, 4) }]],
    ['LayerNorm', (...given) => norm.forward(...(given as [Any])), [tensor(4, 2), { out: tensor(4, 2) }]],
    [
      'Embedding',
      (...given) => embedding.forward(...(given as [Any])),
      [{ data: [3, 1], dims: [2] }, { out: tensor(2, 2) }],
    ],
    ['sigmoid', (...given) => sigmoid(...(given as [Any])), [tensor(3, 2), { out: tensor(3, 2) }]],
    ['softmax', (given, options) => softmax(given, 0, options), [tensor(3, 2), { out: tensor(3, 2) }]],
    ['packSequence', (given) => packSequence(given), [sequences]],
    ['packPaddedSequence', (given, lengths) => packPaddedSequence(given, lengths), [tensor(3, 2), [3, 1]]],
    ['padPackedSequence', (given) => padPackedSequence(given), [packed]],
    ['unpackSequence', (given) => unpackSequence(given), [packed]],
    ['padSequence', (given) => padSequence(given), [sequences]],
    ['unpadSequence', (given, lengths) => unpadSequence(given, lengths), [tensor(3, 2), [3, 1]]],
    ['loadStateDict', load, [Object.fromEntries(lstm.stateDict())]],
    ['fromStateDict', (given) => LSTM.fromStateDict(given).stateDict(), [Object.fromEntries(lstm.stateDict())]],
    [
      'Linear.fromStateDict',
      (given) => Linear.fromStateDict(given).stateDict(),
      [Object.fromEntries(linear.stateDict())],
    ],
    ['serializeSafetensors', (given) => serializeSafetensors(given), [{ a: tensor(2, 3) }]],
    ['Tensor', (dims) => ({ ...new Tensor('float32', new Float32Array(6), dims) }), [[2, 3]]],
  ];
  test.each(table)('%s', (_, call, given) => {
    const wanted = structuredClone(call(...given));
    const found = call(...given.map(once));
    // a result that was given as out is one that can be read once
    if (!(given.at(-1) as Any)?.out) expect(found).toEqual(wanted);
    expect(call(...given)).toEqual(wanted);
  });

  const layers: [string, (given: Any, options?: Any) => TensorLike, TensorLike, TensorLike][] = [
    ['Linear', (given, options) => linear.forward(given, options), tensor(4, 2), tensor(1, 2)],
    ['Conv1d', (given, options) => conv.forward(given, options), tensor(2, 2, 5), tensor(2, 7)],
    ['LayerNorm', (given, options) => norm.forward(given, options), tensor(4, 2), tensor(1, 2)],
    [
      'Embedding',
      (given, options) => embedding.forward(given, options),
      { data: [3, 1, 2], dims: [3] } as Any,
      { data: [0], dims: [1] } as Any,
    ],
    ['sigmoid', (given, options) => sigmoid(given, options), tensor(4, 2), tensor(3)],
    ['softmax', (given, options) => softmax(given, 0, options), tensor(4, 2), tensor(3)],
  ];
  test.each(layers)('%s called by a getter of dims and of out', (_, call, given, inner) => {
    const wanted = call(given);
    const target: TensorLike = { data: new Float32Array(wanted.data.length), dims: wanted.dims };
    const nested = (value: Any) => Object.defineProperty([...value], 0, { get: calling(() => call(inner), value[0]) });
    const dims = nested(given.dims);
    for (const options of [
      { out: { ...target, dims: nested(target.dims) } },
      Object.defineProperty({}, 'out', { enumerable: true, get: calling(() => call(inner), target) }),
    ]) {
      target.data.fill(Number.NaN);
      call({ ...given, dims }, options);
      expect(target.data).toEqual(wanted.data);
    }
    expect(call({ ...given, dims })).toEqual(wanted);
  });

  test('a module that a getter disposes of is not run', () => {
    for (const [, call] of [
      ['LSTM', (module: LSTM, given: Any) => module.forward(given)],
      [
        'loadStateDict',
        (module: LSTM, given: Any) => module.loadStateDict({ weight_ih_l0: given }, '', { strict: false }),
      ],
    ] as const) {
      const module = new LSTM(2, 3, { seed: 1 });
      const { dims } = module.stateDict().get('weight_ih_l0')!;
      const given = { data: new Float32Array(24), dims };
      Object.defineProperty(given, 'dims', { get: calling(() => module.dispose(), dims) });
      expect(() => call(module, given)).toThrow(/dispose/);
    }
  });
});

test('an input whose dims change is what it was at first', () => {
  let reads = 0;
  const input = {
    data: new Float32Array(4),
    get dims() {
      return reads++ < 1 ? [2, 2] : [1, 2, 2];
    },
  };
  expect(lstm.forward(input)).toEqual(lstm.forward({ data: new Float32Array(4), dims: [2, 2] }));
  expect(reads).toBe(1);
});

test('ids whose getter closes, steps or disposes of streams are refused', () => {
  const inner: ((streams: ReturnType<LSTM['streams']>, q: number) => void)[] = [
    (streams, q) => streams.close(q),
    (streams, q) => streams.step([q], new Float32Array(1), new Float32Array(1)),
    (streams) => streams.dispose(),
  ];
  for (const call of inner) {
    const streams = new LSTM(1, 1, { seed: 1 }).streams({ capacity: 3 });
    const [p, q, r] = [streams.open(), streams.open(), streams.open()];
    const before = streams.save(p);
    const ids = Object.defineProperty([p, q, 0], 2, { get: calling(() => call(streams, q), r) });
    expect(() => streams.step(ids, new Float32Array(3), new Float32Array(3))).toThrow(
      /"ids" expected no getters|dispose/,
    );
    try {
      expect(streams.save(p)).toEqual(before);
    } catch (error) {
      expect((error as Error).message).toMatch(/dispose/);
    }
  }
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

import { describe, expect, test } from 'vitest';
import { Embedding, Linear, LSTM, LSTMCell, packSequence } from '../../src/index.ts';
import { bits } from '../support/bits.ts';
import { type ErrorClass, expectRefusal } from '../support/refusals.ts';
import { type Any, tensor, zeros } from '../support/tensors.ts';

const [T, R] = [TypeError, RangeError];

function detached(): Float32Array {
  const data = new Float32Array(30);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
}

/** Browsers hide SharedArrayBuffer from pages that are not isolated, but not the shared memory of WebAssembly. */
function shared(): Float32Array {
  const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  return new Float32Array(buffer, 0, 30);
}

describe('forward refuses', () => {
  const lstm = new LSTM(3, 4, { numLayers: 2, seed: 1 });
  const batchFirst = new LSTM(3, 4, { batchFirst: true, seed: 1 });
  const projected = new LSTM(3, 4, { projSize: 2, seed: 1 });
  const featureless = new LSTM(0, 64, { seed: 1 });
  const cell = new LSTMCell(3, 4, { seed: 1 });
  const featurelessCell = new LSTMCell(0, 64, { seed: 1 });
  const linear = new Linear(3, 4, { seed: 1 });
  const featurelessLinear = new Linear(0, 64, { seed: 1 });
  const embedding = new Embedding(3, 4, { seed: 1 });
  const wideEmbedding = new Embedding(1, 2 ** 16, { seed: 1 });
  const x = tensor(5, 2, 3);
  const h0 = tensor(2, 2, 4);
  const c0 = h0;
  const out = lstm.forward(x);
  const packed = packSequence([tensor(3, 3), tensor(2, 3)]);
  const packedOut = lstm.forward(packed);
  const floats = (n: number) => new Float32Array(n);
  const empty = (...dims: number[]) => ({ data: floats(0), dims });

  type Refusal = [message: string, error: ErrorClass, call: () => unknown];
  const input = (value: Any, error: ErrorClass, message: string): Refusal => [
    message,
    error,
    () => lstm.forward(value),
  ];
  const dims = (value: Any, error: ErrorClass, message: string, data = x.data) =>
    input({ data, dims: value }, error, message);
  const data = (value: Any, got: string) =>
    input({ data: value, dims: [5, 2, 3] }, T, `LSTM: "input.data" expected a Float32Array, got ${got}`);
  const state = (value: Any, error: ErrorClass, message: string): Refusal => [
    message,
    error,
    () => lstm.forward(x, value),
  ];
  const options = (value: Any, error: ErrorClass, message: string): Refusal => [
    message,
    error,
    () => lstm.forward(x, null, value),
  ];

  const refusals: Refusal[] = [
    input(undefined, T, 'LSTM: "input" expected a tensor…, got undefined'),
    input(null, T, 'LSTM: "input" expected a tensor…, got null'),
    input('abc', T, 'LSTM: "input" expected a tensor…, got "abc"'),
    input(out, T, 'LSTM: "input" expected a tensor…, got { "output", "hn", "cn" }'),
    input({ data: x.data, shape: x.dims }, T, 'LSTM: "input" expected a tensor…, got { "data", "shape" }'),
    input([1, 2, 3], T, 'LSTM: "input" expected a tensor…, got [1, 2, 3]'),
    input(x.data, T, 'LSTM: "input" expected a tensor…, got a Float32Array'),
    dims(undefined, T, 'LSTM: "input" expected a tensor…, got { "data", "dims" }'),
    dims('5,2,3', T, 'LSTM: "input.dims" expected an array of integers, got "5,2,3"'),
    dims(new Int32Array([5, 2, 3]), T, 'LSTM: "input.dims" expected an array of integers, got a Int32Array'),
    dims(['5', 2, 3], R, 'LSTM: "input.dims" expected integers…, got ["5", 2, 3]'),
    dims([5n, 2n, 3n], R, 'LSTM: "input.dims" expected integers…, got [5n, 2n, 3n]'),
    dims(Object.assign(new Array(3), { 0: 5, 2: 3 }), R, 'LSTM: "input.dims" expected integers…, got …'),
    dims([1.5, 2, 10], R, 'LSTM: "input.dims" expected integers…, got [1.5, 2, 10]'),
    dims([-5, -2, 3], R, 'LSTM: "input.dims" expected integers…, got [-5, -2, 3]'),
    dims([NaN, 2, 3], R, 'LSTM: "input.dims" expected integers…, got [NaN, 2, 3]'),
    dims([Infinity, 0, 3], R, 'LSTM: "input.dims" expected integers…, got [Infinity, 0, 3]'),
    dims([2 ** 53, 1, 3], R, 'LSTM: "input.dims" expected integers…, got [9007199254740992, 1, 3]'),
    dims([1e308, 1e308, 3], R, 'LSTM: "input.dims" expected integers…, got [1e+308, 1e+308, 3]'),
    dims([2 ** 52, 2 ** 52, 3], R, 'LSTM: "input…" expected …[4503599627370496, 4503599627370496, 3]…'),
    dims([2 ** 31, 2, 3], R, 'LSTM: "input" expected 12884901888 elements…, got 30'),
    dims([2 ** 32 + 5, 2, 3], R, 'LSTM: "input" expected 25769803806 elements…, got 30'),
    dims([5, 2, 3], R, 'LSTM: "input" expected 30 elements for dims [5, 2, 3], got 29', floats(29)),
    dims([5, 2, 3], R, 'LSTM: "input" expected 30 elements…, got 0…detached…', detached()),
    dims([], R, 'LSTM: "input" expected [T, B, 3]…, got []', floats(1)),
    dims([3], R, 'LSTM: "input" expected [T, B, 3]…, got [3]', floats(3)),
    dims([5, 2, 3, 1], R, 'LSTM: "input" expected [T, B, 3]…, got [5, 2, 3, 1]'),
    dims([5, 3, 2], R, 'LSTM: "input" expected [T, B, 3]…, got [5, 3, 2]'),
    dims([0, 2, 3], R, 'LSTM: "input" expected at least one step, got [0, 2, 3]', floats(0)),
    dims([0, 3], R, 'LSTM: "input" expected at least one step, got [0, 3]', floats(0)),
    data(undefined, 'undefined'),
    data(new Array(30).fill(0), '[0, 0…'),
    data(new Float64Array(30), 'a Float64Array'),
    data(new Int32Array(30), 'a Int32Array'),
    data(new ArrayBuffer(120), 'a ArrayBuffer'),
    data(new DataView(new ArrayBuffer(120)), 'a DataView'),
    data({ [Symbol.toStringTag]: 'Float32Array', length: 30 }, '…'),
    input({ data: shared(), dims: [5, 2, 3] }, T, 'LSTM: "input.data" expected…SharedArrayBuffer'),
    state(5, T, 'LSTM: "state" expected an object { h0, c0 }, got 5'),
    state({ h0 }, T, 'LSTM: "c0" expected a tensor…, got undefined'),
    state({ c0 }, T, 'LSTM: "h0" expected a tensor…, got undefined'),
    state(out, T, 'LSTM: "state" expected an object { h0: hn, c0: cn }, got { "output", "hn", "cn" }'),
    state({ hn: h0, cn: c0 }, T, 'LSTM: "state" expected an object { h0: hn, c0: cn }, got { "hn", "cn" }'),
    state({ h: h0, c: c0 }, T, 'LSTM: "state" expected an object { h0: h, c0: c }, got { "h", "c" }'),
    state([h0, c0], T, 'LSTM: "state" expected an object { h0, c0 }, got [a Object, a Object]'),
    state(h0, T, 'LSTM: "state" expected an object { h0, c0 }, got { "data", "dims" }'),
    state({ out }, T, 'LSTM: "state" expected an object { h0, c0 } before the options, got { "out" }'),
    state({ h0: h0.data, c0 }, T, 'LSTM: "h0" expected a tensor…, got a Float32Array'),
    state({ h0: tensor(1, 2, 4), c0 }, R, 'LSTM: "h0" expected [2, 2, 4], got [1, 2, 4]'),
    state({ h0, c0: tensor(2, 3, 4) }, R, 'LSTM: "c0" expected [2, 2, 4], got [2, 3, 4]'),
    state({ h0, c0: tensor(2, 2, 3) }, R, 'LSTM: "c0" expected [2, 2, 4], got [2, 2, 3]'),
    state({ h0: tensor(2, 4), c0: tensor(2, 4) }, R, 'LSTM: "h0" expected [2, 2, 4], got [2, 4]'),
    state({ h0: tensor(16), c0 }, R, 'LSTM: "h0" expected [2, 2, 4], got [16]'),
    state({ h0: { ...h0, data: new Float64Array(16) }, c0 }, T, 'LSTM: "h0.data" expected…, got a Float64Array'),
    state({ h0: { ...h0, data: floats(15) }, c0 }, R, 'LSTM: "h0" expected 16 elements…, got 15'),
    options(null, T, 'LSTM: "options" expected an object, got null'),
    options(5, T, 'LSTM: "options" expected an object, got 5'),
    options({ output: out.output }, T, 'LSTM: unknown option "output", expected one of out'),
    options({ out: 5 }, T, 'LSTM: "out…'),
    options({ out: {} }, T, 'LSTM: "out.output" expected a tensor…, got undefined'),
    options({ out: { ...out, cn: undefined } }, T, 'LSTM: "out.cn" expected a tensor…, got undefined'),
    options({ out: { ...out, output: tensor(2, 5, 4) } }, R, 'LSTM: "out.output" expected [5, 2, 4], got [2, 5, 4]'),
    options({ out: { ...out, hn: tensor(1, 2, 4) } }, R, 'LSTM: "out.hn" expected [2, 2, 4], got [1, 2, 4]'),
    options({ out: { ...out, cn: tensor(2, 4) } }, R, 'LSTM: "out.cn" expected [2, 2, 4], got [2, 4]'),
    options({ out: { ...out, cn: { ...c0, data: [] } } }, T, 'LSTM: "out.cn.data" expected a Float32Array, got []'),
    options({ out: packedOut }, T, 'LSTM: "out.output…'),
    ['LSTM: "out.output" expected …', T, () => lstm.forward(packed, null, { out } as Any)],
    ['LSTM: "input.data" expected [3, 3], got [3, 4]', R, () => lstm.forward(packSequence([tensor(3, 4)]))],
    ['LSTM: "h0" expected [1, 5, 4], got [1, 2, 4]', R, () => batchFirst.forward(x, { h0: tensor(1, 2, 4), c0 })],
    ['LSTM: "h0" expected [1, 2, 2], got [1, 2, 4]', R, () => projected.forward(x, { h0: tensor(1, 2, 4), c0 })],
    [
      'LSTM: "c0" expected [1, 2, 4], got [1, 2, 2]',
      R,
      () => projected.forward(x, { h0: tensor(1, 2, 2), c0: tensor(1, 2, 2) }),
    ],
    // no features: dims alone say how much work and memory that would be
    ['LSTM: "input" expected fewer than 2^31 steps…', R, () => featureless.forward(empty(2 ** 31, 1, 0))],
    ['LSTM: "input" expected fewer than 2^31 steps…', R, () => featureless.forward(empty(2 ** 26, 2 ** 26, 0))],
    ['LSTM: …[2147483647, 1, 64]…', R, () => featureless.forward(empty(2 ** 31 - 1, 1, 0))],
    ['LSTM: …[1, 2147483647, 64]…', R, () => featureless.forward(empty(1, 2 ** 31 - 1, 0))],
    ['LSTMCell: …[2147483648, …', R, () => featurelessCell.forward(empty(2 ** 31, 0))],
    ['LSTMCell: …[1099511627776, …', R, () => featurelessCell.forward(empty(2 ** 40, 0))],
    ['Linear: …[1099511627776, …', R, () => featurelessLinear.forward(empty(2 ** 40, 0))],
    ['LSTMCell: "input" expected [B, 3] or [3], got [5, 2, 3]', R, () => cell.forward(x)],
    ['LSTMCell: "input" expected [B, 3] or [3], got [2, 4]', R, () => cell.forward(tensor(2, 4))],
    [
      'LSTMCell: "input" expected a tensor…, got { "data", "batchSizes", "sortedIndices", "unsortedIndices" }',
      T,
      () => cell.forward(packed as Any),
    ],
    ['LSTMCell: "c0" expected…', T, () => cell.forward(tensor(2, 3), { h0: tensor(2, 4) } as Any)],
    ['LSTMCell: "h0" expected [2, 4], got [1, 4]', R, () => cell.forward(tensor(2, 3), { h0: tensor(1, 4), c0 })],
    ['LSTMCell: "c0" expected [4], got [1, 4]', R, () => cell.forward(tensor(3), { h0: tensor(4), c0: tensor(1, 4) })],
    ['Linear: "input" expected [..., 3], got []', R, () => linear.forward(zeros())],
    ['Linear: "input" expected [..., 3], got [3, 4]', R, () => linear.forward(tensor(3, 4))],
    ['Embedding: "indices" expected…, got 3', R, () => embedding.forward({ data: [0, 3], dims: [2] })],
    ['Embedding: "indices" expected…, got -1', R, () => embedding.forward({ data: new Int32Array([-1]), dims: [1] })],
    ['Embedding: "indices" expected…, got 0.5', R, () => embedding.forward({ data: [0.5], dims: [1] })],
    ['Embedding: "indices" expected…', R, () => embedding.forward({ data: new BigInt64Array([1n << 62n]), dims: [1] })],
    ['Embedding: "indices.data" expected…, got a Float32Array', T, () => embedding.forward(tensor(2) as Any)],
    ['Embedding: "indices" expected…, got "1"', T, () => embedding.forward({ data: ['1'], dims: [1] } as Any)],
    ['Embedding: "indices" expected…, got undefined', T, () => embedding.forward({ data: new Array(2), dims: [2] })],
    ['Embedding: "indices…', T, () => embedding.forward([1] as Any)],
    ['Embedding: "indices" expected 2 elements…, got 1', R, () => embedding.forward({ data: [1], dims: [2] })],
    [
      'Embedding: …[4194304, 65536]…',
      R,
      () => wideEmbedding.forward({ data: new Int32Array(2 ** 22), dims: [2 ** 22] }),
    ],
  ];

  test.each(refusals)('%s', (message, error, call) => {
    const before = bits(lstm.forward(x).output);
    expectRefusal(call, error, message);
    expect(bits(lstm.forward(x).output)).toEqual(before);
  });

  test('a result tensor is as it was after a refusal', () => {
    const given = { output: tensor(5, 2, 4), hn: tensor(2, 2, 4), cn: tensor(2, 2, 5) };
    expect(() => lstm.forward(x, null, { out: given })).toThrow(RangeError);
    expect(given).toEqual({ output: tensor(5, 2, 4), hn: tensor(2, 2, 4), cn: tensor(2, 2, 5) });
  });

  test.each([undefined, null])('state %s means zeros', (none) => {
    const wanted = lstm.forward(x, { h0: zeros(2, 2, 4), c0: zeros(2, 2, 4) });
    expect(lstm.forward(x, none)).toEqual(wanted);
    expect(cell.forward(tensor(2, 3), none)).toEqual(cell.forward(tensor(2, 3), { h0: zeros(2, 4), c0: zeros(2, 4) }));
  });
});

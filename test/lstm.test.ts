import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  bytesUsed,
  Embedding,
  Linear,
  LSTM,
  LSTMCell,
  ModelError,
  packSequence,
  type StateDict,
  sigmoid,
  softmax,
  type TensorLike,
} from '../src/index.ts';
import { allocate, release } from '../src/memory/arena.ts';
import { wasm } from '../src/memory/wasm.ts';

// The API of the modules: shapes, refusals, seeds, dropout, state dicts. What the numbers are is for torch.test.ts and
// laws.test.ts.

/** Wrong arguments are much of the subject. */
type Any = any;

const count = (dims: readonly number[]) => dims.reduce((product, size) => product * size, 1);

/** Numbers between -1 and 1 that look random. */
function tensor(...dims: number[]): TensorLike {
  return { data: Float32Array.from({ length: count(dims) }, (_, i) => ((i * 7919 + 13) % 2003) / 1001.5 - 1), dims };
}

function zeros(...dims: number[]): TensorLike {
  return { data: new Float32Array(count(dims)), dims };
}

function bits({ data }: TensorLike): number[] {
  return [...new Uint32Array(data.buffer, data.byteOffset, data.length)];
}

/** The same of all bits in one number, for large tensors. */
function hash({ data }: TensorLike): number {
  return new Uint32Array(data.buffer, data.byteOffset, data.length).reduce(
    (h, word) => Math.imul(h ^ word, 16777619),
    1,
  );
}

const words = (values: number[]) => new Float32Array(new Uint32Array(values).buffer);

/** '5x3x20' for dims, several with blanks between. */
const shapes = (...tensors: TensorLike[]) => tensors.map(({ dims }) => dims.join('x')).join(' ');
const dimsOf = (shape: string) => shape.split('x').map(Number);

/** The message of a refusal; '…' stands for anything. */
function messageLike(text: string): RegExp {
  const parts = text.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

const [T, R] = [TypeError, RangeError];
type ErrorClass = typeof TypeError | typeof RangeError;

/** Runs `call`, which must throw such an error, soon and without taking memory. */
function expectRefusal(call: () => unknown, error: ErrorClass, message: string): void {
  const before = [bytesUsed(), wasm().memory.buffer.byteLength];
  const started = performance.now();
  let thrown: unknown;
  try {
    call();
  } catch (caught) {
    thrown = caught;
  }
  expect(thrown).toBeInstanceOf(error);
  expect((thrown as Error).message).toMatch(messageLike(message));
  expect(performance.now() - started).toBeLessThan(2000);
  expect([bytesUsed(), wasm().memory.buffer.byteLength]).toEqual(before);
}

afterEach(() => {
  vi.restoreAllMocks();
});

/** Takes all free memory, so that whatever needs more makes memory grow. Gives a function that frees it again. */
function fillMemory(): () => void {
  const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
    throw new RangeError('no');
  });
  const blocks: number[] = [];
  for (let bytes = 1 << 24; bytes >= 64; ) {
    try {
      blocks.push(allocate(bytes));
    } catch {
      bytes /= 2;
    }
  }
  grow.mockRestore();
  return () => blocks.forEach(release);
}

/** A Float32Array class of another realm. */
async function foreignFloat32Array(): Promise<typeof Float32Array> {
  if (typeof document !== 'undefined') {
    const frame = document.body.appendChild(document.createElement('iframe'));
    return (frame.contentWindow as Any).Float32Array;
  }
  const vm = 'node:vm';
  return (await import(/* @vite-ignore */ vm)).runInNewContext('Float32Array');
}

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

describe('the documentation examples', () => {
  test('LSTM(10, 20, 2) on 5 x 3 x 10', () => {
    const lstm = new LSTM(10, 20, { numLayers: 2 });
    const { output, hn, cn } = lstm.forward(tensor(5, 3, 10), { h0: tensor(2, 3, 20), c0: tensor(2, 3, 20) });
    expect(shapes(output, hn, cn)).toBe('5x3x20 2x3x20 2x3x20');
    expect([...hn.data.subarray(60)]).toEqual([...output.data.subarray(240)]);
  });

  test('LSTMCell(10, 20) in a loop of 6', () => {
    const cell = new LSTMCell(10, 20);
    let [h, c] = [tensor(3, 20), tensor(3, 20)];
    for (let t = 0; t < 6; t++) {
      const { h1, c1 } = cell.forward(tensor(3, 10), { h0: h, c0: c });
      expect(shapes(h1, c1)).toBe('3x20 3x20');
      expect(h1.data.every((value) => Math.abs(value) < 1)).toBe(true);
      [h, c] = [h1, c1];
    }
  });

  test.each<[string, Any, string, string]>([
    ['batchFirst', { batchFirst: true }, '3x5x10', '3x5x20 1x3x20 1x3x20'],
    ['unbatched', { batchFirst: true }, '5x10', '5x20 1x20 1x20'],
    ['bidirectional', { bidirectional: true, numLayers: 2 }, '5x3x10', '5x3x40 4x3x20 4x3x20'],
    ['projSize', { projSize: 7, bidirectional: true }, '5x3x10', '5x3x14 2x3x7 2x3x20'],
    ['projSize, unbatched', { projSize: 7, numLayers: 3 }, '5x10', '5x7 3x7 3x20'],
  ])('shapes: %s', (_, options, input, wanted) => {
    const { output, hn, cn } = new LSTM(10, 20, options).forward(tensor(...dimsOf(input)));
    expect(shapes(output, hn, cn)).toBe(wanted);
    for (const { data, dims } of [output, hn, cn]) expect(data.length).toBe(count(dims));
  });

  test('the options can be read, and TypeScript forbids to write them', () => {
    const options = { numLayers: 2, bias: false, batchFirst: true, dropout: 0.25, bidirectional: true, projSize: 3 };
    const lstm = new LSTM(4, 6, options);
    expect(lstm).toMatchObject({ inputSize: 4, hiddenSize: 6, ...options });
    expect(new LSTM(4, 6)).toMatchObject({
      ...{ numLayers: 1, bias: true, batchFirst: false, dropout: 0, bidirectional: false, projSize: 0 },
      training: false,
    });
    expect(new LSTMCell(4, 6)).toMatchObject({ inputSize: 4, hiddenSize: 6, bias: true });
    expect(new Linear(4, 6, { bias: false })).toMatchObject({ inFeatures: 4, outFeatures: 6, bias: false });
    expect(new Embedding(4, 6, { paddingIdx: -1 })).toMatchObject({ numEmbeddings: 4, embeddingDim: 6, paddingIdx: 3 });
    const compiles = () => {
      // @ts-expect-error readonly
      lstm.hiddenSize = 7;
      // @ts-expect-error readonly
      lstm.training = true;
    };
    expect(compiles).toBeTypeOf('function');
  });

  test("results are the caller's: changing one changes no other", () => {
    const lstm = new LSTM(3, 4);
    const first = lstm.forward(tensor(5, 2, 3)) as Any;
    const kept = bits(first.output);
    for (const result of [first.output, first.hn, first.cn]) result.dims.fill(9);
    const second = lstm.forward(tensor(5, 2, 3));
    expect(shapes(second.output, second.hn, second.cn)).toBe('5x2x4 1x2x4 1x2x4');
    second.output.data.fill(7);
    expect(bits(first.output)).toEqual(kept);
    const { h1, c1 } = new LSTMCell(3, 4).forward(tensor(2, 3)) as Any;
    h1.dims[0] = 9;
    expect(c1.dims).toEqual([2, 4]);
    expect(h1.data).not.toBe(c1.data);
  });
});

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
    input([1, 2, 3], T, 'LSTM: "input.dims" expected…, got undefined'),
    input(x.data, T, 'LSTM: "input.dims" expected…, got undefined'),
    dims(undefined, T, 'LSTM: "input.dims" expected an array of integers, got undefined'),
    dims('5,2,3', T, 'LSTM: "input.dims" expected an array of integers, got "5,2,3"'),
    dims(new Int32Array([5, 2, 3]), T, 'LSTM: "input.dims" expected an array of integers, got a Int32Array'),
    dims(['5', 2, 3], R, 'LSTM: "input.dims" expected integers…, got …5…'),
    dims([5n, 2n, 3n], R, 'LSTM: "input.dims" expected integers…, got …5…'),
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
    state(out, T, 'LSTM: "h0" expected a tensor…, got undefined'),
    state([h0, c0], T, 'LSTM: "h0" expected a tensor…, got undefined'),
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
    ['LSTMCell: "input.dims" expected…', T, () => cell.forward(packed as Any)],
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

describe('empty batches', () => {
  test.each<[string, Any, string, string]>([
    ['time first', {}, '5x0x4', '5x0x6 1x0x6 1x0x6'],
    ['batchFirst', { batchFirst: true }, '0x5x4', '0x5x6 1x0x6 1x0x6'],
    ['bidirectional', { bidirectional: true, numLayers: 2 }, '5x0x4', '5x0x12 4x0x6 4x0x6'],
    ['projSize', { projSize: 2, batchFirst: true }, '0x5x4', '0x5x2 1x0x2 1x0x6'],
    ['2^50 steps', {}, '1125899906842624x0x4', '1125899906842624x0x6 1x0x6 1x0x6'],
  ])('%s', (_, options, dims, wanted) => {
    const lstm = new LSTM(4, 6, options);
    const input = zeros(...dimsOf(dims));
    const out = lstm.forward(input);
    expect(shapes(out.output, out.hn, out.cn)).toBe(wanted);
    expect([out.output, out.hn, out.cn].map(({ data }) => data.length)).toEqual([0, 0, 0]);
    expect(lstm.forward(input, { h0: out.hn, c0: out.cn }, { out })).toBe(out);
    expect(() => lstm.forward(input, { h0: zeros(1, 1, 6), c0: zeros(1, 1, 6) })).toThrow(RangeError);
  });

  test('LSTMCell, Linear and Embedding', () => {
    const { h1, c1 } = new LSTMCell(4, 6).forward(zeros(0, 4));
    expect([h1.dims, c1.dims, h1.data.length, c1.data.length]).toEqual([[0, 6], [0, 6], 0, 0]);
    expect(new Linear(4, 6).forward(zeros(0, 3, 4))).toEqual(zeros(0, 3, 6));
    expect(new Embedding(4, 6).forward({ data: [], dims: [0, 2] })).toEqual(zeros(0, 2, 6));
  });

  test('no features: the state alone goes on', () => {
    const lstm = new LSTM(0, 3, { seed: 2 });
    const wanted = new LSTM(1, 3);
    const dict = lstm.stateDict();
    wanted.loadStateDict(new Map([...dict, ['weight_ih_l0', zeros(12, 1)]]));
    expect(dict.get('weight_ih_l0')!.dims).toEqual([12, 0]);
    expect(lstm.forward({ data: words([]), dims: [7, 2, 0] })).toEqual(wanted.forward(zeros(7, 2, 1)));
  });

  test('Linear without features either way is done at once', () => {
    const started = performance.now();
    expect(new Linear(0, 0).forward({ data: words([]), dims: [2 ** 30, 0] }).dims).toEqual([2 ** 30, 0]);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('input lies anywhere', () => {
  const lstm = new LSTM(3, 4, { numLayers: 2, seed: 1 });
  const x = tensor(5, 2, 3);
  const wanted = bits(lstm.forward(x).output);

  test('in a view with an offset', () => {
    const buffer = new ArrayBuffer(4 * 40);
    const view = new Float32Array(buffer, 20, 30);
    view.set(x.data);
    expect(bits(lstm.forward({ ...x, data: view }).output)).toEqual(wanted);
    expect(bits(lstm.forward({ ...x, data: new Float32Array(buffer).subarray(5, 35) }).output)).toEqual(wanted);
  });

  test('in an array of another realm, or of a subclass', async () => {
    const Foreign = await foreignFloat32Array();
    expect(Foreign).not.toBe(Float32Array);
    class Mine extends Float32Array {}
    for (const data of [new Foreign(x.data), new Mine(x.data)]) {
      expect(bits(lstm.forward({ ...x, data }).output)).toEqual(wanted);
      const out = lstm.forward(x);
      out.output.data.fill(0);
      const given = { ...out, output: { ...out.output, data: data instanceof Mine ? new Mine(40) : new Foreign(40) } };
      expect(bits(lstm.forward(x, null, { out: given }).output)).toEqual(wanted);
    }
    const dict = new Map(
      [...lstm.stateDict()].map(([key, value]) => [key, { ...value, data: new Foreign(value.data) }]),
    );
    expect(bits(LSTM.fromStateDict(dict).forward(x).output)).toEqual(wanted);
    const quantized = lstm.quantize();
    const wanted8 = bits(quantized.forward(x).output);
    quantized.loadStateDict(dict);
    expect(bits(quantized.forward(x).output)).toEqual(wanted8);
  });

  test('over its own result', () => {
    const square = new LSTM(4, 4, { seed: 3 });
    const given = { output: tensor(5, 2, 4), hn: tensor(1, 2, 4), cn: tensor(1, 2, 4) };
    const state = { h0: given.hn, c0: given.cn };
    const once = square.forward(tensor(5, 2, 4), { h0: tensor(1, 2, 4), c0: tensor(1, 2, 4) });
    expect(square.forward(given.output, state, { out: given })).toEqual(once);
    // h0 and c0 in the place of the output
    const both = new Float32Array(40);
    const h0 = { data: both.subarray(0, 8), dims: [1, 2, 4] };
    const c0 = { data: both.subarray(8, 16), dims: [1, 2, 4] };
    h0.data.set(tensor(1, 2, 4).data);
    c0.data.set(tensor(1, 2, 4).data);
    const out = { output: { data: both, dims: [5, 2, 4] }, hn: zeros(1, 2, 4), cn: zeros(1, 2, 4) };
    expect(square.forward(tensor(5, 2, 4), { h0, c0 }, { out })).toEqual(once);
  });

  // scratch of more than 8 MiB is never kept, so each of these calls needs memory anew
  const [rows, H] = [8192, 64];

  test('in linear memory itself, which grows during the call', () => {
    const carrier = new LSTM(rows, H, { seed: 1 });
    const stream = carrier.stream();
    const wide = new LSTM(1, H, { seed: 2 });
    const values = tensor(rows).data;
    stream.input.set(values);
    stream.step();
    const lastOutput = stream.output.slice();
    const column = tensor(rows, 1, 1);
    const one = (data: Float32Array) => ({ data, dims: [1, 1, H] });
    const calls: Record<string, () => TensorLike> = {
      input: () => wide.forward({ data: stream.input, dims: [1, rows, 1] }).output,
      h0: () => wide.forward(column, { h0: one(stream.output), c0: tensor(1, 1, H) }).output,
      c0: () => wide.forward(column, { h0: tensor(1, 1, H), c0: one(stream.output) }).output,
      Linear: () => new Linear(1, 64, { seed: 2 }).forward({ data: stream.input, dims: [rows, 1] }),
      sigmoid: () => sigmoid({ data: stream.input, dims: [rows] }),
      softmax: () => softmax({ data: stream.input, dims: [rows] }, 0),
      stream: () => {
        const data = new Float32Array(H);
        carrier.stream().run(stream.input, data);
        return { data, dims: [H] };
      },
      loadStateDict: () => {
        const loaded = new Linear(rows, 1, { bias: false });
        loaded.loadStateDict({ weight: { data: stream.input, dims: [1, rows] } });
        return loaded.stateDict().get('weight')!;
      },
    };
    for (const [what, call] of Object.entries(calls)) {
      const free = fillMemory();
      const { buffer } = wasm().memory;
      const grown = hash(call());
      if (what === 'input') expect(wasm().memory.buffer).not.toBe(buffer);
      free();
      expect(stream.input, what).toEqual(values);
      expect(stream.output, what).toEqual(lastOutput);
      expect(hash(call()), what).toEqual(grown);
    }
    expect(hash(wide.forward({ data: values, dims: [1, rows, 1] }).output)).toBe(hash(calls.input!()));
    carrier.dispose();
  });

  test('a result in linear memory is refused if that grows, and nothing is changed', () => {
    const carrier = new LSTM(rows * H, 1, { seed: 1 });
    const stream = carrier.stream();
    const wide = new LSTM(1, H, { seed: 2 });
    const x = tensor(1, rows, 1);
    const wanted = wide.forward(x);
    const out = { output: { data: stream.input, dims: [1, rows, H] }, hn: tensor(1, rows, H), cn: tensor(1, rows, H) };
    const unchanged = hash(out.hn);
    const free = fillMemory();
    expect(() => wide.forward(x, null, { out })).toThrow(/^LSTM: "out" expected .*linear memory/);
    free();
    expect(stream.input.every((value) => value === 0)).toBe(true);
    expect([hash(out.hn), hash(out.cn)]).toEqual([unchanged, unchanged]);
    const again = { ...out, output: { ...out.output, data: stream.input } };
    expect(hash(wide.forward(x, null, { out: again }).output)).toBe(hash(wanted.output));
    carrier.dispose();
  });
});

describe('constructors', () => {
  const names = { LSTM, LSTMCell, Linear, Embedding };
  type Name = keyof typeof names;
  const make = (name: Name, ...args: Any[]) => new (names[name] as Any)(...args);

  test.each<[string, ErrorClass, Name, ...Any[]]>([
    ['LSTM: "inputSize" expected an integer from 0 to 2147483647, got undefined', T, 'LSTM'],
    ['LSTM: "inputSize" expected an integer from 0 to 2147483647, got "4"', T, 'LSTM', '4', 8],
    ['LSTM: "hiddenSize" expected an integer from 1 to 2147483647, got undefined', T, 'LSTM', 4],
    ['LSTM: "inputSize" expected an integer from 0…, got 4.5', R, 'LSTM', 4.5, 8],
    ['LSTM: "inputSize" expected an integer from 0…, got -1', R, 'LSTM', -1, 8],
    ['LSTM: "inputSize" expected an integer from 0…, got NaN', R, 'LSTM', NaN, 8],
    ['LSTM: "hiddenSize" expected an integer from 1…, got 0', R, 'LSTM', 4, 0],
    ['LSTM: "hiddenSize" expected an integer from 1…, got Infinity', R, 'LSTM', 4, Infinity],
    ['LSTM: "hiddenSize" expected an integer from 1…, got 2147483648', R, 'LSTM', 4, 2 ** 31],
    ['LSTM: "options" expected an object, got null', T, 'LSTM', 4, 8, null],
    ['LSTM: "options" expected an object, got 2', T, 'LSTM', 4, 8, 2],
    ['LSTM: unknown option "batch_first", expected one of numLayers, …', T, 'LSTM', 4, 8, { batch_first: true }],
    ['LSTM: "numLayers" expected an integer from 1…, got 0', R, 'LSTM', 4, 8, { numLayers: 0 }],
    ['LSTM: "numLayers" expected an integer from 1 to 10000, got "2"', T, 'LSTM', 4, 8, { numLayers: '2' }],
    ['LSTM: "bias" expected a boolean, got 1', T, 'LSTM', 4, 8, { bias: 1 }],
    ['LSTM: "batchFirst" expected a boolean, got "yes"', T, 'LSTM', 4, 8, { batchFirst: 'yes' }],
    ['LSTM: "bidirectional" expected a boolean, got 0', T, 'LSTM', 4, 8, { bidirectional: 0 }],
    ['LSTM: "dropout" expected a number from 0 to 1, got 1.1', R, 'LSTM', 4, 8, { dropout: 1.1 }],
    ['LSTM: "dropout" expected a number from 0 to 1, got -0.1', R, 'LSTM', 4, 8, { dropout: -0.1 }],
    ['LSTM: "dropout" expected a number from 0 to 1, got NaN', R, 'LSTM', 4, 8, { dropout: NaN }],
    ['LSTM: "dropout" expected a number from 0 to 1, got true', T, 'LSTM', 4, 8, { dropout: true }],
    ['LSTM: "projSize" expected an integer from 0 to 7, got 8', R, 'LSTM', 4, 8, { projSize: 8 }],
    ['LSTM: "projSize" expected an integer from 0 to 7, got -1', R, 'LSTM', 4, 8, { projSize: -1 }],
    ['LSTM: "seed" expected an integer from 0 to 9007199254740991, got -1', R, 'LSTM', 4, 8, { seed: -1 }],
    ['LSTM: "seed" expected an integer from 0…, got 1.5', R, 'LSTM', 4, 8, { seed: 1.5 }],
    ['LSTM: "seed" expected an integer from 0…, got 9007199254740992', R, 'LSTM', 4, 8, { seed: 2 ** 53 }],
    ['LSTM: "seed" expected an integer from 0…, got NaN', R, 'LSTM', 4, 8, { seed: NaN }],
    ['LSTM: "seed" expected an integer from 0 to 9007199254740991, got "7"', T, 'LSTM', 4, 8, { seed: '7' }],
    ['LSTMCell: "hiddenSize" expected an integer from 1…, got 0', R, 'LSTMCell', 4, 0],
    ['LSTMCell: unknown option "numLayers", expected one of bias, seed', T, 'LSTMCell', 4, 8, { numLayers: 2 }],
    ['LSTMCell: "seed" expected an integer from 0 to 9007199254740991, got null', T, 'LSTMCell', 4, 8, { seed: null }],
    ['Linear: "outFeatures" expected an integer from 0…, got -1', R, 'Linear', 4, -1],
    ['Linear: unknown option "dropout", …', T, 'Linear', 4, 8, { dropout: 0 }],
    ['Embedding: "paddingIdx" expected an integer from -4 to 3, got 4', R, 'Embedding', 4, 8, { paddingIdx: 4 }],
    ['Embedding: "paddingIdx" expected an integer from -4 to 3, got -5', R, 'Embedding', 4, 8, { paddingIdx: -5 }],
    ['Embedding: "paddingIdx" expected an integer from -4 to 3, got 1.5', R, 'Embedding', 4, 8, { paddingIdx: 1.5 }],
    ['Embedding: "paddingIdx" expected an integer…, got 0', R, 'Embedding', 0, 8, { paddingIdx: 0 }],
    ['…memory…cannot grow…4 GiB…', R, 'LSTM', 2 ** 31 - 1, 2 ** 31 - 1],
    ['…memory…cannot grow…4 GiB…', R, 'LSTM', 20_000, 20_000],
    ['LSTM: "numLayers" expected an integer from 1 to 10000, got 10001', R, 'LSTM', 1, 1, { numLayers: 10_001 }],
    ['…memory…cannot grow…4 GiB…', R, 'LSTM', 1, 2 ** 20, { projSize: 2 ** 19 }],
    ['…memory…cannot grow…4 GiB…', R, 'LSTMCell', 2 ** 31 - 1, 2 ** 31 - 1],
    ['…memory…cannot grow…4 GiB…', R, 'Linear', 2 ** 31 - 1, 2 ** 31 - 1],
    ['…memory…cannot grow…4 GiB…', R, 'Embedding', 2 ** 31 - 1, 2 ** 31 - 1],
  ])('refuse: %s', (message, error, name, ...args) => expectRefusal(() => make(name, ...args), error, message));

  test.each<[Name, Any[]]>([
    ['LSTM', [3, 5, { numLayers: 2, bidirectional: true, projSize: 2 }]],
    ['LSTMCell', [3, 5]],
    ['Linear', [3, 5]],
    ['Embedding', [3, 5]],
  ])('%s: a seed decides every bit, no seed makes each module another', (name, [a, b, options]) => {
    const weights = (seed?: number) =>
      [
        ...make(name, a, b, { ...options, seed })
          .stateDict()
          .values(),
      ].flatMap(bits);
    expect(weights(7)).toEqual(weights(7));
    const different = [0, 1, 7, 2 ** 32, 2 ** 32 + 7, 2 ** 53 - 1, undefined, undefined].map((seed) =>
      weights(seed).join(),
    );
    expect(new Set(different).size).toBe(8);
  });

  const weightsOf = (module: LSTM | LSTMCell | Linear) =>
    [...module.stateDict().values()].flatMap(({ data }) => [...data]);
  test.each<[string, LSTM | LSTMCell | Linear, number]>([
    ['LSTM', new LSTM(10, 16, { numLayers: 2, projSize: 3, seed: 1 }), 1 / 4],
    ['LSTMCell', new LSTMCell(10, 16, { seed: 1 }), 1 / 4],
    ['Linear', new Linear(64, 40, { seed: 1 }), 1 / 8],
  ])('%s starts uniform in its bounds', (_, module, bound) => {
    const values = weightsOf(module);
    const mean = (list: number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...values)).toBeGreaterThan(0.99 * bound);
    expect(Math.min(...values)).toBeLessThan(-0.99 * bound);
    // four standard errors of a uniform variable
    expect(Math.abs(mean(values))).toBeLessThan((4 * bound) / Math.sqrt(3 * values.length));
    expect(Math.abs(mean(values.map((value) => value ** 2)) / (bound ** 2 / 3) - 1)).toBeLessThan(0.1);
  });

  test.each([undefined, 3, 0, -1, -1000])('Embedding starts near N(0, 1), paddingIdx %s as zeros', (paddingIdx) => {
    const embedding = new Embedding(1000, 50, { seed: 1, paddingIdx });
    const { data } = embedding.stateDict().get('weight')!;
    const row = paddingIdx !== undefined && paddingIdx < 0 ? 1000 + paddingIdx : paddingIdx;
    expect(embedding.paddingIdx).toBe(row);
    const zeroRows = Array.from({ length: 1000 }, (_, r) => r).filter((r) =>
      data.subarray(50 * r, 50 * r + 50).every((x) => x === 0),
    );
    expect(zeroRows).toEqual(row === undefined ? [] : [row]);
    const n = data.length;
    const moment = (power: number) => data.reduce((sum, value) => sum + value ** power, 0) / n;
    expect(Math.abs(moment(1))).toBeLessThan(0.02);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.03);
    // twelve uniforms have kurtosis 2.9, a normal variable 3
    expect(Math.abs(moment(4) - 2.9)).toBeLessThan(0.15);
    expect(data.every((value) => Math.abs(value) <= 6)).toBe(true);
  });
});

describe('dispose', () => {
  test.each<[string, () => LSTM | LSTMCell | Linear | Embedding, (module: Any) => unknown]>([
    ['LSTM', () => new LSTM(3, 4), (lstm) => lstm.forward(tensor(5, 3))],
    ['LSTMCell', () => new LSTMCell(3, 4), (cell) => cell.forward(tensor(3))],
    ['Linear', () => new Linear(3, 4), (linear) => linear.forward(tensor(3))],
    ['Embedding', () => new Embedding(3, 4), (embedding) => embedding.forward({ data: [1], dims: [1] })],
  ])('%s: any use afterwards is an error, a second dispose is not', (name, make, forward) => {
    const used = bytesUsed();
    const module = make() as Any;
    const dict = module.stateDict();
    expect(bytesUsed()).toBeGreaterThan(used);
    forward(module);
    module.dispose();
    module.dispose();
    expect(bytesUsed()).toBe(used);
    const other = make();
    const kept = [...other.stateDict().values()].map(bits);
    const uses: (() => unknown)[] = [
      () => forward(module),
      () => module.stateDict(),
      () => module.loadStateDict(dict),
      () => module.train(),
      () => module.eval(),
      ...('stream' in module ? [() => module.stream()] : []),
    ];
    for (const use of uses) expect(use).toThrow(new Error(`${name}: used after dispose()`));
    module.dispose();
    expect([...other.stateDict().values()].map(bits)).toEqual(kept);
    other.dispose();
    if (typeof Symbol.dispose === 'symbol') {
      (make() as Any)[Symbol.dispose]();
      expect(bytesUsed()).toBe(used);
    }
  });
});

describe('dropout', () => {
  const p = 0.3;

  /**
   * Layer 1 shows which of its inputs were zeroed: g = input, i = o = 1, f = 0, no recurrence, so h = tanh(tanh(input)). It
   * is an LSTM like any other to layer 0, whose weights are random.
   */
  function telltale(options: Any): LSTM {
    const H = 8;
    const lstm = new LSTM(3, H, { numLayers: 2, dropout: p, seed: 5, ...options });
    const changes = new Map<string, TensorLike>();
    for (const direction of lstm.bidirectional ? [0, 1] : [0]) {
      const suffix = `_l1${direction ? '_reverse' : ''}`;
      const width = lstm.bidirectional ? 2 * H : H;
      const ih = zeros(4 * H, width);
      for (let j = 0; j < H; j++) ih.data[(2 * H + j) * width + direction * H + j] = 1;
      const bias = zeros(4 * H);
      bias.data
        .fill(200, 0, H)
        .fill(-200, H, 2 * H)
        .fill(200, 3 * H);
      changes.set(`weight_ih${suffix}`, ih).set(`bias_ih${suffix}`, bias);
      changes.set(`weight_hh${suffix}`, zeros(4 * H, H)).set(`bias_hh${suffix}`, zeros(4 * H));
    }
    lstm.loadStateDict(changes, '', { strict: false });
    return lstm;
  }

  /** A layer of `lstm` as a module of its own. */
  function layerOf(lstm: LSTM, layer: number): LSTM {
    const own = [...lstm.stateDict()].filter(([key]) => key.includes(`_l${layer}`));
    return LSTM.fromStateDict(new Map(own.map(([key, value]) => [key.replace(`_l${layer}`, '_l0'), value])));
  }

  const lengths = [40, 40, 31, 9, 2];
  const padded = tensor(40, 5, 3);
  const packed = packSequence(lengths.map((length) => tensor(length, 3)));

  test.each<[string, Any, Any]>([
    ['plain', {}, padded],
    ['unbatched', {}, tensor(200, 3)],
    ['bidirectional', { bidirectional: true }, padded],
    ['packed', {}, packed],
    ['packed and bidirectional', { bidirectional: true }, packed],
    ['over several chunks', {}, tensor(5000, 1, 3)],
  ])('%s: falls on outputs between layers alone, and is scaled by 1 / (1 - p)', (_, options, input) => {
    const lstm = telltale(options);
    const [first, second] = [layerOf(lstm, 0), layerOf(lstm, 1)];
    const plain = lstm.forward(input) as Any;
    const result = lstm.train({ seed: 3 }).forward(input) as Any;
    const data = (tensor: Any): Float32Array => (tensor.batchSizes ? tensor.data.data : tensor.data);
    // some rows have a state that goes on, but f = 0 forgets it: what is zero was zeroed, and nothing else
    const shown = data(result.output);
    expect(data(plain.output).every((value) => Math.abs(value) > 1e-7)).toBe(true);
    const between = first.forward(input) as Any;
    const scale = Math.fround(1 / (1 - p));
    const dropped = data(between.output).map((value, i) => (shown[i] === 0 ? 0 : value * scale));
    const fraction = shown.filter((value) => value === 0).length / shown.length;
    expect(Math.abs(fraction - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / shown.length));
    const masked = input.batchSizes
      ? { ...between.output, data: { ...between.output.data, data: dropped } }
      : { ...between.output, data: dropped };
    const wanted = second.forward(masked) as Any;
    expect([...shown]).toEqual([...data(wanted.output)]);
    // the states of layer 0 went on without dropout
    const half = between.hn.data.length;
    expect(bits({ data: result.hn.data.subarray(0, half), dims: [] })).toEqual(bits(between.hn));
    expect(bits({ data: result.cn.data.subarray(0, half), dims: [] })).toEqual(bits(between.cn));
    expect(bits({ data: result.hn.data.subarray(half), dims: [] })).toEqual(bits(wanted.hn));
    // no pattern along units: each is dropped about as often
    const width = between.hn.dims.at(-1);
    const perUnit = new Array(width).fill(0);
    shown.forEach((value, i) => {
      perUnit[i % width] += value === 0 ? 1 : 0;
    });
    const n = shown.length / width;
    for (const hits of perUnit) expect(Math.abs(hits / n - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / n));
    expect(bits({ data: data((lstm.eval().forward(input) as Any).output), dims: [] })).toEqual(
      bits({ data: data(plain.output), dims: [] }),
    );
  });

  test('three layers: two masks, drawn one after the other', () => {
    const lstm = new LSTM(3, 8, { numLayers: 3, dropout: 0.5, seed: 1 });
    const dict = lstm.stateDict();
    const outputs = new Set<string>();
    lstm.train({ seed: 1 });
    for (let k = 0; k < 20; k++) {
      const { output, hn } = lstm.forward(padded);
      expect(output.data.every((value) => value !== 0)).toBe(true);
      expect([...hn.data.subarray(2 * 5 * 8)]).toEqual([...output.data.subarray(39 * 5 * 8)]);
      outputs.add(bits(output).join());
    }
    expect(outputs.size).toBe(20);
    expect(lstm.stateDict()).toEqual(dict);
  });

  test('train({ seed }) repeats the masks, calls after it differ', () => {
    const [a, b] = [telltale({}), telltale({ seed: 6 })];
    const run = (lstm: LSTM) => bits(lstm.forward(padded).output).join();
    const mask = (lstm: LSTM) => [...lstm.forward(padded).output.data].map((value) => value === 0).join();
    expect(a.training).toBe(false);
    expect(a.train({ seed: 9 })).toBe(a);
    expect(a.training).toBe(true);
    const sequence = [run(a), run(a), run(a)];
    expect(new Set(sequence).size).toBe(3);
    a.train({ seed: 9 });
    expect([run(a), run(a), run(a)]).toEqual(sequence);
    // the mask comes from the seed alone, not from weights
    expect(mask(a.train({ seed: 9 }))).toBe(mask(b.train({ seed: 9 })));
    expect(mask(a.train({ seed: 9 }))).not.toBe(mask(a.train({ seed: 10 })));
    // without a seed the masks go on, also over eval() and train()
    a.train({ seed: 9 });
    run(a);
    a.eval().forward(padded);
    expect(run(a.train())).toBe(sequence[1]);
    expect(a.eval()).toBe(a);
    expect(a.training).toBe(false);
    const [c, d] = [telltale({ seed: undefined }).train(), telltale({ seed: undefined }).train()];
    expect(mask(c)).not.toBe(mask(d));
    for (const [options, error] of [
      [{ seed: -1 }, RangeError],
      [{ seed: '1' }, TypeError],
      [{ mode: true }, TypeError],
      [true, TypeError],
    ] as Any) {
      expect(() => a.train(options)).toThrow(error);
      expect(a.training).toBe(false);
    }
  });

  test('p = 1 gives zeros to the next layer, p = 0 changes nothing', () => {
    const all = new LSTM(3, 8, { numLayers: 2, dropout: 1, seed: 5 });
    const second = layerOf(all, 1);
    const { output } = all.train().forward(padded);
    expect(bits(output)).toEqual(bits(second.forward(zeros(40, 5, 8)).output));
    const none = new LSTM(3, 8, { numLayers: 2, dropout: 0, seed: 5 });
    const wanted = bits(none.forward(padded).output);
    expect(bits(none.train({ seed: 1 }).forward(padded).output)).toEqual(wanted);
    expect(bits(all.eval().forward(padded).output)).toEqual(wanted);
  });

  test('with one layer nothing is dropped, and one warning a process says so', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    new LSTM(3, 8, { numLayers: 2, dropout: 0.5 });
    new LSTM(3, 8, { dropout: 0 });
    expect(warn).not.toHaveBeenCalled();
    const lstm = new LSTM(3, 8, { dropout: 0.5, seed: 1 });
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^LSTM: dropout .*numLayers 1/)]]);
    new LSTM(3, 8, { dropout: 0.9 });
    LSTM.fromStateDict(lstm.stateDict(), { dropout: 0.5 });
    expect(warn).toHaveBeenCalledTimes(1);
    const wanted = bits(lstm.forward(padded).output);
    expect(bits(lstm.train().forward(padded).output)).toEqual(wanted);
  });

  test('streams never drop, whatever the mode', () => {
    const lstm = telltale({});
    const input = tensor(200, 3);
    const wanted = bits(lstm.forward(input).output);
    const before = lstm.stream();
    lstm.train({ seed: 1 });
    for (const stream of [before, lstm.stream()]) {
      const data = new Float32Array(200 * 8);
      stream.run(input.data.subarray(0, 300), data.subarray(0, 800));
      for (let t = 100; t < 200; t++) {
        stream.input.set(input.data.subarray(3 * t, 3 * t + 3));
        stream.step();
        data.set(stream.output, 8 * t);
      }
      expect(bits({ data, dims: [] })).toEqual(wanted);
    }
    // nor do they draw from the generator
    const first = bits(lstm.forward(input).output);
    lstm.train({ seed: 1 });
    expect(bits(lstm.forward(input).output)).toEqual(first);
  });

  test('a failed call draws no mask', () => {
    const lstm = telltale({});
    lstm.train({ seed: 2 });
    const wanted = bits(lstm.forward(padded).output);
    lstm.train({ seed: 2 });
    expect(() => lstm.forward(padded, { h0: zeros(1, 1, 1), c0: zeros(1, 1, 1) })).toThrow(RangeError);
    expect(bits(lstm.forward(padded).output)).toEqual(wanted);
  });
});

describe('state dicts', () => {
  const lstm = () => new LSTM(3, 4, { numLayers: 2, bidirectional: true, projSize: 2, seed: 1 });
  const table: [string, () => LSTM | LSTMCell | Linear | Embedding, string[]][] = [
    [
      'LSTM',
      lstm,
      [0, 1].flatMap((layer) =>
        ['', '_reverse'].flatMap((direction) =>
          ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh', 'weight_hr'].map((name) => `${name}_l${layer}${direction}`),
        ),
      ),
    ],
    ['LSTM', () => new LSTM(3, 4, { bias: false }), ['weight_ih_l0', 'weight_hh_l0']],
    ['LSTMCell', () => new LSTMCell(3, 4), ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']],
    ['LSTMCell', () => new LSTMCell(3, 4, { bias: false }), ['weight_ih', 'weight_hh']],
    ['Linear', () => new Linear(3, 20), ['weight', 'bias']],
    ['Linear', () => new Linear(3, 20, { bias: false }), ['weight']],
    ['Embedding', () => new Embedding(3, 20), ['weight']],
  ];
  const dictBits = (dict: ReadonlyMap<string, TensorLike>) =>
    [...dict].map(([key, value]) => [key, [...value.dims], bits(value)]);

  /** What a call throws, which must be a ModelError. */
  function refusal(call: () => unknown): ModelError {
    try {
      call();
    } catch (error) {
      expect(error).toBeInstanceOf(ModelError);
      return error as ModelError;
    }
    throw new Error('nothing was thrown');
  }

  /** Every bit pattern a float can have, the odd ones first. */
  function oddBits(dims: readonly number[], seed: number): TensorLike {
    const odd = [
      0x7fc00000, 0xffc00001, 0x7f800001, 0xff812345, 0x7fffffff, 0x80000000, 1, 0x807fffff, 0x7f800000, 0xff800000,
    ];
    const data = words(
      Array.from({ length: count(dims) }, (_, i) => (i < odd.length ? odd[i]! : Math.imul(i + seed, 2654435761))),
    );
    return { data, dims };
  }

  test.each(table)("%s %#: keys in PyTorch's order, the bits that were loaded, and copies only", (_, make, keys) => {
    const module = make();
    const own = module.stateDict();
    expect([...own.keys()]).toEqual(keys);
    expect([...module.stateDict('a.b.').keys()]).toEqual(keys.map((key) => `a.b.${key}`));
    const loaded = new Map([...own].map(([key, { dims }], i) => [key, oddBits(dims, i)]));
    expect(module.loadStateDict(loaded)).toEqual({ missingKeys: [], unexpectedKeys: [] });
    const wanted = dictBits(loaded);
    expect(dictBits(module.stateDict())).toEqual(wanted);
    for (const { data, dims } of [...loaded.values(), ...module.stateDict().values()]) {
      data.fill(7);
      (dims as number[]).fill(0);
    }
    expect(dictBits(module.stateDict())).toEqual(wanted);
  });

  test.each(table)(
    '%s %#: Map or object, any order, other keys beside the prefix, float64 rounded',
    (_, make, keys) => {
      const [from, to] = [make(), make()];
      const dict = from.stateDict('x.');
      const wanted = dictBits(from.stateDict());
      const odd = new Map<Any, Any>([['xweight', 5], ['y.z', null], ...[...dict].reverse(), [1, 2], [undefined, null]]);
      to.loadStateDict(odd, 'x.');
      expect(dictBits(to.stateDict())).toEqual(wanted);
      const object = Object.assign(Object.create(null), Object.fromEntries(dict));
      const again = make();
      again.loadStateDict(object, 'x.');
      expect(dictBits(again.stateDict())).toEqual(wanted);
      const key = keys[0]!;
      const { dims } = from.stateDict().get(key)!;
      const doubles = Float64Array.from(
        { length: count(dims) },
        (_, i) => [0.1, 1e300, -1e-50, 1 + 2 ** -24, 1e-46][i % 5]! + (i % 2),
      );
      to.loadStateDict({ [key]: { data: doubles, dims } }, '', { strict: false });
      expect([...to.stateDict().get(key)!.data]).toEqual([...doubles].map(Math.fround));
    },
  );

  test.each(table)('%s %#: one error lists all that is wrong, and nothing is loaded', (name, make, keys) => {
    const module = make();
    const before = dictBits(module.stateDict());
    const good = make().stateDict('m.');
    const key = `m.${keys[0]}`;
    const { dims } = good.get(key)!;
    const entry = (changed: Any) => new Map<string, Any>([...good, [key, changed]]);
    const without = new Map(good);
    without.delete(key);
    const shown = `[${dims.join(', ')}]`;
    const size = count(dims);
    const full = new Float32Array(size);
    const turned = dims.toReversed();
    // what, the state dict, the error's code, how its message ends
    const cases: [string, ReadonlyMap<string, Any>, string, string][] = [
      ['missing', without, 'missing-key', ''],
      ['unexpected', new Map([...good, ['m.more', good.get(key)!]]), 'unexpected-key', ''],
      ['rank', entry({ data: full, dims: [size] }), 'wrong-shape', `expected ${shown}, got [${size}]`],
      ['turned', entry({ data: full, dims: turned }), 'wrong-shape', `expected ${shown}, got [${turned.join(', ')}]`],
      ['lying dims', entry({ data: full, dims: [2 ** 20, 2 ** 20] }), 'wrong-shape', 'got [1048576, 1048576]'],
      ['short', entry({ data: full.slice(1), dims }), 'wrong-length', `expected ${size} elements, got ${size - 1}`],
      ['long', entry({ data: new Float32Array(1000), dims }), 'wrong-length', `expected ${size} elements, got 1000`],
      ['int32', entry({ data: new Int32Array(size), dims }), 'not-float', 'got a Int32Array'],
      [
        'int64 with a dtype',
        entry({ data: new BigInt64Array(size), dims, dtype: 'I64' }),
        'not-float',
        'got dtype I64',
      ],
      ['half floats as bits', entry({ data: new Uint16Array(size), dims }), 'not-float', 'got a Uint16Array'],
      ['null', entry(null), 'not-a-tensor', 'expected a tensor { data, dims }, got null'],
      ['a number', entry(5), 'not-a-tensor', 'got 5'],
      ['an array', entry([1, 2]), 'not-a-tensor', 'got [1, 2]'],
      ['plain data', entry({ data: [1, 2], dims }), 'not-a-tensor', 'got a Object'],
      ['no dims', entry({ data: full }), 'not-a-tensor', 'got a Object'],
      ['odd dims', entry({ data: full, dims: dims.map(() => Object.create(null)) }), 'wrong-shape', ''],
      ['dims with holes', entry({ data: full, dims: new Array(dims.length) }), 'wrong-shape', ''],
    ];
    for (const [what, dict, code, text] of cases) {
      const error = refusal(() => module.loadStateDict(dict, 'm.'));
      const path = code === 'unexpected-key' ? 'm.more' : key;
      expect(error.message, what).toMatch(new RegExp(`^${name}: `));
      expect(error.message, what).toContain(`"${path}"`);
      expect(error.message, what).toContain(text);
      expect([error.code, error.path], what).toEqual([code, path]);
      expect(error.name).toBe('ModelError');
    }
    const everything = entry({ data: new Float32Array(1), dims: [1] });
    const last = `m.${keys.at(-1)}`;
    if (keys.length > 1) (everything as Map<string, Any>).set(last, { data: new Int8Array(1), dims: [1] });
    (everything as Map<string, Any>).set('m.__proto__', 5).set('m.x', 6);
    const error = refusal(() => module.loadStateDict(everything, 'm.'));
    for (const path of [key, last, 'm.__proto__', 'm.x']) expect(error.message).toContain(JSON.stringify(path));
    expect(error.code).toBe('state-dict-mismatch');
    expect(dictBits(module.stateDict())).toEqual(before);
  });

  test.each(table)(
    '%s %#: strict: false loads what fits, names the rest, and refuses what does not fit',
    (_, make, keys) => {
      const module = make();
      const key = keys.at(-1)!;
      const others = keys.slice(0, -1);
      const { dims } = module.stateDict().get(key)!;
      const value = oddBits(dims, 3);
      const before = module.stateDict();
      const result = module.loadStateDict({ [`p.${key}`]: value, 'p.q': value, q: value }, 'p.', { strict: false });
      expect(result).toEqual({ missingKeys: others.map((other) => `p.${other}`), unexpectedKeys: ['p.q'] });
      expect(dictBits(module.stateDict())).toEqual(dictBits(before.set(key, value)));
      const wrong = {
        [key]: { ...value, dims: [1, ...dims] },
        ...(others[0] ? { [others[0]]: oddBits(before.get(others[0])!.dims, 9) } : {}),
      };
      expect(refusal(() => module.loadStateDict(wrong, '', { strict: false })).code).toBe('wrong-shape');
      expect(dictBits(module.stateDict())).toEqual(dictBits(before));
      expect(module.loadStateDict({}, '', { strict: false })).toEqual({ missingKeys: keys, unexpectedKeys: [] });
    },
  );

  test('a key is just a key', () => {
    const good = new Linear(3, 2, { seed: 2 }).stateDict();
    const module = new Linear(3, 2, { seed: 1 });
    for (const odd of [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      '',
      'x'.repeat(1e6),
      '\ud800',
      '\u0000\n',
    ]) {
      const map = new Map<string, Any>([...good, [odd, good.get('bias')!]]);
      const object = Object.assign(Object.create(null), Object.fromEntries(good));
      Object.defineProperty(object, odd, { value: good.get('bias'), enumerable: true });
      for (const dict of [map, object] as StateDict[]) {
        const error = refusal(() => module.loadStateDict(dict));
        expect(error.code).toBe('unexpected-key');
        expect(error.path).toBe(odd);
        expect(error.message.length).toBeLessThan(300);
        // control characters and half surrogates are escaped
        expect(error.message).toMatch(/^[\x20-\x7e…]*$/);
        expect(module.loadStateDict(dict, '', { strict: false }).unexpectedKeys).toEqual([odd]);
      }
      expect(module.stateDict(odd).get(`${odd}bias`)).toEqual(good.get('bias'));
      expect(() => module.loadStateDict(module.stateDict(odd), odd)).not.toThrow();
    }
    // inherited entries are none
    expect(refusal(() => module.loadStateDict(Object.create(Object.fromEntries(good)))).code).toBe('missing-key');
    expect(({} as Any).weight).toBeUndefined();
  });

  test('many things wrong make a message of bounded length', () => {
    const deep = new LSTM(1, 1, { numLayers: 50 });
    const error = refusal(() => deep.loadStateDict({}));
    expect(error.message).toMatch(/ and 1[56]0 more$/);
    expect(error.code).toBe('missing-key');
  });

  test.each<[string, Any, Any, Any, RegExp]>([
    ['null', null, '', {}, /^Linear: "stateDict" expected a Map or an object of tensors, got null$/],
    ['a number', 5, '', {}, /^Linear: "stateDict" .*, got 5$/],
    ['an array', [], '', {}, /^Linear: "stateDict" .*, got \[\]$/],
    ['bytes', new Uint8Array(4), '', {}, /^Linear: "stateDict" .*, got a Uint8Array$/],
    ['an ArrayBuffer', new ArrayBuffer(4), '', {}, /^Linear: "stateDict" .*, got a ArrayBuffer$/],
    ['prefix 5', {}, 5, {}, /^Linear: "prefix" expected a string, got 5$/],
    ['prefix null', {}, null, {}, /^Linear: "prefix" expected a string, got null$/],
    ['options true', {}, '', true, /^Linear: "options" expected an object, got true$/],
    ['unknown options', {}, '', { assign: true }, /^Linear: unknown option "assign"/],
    ['strict 0', {}, '', { strict: 0 }, /^Linear: "strict" expected a boolean, got 0$/],
  ])('mistakes in arguments are TypeErrors: %s', (_, dict, prefix, options, message) => {
    const linear = new Linear(1, 1);
    expect(() => linear.loadStateDict(dict, prefix, options)).toThrow(TypeError);
    expect(() => linear.loadStateDict(dict, prefix, options)).toThrow(message);
  });

  test('the message names the prefixes at which a module was found', () => {
    const good = new LSTM(3, 4);
    const dict = new Map([...good.stateDict('encoder.lstm.'), ...good.stateDict('decoder.')]);
    const hint = /LSTM weights were found at prefix "encoder\.lstm\.", "decoder\."$/;
    expect(refusal(() => good.loadStateDict(dict)).message).toMatch(hint);
    expect(refusal(() => good.loadStateDict(dict, 'encoder.')).message).toMatch(hint);
    expect(refusal(() => LSTM.fromStateDict(dict)).message).toMatch(hint);
    expect(refusal(() => LSTM.fromStateDict(good.stateDict(), { prefix: 'lstm.' })).message).toMatch(/at prefix ""$/);
    expect(refusal(() => LSTM.fromStateDict({})).message).not.toMatch(/prefix/);
    const cell = new LSTMCell(3, 4);
    expect(refusal(() => LSTMCell.fromStateDict(cell.stateDict('a.'))).message).toMatch(/LSTMCell weights .* "a\."$/);
    expect(refusal(() => new Linear(3, 4).loadStateDict(new Linear(3, 4).stateDict('head.'))).message).toMatch(
      /Linear weights .* "head\."$/,
    );
  });

  const flags = [false, true];
  const combinations = flags.flatMap((bias) =>
    flags.flatMap((bidirectional) =>
      [0, 2].flatMap((projSize) => [1, 2, 3].map((numLayers) => ({ bias, bidirectional, projSize, numLayers }))),
    ),
  );
  test.each(combinations)('fromStateDict sees %j', (options) => {
    const from = new LSTM(3, 5, options);
    const used = bytesUsed();
    for (const dict of [from.stateDict('a.'), Object.fromEntries(from.stateDict('a.'))]) {
      const made = LSTM.fromStateDict(dict, { prefix: 'a.', batchFirst: true, dropout: 0.25 });
      expect(made).toMatchObject({
        inputSize: 3,
        hiddenSize: 5,
        batchFirst: true,
        dropout: 0.25,
        training: false,
        ...options,
      });
      expect(dictBits(made.stateDict())).toEqual(dictBits(from.stateDict()));
      made.dispose();
    }
    // as strict as loading: every key is needed, and none may be added
    for (const key of from.stateDict().keys()) {
      const dict = from.stateDict();
      dict.delete(key);
      expect(refusal(() => LSTM.fromStateDict(dict)).message).toMatch(/^LSTM: /);
    }
    expect(refusal(() => LSTM.fromStateDict(new Map([...from.stateDict(), ['more', zeros(1)]]))).code).toBe(
      'unexpected-key',
    );
    expect(bytesUsed()).toBe(used);
  });

  test('LSTMCell.fromStateDict', () => {
    for (const bias of flags) {
      const from = new LSTMCell(3, 5, { bias });
      const made = LSTMCell.fromStateDict(from.stateDict('cell.'), { prefix: 'cell.' });
      expect(made).toMatchObject({ inputSize: 3, hiddenSize: 5, bias });
      expect(dictBits(made.stateDict())).toEqual(dictBits(from.stateDict()));
      for (const key of from.stateDict().keys()) {
        const dict = from.stateDict();
        dict.delete(key);
        refusal(() => LSTMCell.fromStateDict(dict));
      }
    }
    refusal(() => LSTMCell.fromStateDict(new LSTM(3, 5).stateDict()));
    refusal(() => LSTM.fromStateDict(new LSTMCell(3, 5).stateDict()));
    expect(() => LSTMCell.fromStateDict({}, { batchFirst: true } as Any)).toThrow(
      /^LSTMCell: unknown option "batchFirst"/,
    );
    expect(() => LSTM.fromStateDict({}, { hiddenSize: 4 } as Any)).toThrow(/^LSTM: unknown option "hiddenSize"/);
    expect(() => LSTM.fromStateDict({}, { prefix: 4 } as Any)).toThrow(/^LSTM: "prefix" expected a string, got 4$/);
  });

  test.each<[string, Any]>([
    ['no rows', { data: words([]), dims: [0, 3] }],
    ['rows not in fours', { data: new Float32Array(18), dims: [6, 3] }],
    ['three dims', { data: new Float32Array(24), dims: [8, 3, 1] }],
    ['a fraction', { data: new Float32Array(24), dims: [8, 1.5] }],
    ['a negative size', { data: new Float32Array(24), dims: [-8, -3] }],
    ['2^40 x 2^40 in 24 numbers', { data: new Float32Array(24), dims: [2 ** 40, 2 ** 40] }],
    ['2^40 rows of nothing', { data: words([]), dims: [2 ** 40, 0] }],
    ['1e308 rows', { data: words([]), dims: [1e308, 0] }],
    ['holes', { data: words([]), dims: new Array(2) }],
    ['bigints', { data: new Float32Array(24), dims: [8n, 3n] }],
    ['no dims', { data: new Float32Array(24) }],
    ['integers', { data: new Int32Array(24), dims: [8, 3] }],
    ['null', null],
    ['a string', 'weights'],
  ])('fromStateDict believes no dims: %s', (_, entry) => {
    const source = new LSTM(3, 2, { seed: 1 });
    const good = source.stateDict();
    source.dispose();
    const before = [bytesUsed(), wasm().memory.buffer.byteLength];
    const started = performance.now();
    for (const key of ['weight_ih_l0', 'weight_hh_l0', 'weight_hr_l0', 'weight_ih_l1']) {
      refusal(() => LSTM.fromStateDict(new Map<string, Any>(good).set(key, entry)));
    }
    refusal(() => LSTMCell.fromStateDict({ weight_ih: entry, weight_hh: entry, bias_ih: entry, bias_hh: entry }));
    expect(performance.now() - started).toBeLessThan(1000);
    expect([bytesUsed(), wasm().memory.buffer.byteLength]).toEqual(before);
  });

  test('a projection as wide as the state is none that PyTorch has', () => {
    const dict: Map<string, Any> = new LSTM(3, 4, { projSize: 2 }).stateDict();
    for (const rows of [0, 4, 5]) refusal(() => LSTM.fromStateDict(new Map(dict).set('weight_hr_l0', zeros(rows, 4))));
  });

  test('loaded weights are used by the next forward, and biases sum', () => {
    const [a, b] = [new LSTM(3, 4, { seed: 1 }), new LSTM(3, 4, { seed: 2 })];
    const x = tensor(5, 3);
    expect(bits(a.forward(x).output)).not.toEqual(bits(b.forward(x).output));
    a.loadStateDict(b.stateDict());
    expect(bits(a.forward(x).output)).toEqual(bits(b.forward(x).output));
    // one bias alone, then the other: what counts is their sum
    const dict = b.stateDict();
    const bias = dict.get('bias_ih_l0')!;
    const negative = { data: bias.data.map((value) => -value), dims: bias.dims };
    a.loadStateDict({ bias_hh_l0: negative }, '', { strict: false });
    const biasless = new LSTM(3, 4, { bias: false });
    biasless.loadStateDict(new Map([...dict].filter(([key]) => key.startsWith('weight'))));
    expect(a.forward(x)).toEqual(biasless.forward(x));
    a.loadStateDict({ bias_ih_l0: dict.get('bias_hh_l0')!, bias_hh_l0: bias }, '', { strict: false });
    expect(bits(a.forward(x).output)).toEqual(bits(b.forward(x).output));
  });
});

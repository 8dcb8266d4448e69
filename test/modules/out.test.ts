import { afterAll, describe, expect, test } from 'vitest';
import {
  Conv1d,
  Embedding,
  type ForwardOptions,
  LayerNorm,
  Linear,
  LSTM,
  relu,
  sigmoid,
  softmax,
  type TensorLike,
  tanh,
} from '../../src/index.ts';
import { allocate, release } from '../../src/memory/arena.ts';
import { wasm } from '../../src/memory/wasm.ts';
import { bits } from '../support/bits.ts';
import { uniforms } from '../support/random.ts';

// Layers and activations that write their result to given tensors: the bits are those of a new result, wherever input and
// output lie.

function numbers(count: number, seed = 1): Float32Array<ArrayBuffer> {
  const next = uniforms(seed);
  return Float32Array.from({ length: count }, () => 4 * next() - 2);
}
const tensor = (...dims: number[]): TensorLike => ({ data: numbers(dims.reduce((a, b) => a * b, 1)), dims });

const linear = new Linear(6, 9, { seed: 1 });
const square = new Linear(6, 6, { seed: 1 });
// so wide that their rows go through the kernel in chunks
const wide = new Linear(300, 8000, { bias: false, seed: 1 });
const narrow = new Linear(20_000, 3, { seed: 1 });
const large = new Linear(700, 700, { bias: false, seed: 1 });
const conv = new Conv1d(4, 6, 3, { groups: 2, padding: 'same', seed: 1 });
const norm = new LayerNorm([3, 4]);
norm.loadStateDict({ weight: tensor(3, 4), bias: tensor(3, 4) });
const embedding = new Embedding(7, 30, { seed: 1 });
const modules = [linear, square, wide, narrow, large, conv, norm, embedding];
afterAll(() => {
  for (const module of modules) module.dispose();
});

type Call = (input: TensorLike, options?: ForwardOptions) => TensorLike;
const CALLS: [string, Call, TensorLike][] = [
  ['Linear', (input, options) => linear.forward(input, options), tensor(2, 5, 6)],
  ['Linear of a vector', (input, options) => linear.forward(input, options), tensor(6)],
  ['Linear, as many outputs as inputs', (input, options) => square.forward(input, options), tensor(5, 6)],
  ['Linear, wide, in chunks', (input, options) => wide.forward(input, options), tensor(6, 300)],
  ['Linear, narrow, in chunks', (input, options) => narrow.forward(input, options), tensor(15, 20_000)],
  ['Linear, as many outputs as inputs, in chunks', (input, options) => large.forward(input, options), tensor(70, 700)],
  ['Conv1d', (input, options) => conv.forward(input, options), tensor(3, 4, 11)],
  ['Conv1d without a batch', (input, options) => conv.forward(input, options), tensor(4, 40)],
  ['LayerNorm', (input, options) => norm.forward(input, options), tensor(5, 3, 4)],
  ['sigmoid', sigmoid, tensor(3, 7)],
  ['sigmoid of many', sigmoid, tensor(3, 70)],
  ['tanh', tanh, tensor(3, 7)],
  ['relu', relu, tensor(3, 7)],
  ['softmax', (input, options) => softmax(input, -1, options), tensor(3, 7)],
  ['softmax along the first of two', (input, options) => softmax(input, 0, options), tensor(3, 70)],
];

describe.each(CALLS)('%s', (_, call, input) => {
  const wanted = call(input);
  const size = wanted.data.length;
  const dims = wanted.dims;

  test('writes to `out` and returns it', () => {
    const out = { data: new Float32Array(size).fill(NaN), dims: [...dims] };
    const before = bits(input);
    expect(call(input, { out })).toBe(out);
    expect(bits(out)).toEqual(bits(wanted));
    expect(bits(input)).toEqual(before);
    expect(call(input, {}).data).toEqual(wanted.data);
    expect(call(input, { out: undefined }).data).not.toBe(out.data);
  });

  test('has the same bits wherever `out` overlaps the input', () => {
    const given = input.data;
    const room = given.length + size + 8;
    const half = Math.min(given.length, size) >> 1;
    // the same place; a float on either side; half of it; the ends touching, and not
    for (const shift of [0, 1, -1, half, -half, given.length - 1, 1 - size, given.length, -size]) {
      const memory = new Float32Array(room + size + 8);
      const start = size + 4;
      const [x, y] = [
        memory.subarray(start, start + given.length),
        memory.subarray(start + shift, start + shift + size),
      ];
      x.set(given);
      const out = { data: y, dims };
      call({ data: x, dims: input.dims }, { out });
      expect([shift, bits(out).join() === bits(wanted).join()]).toEqual([shift, true]);
    }
  });

  test('refuses an `out` of other dims or of another type, and changes nothing', () => {
    const data = new Float32Array(size).fill(7);
    const wrong: [unknown, string][] = [
      [{ data, dims: [size, 1, 1, 1] }, `"out" expected [${dims.join(', ')}], got [${size}, 1, 1, 1]`],
      [{ data: new Float32Array(size + 1), dims }, `"out" expected ${size} elements for dims`],
      [{ data: new Float64Array(size), dims }, '"out.data" expected a Float32Array, got a Float64Array'],
      [{ data, dims: 3 }, '"out.dims" expected an array of integers, got 3'],
      [data, '"out" expected a tensor { data: Float32Array, dims: number[] }, got a Float32Array'],
      [null, '"out" expected a tensor { data: Float32Array, dims: number[] }, got null'],
    ];
    for (const [out, message] of wrong) expect(() => call(input, { out } as ForwardOptions)).toThrow(message);
    expect(() => call(input, { output: wanted } as ForwardOptions)).toThrow('unknown option "output"');
    const gone = new Float32Array(size);
    structuredClone(gone, { transfer: [gone.buffer] });
    expect(() => call(input, { out: { data: gone, dims } })).toThrow('got 0, as a detached buffer has');
    expect(data.every((value) => value === 7)).toBe(true);
  });
});

describe('Embedding', () => {
  const indices = { data: Int32Array.of(3, 0, 6, 3, 1), dims: [5] };
  const wanted = embedding.forward(indices);

  test('writes to `out`, also where it lies over the indices', () => {
    const out = { data: new Float32Array(150), dims: [5, 30] };
    expect(embedding.forward(indices, { out })).toBe(out);
    expect(bits(out)).toEqual(bits(wanted));
    for (const at of [0, 10, 149]) {
      const data = new Int32Array(out.data.buffer, 4 * Math.min(at, 145), 5);
      data.set(indices.data);
      expect(bits(embedding.forward({ data, dims: [5] }, { out }))).toEqual(bits(wanted));
    }
  });

  test('checks all indices before it writes', () => {
    const out = { data: new Float32Array(60).fill(7), dims: [2, 30] };
    expect(() => embedding.forward({ data: [0, 7], dims: [2] }, { out })).toThrow('"indices" expected an integer');
    expect(out.data.every((value) => value === 7)).toBe(true);
    expect(() => embedding.forward(indices, { out })).toThrow('Embedding: "out" expected [5, 30], got [2, 30]');
  });

  test('rows keep their bits in new results, those of a signalling NaN too', () => {
    const words = new Uint32Array(210).fill(0x7f800001);
    const other = new Embedding(7, 30);
    other.loadStateDict({ weight: { data: new Float32Array(words.buffer), dims: [7, 30] } });
    const all = { data: Int32Array.from({ length: 5000 }, (_, i) => i % 7), dims: [5000] };
    for (const chosen of [indices, all]) {
      expect(bits(other.forward(chosen)).every((word) => word === 0x7f800001)).toBe(true);
    }
    const result = embedding.forward(all).data;
    const { data } = embedding.stateDict().get('weight')!;
    expect(result.every((value, i) => value === data[i % 210])).toBe(true);
    other.dispose();
  });
});

describe('views of linear memory', () => {
  const lstm = new LSTM(6, 6, { seed: 1 });
  afterAll(() => lstm.dispose());
  test('an output of a stream goes in, and an input of a stream is written', () => {
    const [first, second] = [lstm.stream(), lstm.stream()];
    first.input.set(numbers(6));
    first.step();
    const wanted = square.forward({ data: first.output.slice(), dims: [6] });
    const out = { data: second.input, dims: [6] };
    square.forward({ data: first.output, dims: [6] }, { out });
    expect(bits(second.input)).toEqual(bits(wanted));
    for (const call of [sigmoid, tanh, relu]) {
      const expected = call(wanted);
      second.input.set(wanted.data);
      call({ data: second.input, dims: [6] }, { out: { data: second.input, dims: [6] } });
      expect(bits(second.input)).toEqual(bits(expected));
    }
    const channels = new Conv1d(1, 1, 2, { seed: 1 });
    const convolved = channels.forward({ data: first.output, dims: [1, 6] });
    expect(bits(convolved)).toEqual(bits(channels.forward({ data: first.output.slice(), dims: [1, 6] })));
    for (const one of [first, second, channels]) one.dispose();
  });

  /** Gives a tensor that is half of linear memory, so that scratch of the same size makes it grow. */
  function half(run: (inside: () => TensorLike) => void): void {
    const bytes = wasm().memory.buffer.byteLength;
    const block = allocate(bytes);
    const inside = () => ({ data: new Float32Array(wasm().memory.buffer, block, bytes / 4), dims: [bytes / 4] });
    inside().data.fill(0.5);
    run(inside);
    release(block);
  }

  test('go in even if memory grows under them', () => {
    half((inside) => {
      const input = inside();
      const { data } = sigmoid(input);
      expect(input.data.length).toBe(0);
      const [wanted] = sigmoid({ data: Float32Array.of(0.5), dims: [1] }).data;
      expect(data.every((value) => value === wanted)).toBe(true);
    });
  });

  test('are refused as `out` if they vanish, and nothing is written', () => {
    half((inside) => {
      const out = inside();
      const input = { data: new Float32Array(out.data.length), dims: out.dims };
      expect(() => sigmoid(input, { out })).toThrow(/sigmoid: "out" expected memory of its own, got a view of linear/);
      expect(out.data.length).toBe(0);
      expect(inside().data.every((value) => value === 0.5)).toBe(true);
    });
  });
});

import { describe, expect, test } from 'vitest';
import { loadOnnx, ModelError, type OnnxFeed, type OnnxResult } from '../src/onnx.ts';
import { readJson } from './support/fixtures.ts';
import { type Attribute, DATA_TYPES, onnxFile, tensorProto } from './support/onnx-files.ts';

// Operators at their edges, in every operator set that changed them (test/fixtures/onnx-corners).

type Type = keyof typeof DATA_TYPES;
interface JsonTensor {
  type: Type;
  dims: number[];
  data: (number | string)[];
}
interface Case {
  op: string;
  opset: number;
  attributes?: Record<string, Exclude<Attribute, Float32Array> | { floats: number[] }>;
  inputs: (JsonTensor | null)[];
  outputs?: (JsonTensor | null)[];
  refused?: number;
}

const ARRAYS = {
  float32: Float32Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

function toFeed({ type, dims, data }: JsonTensor): OnnxFeed & { type: Type } {
  return {
    type,
    dims,
    data: type === 'int64' ? BigInt64Array.from(data.map(BigInt)) : ARRAYS[type].from(data.map(Number)),
  };
}

function isFloats(value: unknown): value is { floats: number[] } {
  return typeof value === 'object' && value !== null && 'floats' in value;
}

/** Runs a model of one node; the inputs from `constants` on are initializers. */
function run({ op, opset, attributes = {}, inputs, outputs, refused }: Case, constants: number): OnnxResult[] {
  const feeds = new Map<string, OnnxFeed & { type: Type }>();
  const initializers: Uint8Array[] = [];
  for (const [i, input] of inputs.entries()) {
    if (!input) continue;
    const feed = toFeed(input);
    if (i >= constants) initializers.push(tensorProto(`in${i}`, feed.dims, feed.data, DATA_TYPES[feed.type]));
    else feeds.set(`in${i}`, feed);
  }
  const wanted = outputs ?? Array<null>(refused!).fill(null);
  const names = wanted.map((output, i) => (output || refused ? `out${i}` : ''));
  const session = loadOnnx(
    onnxFile(
      {
        nodes: [
          {
            op: op.split('.').at(-1)!,
            domain: op.split('.').slice(0, -1).join('.'),
            inputs: inputs.map((input, i) => (input ? `in${i}` : '')),
            outputs: names,
            attributes: Object.fromEntries(
              Object.entries(attributes).map(([name, value]) => [
                name,
                isFloats(value) ? Float32Array.from(value.floats) : (value as Attribute),
              ]),
            ),
          },
        ],
        inputs: Object.fromEntries([...feeds.keys()].map((name) => [name, undefined])),
        outputs: Object.fromEntries(names.filter(Boolean).map((name) => [name, undefined])),
        types: Object.fromEntries([...feeds].map(([name, { type }]) => [name, DATA_TYPES[type]])),
        initializers,
      },
      opset,
    ),
  );
  try {
    return Object.values(session.run(feeds));
  } finally {
    session.dispose();
  }
}

/** The two runtimes sum floats in different orders and lengths. */
const TOLERANCE = 1e-5;
/** Where inputs and states are rounded to 8 bits there, and to 14 here. Its weights have to be constants. */
const ROUNDING: ReadonlyMap<string, number> = new Map([['com.microsoft.DynamicQuantizeLSTM', 0.02]]);

function expectSame({ data, dims, type }: OnnxResult, expected: JsonTensor, what: string, tolerance = TOLERANCE): void {
  const right = toFeed(expected);
  expect([type, dims], what).toEqual([right.type, right.dims]);
  expect(data.length, what).toBe(right.data.length);
  for (const [i, value] of Array.from<number | bigint>(right.data as ArrayLike<number | bigint>).entries()) {
    const got = data[i]!;
    const near =
      typeof value === 'number' &&
      Math.abs((got as number) - value) <= (type === 'float32' ? tolerance * Math.max(1, Math.abs(value)) : 0);
    if (!near && !Object.is(got, value)) expect(got, what).toBe(value);
  }
}

const lists: Case[][] = await Promise.all(
  ['cases', 'more', 'quantized'].map((name) => readJson(`onnx-corners/${name}.json`)),
);
const cases = lists.flat();

describe('answers of ONNX Runtime', () => {
  for (const op of new Set(cases.map((one) => one.op))) {
    test(op, () => {
      for (const one of cases.filter((other) => other.op === op)) {
        for (const constants of new Set([ROUNDING.has(op) ? 1 : one.inputs.length, 1])) {
          const what = JSON.stringify(one);
          if (one.refused) expect(() => run(one, constants), what).toThrow(ModelError);
          else {
            const expected = one.outputs!.filter((output) => output !== null);
            for (const [i, result] of run(one, constants).entries()) {
              expectSame(result, expected[i]!, what, ROUNDING.get(op));
            }
          }
        }
      }
    });
  }
});

describe('where ONNX Runtime differs from ONNX, or lacks the operator', () => {
  const tensor = (type: Type, dims: number[], ...data: (number | string)[]): JsonTensor => ({ type, dims, data });
  const ints = (...data: (number | string)[]) => tensor('int64', [data.length], ...data);
  const floats = (...data: (number | string)[]) => tensor('float32', [data.length], ...data);
  const one = (op: string, opset: number, inputs: JsonTensor[], attributes: Case['attributes'] = {}) =>
    run({ op, opset, inputs, attributes, outputs: [inputs[0]!] }, inputs.length)[0]!;

  test('MaxPool gives the place of NaN where it is the largest, and of equal numbers the first', () => {
    const x = tensor('float32', [1, 1, 6], 1, 'NaN', 3, 3, '-Infinity', '-Infinity');
    const pool = { op: 'MaxPool', opset: 12, inputs: [x], attributes: { kernel_shape: [2], strides: [2] } };
    const [largest, places] = run({ ...pool, outputs: [x, x] }, 1);
    expect([...largest!.data]).toEqual([NaN, 3, -Infinity]);
    expect(places!.data).toEqual(BigInt64Array.of(1n, 2n, 4n));
  });

  test('powers of integers are exact, wrap, and are cut below 1', () => {
    const powers = one('Pow', 13, [ints(3, -3, 2, 10, 0, -1, 5), ints(39, 39, 64, 3, -1, -3, -1)]);
    const smallest = -(2n ** 63n);
    expect(powers.data).toEqual(BigInt64Array.of(3n ** 39n, -(3n ** 39n), 0n, 1000n, smallest, -1n, 0n));
    expect(one('Pow', 13, [ints(3, 10), floats(20, 2)]).data).toEqual(BigInt64Array.of(3486784401n, 100n));
    expect(one('Pow', 13, [ints(9, 2), floats(0.5, 0.5)]).data).toEqual(BigInt64Array.of(3n, 1n));
    const narrow = one('Pow', 13, [tensor('int32', [3], 3, 0, -1), tensor('int32', [3], 20, -1, 7)]);
    expect(narrow.data).toEqual(Int32Array.of(Number(BigInt.asIntN(32, 3n ** 20n)), -(2 ** 31), -1));
  });

  test('products of integers are exact', () => {
    const a = tensor('int64', [1, 2], String(2n ** 62n), 3);
    const { data } = one('MatMul', 13, [a, tensor('int64', [2, 2], 1, 2, 5, -1)]);
    expect(data).toEqual(BigInt64Array.of(2n ** 62n + 15n, -(2n ** 63n) - 3n));
    expect(one('MatMul', 13, [tensor('int32', [2], 2 ** 30, 1), tensor('int32', [2], 2, 1)]).data).toEqual(
      Int32Array.of(-(2 ** 31) + 1),
    );
    expect(() => one('MatMul', 13, [a, tensor('float32', [2, 1], 1, 2)])).toThrow(
      /input 1 expected int64, got float32/,
    );
  });

  test('the largest of numbers with NaN among them is NaN', () => {
    expect(one('ReduceMax', 13, [floats(1, 'NaN', 3)]).data).toEqual(Float32Array.of(NaN));
  });

  test('Mod of floats has the sign of the divisor, from operator set 28 on', () => {
    const x = floats(5.5, -5.5, 5.5, -5.5, 0, 0, 1, -1, 'Infinity', 1, 'NaN');
    const y = floats(2, 2, -2, -2, 3, -3, 'Infinity', 'Infinity', 2, 0, 1);
    expect([...one('Mod', 28, [x, y]).data]).toEqual([1.5, 0.5, -0.5, -1.5, 0, -0, 1, Infinity, NaN, NaN, NaN]);
    const cut = [1.5, -1.5, 1.5, -1.5, 0, 0, 1, -1, NaN, NaN, NaN];
    expect([...one('Mod', 13, [x, y], { fmod: 1 }).data]).toEqual(cut);
    expect(() => one('Mod', 13, [x, y])).toThrow(/attribute fmod expected 1 for floats, got 0/);
    expect(() => one('Mod', 13, [ints(1), ints(0)])).toThrow(/divisor of integers expected not 0, got 0/);
  });

  test('reductions of integers are exact, and wrap', () => {
    const big = ints(String(2n ** 62n), 3, 2);
    const two = ints(0);
    const reduced = (op: string, x: JsonTensor) => one(op, 13, [x], { keepdims: 0 }).data[0];
    expect(reduced('ReduceProd', big)).toBe(BigInt.asIntN(64, 6n * 2n ** 62n));
    expect(reduced('ReduceSumSquare', ints(String(2n ** 31n), 1))).toBe(2n ** 62n + 1n);
    expect(reduced('ReduceL2', ints(String(3n * 2n ** 53n + 1n)))).toBe(3n * 2n ** 53n + 1n);
    expect(reduced('ReduceL1', ints(-5, 3, -1))).toBe(9n);
    expect(reduced('ReduceL2', two)).toBe(0n);
    expect(reduced('ReduceSumSquare', tensor('int32', [2], 2 ** 16, 3))).toBe(9);
    expect(reduced('ReduceLogSum', ints(3, 5))).toBe(2n);
    expect(() => reduced('ReduceLogSum', tensor('bool', [1], 1))).toThrow(/input expected numbers, got bool/);
  });

  test('reductions of no elements keep no axis that is counted from the end', () => {
    const none = tensor('float32', [2, 0, 3]);
    const empty = (op: string) => one(op, 13, [none], { axes: [-2] });
    expect(empty('ReduceMin')).toMatchObject({ dims: [2, 1, 3], data: new Float32Array(6).fill(Infinity) });
    expect(empty('ReduceLogSumExp').data).toEqual(new Float32Array(6).fill(-Infinity));
    expect(empty('ReduceProd').data).toEqual(new Float32Array(6).fill(1));
    const bools = one('ReduceMin', 20, [tensor('bool', [0])], { keepdims: 0 });
    expect(bools.data).toEqual(Uint8Array.of(1));
  });

  test('TopK: of equal elements the first, NaN as the largest', () => {
    const x = floats(1, 'NaN', 3, 3, 'NaN', '-Infinity');
    const top = (k: number, largest: number) =>
      run({ op: 'TopK', opset: 11, attributes: { largest }, inputs: [x, ints(k)], outputs: [x, x] }, 2);
    expect(top(4, 1).map(({ data }) => [...data])).toEqual([
      [NaN, NaN, 3, 3],
      [1n, 4n, 2n, 3n],
    ]);
    expect(top(5, 0)[1]!.data).toEqual(BigInt64Array.of(5n, 0n, 2n, 3n, 1n));
    expect(() => top(7, 1)).toThrow(/K expected 0 to 6, got 7/);
  });

  test('OneHot cuts indices to integers', () => {
    const hot = one('OneHot', 11, [floats(1.9, -0.5, 3), tensor('int64', [], 2), floats(0, 1)]);
    expect(hot).toMatchObject({ dims: [3, 2], data: Float32Array.of(0, 1, 1, 0, 0, 0) });
  });

  test('Softsign of an infinity is its limit; NaN stays NaN in ThresholdedRelu', () => {
    expect(one('Softsign', 13, [floats('Infinity', '-Infinity', 1)]).data).toEqual(Float32Array.of(1, -1, 0.5));
    expect(one('ThresholdedRelu', 13, [floats('NaN', 2, 1)]).data).toEqual(Float32Array.of(NaN, 2, 0));
  });

  test('Einsum: empty axes, inputs of one label, no more than two inputs', () => {
    const sums = (equation: string, ...inputs: JsonTensor[]) => one('Einsum', 12, inputs, { equation });
    const none = tensor('float32', [2, 0]);
    expect(sums('ij,jk->ik', none, tensor('float32', [0, 3]))).toMatchObject({
      dims: [2, 3],
      data: new Float32Array(6),
    });
    expect(sums('ij->', tensor('float32', [2, 2], 1, 2, 3, 4)).data).toEqual(Float32Array.of(10));
    expect(sums('ii', tensor('int64', [2, 2], 1, 2, 3, 4)).data).toEqual(BigInt64Array.of(5n));
    expect(() => sums('i,i,i', floats(1), floats(1), floats(1))).toThrow(/number of inputs expected 1 or 2, got 3/);
    expect(() => sums('ij', floats(1))).toThrow(/attribute equation expected 1 labels for input 0/);
    expect(() => sums('i->j', floats(1))).toThrow(/each label of the output once, and in an input/);
    expect(() => sums('i,i', floats(1, 2), floats(1, 2, 3))).toThrow(/input 1 expected 2 along axis 0, got \[3\]/);
  });

  test('Range is start + i delta, rounded once', () => {
    const scalar = (value: number) => tensor('float32', [], value);
    const { data } = one('Range', 11, [scalar(0.1), scalar(100), scalar(0.1)]);
    const tenth = Math.fround(0.1);
    expect(data).toEqual(Float32Array.from({ length: 1000 }, (_, i) => tenth + i * tenth).subarray(0, data.length));
    expect(data).toHaveLength(999);
  });

  test('Pad wraps as often as it takes', () => {
    const pads = { op: 'Pad', opset: 19, attributes: { mode: 'wrap' }, inputs: [floats(1, 2), ints(3, 4)] };
    expect(run({ ...pads, outputs: [floats()] }, 2)[0]!.data).toEqual(Float32Array.of(2, 1, 2, 1, 2, 1, 2, 1, 2));
  });

  test('Cast to the shorter floats rounds, and stays float32', () => {
    const x = [
      1.0005,
      1.00048828125,
      1.00146484375,
      65519.99,
      65520,
      -1e9,
      2.9e-8,
      3e-8,
      -1e-9,
      '-0',
      'NaN',
      '-Infinity',
    ];
    const half = one('Cast', 13, [floats(...x)], { to: 10 });
    expect([half.type, ...half.data]).toEqual([
      ...['float32', 1.0009765625, 1, 1.001953125, 65504, Infinity, -Infinity, 0, 2 ** -24, -0, -0, NaN, -Infinity],
    ]);
    const brain = one('Cast', 13, [floats(1.00390625, 1.01171875, 3.3895314e38, 3.4e38, 1e-40, '-0', 'NaN')], {
      to: 16,
    });
    const largest = (2 - 2 ** -7) * 2 ** 127;
    expect([...brain.data]).toEqual([1, 1.015625, largest, Infinity, 2 ** -133, -0, NaN]);
    expect([...one('Cast', 13, [ints(2049, 2051, 70000)], { to: 10 }).data]).toEqual([2048, 2052, Infinity]);
  });
});
